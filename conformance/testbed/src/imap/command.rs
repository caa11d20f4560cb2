//! Where a command ends: lines and literals (RFC 3501 section 4.3, RFC 7888).

use std::io;

use super::{Answer, Session};
use crate::config::Literals;
use crate::connection::Line;

/// Octets of a line.
const LINE_LIMIT: usize = 64 << 10;
/// Octets of all literals before login, and of those that are no message.
const SMALL: usize = 64 << 10;

/// What was read.
pub(super) enum Framed {
    /// A command with its literals.
    Command(Vec<u8>),
    /// It was refused, with the answer given.
    Refused,
    /// It was refused, and where the next one begins is not known.
    Hopeless,
    /// The client has gone.
    Eof,
}

/// A literal announced at the end of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Announced {
    octets: usize,
    synchronizing: bool,
}

/// The tag for an answer, also to what is no proper command.
pub(super) fn tag(octets: &[u8]) -> String {
    let end = octets.iter().position(u8::is_ascii_whitespace);
    let tag = octets
        .get(..end.unwrap_or(octets.len()))
        .unwrap_or_default();
    let proper = |octet: &u8| octet.is_ascii_graphic() && !b"(){%*\"\\+".contains(octet);
    if tag.is_empty() || tag.len() > 64 || !tag.iter().all(proper) {
        return "*".to_owned();
    }
    String::from_utf8_lossy(tag).into_owned()
}

/// The command's name in capitals.
fn verb(octets: &[u8]) -> String {
    let mut words = octets.split(u8::is_ascii_whitespace);
    let verb = words.nth(1).unwrap_or_default();
    String::from_utf8_lossy(verb).to_ascii_uppercase()
}

fn announced(line: &[u8]) -> Option<Announced> {
    let line = line.strip_suffix(b"}\r\n")?;
    let open = line.iter().rposition(|octet| *octet == b'{')?;
    let inside = line.get(open + 1..)?;
    let digits = inside.strip_suffix(b"+");
    let octets = std::str::from_utf8(digits.unwrap_or(inside)).ok()?;
    if !octets.bytes().all(|octet| octet.is_ascii_digit()) {
        return None;
    }
    Some(Announced {
        octets: octets.parse().ok()?,
        synchronizing: digits.is_none(),
    })
}

impl Session {
    /// Reads a command with all its literals.
    pub(super) async fn read_command(&mut self) -> io::Result<Framed> {
        let mut command = Vec::new();
        loop {
            let line = match self.connection.line(LINE_LIMIT).await? {
                Line::Eof => return Ok(Framed::Eof),
                Line::TooLong => {
                    self.connection.put(b"* BAD Line too long\r\n");
                    return Ok(Framed::Refused);
                }
                Line::Complete(line) => line,
            };
            let announced = announced(&line);
            self.log_piece(command.is_empty(), &command, &line);
            command.extend_from_slice(&line);
            let Some(announced) = announced else {
                return Ok(Framed::Command(command));
            };
            if let Some(framed) = self.refuse_literal(&command, announced) {
                return Ok(framed);
            }
            if announced.synchronizing {
                self.connection.put(b"+ Ready for the literal\r\n");
            }
            let Some(literal) = self.connection.exact(announced.octets).await? else {
                return Ok(Framed::Eof);
            };
            self.log_piece(false, &command, &literal);
            command.extend_from_slice(&literal);
        }
    }

    fn refuse_literal(&mut self, command: &[u8], announced: Announced) -> Option<Framed> {
        let offered = &self.shared.config.capabilities.imap;
        let allowed = match offered.literals {
            _ if announced.synchronizing => true,
            Literals::Synchronizing => false,
            Literals::Minus => announced.octets <= 4096,
            Literals::Plus => true,
        };
        let append = self.account.is_some() && verb(command) == "APPEND";
        let limit = if append { offered.append_limit } else { SMALL };
        let small = announced.octets <= limit && (append || command.len() <= SMALL);
        if allowed && small {
            return None;
        }
        let tag = tag(command);
        if !announced.synchronizing {
            self.connection
                .put(b"* BYE [TOOBIG] This literal is not taken\r\n");
            return Some(Framed::Hopeless);
        }
        self.tagged(&tag, &Answer::no("[TOOBIG] This literal is too large"));
        Some(Framed::Refused)
    }

    /// Logs a piece of a command, without the secrets of LOGIN and AUTHENTICATE.
    fn log_piece(&self, first: bool, before: &[u8], piece: &[u8]) {
        let log = &self.connection.log;
        let verb = verb(if first { piece } else { before });
        let kept = match verb.as_str() {
            "LOGIN" => 3,
            "AUTHENTICATE" => 3,
            _ => return log.client(piece),
        };
        if !first {
            return log.client(b"****\r\n");
        }
        let words: Vec<&[u8]> = piece
            .trim_ascii_end()
            .split(|octet| *octet == b' ')
            .collect();
        let quoted = words
            .get(2)
            .is_some_and(|word| word.starts_with(b"\"") && !word.ends_with(b"\""));
        let kept = if quoted { 2 } else { kept };
        if words.len() <= kept {
            return log.client(piece);
        }
        let mut shown = words.get(..kept).unwrap_or_default().join(&b' ');
        shown.extend_from_slice(b" ****\r\n");
        log.client(&shown);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn literals_at_the_end_of_a_line() {
        let literal = |octets, synchronizing| {
            Some(Announced {
                octets,
                synchronizing,
            })
        };
        for (line, expected) in [
            (&b"a LOGIN {5}\r\n"[..], literal(5, true)),
            (b"a LOGIN {5+}\r\n", literal(5, false)),
            (b"a LOGIN x \"{5}\"\r\n", None),
            (b"a LOGIN {5}\n", None),
            (b"a LOGIN {}\r\n", None),
            (b"a LOGIN {-1}\r\n", None),
        ] {
            assert_eq!(announced(line), expected, "{}", line.escape_ascii());
        }
    }
}
