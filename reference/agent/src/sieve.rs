//! Installing a filter script by ManageSieve (RFC 5804): TLS first, then the login, then the script
//! (specification, section "Sieve" of chapter "The mailbox").

use std::io;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use kith_core::implements;
use kith_spec::req;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _};

use crate::account::{Account, Endpoint};
use crate::connect::{ConnectError, Dialer, Protocol, Stream, line, shown};
use crate::sasl::{self, Exchange};

/// The port of ManageSieve.
pub const PORT: u16 = 4190;
/// The name of the script that is installed.
pub const NAME: &str = "kith";
/// What a server that filters by Sieve (RFC 5228) can do before any program sees the mail.
pub const SCRIPT: &str = "\
require [\"fileinto\", \"mailbox\"];
if header :is \"Kith-Version\" \"1.0\" { fileinto :create \"Kith\"; stop; }
";

/// Octets of a string that the server sends.
const OCTETS: usize = 64 * 1024;
/// Lines of an answer.
const LINES: usize = 1000;

/// Why a script can't be installed or taken away.
#[derive(Debug, thiserror::Error)]
pub enum SieveError {
    /// There is no connection.
    #[error(transparent)]
    Connect(#[from] ConnectError),
    /// The connection broke, or the server says what can't be understood.
    #[error("filter server {server}: the connection broke ({reason}); try again")]
    Lost {
        /// The server.
        server: String,
        /// What happened.
        reason: String,
    },
    /// User name or password is wrong.
    #[error("filter server {server}: login as {user} was refused ({said}); {advice}")]
    Login {
        /// The server.
        server: String,
        /// The login name.
        user: String,
        /// What it said.
        said: String,
        /// What to do.
        advice: &'static str,
    },
    /// There is no common way to log in.
    #[error("filter server {server}: {advice}")]
    NoMechanism {
        /// The server.
        server: String,
        /// What it wants, and what to do.
        advice: &'static str,
    },
    /// It refuses a command.
    #[error("filter server {server}: {what} was refused ({said})")]
    Refused {
        /// The server.
        server: String,
        /// What was wanted.
        what: &'static str,
        /// What it said.
        said: String,
    },
    /// It can't do what the script needs.
    #[error(
        "filter server {server}: it lacks {what}, which the script needs; kith files mail itself"
    )]
    Lacks {
        /// The server.
        server: String,
        /// What is missing.
        what: &'static str,
    },
}

/// What became of an installation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Installed {
    /// The script is active.
    Now,
    /// It was active already.
    Already,
    /// Another script is active, and was left as it is.
    Other(String),
}

/// An answer that isn't OK.
pub(crate) struct No(pub(crate) String);

/// A session after the login.
pub struct Sieve {
    stream: Stream,
    server: String,
}

/// One thing in a line of an answer.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Word {
    Text(String),
    Atom(String),
}

pub(crate) type Line = Vec<Word>;

impl Sieve {
    /// Connects and logs in, with the account's name, password and trusted authorities.
    ///
    /// # Errors
    ///
    /// [`SieveError`].
    pub async fn open(
        dialer: &Dialer,
        account: &Account,
        at: &Endpoint,
    ) -> Result<Self, SieveError> {
        implements!(req::FILE_SIEVE_TLS);
        let stream = dialer.dial(at, Protocol::Sieve).await?;
        let server = at.to_string();
        let mut sieve = Self { stream, server };
        let offers = sieve
            .answer()
            .await?
            .map_err(|No(said)| sieve.lost(&said))?;
        let value = |name: &str| {
            offers.iter().find_map(|line| match line.as_slice() {
                [Word::Text(key), Word::Text(value)] if key.eq_ignore_ascii_case(name) => {
                    Some(value.to_ascii_lowercase())
                }
                _ => None,
            })
        };
        let has = |name: &str, wanted: &str| {
            value(name).is_some_and(|value| value.split(' ').any(|word| word == wanted))
        };
        let needs = [
            ("SIEVE", "fileinto", "the extension fileinto"),
            ("SIEVE", "mailbox", "the extension mailbox"),
        ];
        for (name, wanted, what) in needs {
            if !has(name, wanted) {
                let server = sieve.server;
                return Err(SieveError::Lacks { server, what });
            }
        }
        let offers = |name: &str| has("SASL", &name.to_ascii_lowercase());
        match sasl::exchange(account, at, offers) {
            Ok(exchange) => sieve.login(account, exchange).await,
            Err(advice) => Err(SieveError::NoMechanism {
                server: sieve.server,
                advice,
            }),
        }
    }

