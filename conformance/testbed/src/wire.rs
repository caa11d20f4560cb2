//! The log of all that went over the wire, for a judge and for people.
//!
//! Passwords never enter the log: the protocol modules mask them before they hand a line over.

use std::fmt::Write as _;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use serde::{Deserialize, Serialize};

use crate::octets;

/// The protocol of a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Protocol {
    /// Message submission (RFC 6409).
    Smtp,
    /// Mailbox access (RFC 3501).
    Imap,
}

/// Who sent the octets of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Direction {
    /// The client.
    Client,
    /// The server.
    Server,
    /// Nobody: the octets are a remark of the test server, such as `TLS established`.
    Note,
}

/// One piece of a dialogue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WireEvent {
    /// Microseconds since the server started.
    pub at: u64,
    /// The connection's number, from 1.
    pub session: u64,
    /// Its protocol.
    pub protocol: Protocol,
    /// Who spoke.
    pub direction: Direction,
    /// The account, once the client has logged in.
    pub account: Option<Arc<str>>,
    /// What was said, without TLS, passwords masked.
    #[serde(with = "octets")]
    pub octets: Arc<[u8]>,
}

/// A copy of the log at one moment.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct WireLog(pub Vec<WireEvent>);

impl std::ops::Deref for WireLog {
    type Target = [WireEvent];

    fn deref(&self) -> &[WireEvent] {
        &self.0
    }
}

/// Of a long text only so many octets are shown.
const SHOWN: usize = 1_200;
/// Lines of one word that are longer than this may be encoded.
const WORD: usize = 40;

/// The lines of a text for people: runs of encoded lines are only counted, and a long text is cut,
/// with its length.
pub fn readable(octets: &[u8]) -> Vec<String> {
    let text = octets.strip_suffix(b"\n").unwrap_or(octets);
    let mut lines = Vec::new();
    let (mut encoded, mut shown, mut cut) = (0, 0, 0);
    for line in text.split(|octet| *octet == b'\n') {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if is_encoded(line, encoded > 0) {
            encoded += 1;
            continue;
        }
        if encoded > 0 {
            lines.push(format!("[…{encoded} encoded lines]"));
            encoded = 0;
        }
        let fits = line.len().min(SHOWN - shown);
        if cut == 0 && (fits > 0 || line.is_empty()) {
            lines.push(line[..fits].escape_ascii().to_string());
        }
        shown += fits;
        cut += line.len() - fits;
    }
    if encoded > 0 {
        lines.push(format!("[…{encoded} encoded lines]"));
    }
    if cut > 0 {
        lines.push(format!("[…{cut} more octets]"));
    }
    lines
}

/// Whether a line is of base64; the last one of several may be short.
fn is_encoded(line: &[u8], goes_on: bool) -> bool {
    let plain = |octet: &u8| octet.is_ascii_alphanumeric() || b"+/=".contains(octet);
    let long = line.len() > WORD || goes_on && !line.is_empty();
    long && line.iter().all(plain)
}

impl WireLog {
    /// The dialogue as text, one line for each line said, long texts cut with their length.
    pub fn render(&self) -> String {
        let mut text = String::new();
        for event in &self.0 {
            event.render(&mut text);
        }
        text
    }
}

impl WireEvent {
    fn render(&self, text: &mut String) {
        let protocol = match self.protocol {
            Protocol::Smtp => "smtp",
            Protocol::Imap => "imap",
        };
        let sign = match self.direction {
            Direction::Client => "C:",
            Direction::Server => "S:",
            Direction::Note => "--",
        };
        let account = self.account.as_deref().unwrap_or("-");
        let head = format!(
            "{:>6}.{:03} {protocol}{} {account} {sign}",
            self.at / 1_000,
            self.at % 1_000,
            self.session
        );
        for line in readable(&self.octets) {
            let _ = writeln!(text, "{head} {line}");
        }
    }
}

/// Where all sessions of a server write.
#[derive(Debug)]
pub(crate) struct Recorder {
    start: Instant,
    inner: Mutex<Recorded>,
}

#[derive(Debug, Default)]
struct Recorded {
    sessions: u64,
    events: Vec<WireEvent>,
}

impl Recorder {
    pub(crate) fn new() -> Self {
        Self {
            start: Instant::now(),
            inner: Mutex::default(),
        }
    }

    pub(crate) fn log(&self) -> WireLog {
        WireLog(self.lock().events.clone())
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Recorded> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A new session's pen.
    pub(crate) fn session(self: &Arc<Self>, protocol: Protocol) -> SessionLog {
        let mut recorded = self.lock();
        recorded.sessions += 1;
        let session = recorded.sessions;
        drop(recorded);
        SessionLog {
            recorder: Arc::clone(self),
            session,
            protocol,
            account: None,
        }
    }
}

/// One session's pen.
#[derive(Debug)]
pub(crate) struct SessionLog {
    recorder: Arc<Recorder>,
    session: u64,
    protocol: Protocol,
    account: Option<Arc<str>>,
}

impl SessionLog {
    pub(crate) fn set_account(&mut self, account: &str) {
        self.account = Some(account.into());
    }

    pub(crate) fn client(&self, octets: &[u8]) {
        self.write(Direction::Client, octets);
    }

    pub(crate) fn server(&self, octets: &[u8]) {
        self.write(Direction::Server, octets);
    }

    pub(crate) fn note(&self, text: &str) {
        self.write(Direction::Note, text.as_bytes());
    }

    fn write(&self, direction: Direction, octets: &[u8]) {
        let at = self.recorder.start.elapsed().as_micros();
        let event = WireEvent {
            at: u64::try_from(at).unwrap_or(u64::MAX),
            session: self.session,
            protocol: self.protocol,
            direction,
            account: self.account.clone(),
            octets: octets.into(),
        };
        self.recorder.lock().events.push(event);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encoded_lines_are_counted() {
        let line = "QUJD".repeat(16);
        let mail = format!("DATA\r\n{line}\r\n{line}\r\nQUJD\r\n.\r\n");
        let short = ["DATA", "[…3 encoded lines]", "."];
        assert_eq!(readable(mail.as_bytes()), short);
        assert_eq!(readable(b"QUJD\r\n"), ["QUJD"]);
    }

    #[test]
    fn long_texts_are_cut() {
        let lines = readable("a b\n".repeat(1_000).as_bytes());
        assert_eq!(lines.len(), SHOWN / 3 + 1);
        assert_eq!(lines.last().unwrap(), "[…1800 more octets]");
    }
}
