//! Submission at a real server as a person that the harness plays: the mail goes out octet by
//! octet as the forge made it.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rustls::ClientConfig;
use tokio::io::AsyncWriteExt as _;

use super::{failed, upstream};
use crate::TestbedError;
use crate::described::{DescribedAccount, DescribedDomain};
use crate::wire::Protocol;

/// Submits a mail.
pub(super) async fn submit(
    domain: &DescribedDomain,
    account: &DescribedAccount,
    to: &str,
    octets: &[u8],
    tls: &Arc<ClientConfig>,
) -> Result<(), TestbedError> {
    let sent = try_submit(domain, account, to, octets, tls).await?;
    sent.map_err(|(step, reply)| refused(&account.address, step, &reply))
}

fn refused(from: &str, step: &str, reason: &str) -> TestbedError {
    failed(format!("submit a mail as {from}, at {step}"), &reason)
}

/// Submits a mail; if the server refuses it, returns at which step, and the reply.
pub(super) async fn try_submit(
    domain: &DescribedDomain,
    account: &DescribedAccount,
    to: &str,
    octets: &[u8],
    tls: &Arc<ClientConfig>,
) -> Result<Result<(), (&'static str, String)>, TestbedError> {
    let (mut server, _) = upstream::connect(&domain.submission, Protocol::Smtp, tls).await?;
    let from = &account.address;
    let credentials = format!("\0{}\0{}", account.login(), account.password);
    let steps = [
        ("EHLO", "EHLO [127.0.0.1]\r\n".to_owned().into_bytes()),
        (
            "AUTH",
            format!("AUTH PLAIN {}\r\n", STANDARD.encode(credentials)).into_bytes(),
        ),
        (
            "MAIL",
            format!("MAIL FROM:<{from}> SIZE={}\r\n", octets.len()).into_bytes(),
        ),
        ("RCPT", format!("RCPT TO:<{to}>\r\n").into_bytes()),
        ("DATA", b"DATA\r\n".to_vec()),
        ("the mail", stuffed(octets)),
        ("QUIT", b"QUIT\r\n".to_vec()),
    ];
    for (name, step) in steps {
        let asked = async {
            server.write_all(&step).await?;
            server.flush().await?;
            upstream::reply(&mut server).await
        };
        let reply = tokio::time::timeout(upstream::PATIENCE, asked).await;
        let reply = reply.unwrap_or_else(|_| Err(std::io::ErrorKind::TimedOut.into()));
        let reply = reply.map_err(|error| refused(from, name, &error.to_string()))?;
        if !reply.starts_with(b"2") && !reply.starts_with(b"354") {
            let reply = String::from_utf8_lossy(&reply).trim_end().to_owned();
            return Ok(Err((name, reply)));
        }
    }
    Ok(Ok(()))
}

/// With dots doubled at the start of lines, and the line with a dot at the end.
fn stuffed(octets: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(octets.len() + 16);
    for line in octets.split_inclusive(|octet| *octet == b'\n') {
        if line.starts_with(b".") {
            out.push(b'.');
        }
        out.extend_from_slice(line);
    }
    if !out.ends_with(b"\r\n") {
        out.extend_from_slice(b"\r\n");
    }
    out.extend_from_slice(b".\r\n");
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dots_are_doubled() {
        assert_eq!(stuffed(b".a\r\nb\r\n.\r\n"), b"..a\r\nb\r\n..\r\n.\r\n");
        assert_eq!(stuffed(b"a"), b"a\r\n.\r\n");
    }
}
