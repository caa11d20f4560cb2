//! Connections to mail servers, with TLS before anything is said
//! (specification, section "Transport" of chapter "Mail format").
//!
//! STARTTLS is spoken here, octet by octet, so that nothing that somebody slipped in before the
//! handshake is ever read as if it had come after it.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use kith_core::implements;
use kith_spec::req;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{CertificateError, ClientConfig, RootCertStore};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, BufWriter, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Sleep, timeout};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::account::{Endpoint, Roots, TlsMode};
use crate::sieve;

/// How long making a connection may take.
const CONNECT: Duration = Duration::from_secs(20);
/// Octets of a line that a server says before TLS.
const LINE: usize = 2048;
/// Lines that a server says before TLS.
const LINES: usize = 100;

/// Why there is no connection. Nothing was sent.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// The host has no address.
    #[error(
        "{server}: the name {host} can't be found ({source}); check its spelling and that you are online"
    )]
    Resolve {
        /// The server as configured.
        server: String,
        /// The name that was looked up.
        host: String,
        /// What the system said.
        source: io::Error,
    },
    /// Nobody answers.
    #[error(
        "{server}: can't be reached ({source}); check host and port and that you are online, or try later"
    )]
    Unreachable {
        /// The server as configured.
        server: String,
        /// What the system said.
        source: io::Error,
    },
    /// It is there, but waits for something.
    #[error(
        "{server}: can be reached, but says nothing; check the port, and whether TLS begins at once (IMAP 993, submission 465) or with STARTTLS (143, 587)"
    )]
    Silent {
        /// The server as configured.
        server: String,
    },
    /// It serves nobody now, or not from here.
    #[error("{server}: turned kith away ({said}); try later, or ask the provider")]
    TurnedAway {
        /// The server as configured.
        server: String,
        /// What it said.
        said: String,
    },
    /// It doesn't speak the protocol.
    #[error(
        "{server}: unexpected answer \"{said}\"; check host, port, and whether TLS begins at once or with STARTTLS"
    )]
    Protocol {
        /// The server as configured.
        server: String,
        /// What it said.
        said: String,
    },
    /// It offers no TLS.
    #[error(
        "{server}: offers no TLS, so nothing was sent; use its TLS port (IMAP 993, submission 465), or ask the provider"
    )]
    NoTls {
        /// The server as configured.
        server: String,
    },
    /// Its certificate is not to be trusted.
    #[error("{server}: its certificate is not trusted for the name {name}: {reason}")]
    Certificate {
        /// The server as configured.
        server: String,
        /// The name that it must stand for.
        name: String,
        /// Why not, and what to do.
        reason: String,
    },
    /// TLS failed for another reason.
    #[error(
        "{server}: TLS failed ({source}); check whether TLS begins at once at this port or with STARTTLS, as `mode` in the configuration says, or try later"
    )]
    Tls {
        /// The server as configured.
        server: String,
        /// What failed.
        source: io::Error,
    },
    /// The name can't stand in a certificate.
    #[error(
        "{server}: {name} is no host name that a certificate can be checked for; correct it in the configuration"
    )]
    Name {
        /// The server as configured.
        server: String,
        /// The name.
        name: String,
    },
    /// There are no authorities to trust.
    #[error(
        "there are no trusted authorities: {0}; give the right file with --ca, or repair the system's certificates"
    )]
    Roots(String),
}

/// Which protocol is spoken after the connection is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    /// Submission (RFC 6409).
    Smtp,
    /// IMAP (RFC 9051).
    Imap,
    /// ManageSieve (RFC 5804). The server tells its capabilities after TLS.
    Sieve,
    /// HTTPS, where TLS begins at once.
    Https,
}

/// Makes connections that trust the given authorities.
#[derive(Debug, Clone)]
pub struct Dialer {
    config: Arc<ClientConfig>,
    patience: Duration,
}

