//! The relay between the agent and its real server: TLS ends here and starts anew, and what is
//! said is recorded, passwords masked.
//!
//! SMTP goes line by line, so that it is known what was accepted; for that BDAT is not offered.
//! IMAP is passed through.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rustls::{ClientConfig, ServerConfig};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use super::{Shared, upstream};
use crate::TestbedError;
use crate::described::{DescribedAccount, DescribedDomain};
use crate::wire::{Protocol, SessionLog};
use crate::world::{MailParams, Submission};

/// The largest mail that is passed on, in octets.
const LARGEST: usize = 64 << 20;

/// The listening relay; it ends when this is dropped.
#[derive(Debug)]
pub(super) struct Relay {
    /// Of submission and mailbox.
    pub(super) addresses: [SocketAddr; 2],
    /// The name in its certificate.
    pub(super) host: String,
    tasks: Vec<JoinHandle<()>>,
}

impl Drop for Relay {
    fn drop(&mut self) {
        for task in &self.tasks {
            task.abort();
        }
    }
}

/// What all sessions of a relay need.
#[derive(Clone)]
struct Way {
    home: Arc<DescribedDomain>,
    shared: Arc<Shared>,
    own: Arc<ServerConfig>,
    tls: Arc<ClientConfig>,
}

type Client = BufReader<TlsStream<TcpStream>>;

impl Relay {
    pub(super) async fn open(
        home: DescribedDomain,
        shared: Arc<Shared>,
        own: Arc<ServerConfig>,
        tls: Arc<ClientConfig>,
    ) -> Result<Self, TestbedError> {
        let host = home.submission.host.clone();
        let way = Way {
            home: Arc::new(home),
            shared,
            own,
            tls,
        };
        let any: SocketAddr = (Ipv4Addr::LOCALHOST, 0).into();
        let bad = |source| TestbedError::Listen {
            address: any,
            source,
        };
        let mut addresses = [any; 2];
        let mut tasks = Vec::new();
        for (address, protocol) in addresses.iter_mut().zip([Protocol::Smtp, Protocol::Imap]) {
            let listener = TcpListener::bind(any).await.map_err(bad)?;
            *address = listener.local_addr().map_err(bad)?;
            tasks.push(tokio::spawn(way.clone().accept(listener, protocol)));
        }
        Ok(Self {
            addresses,
            host,
            tasks,
        })
    }
}

impl Way {
    async fn accept(self, listener: TcpListener, protocol: Protocol) {
        let mut sessions = JoinSet::new();
        loop {
            tokio::select! {
                accepted = listener.accept() => {
                    let Ok((stream, _)) = accepted else { continue };
                    sessions.spawn(self.clone().serve(stream, protocol));
                }
                Some(_) = sessions.join_next() => {}
            }
        }
    }

    async fn serve(self, stream: TcpStream, protocol: Protocol) {
        let mut log = self.shared.recorder.session(protocol);
        log.set_account(&self.shared.agent.address);
        log.note("connected");
        if let Err(error) = self.pass(stream, protocol, &log).await {
            log.note(&format!("the connection ended: {error}"));
        }
    }

    async fn pass(
        &self,
        stream: TcpStream,
        protocol: Protocol,
        log: &SessionLog,
    ) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
        stream.set_nodelay(true)?;
        let client = TlsAcceptor::from(Arc::clone(&self.own))
            .accept(stream)
            .await?;
        let client = BufReader::new(client);
        let endpoint = match protocol {
            Protocol::Smtp => &self.home.submission,
            Protocol::Imap => &self.home.mailbox,
        };
        let (server, greeting) = upstream::connect(endpoint, protocol, &self.tls).await?;
        let passed = match protocol {
            Protocol::Smtp => {
                let session = Smtp {
                    client,
                    server,
                    log,
                    shared: &self.shared,
                    envelope: Envelope::default(),
                };
                session.run(&greeting).await
            }
            Protocol::Imap => imap(client, server, &greeting, log, &self.shared.agent).await,
        };
        Ok(passed?)
    }
}