    async fn login(mut self, account: &Account, exchange: Exchange) -> Result<Self, SieveError> {
        let quoted = |answer: &String| format!("\"{}\"", BASE64.encode(answer));
        let mut answers = exchange.answers.iter().map(quoted);
        let first = if exchange.begins {
            answers.next()
        } else {
            None
        };
        let first = first.map_or_else(String::new, |first| format!(" {first}"));
        let mut line = format!("AUTHENTICATE \"{}\"{first}\r\n", exchange.name);
        loop {
            self.send(line.as_bytes()).await?;
            let said = words(&mut self.stream).await;
            let said = said.map_err(|error| self.lost(&error.to_string()))?;
            // A text alone is a challenge (RFC 5804, section 2.1).
            if let [Word::Text(_)] = said.as_slice() {
                let next = answers.next().ok_or_else(|| self.lost(sasl::ASKS_ON))?;
                line = format!("{next}\r\n");
                continue;
            }
            let verdict = verdict(&said).map_err(|error| self.lost(&error.to_string()))?;
            return match verdict {
                Ok(()) => Ok(self),
                Err(No(said)) => Err(SieveError::Login {
                    server: self.server,
                    user: account.user.clone(),
                    said,
                    advice: sasl::advice(account.auth),
                }),
            };
        }
    }

    /// Installs the script and makes it active, unless another one is.
    ///
    /// # Errors
    ///
    /// [`SieveError`].
    pub async fn install(&mut self) -> Result<Installed, SieveError> {
        implements!(req::FILE_SIEVE, req::FILE_SIEVE_OWN);
        let scripts = self.scripts().await?;
        if let Some((other, _)) = scripts
            .iter()
            .find(|(name, active)| *active && name != NAME)
        {
            return Ok(Installed::Other(other.clone()));
        }
        if let Some((name, active)) = scripts.iter().find(|(name, _)| name == NAME) {
            if !self.is_own().await? {
                return Ok(Installed::Other(name.clone()));
            }
            if *active {
                return Ok(Installed::Already);
            }
        }
        let length = SCRIPT.len();
        let space = format!("HAVESPACE \"{NAME}\" {length}\r\n");
        self.must("room for the script", space.as_bytes()).await?;
        let put = format!("PUTSCRIPT \"{NAME}\" {{{length}+}}\r\n{SCRIPT}\r\n");
        self.must("the script", put.as_bytes()).await?;
        let active = format!("SETACTIVE \"{NAME}\"\r\n");
        self.must("making the script active", active.as_bytes())
            .await?;
        Ok(Installed::Now)
    }

    /// Takes the own script away, if it is there. Whether it was.
    ///
    /// # Errors
    ///
    /// [`SieveError`].
    pub async fn remove(&mut self) -> Result<bool, SieveError> {
        let scripts = self.scripts().await?;
        let Some((_, active)) = scripts.iter().find(|(name, _)| name == NAME) else {
            return Ok(false);
        };
        if !self.is_own().await? {
            return Ok(false);
        }
        if *active {
            self.must("making no script active", b"SETACTIVE \"\"\r\n")
                .await?;
        }
        let delete = format!("DELETESCRIPT \"{NAME}\"\r\n");
        self.must("deleting the script", delete.as_bytes()).await?;
        Ok(true)
    }

    /// Ends the session.
    pub async fn close(mut self) {
        // What was wanted is done.
        let _ = self.say(b"LOGOUT\r\n").await;
    }

    /// The scripts, and which one is active.
    async fn scripts(&mut self) -> Result<Vec<(String, bool)>, SieveError> {
        let lines = self.must("the list of scripts", b"LISTSCRIPTS\r\n").await?;
        let script = |line: Line| match line.as_slice() {
            [Word::Text(name), rest @ ..] => {
                let active = |word: &Word| matches!(word, Word::Atom(atom) if atom.eq_ignore_ascii_case("ACTIVE"));
                Some((name.clone(), rest.iter().any(active)))
            }
            _ => None,
        };
        Ok(lines.into_iter().filter_map(script).collect())
    }

    /// Whether the script of our name is the one that kith installs.
    async fn is_own(&mut self) -> Result<bool, SieveError> {
        let get = format!("GETSCRIPT \"{NAME}\"\r\n");
        let lines = self.must("reading the script", get.as_bytes()).await?;
        let own = |text: &str| text.split_whitespace().eq(SCRIPT.split_whitespace());
        Ok(matches!(lines.first().map(Vec::as_slice), Some([Word::Text(text)]) if own(text)))
    }

    async fn must(&mut self, what: &'static str, command: &[u8]) -> Result<Vec<Line>, SieveError> {
        let server = self.server.clone();
        let answer = self.say(command).await?;
        answer.map_err(|No(said)| SieveError::Refused { server, what, said })
    }

