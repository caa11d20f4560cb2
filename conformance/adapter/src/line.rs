//! Reading lines from a stream, with a limit, so that nobody can fill the
//! memory. Dropping the future of [`Lines::next`] loses nothing.

use std::io;

use tokio::io::{AsyncRead, AsyncReadExt};

use crate::protocol::MAX_LINE;

const CHUNK: usize = 64 * 1024;

/// A stream, line by line.
pub(crate) struct Lines<R> {
    stream: R,
    buffer: Vec<u8>,
    /// How much of the buffer is known to hold no line feed.
    scanned: usize,
}

/// What a stream had to give.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Line {
    /// A line, without its line feed and without a carriage return before it.
    Full(Vec<u8>),
    /// The stream has ended, with this many octets after the last line feed.
    End(usize),
    /// The line is longer than [`MAX_LINE`].
    TooLong,
}

impl<R: AsyncRead + Unpin> Lines<R> {
    pub(crate) fn new(stream: R) -> Self {
        Self {
            stream,
            buffer: Vec::new(),
            scanned: 0,
        }
    }

    pub(crate) async fn next(&mut self) -> io::Result<Line> {
        loop {
            let fresh = &self.buffer[self.scanned..];
            if let Some(at) = memchr::memchr(b'\n', fresh) {
                return Ok(self.take(self.scanned + at));
            }
            self.scanned = self.buffer.len();
            if self.buffer.len() > MAX_LINE {
                return Ok(Line::TooLong);
            }
            self.buffer.reserve(CHUNK);
            if self.stream.read_buf(&mut self.buffer).await? == 0 {
                return Ok(Line::End(self.buffer.len()));
            }
        }
    }

    /// Splits off the line that ends at `end`.
    fn take(&mut self, end: usize) -> Line {
        let rest = self.buffer.split_off(end + 1);
        let mut line = std::mem::replace(&mut self.buffer, rest);
        self.scanned = 0;
        line.pop();
        if line.last() == Some(&b'\r') {
            line.pop();
        }
        if line.len() > MAX_LINE {
            Line::TooLong
        } else {
            Line::Full(line)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn lines(octets: &[u8]) -> Vec<Line> {
        let mut lines = Lines::new(octets);
        let mut all = Vec::new();
        loop {
            let line = lines.next().await.unwrap();
            let last = !matches!(line, Line::Full(_));
            all.push(line);
            if last {
                return all;
            }
        }
    }

    #[tokio::test]
    async fn splits_at_line_feeds() {
        let full = |text: &str| Line::Full(text.into());
        assert_eq!(
            lines(b"one\r\n\ntwo\nrest").await,
            [full("one"), full(""), full("two"), Line::End(4)]
        );
    }

    #[tokio::test]
    async fn keeps_the_limit() {
        let mut octets = vec![b'x'; MAX_LINE];
        octets.push(b'\n');
        assert_eq!(lines(&octets).await.len(), 2);
        octets.insert(0, b'x');
        assert_eq!(lines(&octets).await, [Line::TooLong]);
    }
}