/// Passes IMAP through, both ways, until one side ends.
async fn imap(
    mut client: Client,
    mut server: upstream::Stream,
    greeting: &[u8],
    log: &SessionLog,
    account: &DescribedAccount,
) -> std::io::Result<()> {
    log.server(greeting);
    client.write_all(greeting).await?;
    client.flush().await?;
    let (mut up, mut down) = (vec![0; 16 << 10], vec![0; 16 << 10]);
    loop {
        tokio::select! {
            read = client.read(&mut up) => {
                let said = &up[..read?];
                if said.is_empty() {
                    return server.shutdown().await;
                }
                log.client(&mask(said, account));
                server.write_all(said).await?;
                server.flush().await?;
            }
            read = server.read(&mut down) => {
                let said = &down[..read?];
                if said.is_empty() {
                    return client.shutdown().await;
                }
                log.server(said);
                client.write_all(said).await?;
                client.flush().await?;
            }
        }
    }
}

/// What was said without the password, in any of the forms in which it is sent.
fn mask(said: &[u8], account: &DescribedAccount) -> Vec<u8> {
    let login = account.login();
    let password = &account.password;
    let mut secrets = vec![password.clone(), STANDARD.encode(password)];
    secrets.push(STANDARD.encode(format!("\0{login}\0{password}")));
    secrets.push(STANDARD.encode(format!("{login}\0{login}\0{password}")));
    let mut text = said.to_vec();
    for secret in secrets.iter().filter(|secret| !secret.is_empty()) {
        while let Some(at) = find(&text, secret.as_bytes()) {
            text.splice(at..at + secret.len(), *b"(masked)");
        }
    }
    text
}

fn find(text: &[u8], part: &[u8]) -> Option<usize> {
    text.windows(part.len()).position(|window| window == part)
}

/// A mail transaction under way.
#[derive(Default)]
struct Envelope {
    from: String,
    recipients: Vec<String>,
    params: MailParams,
}

/// A session of submission, command by command.
struct Smtp<'a> {
    client: Client,
    server: upstream::Stream,
    log: &'a SessionLog,
    shared: &'a Shared,
    envelope: Envelope,
}

impl Smtp<'_> {
    async fn run(mut self, greeting: &[u8]) -> std::io::Result<()> {
        self.answer(greeting).await?;
        loop {
            let line = upstream::line(&mut self.client).await?;
            if line.is_empty() {
                return self.server.shutdown().await;
            }
            self.log.client(&mask(&line, &self.shared.agent));
            let text = String::from_utf8_lossy(&line).trim_end().to_owned();
            let verb = text
                .split(' ')
                .next()
                .unwrap_or_default()
                .to_ascii_uppercase();
            if verb == "BDAT" {
                self.answer(b"502 5.5.1 BDAT is not offered\r\n").await?;
                return Ok(());
            }
            let reply = self.ask(&line).await?;
            let good = reply.starts_with(b"2");
            match verb.as_str() {
                "EHLO" | "HELO" | "RSET" if good => self.envelope = Envelope::default(),
                "MAIL" if good => self.envelope = mail(&text),
                "RCPT" if good => self.envelope.recipients.push(path(&text)),
                _ => {}
            }
            self.answer(&without_chunking(&reply)).await?;
            if verb == "DATA" && reply.starts_with(b"354") {
                self.data().await?;
            }
        }
    }

    async fn ask(&mut self, line: &[u8]) -> std::io::Result<Vec<u8>> {
        self.server.write_all(line).await?;
        self.server.flush().await?;
        upstream::reply(&mut self.server).await
    }

    async fn answer(&mut self, reply: &[u8]) -> std::io::Result<()> {
        self.log.server(reply);
        self.client.write_all(reply).await?;
        self.client.flush().await
    }

    /// The mail itself, up to the line with a dot.
    async fn data(&mut self) -> std::io::Result<()> {
        let (mut raw, mut octets) = (Vec::new(), Vec::new());
        loop {
            let line = upstream::line(&mut self.client).await?;
            if line.is_empty() || raw.len() > LARGEST {
                return Err(std::io::ErrorKind::UnexpectedEof.into());
            }
            raw.extend_from_slice(&line);
            if line == b".\r\n" {
                break;
            }
            octets.extend_from_slice(line.strip_prefix(b".").unwrap_or(&line));
        }
        self.log.client(&raw);
        let reply = self.ask(&raw).await?;
        let envelope = std::mem::take(&mut self.envelope);
        if reply.starts_with(b"2") {
            // Noted before the agent knows: what it has sent is there when it says so.
            self.shared.submit(Submission {
                account: self.shared.agent.address.clone(),
                envelope_from: envelope.from,
                recipients: envelope.recipients,
                octets: octets.into(),
                at: 0,
                params: envelope.params,
            });
        }
        self.answer(&reply).await
    }
}