    async fn say(&mut self, command: &[u8]) -> Result<Result<Vec<Line>, No>, SieveError> {
        self.send(command).await?;
        self.answer().await
    }

    async fn send(&mut self, octets: &[u8]) -> Result<(), SieveError> {
        let sent = async {
            self.stream.write_all(octets).await?;
            self.stream.flush().await
        };
        sent.await.map_err(|error| self.lost(&error.to_string()))
    }

    fn lost(&self, reason: &str) -> SieveError {
        SieveError::Lost {
            server: self.server.clone(),
            reason: shown(reason),
        }
    }

    async fn answer(&mut self) -> Result<Result<Vec<Line>, No>, SieveError> {
        let answer = answer(&mut self.stream).await;
        answer.map_err(|error| self.lost(&error.to_string()))
    }
}

/// The lines up to OK, or what the server says instead.
pub(crate) async fn answer<S: AsyncRead + Unpin>(
    stream: &mut S,
) -> io::Result<Result<Vec<Line>, No>> {
    let mut lines = Vec::new();
    while lines.len() < LINES {
        let line = words(stream).await?;
        if let Some(Word::Atom(_)) = line.first() {
            return Ok(verdict(&line)?.map(|()| lines));
        }
        lines.push(line);
    }
    Err(invalid("an answer without end"))
}

/// What the last line of an answer says.
fn verdict(line: &[Word]) -> io::Result<Result<(), No>> {
    let Some(Word::Atom(status)) = line.first() else {
        return Err(invalid("an answer without status"));
    };
    let said = line.iter().rev().find_map(|word| match word {
        Word::Text(text) => Some(shown(text)),
        Word::Atom(_) => None,
    });
    match status.to_ascii_uppercase().as_str() {
        "OK" => Ok(Ok(())),
        "NO" | "BYE" => Ok(Err(No(said.unwrap_or_else(|| status.clone())))),
        other => Err(invalid(other)),
    }
}

/// One line, with the literals in it.
async fn words<S: AsyncRead + Unpin>(stream: &mut S) -> io::Result<Line> {
    let mut words = Vec::new();
    loop {
        let text = line(stream).await?;
        let Some(length) = split(&text, &mut words).map_err(invalid)? else {
            return Ok(words);
        };
        if length > OCTETS {
            return Err(invalid("a text that is too long"));
        }
        let mut octets = vec![0; length];
        stream.read_exact(&mut octets).await?;
        words.push(Word::Text(String::from_utf8_lossy(&octets).into_owned()));
    }
}

fn invalid(reason: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, reason)
}

/// Splits a line into words. A number is the length of a literal that follows.
fn split(text: &str, words: &mut Vec<Word>) -> Result<Option<usize>, &'static str> {
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        if let Some(quoted) = rest.strip_prefix('"') {
            let mut word = String::new();
            let mut characters = quoted.char_indices();
            let end = loop {
                match characters.next().ok_or("a text without end")? {
                    (at, '"') => break at + 1,
                    (_, '\\') => word.push(characters.next().ok_or("a text without end")?.1),
                    (_, character) => word.push(character),
                }
            };
            words.push(Word::Text(word));
            rest = quoted[end..].trim_start();
        } else if let Some(length) = rest.strip_prefix('{') {
            let length = length.strip_suffix('}').ok_or("a length without end")?;
            let length = length.trim_end_matches('+').parse();
            return length.map(Some).map_err(|_| "a length that is no number");
        } else {
            let end = rest.find([' ', '"']).unwrap_or(rest.len());
            words.push(Word::Atom(rest[..end].to_owned()));
            rest = rest[end..].trim_start();
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_have_words_and_lengths() {
        let words = |text: &str| {
            let mut words = Vec::new();
            split(text, &mut words).map(|length| (words, length))
        };
        let text = |text: &str| Word::Text(text.to_owned());
        let atom = |text: &str| Word::Atom(text.to_owned());
        assert_eq!(
            words("\"a \\\"b\\\"\" ACTIVE"),
            Ok((vec![text("a \"b\""), atom("ACTIVE")], None))
        );
        assert_eq!(words("{12}"), Ok((vec![], Some(12))));
        assert_eq!(words("\"x\" {3+}"), Ok((vec![text("x")], Some(3))));
        assert_eq!(
            words("NO (QUOTA/MAXSIZE) \"full\""),
            Ok((
                vec![atom("NO"), atom("(QUOTA/MAXSIZE)"), text("full")],
                None
            ))
        );
        for wrong in ["\"a", "\"a\\", "{x}", "{9", "{-1}", "é\"é"] {
            assert!(words(wrong).is_err(), "{wrong}");
        }
    }
}