impl Dialer {
    /// Reads the trusted authorities.
    ///
    /// # Errors
    ///
    /// [`ConnectError::Roots`].
    pub fn new(roots: &Roots, patience: Duration) -> Result<Self, ConnectError> {
        let mut store = RootCertStore::empty();
        match roots {
            Roots::Platform => {
                store.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
            }
            Roots::Pem(pem) => {
                let unusable = |error: &dyn std::fmt::Display| {
                    ConnectError::Roots(format!("the PEM text can't be read ({error})"))
                };
                for certificate in CertificateDer::pem_slice_iter(pem.as_bytes()) {
                    let certificate = certificate.map_err(|error| unusable(&error))?;
                    store.add(certificate).map_err(|error| unusable(&error))?;
                }
            }
        }
        if store.is_empty() {
            return Err(ConnectError::Roots("none was found".to_owned()));
        }
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| ConnectError::Roots(error.to_string()))?
            .with_root_certificates(store)
            .with_no_client_auth();
        Ok(Self {
            config: Arc::new(config),
            patience,
        })
    }

    /// Connects, with TLS. An IMAP greeting has been read, an SMTP greeting is still to come.
    ///
    /// # Errors
    ///
    /// [`ConnectError`].
    pub async fn dial(&self, to: &Endpoint, protocol: Protocol) -> Result<Stream, ConnectError> {
        implements!(req::MAIL_TLS, req::MAIL_CERTIFICATE_CHECK);
        let server = to.to_string();
        let name = ServerName::try_from(to.host.clone()).map_err(|_| ConnectError::Name {
            server: server.clone(),
            name: to.host.clone(),
        })?;
        let late = || io::Error::new(io::ErrorKind::TimedOut, "no answer in time");
        let unreachable = |source| ConnectError::Unreachable {
            server: server.clone(),
            source,
        };
        let mut tcp = timeout(CONNECT, tcp(to))
            .await
            .map_err(|_| unreachable(late()))??;
        let greeted = to.mode == TlsMode::Starttls;
        if greeted {
            let said = starttls(&mut tcp, protocol, &server);
            timeout(self.patience, said)
                .await
                .map_err(|_| ConnectError::Silent {
                    server: server.clone(),
                })??;
        }
        let handshake = TlsConnector::from(self.config.clone()).connect(name, tcp);
        let tls = timeout(CONNECT, handshake)
            .await
            .unwrap_or_else(|_| Err(late()));
        let tls = tls.map_err(|source| untrusted(to, source))?;
        let mut stream = Stream::new(tls, self.patience);
        match (protocol, greeted) {
            (Protocol::Imap, false) => {
                let greeting = line(&mut stream).await.map_err(unreachable)?;
                imap_greeting(&greeting, &server)?;
            }
            // The greeting came before TLS; the SMTP library waits for one.
            (Protocol::Smtp, true) => stream.pending = b"220 TLS\r\n",
            _ => {}
        }
        Ok(stream)
    }
}

async fn tcp(to: &Endpoint) -> Result<TcpStream, ConnectError> {
    let server = to.to_string();
    let target = (to.target(), to.port);
    let resolve = |source| ConnectError::Resolve {
        server: server.clone(),
        host: to.target().to_owned(),
        source,
    };
    let addresses: Vec<SocketAddr> = tokio::net::lookup_host(target)
        .await
        .map_err(resolve)?
        .collect();
    let unreachable = |source| ConnectError::Unreachable {
        server: server.clone(),
        source,
    };
    let stream = TcpStream::connect(addresses.as_slice())
        .await
        .map_err(unreachable)?;
    // Mail bodies are written in several pieces; waiting for acknowledgements costs 40 ms a mail.
    stream.set_nodelay(true).map_err(unreachable)?;
    Ok(stream)
}

