//! A connection to a real server, up to and with its greeting, always encrypted.

use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncBufRead, AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::failed;
use crate::TestbedError;
use crate::described::{DescribedEndpoint, TlsMode};
use crate::wire::Protocol;

/// How long a server has for one step.
pub(super) const PATIENCE: Duration = Duration::from_secs(30);
/// The longest line that is read, in octets.
const LONGEST: usize = 1 << 20;

/// An encrypted connection to a server.
pub(super) type Stream = BufReader<TlsStream<TcpStream>>;

/// Trust in this authority, or in those of this machine.
pub(super) fn client_config(ca: Option<&str>) -> Result<Arc<ClientConfig>, TestbedError> {
    let what = "read the certificate authority";
    let mut roots = RootCertStore::empty();
    match ca {
        Some(pem) => {
            for certificate in CertificateDer::pem_slice_iter(pem.as_bytes()) {
                let certificate = certificate.map_err(|error| failed(what, &error))?;
                roots
                    .add(certificate)
                    .map_err(|error| failed(what, &error))?;
            }
        }
        None => {
            let (_, _) =
                roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        }
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| failed(what, &error))?;
    Ok(Arc::new(
        config.with_root_certificates(roots).with_no_client_auth(),
    ))
}

/// Connects, starts TLS, and reads the greeting.
pub(super) async fn connect(
    endpoint: &DescribedEndpoint,
    protocol: Protocol,
    tls: &Arc<ClientConfig>,
) -> Result<(Stream, Vec<u8>), TestbedError> {
    let what = || format!("connect to {} port {}", endpoint.host, endpoint.port);
    let connecting = try_connect(endpoint, protocol, tls);
    match tokio::time::timeout(PATIENCE, connecting).await {
        Ok(connected) => connected.map_err(|error| failed(what(), &error)),
        Err(_) => Err(failed(what(), &"no answer in 30 seconds")),
    }
}

async fn try_connect(
    endpoint: &DescribedEndpoint,
    protocol: Protocol,
    tls: &Arc<ClientConfig>,
) -> std::io::Result<(Stream, Vec<u8>)> {
    use std::io::Error;
    let ip = endpoint.ip().map_err(Error::other)?;
    let mut stream = TcpStream::connect((ip, endpoint.port)).await?;
    stream.set_nodelay(true)?;
    let mut greeting = Vec::new();
    if endpoint.mode == TlsMode::Starttls {
        let mut plain = BufReader::new(stream);
        greeting = reply(&mut plain).await?;
        let commands: &[&str] = match protocol {
            Protocol::Smtp => &["EHLO localhost\r\n", "STARTTLS\r\n"],
            Protocol::Imap => &["s STARTTLS\r\n"],
        };
        for command in commands {
            plain.write_all(command.as_bytes()).await?;
            let answer = reply(&mut plain).await?;
            if !answer.starts_with(b"2") && !answer.starts_with(b"s OK") {
                return Err(Error::other("it doesn't start TLS"));
            }
        }
        stream = plain.into_inner();
    }
    let name = ServerName::try_from(endpoint.host.clone()).map_err(Error::other)?;
    let stream = TlsConnector::from(Arc::clone(tls))
        .connect(name, stream)
        .await?;
    let mut stream = BufReader::new(stream);
    if endpoint.mode == TlsMode::Tls {
        greeting = reply(&mut stream).await?;
    }
    Ok((stream, greeting))
}

/// A line with its end; empty at the end of the stream.
pub(super) async fn line(stream: &mut (impl AsyncBufRead + Unpin)) -> std::io::Result<Vec<u8>> {
    let mut line = Vec::new();
    loop {
        let there = stream.fill_buf().await?;
        if there.is_empty() {
            return Ok(line);
        }
        let end = there.iter().position(|octet| *octet == b'\n');
        let used = end.map_or(there.len(), |end| end + 1);
        line.extend_from_slice(&there[..used]);
        stream.consume(used);
        if end.is_some() {
            return Ok(line);
        }
        if line.len() > LONGEST {
            return Err(std::io::Error::other("a line of more than a MiB"));
        }
    }
}

/// A reply with all its lines: of SMTP up to the one without a hyphen after the code. IMAP's
/// greetings and answers to STARTTLS have one line.
pub(super) async fn reply(stream: &mut (impl AsyncBufRead + Unpin)) -> std::io::Result<Vec<u8>> {
    let mut reply = Vec::new();
    loop {
        let next = line(stream).await?;
        if next.is_empty() {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        let more = next.len() > 3 && next[..3].iter().all(u8::is_ascii_digit) && next[3] == b'-';
        reply.extend_from_slice(&next);
        if !more {
            return Ok(reply);
        }
    }
}
