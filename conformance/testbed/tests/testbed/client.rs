//! A client that speaks lines, and dialogues written down as text.

use std::net::SocketAddr;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use kith_testbed::{Authority, Config, Server};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

/// One authority for all tests, as a run has.
pub(crate) static AUTHORITY: LazyLock<Authority> = LazyLock::new(|| Authority::new().unwrap());

/// A server with alice@a.test and bob@b.test, whose password is `secret`.
pub(crate) async fn server(config: Config) -> Server {
    let server = Server::start(&AUTHORITY, config).await.unwrap();
    server.add_account("alice@a.test", "secret").unwrap();
    server.add_account("bob@b.test", "secret").unwrap();
    server.set_now(1_795_299_139);
    server
}

pub(crate) fn connector() -> TlsConnector {
    let mut roots = rustls::RootCertStore::empty();
    let root = CertificateDer::from_pem_slice(AUTHORITY.pem().as_bytes()).unwrap();
    roots.add(root).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    TlsConnector::from(Arc::new(config))
}

pub(crate) trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Stream for T {}

pub(crate) struct Client {
    stream: Box<dyn Stream>,
    input: Vec<u8>,
    server_name: String,
}

const PATIENCE: Duration = Duration::from_secs(20);

impl Client {
    pub(crate) async fn plain(server: &Server, address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).await.unwrap();
        stream.set_nodelay(true).unwrap();
        Self {
            stream: Box::new(stream),
            input: Vec::new(),
            server_name: server.endpoints().server_name,
        }
    }

    pub(crate) async fn tls(server: &Server, address: SocketAddr) -> Self {
        let mut client = Self::plain(server, address).await;
        client.start_tls().await.unwrap();
        client
    }

    pub(crate) async fn start_tls(&mut self) -> std::io::Result<()> {
        let stream = std::mem::replace(&mut self.stream, Box::new(tokio::io::empty()));
        let name = ServerName::try_from(self.server_name.clone()).unwrap();
        self.stream = Box::new(connector().connect(name, stream).await?);
        Ok(())
    }

    /// Logged in over IMAP, after greeting and LOGIN.
    pub(crate) async fn imap(server: &Server, user: &str) -> Self {
        let mut client = Self::tls(server, server.endpoints().imap_tls).await;
        client.line().await.unwrap();
        let login = format!("login LOGIN {user} secret");
        assert!(client.command(&login).await.last().unwrap().contains("OK"));
        client
    }

    /// Logged in over SMTP, after greeting, EHLO and AUTH.
    pub(crate) async fn smtp(server: &Server) -> Self {
        let mut client = Self::tls(server, server.endpoints().submission_tls).await;
        client
            .dialogue(
                "S: 220 mail.test ESMTP
                 C: EHLO client.test
                 S*: 250 …
                 C: AUTH PLAIN AGFsaWNlQGEudGVzdABzZWNyZXQ=
                 S: 235 2.7.0 …",
            )
            .await;
        client
    }

    pub(crate) async fn send(&mut self, octets: &[u8]) {
        self.stream.write_all(octets).await.unwrap();
        self.stream.flush().await.unwrap();
    }

    /// Says something and ends, then reads all that the server still says.
    pub(crate) async fn send_and_drain(&mut self, octets: &[u8]) {
        // The server may close at any point: what cannot be sent any more is lost.
        let _ = self.stream.write_all(octets).await;
        let _ = self.stream.flush().await;
        let _ = self.stream.shutdown().await;
        while self.fill().await {
            self.input.clear();
        }
    }

    async fn fill(&mut self) -> bool {
        let read = self.stream.read_buf(&mut self.input);
        let read = tokio::time::timeout(PATIENCE, read)
            .await
            .expect("the server is silent");
        // A connection cut by the server reads as an error or as the end.
        read.is_ok_and(|read| read > 0)
    }

    /// Whether the server has closed, with nothing more said.
    pub(crate) async fn is_closed(&mut self) -> bool {
        self.input.is_empty() && !self.fill().await
    }

    /// A line with the literals in it, without the last CRLF. `None` at the end.
    pub(crate) async fn line(&mut self) -> Option<String> {
        let mut line = Vec::new();
        loop {
            let lf = self.input.iter().position(|octet| *octet == b'\n');
            let Some(lf) = lf else {
                if !self.fill().await {
                    return None;
                }
                continue;
            };
            line.extend(self.input.drain(..=lf));
            let text = line.strip_suffix(b"\r\n").expect("lines end with CRLF");
            let Some(literal) = literal(text) else {
                line.truncate(line.len() - 2);
                return Some(String::from_utf8_lossy(&line).into_owned());
            };
            while self.input.len() < literal {
                assert!(self.fill().await, "the literal is cut short");
            }
            line.extend(self.input.drain(..literal));
        }
    }

    /// Sends an IMAP command and returns all lines to the tagged one.
    pub(crate) async fn command(&mut self, command: &str) -> Vec<String> {
        self.send(format!("{command}\r\n").as_bytes()).await;
        let tag = format!("{} ", command.split(' ').next().unwrap());
        let mut lines = Vec::new();
        loop {
            lines.push(self.line().await.expect("the server answers"));
            if lines.last().unwrap().starts_with(&tag) {
                return lines;
            }
        }
    }

    /// Plays a dialogue. `C:` lines are sent, `S:` lines are awaited; `…` in them stands for any
    /// text and `\r\n` for a line end within a literal. `S*:` awaits all lines of one SMTP reply.
    pub(crate) async fn dialogue(&mut self, text: &str) {
        for step in text
            .lines()
            .map(str::trim_start)
            .filter(|step| !step.is_empty())
        {
            if let Some(said) = step.strip_prefix("C:") {
                let said = said.strip_prefix(' ').unwrap_or(said);
                let said = said.replace("\\r\\n", "\r\n");
                self.send(format!("{said}\r\n").as_bytes()).await;
            } else if let Some(expected) = step.strip_prefix("S*: ") {
                loop {
                    let line = self.line().await.expect(expected);
                    if line.as_bytes().get(3) == Some(&b' ') {
                        assert!(fits(&line, expected), "got  {line}\nwant {expected}");
                        break;
                    }
                }
            } else if let Some(expected) = step.strip_prefix("S: ") {
                let line = self
                    .line()
                    .await
                    .unwrap_or_else(|| panic!("closed before {expected}"));
                let line = line.replace("\r\n", "\\r\\n");
                assert!(fits(&line, expected), "\n got {line}\nwant {expected}\n");
            } else {
                panic!("neither C: nor S: {step}");
            }
        }
    }
}

fn literal(line: &[u8]) -> Option<usize> {
    let line = line.strip_suffix(b"}")?;
    let open = line.iter().rposition(|octet| *octet == b'{')?;
    std::str::from_utf8(&line[open + 1..]).ok()?.parse().ok()
}

/// Whether a text fits a pattern in which `…` stands for anything.
fn fits(text: &str, pattern: &str) -> bool {
    let mut pieces = pattern.split('…');
    let first = pieces.next().unwrap_or_default();
    let Some(mut rest) = text.strip_prefix(first) else {
        return false;
    };
    let mut open = false;
    for piece in pieces {
        open = piece.is_empty();
        let Some(at) = rest.find(piece) else {
            return false;
        };
        rest = &rest[at + piece.len()..];
    }
    open || rest.is_empty()
}