fn untrusted(to: &Endpoint, source: io::Error) -> ConnectError {
    let server = to.to_string();
    let inner = source
        .get_ref()
        .and_then(|inner| inner.downcast_ref::<rustls::Error>());
    let Some(rustls::Error::InvalidCertificate(error)) = inner else {
        return ConnectError::Tls { server, source };
    };
    let reason = match error {
        CertificateError::UnknownIssuer | CertificateError::BadSignature => {
            "no authority that you trust has signed it; if this is your own server, name its authority (`ca` in the configuration, --ca in `kith init`), else somebody may be listening: try another network, and tell the provider".to_owned()
        }
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            "it stands for another name; check the host name in the configuration".to_owned()
        }
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
            "it has expired; check this computer's clock, or tell the provider".to_owned()
        }
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            "it is not valid yet; check this computer's clock".to_owned()
        }
        CertificateError::Revoked => "it was revoked; tell the provider".to_owned(),
        other => format!("{other:?}; tell the provider"),
    };
    ConnectError::Certificate {
        server,
        name: to.host.clone(),
        reason,
    }
}

/// Reads a line, octet by octet: what follows it stays in the socket.
pub(crate) async fn line<S: AsyncRead + Unpin>(stream: &mut S) -> io::Result<String> {
    let mut line = Vec::new();
    while line.len() < LINE {
        match stream.read_u8().await? {
            b'\n' => {
                let line = String::from_utf8_lossy(&line);
                return Ok(line.trim_end_matches('\r').to_owned());
            }
            octet => line.push(octet),
        }
    }
    Err(io::Error::new(
        io::ErrorKind::InvalidData,
        "a line without end",
    ))
}

async fn starttls(
    tcp: &mut TcpStream,
    protocol: Protocol,
    server: &str,
) -> Result<(), ConnectError> {
    let lost = |source| ConnectError::Unreachable {
        server: server.to_owned(),
        source,
    };
    let no_tls = || ConnectError::NoTls {
        server: server.to_owned(),
    };
    match protocol {
        Protocol::Smtp => {
            let greeting = reply(tcp).await.map_err(lost)?;
            expect(greeting.last(), "220", server)?;
            tcp.write_all(b"EHLO [127.0.0.1]\r\n").await.map_err(lost)?;
            let offers = reply(tcp).await.map_err(lost)?;
            let mut offers = offers.iter().filter_map(|line| line.get(4..));
            if !offers.any(|offer| offer.trim().eq_ignore_ascii_case("STARTTLS")) {
                return Err(no_tls());
            }
            tcp.write_all(b"STARTTLS\r\n").await.map_err(lost)?;
            let ready = reply(tcp).await.map_err(lost)?;
            ready
                .last()
                .filter(|line| line.starts_with("220"))
                .ok_or_else(no_tls)?;
        }
        Protocol::Imap => {
            imap_greeting(&line(tcp).await.map_err(lost)?, server)?;
            tcp.write_all(b"tls STARTTLS\r\n").await.map_err(lost)?;
            for _ in 0..LINES {
                let answer = line(tcp).await.map_err(lost)?;
                if let Some(status) = answer.strip_prefix("tls ") {
                    let ready = status
                        .get(..2)
                        .is_some_and(|ok| ok.eq_ignore_ascii_case("OK"));
                    return if ready { Ok(()) } else { Err(no_tls()) };
                }
            }
            return Err(no_tls());
        }
        Protocol::Sieve => {
            let refused = |sieve::No(said)| ConnectError::Protocol {
                server: server.to_owned(),
                said,
            };
            let offers = sieve::answer(tcp).await.map_err(lost)?.map_err(refused)?;
            let offer = |word: &sieve::Word| matches!(word, sieve::Word::Text(text) if text.eq_ignore_ascii_case("STARTTLS"));
            if !offers.iter().any(|line| line.first().is_some_and(offer)) {
                return Err(no_tls());
            }
            tcp.write_all(b"STARTTLS\r\n").await.map_err(lost)?;
            sieve::answer(tcp).await.map_err(lost)?.map_err(refused)?;
        }
        Protocol::Https => return Err(no_tls()),
    }
    Ok(())
}

/// Who greets with PREAUTH wants no login, and so can't begin TLS any more: that is refused too.
fn imap_greeting(greeting: &str, server: &str) -> Result<(), ConnectError> {
    expect(Some(&greeting.to_owned()), "* OK", server)
}