/// The path in `MAIL FROM:<…>` or `RCPT TO:<…>`.
fn path(text: &str) -> String {
    let inner = text
        .split_once('<')
        .and_then(|(_, rest)| rest.split_once('>'));
    inner.map(|(path, _)| path.to_owned()).unwrap_or_default()
}

fn mail(text: &str) -> Envelope {
    let upper = text.to_ascii_uppercase();
    let size = upper
        .split(' ')
        .find_map(|word| word.strip_prefix("SIZE=")?.parse().ok());
    Envelope {
        from: path(text),
        recipients: Vec::new(),
        params: MailParams {
            size,
            eight_bit_mime: upper.contains("BODY=8BITMIME"),
            smtputf8: upper.contains("SMTPUTF8"),
        },
    }
}

/// The reply to EHLO without the extension that the relay doesn't follow.
fn without_chunking(reply: &[u8]) -> Vec<u8> {
    let text = String::from_utf8_lossy(reply);
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    let chunking = |line: &&&str| {
        line.get(4..)
            .is_some_and(|rest| rest.trim_end() == "CHUNKING")
    };
    if !lines.iter().any(|line| chunking(&line)) {
        return reply.to_vec();
    }
    let mut kept: Vec<String> = lines
        .iter()
        .filter(|line| !chunking(line))
        .map(|line| (*line).to_owned())
        .collect();
    if let Some(last) = kept.last_mut() {
        last.replace_range(3..4, " ");
    }
    kept.concat().into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chunking_is_not_offered() {
        let reply = b"250-mail.test\r\n250-SIZE 100\r\n250 CHUNKING\r\n";
        assert_eq!(
            without_chunking(reply),
            b"250-mail.test\r\n250 SIZE 100\r\n"
        );
        let reply = b"250-mail.test\r\n250-CHUNKING\r\n250 8BITMIME\r\n";
        assert_eq!(
            without_chunking(reply),
            b"250-mail.test\r\n250 8BITMIME\r\n"
        );
        assert_eq!(without_chunking(b"250 OK\r\n"), b"250 OK\r\n");
    }

    #[test]
    fn passwords_are_masked_in_each_form() {
        let account = DescribedAccount {
            address: "a@a.test".to_owned(),
            user: None,
            password: "hush".to_owned(),
        };
        assert_eq!(
            mask(b"x LOGIN a@a.test hush\r\n", &account),
            b"x LOGIN a@a.test (masked)\r\n"
        );
        let plain = format!("AUTH PLAIN {}\r\n", STANDARD.encode("\0a@a.test\0hush"));
        assert_eq!(mask(plain.as_bytes(), &account), b"AUTH PLAIN (masked)\r\n");
    }

    #[test]
    fn the_envelope_is_read() {
        let envelope = mail("MAIL FROM:<a@a.test> SIZE=12 BODY=8BITMIME");
        assert_eq!(envelope.from, "a@a.test");
        assert_eq!(envelope.params.size, Some(12));
        assert!(envelope.params.eight_bit_mime && !envelope.params.smtputf8);
        assert_eq!(path("RCPT TO:<b@b.test>"), "b@b.test");
    }
}
