//! The embedded mail server: dialogues of a client that is logged in, over a mailbox with mails
//! that nobody should send.

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use kith_testbed::{Authority, Config, Deliver, Server, TestbedError};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::runtime::Runtime;
use tokio_rustls::TlsConnector;

use super::seeds::SEEDS;
use crate::{Mutator, Target};

const ADDRESS: &str = "alice@a.test";
const PASSWORD: &str = "secret";
/// A server that says nothing for so long hangs.
const PATIENCE: Duration = Duration::from_secs(10);

const IMAP: &[&str] = &[
    "a FETCH 1:* (UID FLAGS ENVELOPE BODYSTRUCTURE INTERNALDATE RFC822.SIZE)",
    "a FETCH 1:* (BODY.PEEK[] BODY[HEADER.FIELDS (SUBJECT FROM)] BODY[1.MIME] BODY[TEXT]<5.20>)",
    "a UID FETCH * (BODY[1] BODY[2.1] BODY[2.HEADER])",
    "a UID SEARCH RETURN (ALL) OR HEADER Kith-Version \"1.0\" NOT BODY {3+}\r\nabc",
    "a SEARCH CHARSET UTF-8 TEXT \"snow\" SINCE 1-Jan-2026 LARGER 10 UID 1:*",
    "a STORE 1:* +FLAGS.SILENT (\\Seen $Kith)",
    "a UID COPY 1:* Kith",
    "a UID MOVE 1 Kith/Refused",
    "a CREATE Kith/Refused",
    "a LIST (SUBSCRIBED) \"\" (\"%\" \"Kith*\") RETURN (STATUS (MESSAGES UIDNEXT))",
    "a STATUS INBOX (MESSAGES UIDNEXT UIDVALIDITY UNSEEN HIGHESTMODSEQ)",
    "a APPEND INBOX (\\Seen) \"21-Nov-2026 09:00:00 +0000\" {12+}\r\nSubject: x\r\n",
    "a SELECT INBOX (CONDSTORE)",
    "a FETCH 1:* (FLAGS) (CHANGEDSINCE 1)",
    "a RENAME Kith &AOk-",
    "a IDLE\r\nDONE",
    "a EXPUNGE",
    "a UID EXPUNGE 1:*",
];
const SMTP: &[&str] = &[
    "EHLO client.test",
    "MAIL FROM:<alice@a.test> SIZE=100 BODY=8BITMIME SMTPUTF8",
    "RCPT TO:<alice@a.test>",
    "RCPT TO:<bob@b.test> NOTIFY=NEVER",
    "DATA",
    "Subject: x\r\n\r\n..x\r\n.",
    "RSET",
    "AUTH PLAIN AGFsaWNlQGEudGVzdABzZWNyZXQ=",
    "BDAT 5 LAST\r\nabcde",
    "VRFY alice",
    "NOOP",
];

/// What is spoken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Protocol {
    Imap,
    Smtp,
}

/// Dialogues with the embedded server.
pub(super) struct Dialogue {
    protocol: Protocol,
    runtime: Runtime,
    authority: Authority,
    server: Server,
    connector: TlsConnector,
    tries: u32,
}

/// After so many tries a server begins anew, because its log grows.
const LIFE: u32 = 200;

fn server(runtime: &Runtime, authority: &Authority) -> Result<Server, TestbedError> {
    let server = runtime.block_on(Server::start(authority, Config::default()))?;
    server.add_account(ADDRESS, PASSWORD)?;
    server.add_account("bob@b.test", PASSWORD)?;
    Ok(server)
}

impl Dialogue {
    pub(super) fn new(protocol: Protocol) -> Result<Self, Box<dyn Error>> {
        let runtime = Runtime::new()?;
        let authority = Authority::new()?;
        let server = server(&runtime, &authority)?;
        let mut roots = rustls::RootCertStore::empty();
        roots.add(CertificateDer::from_pem_slice(authority.pem().as_bytes())?)?;
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = rustls::ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(Self {
            protocol,
            runtime,
            authority,
            server,
            connector: TlsConnector::from(Arc::new(config)),
            tries: 0,
        })
    }

    fn script(&self, mutator: &mut Mutator) -> Vec<u8> {
        let (start, words) = match self.protocol {
            Protocol::Imap => (
                format!("a LOGIN {ADDRESS} {PASSWORD}\r\na SELECT INBOX\r\n"),
                IMAP,
            ),
            Protocol::Smtp => (
                "EHLO x\r\nAUTH PLAIN AGFsaWNlQGEudGVzdABzZWNyZXQ=\r\n".to_owned(),
                SMTP,
            ),
        };
        let mut script = start.into_bytes();
        for _ in 0..=mutator.below(6) {
            let mut line = mutator.choose(words).as_bytes().to_vec();
            if mutator.below(3) > 0 {
                let other = mutator.choose(words);
                line = mutator.mutate(line, other.as_bytes());
            }
            script.extend(line);
            script.extend(b"\r\n");
        }
        script
    }

    /// Says everything at once and listens to the end.
    async fn say(&self, script: &[u8]) -> std::io::Result<Vec<u8>> {
        let endpoints = self.server.endpoints();
        let address = match self.protocol {
            Protocol::Imap => endpoints.imap_tls,
            Protocol::Smtp => endpoints.submission_tls,
        };
        let name = ServerName::try_from(endpoints.server_name).map_err(std::io::Error::other)?;
        let stream = TcpStream::connect(address).await?;
        let mut stream = self.connector.connect(name, stream).await?;
        // The server may close at any point.
        let _ = stream.write_all(script).await;
        let _ = stream.shutdown().await;
        let mut said = Vec::new();
        let _ = stream.read_to_end(&mut said).await;
        Ok(said)
    }
}

impl Target for Dialogue {
    fn name(&self) -> &'static str {
        match self.protocol {
            Protocol::Imap => "testbed-imap",
            Protocol::Smtp => "testbed-smtp",
        }
    }

    fn play(&mut self, mutator: &mut Mutator) -> Result<(), String> {
        self.tries += 1;
        if self.tries.is_multiple_of(LIFE) {
            let fresh = server(&self.runtime, &self.authority);
            self.server = fresh.map_err(|error| error.to_string())?;
        }
        if self.protocol == Protocol::Imap {
            let mail = mutator.choose(&SEEDS.mails).clone();
            let other = mutator.choose(&SEEDS.mails);
            let mail = mutator.mutate(mail, other);
            // A full mailbox is emptied by making the person anew.
            let _ = self.server.remove_account(ADDRESS);
            let added = self.server.add_account(ADDRESS, PASSWORD);
            added.map_err(|error| error.to_string())?;
            let _ = self.server.deliver(ADDRESS, &mail, &Deliver::default());
        }
        let script = self.script(mutator);
        let known = self.server.wire_log().render().len();
        let said = self
            .runtime
            .block_on(async { tokio::time::timeout(PATIENCE, self.say(&script)).await });
        let log = self.server.wire_log().render();
        if log[known.min(log.len())..].contains("session of this server panicked") {
            return Err(format!("a session panicked: {}", tail(&log)));
        }
        match said {
            Err(_) => Err("the server hangs".to_owned()),
            Ok(Err(error)) => Err(format!("the server can't be reached: {error}")),
            Ok(Ok(said)) if said.is_empty() => Err("the server said nothing".to_owned()),
            Ok(Ok(_)) => Ok(()),
        }
    }
}

fn tail(log: &str) -> String {
    let lines: Vec<&str> = log.lines().collect();
    lines[lines.len().saturating_sub(12)..].join("\n")
}