fn expect(line: Option<&String>, start: &str, server: &str) -> Result<(), ConnectError> {
    let said = line.map(String::as_str).unwrap_or_default();
    if said
        .get(..start.len())
        .is_some_and(|begin| begin.eq_ignore_ascii_case(start))
    {
        return Ok(());
    }
    let (server, said) = (server.to_owned(), shown(said));
    let busy = said.starts_with("421") || said.starts_with("554") || said.starts_with("* BYE");
    Err(if busy {
        ConnectError::TurnedAway { server, said }
    } else {
        ConnectError::Protocol { server, said }
    })
}

/// What a server said, fit for a terminal.
pub(crate) fn shown(said: &str) -> String {
    let clean = |character: char| {
        if character.is_control() {
            ' '
        } else {
            character
        }
    };
    said.chars()
        .take(300)
        .map(clean)
        .collect::<String>()
        .trim()
        .to_owned()
}

/// The lines of an SMTP reply.
async fn reply(tcp: &mut TcpStream) -> io::Result<Vec<String>> {
    let mut lines = Vec::new();
    while lines.len() < LINES {
        let line = line(tcp).await?;
        let last = line.as_bytes().get(3) != Some(&b'-');
        lines.push(line);
        if last {
            return Ok(lines);
        }
    }
    Err(io::Error::new(
        io::ErrorKind::InvalidData,
        "a reply without end",
    ))
}

/// A connection with TLS. Silence of the server longer than the patience is an error.
#[derive(Debug)]
pub struct Stream {
    /// What is written waits for the flush, so that a command is one record and one packet.
    tls: BufWriter<TlsStream<TcpStream>>,
    pending: &'static [u8],
    patience: Option<Duration>,
    reading: Option<Pin<Box<Sleep>>>,
    writing: Option<Pin<Box<Sleep>>>,
}

impl Stream {
    fn new(tls: TlsStream<TcpStream>, patience: Duration) -> Self {
        let patience = Some(patience);
        Self {
            tls: BufWriter::new(tls),
            pending: b"",
            patience,
            reading: None,
            writing: None,
        }
    }

    /// Changes how long the server may be silent; `None` is for ever.
    pub(crate) fn set_patience(&mut self, patience: Option<Duration>) -> Option<Duration> {
        self.reading = None;
        std::mem::replace(&mut self.patience, patience)
    }
}

/// Turns a wait that lasts too long into an error.
fn patiently<T>(
    poll: Poll<io::Result<T>>,
    clock: &mut Option<Pin<Box<Sleep>>>,
    patience: Option<Duration>,
    cx: &mut Context<'_>,
) -> Poll<io::Result<T>> {
    if poll.is_ready() {
        *clock = None;
        return poll;
    }
    let Some(patience) = patience else {
        return Poll::Pending;
    };
    let clock = clock.get_or_insert_with(|| Box::pin(tokio::time::sleep(patience)));
    match clock.as_mut().poll(cx) {
        Poll::Ready(()) => Poll::Ready(Err(io::Error::new(
            io::ErrorKind::TimedOut,
            "no answer in time",
        ))),
        Poll::Pending => Poll::Pending,
    }
}

impl AsyncRead for Stream {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if !this.pending.is_empty() {
            let (now, later) = this
                .pending
                .split_at(this.pending.len().min(into.remaining()));
            into.put_slice(now);
            this.pending = later;
            return Poll::Ready(Ok(()));
        }
        let poll = Pin::new(&mut this.tls).poll_read(cx, into);
        patiently(poll, &mut this.reading, this.patience, cx)
    }
}

impl AsyncWrite for Stream {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        octets: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let poll = Pin::new(&mut this.tls).poll_write(cx, octets);
        patiently(poll, &mut this.writing, this.patience, cx)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let poll = Pin::new(&mut this.tls).poll_flush(cx);
        patiently(poll, &mut this.writing, this.patience, cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let poll = Pin::new(&mut this.tls).poll_shutdown(cx);
        patiently(poll, &mut this.writing, this.patience, cx)
    }
}

impl lettre::transport::smtp::client::AsyncTokioStream for Stream {
    fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.tls.get_ref().get_ref().0.peer_addr()
    }
}
