//! The content of a mail: dot-unstuffing and its end (RFC 5321 section 4.5.2).
//!
//! Only CRLF ends a line. A lone CR or LF is data, so `LF . LF`, `LF . CRLF` and `CR . CR` don't
//! end the mail, and nothing can be smuggled behind an end that others see.

use std::io;

use crate::connection::Connection;

/// What came after DATA. However it ends, all of it has been read.
pub(super) enum Data {
    Complete(Vec<u8>),
    TooLarge,
    LineTooLong,
    Gone,
}

/// Where in a line the reader is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum At {
    LineStart,
    /// A dot at the line's start, not yet known to be stuffed or the end.
    Dot,
    DotCr,
    Text,
    Cr,
}

struct Unstuff {
    at: At,
    out: Vec<u8>,
    line: usize,
    longest: usize,
    size: usize,
    size_limit: usize,
}

impl Unstuff {
    fn push(&mut self, octets: &[u8]) {
        self.size += octets.len();
        if self.size <= self.size_limit {
            self.out.extend_from_slice(octets);
        }
        self.line += octets.len();
    }

    /// Ordinary octets of a line, and what may end it.
    fn text(&mut self, octet: u8) {
        self.push(&[octet]);
        self.at = if octet == b'\r' { At::Cr } else { At::Text };
    }

    /// Takes an octet; true at the end of the mail.
    fn feed(&mut self, octet: u8) -> bool {
        match (self.at, octet) {
            (At::LineStart, b'.') => self.at = At::Dot,
            (At::Dot, b'\r') => self.at = At::DotCr,
            (At::DotCr, b'\n') => return true,
            (At::DotCr, _) => {
                self.push(b"\r");
                self.text(octet);
            }
            (At::Cr, b'\n') => {
                self.push(b"\n");
                self.longest = self.longest.max(self.line.saturating_sub(2));
                self.line = 0;
                self.at = At::LineStart;
            }
            _ => self.text(octet),
        }
        false
    }

    /// Takes octets; returns how many of them, if the mail ends there.
    fn take(&mut self, input: &[u8]) -> Option<usize> {
        let mut read = 0;
        while let Some(octet) = input.get(read) {
            read += 1;
            if self.feed(*octet) {
                return Some(read);
            }
            if self.at == At::Text {
                // Within a line only a CR means anything.
                let rest = &input[read..];
                let run = memchr::memchr(b'\r', rest).unwrap_or(rest.len());
                self.push(&rest[..run]);
                read += run;
            }
        }
        None
    }
}

/// Reads to the final dot.
pub(super) async fn read_data(
    connection: &mut Connection,
    size_limit: usize,
    line_limit: usize,
) -> io::Result<Data> {
    let mut unstuff = Unstuff {
        at: At::LineStart,
        out: Vec::new(),
        line: 0,
        longest: 0,
        size: 0,
        size_limit,
    };
    // The log tells what was said, not how it was cut on the way.
    let mut said = Vec::new();
    loop {
        let mut input = connection.take_all();
        let end = unstuff.take(&input);
        let rest = input.split_off(end.unwrap_or(input.len()));
        said.append(&mut input);
        if end.is_some() {
            connection.log.client(&said);
            connection.unread(&rest);
            break;
        }
        connection.flush().await?;
        let more = connection.fill().await;
        if !matches!(more, Ok(true)) {
            connection.log.client(&said);
            return more.map(|_| Data::Gone);
        }
    }
    Ok(if unstuff.size > size_limit {
        Data::TooLarge
    } else if unstuff.longest > line_limit {
        Data::LineTooLong
    } else {
        Data::Complete(unstuff.out)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unstuff(octets: &[u8]) -> Option<(Vec<u8>, usize)> {
        let mut unstuff = Unstuff {
            at: At::LineStart,
            out: Vec::new(),
            line: 0,
            longest: 0,
            size: 0,
            size_limit: 1_000,
        };
        let end = unstuff.take(octets)?;
        Some((unstuff.out, end))
    }

    #[test]
    fn ends_only_at_crlf_dot_crlf() {
        let cases: [(&[u8], &[u8]); 9] = [
            (b".\r\n", b""),
            (b"a\r\n.\r\n", b"a\r\n"),
            (b"..\r\n.\r\n", b".\r\n"),
            (b"...a\r\n.\r\n", b"..a\r\n"),
            (b"a\n.\nb\r\n.\r\n", b"a\n.\nb\r\n"),
            (b"a\n.\r\nb\r\n.\r\n", b"a\n.\r\nb\r\n"),
            (b"a\r\n.\rb\r\n.\r\n", b"a\r\n\rb\r\n"),
            (b"a\r.\r\nb\r\n.\r\n", b"a\r.\r\nb\r\n"),
            (b"a\r\n.\nb\r\n.\r\n", b"a\r\n\nb\r\n"),
        ];
        for (input, output) in cases {
            let input = [input, b"rest"].concat();
            let (out, read) = unstuff(&input).unwrap();
            assert_eq!(out, output, "{}", input.escape_ascii());
            assert_eq!(&input[read..], b"rest");
        }
    }
}
