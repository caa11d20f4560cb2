//! Asking the system's name servers for SRV records (RFC 2782): by UDP, and by TCP where an answer is
//! too long for that. They do the resolving; this asks a few questions, once in an account's life.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use resolv_conf::Config;
use simple_dns::rdata::RData;
use simple_dns::{CLASS, Name, Packet, PacketFlag, Question, RCODE, TYPE};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpStream, UdpSocket};
use tokio::time::timeout;
use tracing::debug;

use super::host_name;

/// How long an answer may take.
const TIME: Duration = Duration::from_secs(3);
/// Name servers that are asked, one after the other.
const SERVERS: usize = 3;
/// Octets of an answer by UDP, which is not extended (RFC 1035).
const UDP: usize = 512;

/// Name servers.
pub(super) struct Resolver {
    servers: Vec<SocketAddr>,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
enum DnsError {
    #[error("{0}")]
    Io(#[from] io::Error),
    #[error("the packet can't be read or made ({0})")]
    Packet(#[from] simple_dns::SimpleDnsError),
    #[error("no answer in time")]
    Time,
    #[error("the name server answers {0:?}")]
    Code(RCODE),
}

impl Resolver {
    /// This name server, or those of the system.
    pub(super) fn new(name_server: Option<SocketAddr>) -> Self {
        if let Some(server) = name_server {
            return Self {
                servers: vec![server],
            };
        }
        let text = std::fs::read("/etc/resolv.conf").unwrap_or_default();
        let config = Config::parse_with_errors(&text).0;
        let servers = config.nameservers.iter().take(SERVERS);
        Self {
            servers: servers.map(|ip| SocketAddr::new(ip.into(), 53)).collect(),
        }
    }

    /// The first choice among the servers that a name has: host and port. The target "." says that
    /// there is none (RFC 6186, section 3.4).
    pub(super) async fn first(&self, name: &str) -> Option<(String, u16)> {
        for &server in &self.servers {
            let answer = timeout(TIME, ask(server, name));
            match answer.await.unwrap_or(Err(DnsError::Time)) {
                Ok(octets) => return chosen(&octets),
                Err(error) => debug!(name, %server, %error, "no SRV record"),
            }
        }
        None
    }
}

fn chosen(octets: &[u8]) -> Option<(String, u16)> {
    let answer = Packet::parse(octets).ok()?;
    let servers = answer.answers.iter().filter_map(|record| {
        let RData::SRV(server) = &record.rdata else {
            return None;
        };
        let host = host_name(&server.target.to_string()).filter(|_| server.port != 0)?;
        let order = (server.priority, std::cmp::Reverse(server.weight));
        Some((order, host, server.port))
    });
    let (_, host, port) = servers.min()?;
    Some((host, port))
}

async fn ask(server: SocketAddr, name: &str) -> Result<Vec<u8>, DnsError> {
    let mut question = Packet::new_query(rand::random());
    question.set_flags(PacketFlag::RECURSION_DESIRED);
    let class = CLASS::IN.into();
    let asked = Question::new(Name::new(name)?, TYPE::SRV.into(), class, false);
    question.questions.push(asked);
    let octets = question.build_bytes_vec()?;
    let answer = by_udp(server, &octets, &question).await?;
    match Packet::parse(&answer) {
        Ok(short) if !short.has_flags(PacketFlag::TRUNCATION) => answered(&short)?,
        // What was cut may be unreadable.
        _ => {
            let answer = by_tcp(server, &octets).await?;
            let packet = Packet::parse(&answer)?;
            if !is_answer(&packet, &question) {
                return Err(DnsError::Code(packet.rcode()));
            }
            answered(&packet)?;
            return Ok(answer);
        }
    }
    Ok(answer)
}

fn answered(packet: &Packet<'_>) -> Result<(), DnsError> {
    match packet.rcode() {
        RCODE::NoError | RCODE::NameError => Ok(()),
        other => Err(DnsError::Code(other)),
    }
}

/// Whether an answer is to the question, and not one that somebody guessed.
fn is_answer(answer: &Packet<'_>, question: &Packet<'_>) -> bool {
    let asked = |packet: &Packet<'_>| {
        let question = packet.questions.first();
        question.map(|asked| (asked.qname.to_string().to_ascii_lowercase(), asked.qtype))
    };
    answer.id() == question.id()
        && answer.has_flags(PacketFlag::RESPONSE)
        && asked(answer) == asked(question)
}

async fn by_udp(
    server: SocketAddr,
    octets: &[u8],
    question: &Packet<'_>,
) -> Result<Vec<u8>, DnsError> {
    let any = match server {
        SocketAddr::V4(_) => IpAddr::V4(Ipv4Addr::UNSPECIFIED),
        SocketAddr::V6(_) => IpAddr::V6(Ipv6Addr::UNSPECIFIED),
    };
    let socket = UdpSocket::bind((any, 0)).await?;
    socket.connect(server).await?;
    socket.send(octets).await?;
    loop {
        let mut answer = vec![0; UDP];
        let length = socket.recv(&mut answer).await?;
        answer.truncate(length);
        let cut = answer.get(2).is_some_and(|flags| flags & 0b10 != 0);
        let packet = Packet::parse(&answer);
        if cut || packet.is_ok_and(|packet| is_answer(&packet, question)) {
            return Ok(answer);
        }
    }
}

async fn by_tcp(server: SocketAddr, octets: &[u8]) -> Result<Vec<u8>, DnsError> {
    let mut tcp = TcpStream::connect(server).await?;
    let length = u16::try_from(octets.len()).map_err(io::Error::other)?;
    tcp.write_u16(length).await?;
    tcp.write_all(octets).await?;
    let mut answer = vec![0; usize::from(tcp.read_u16().await?)];
    tcp.read_exact(&mut answer).await?;
    Ok(answer)
}
