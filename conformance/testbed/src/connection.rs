//! A connection, before or after STARTTLS, with buffers and its place in the wire log.
//!
//! Output is collected and written when the input has run dry, so pipelined commands are answered
//! in one write.

use std::io;
use std::sync::Arc;

use bytes::BytesMut;
use rustls::ServerConfig;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use crate::wire::SessionLog;

#[derive(Debug)]
enum Io {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
    Closed,
}

/// What reading a line gave.
#[derive(Debug)]
pub(crate) enum Line {
    /// A line with its end.
    Complete(Vec<u8>),
    /// A line above the limit; it has been read to its end and thrown away.
    TooLong,
    /// The client has gone.
    Eof,
}

#[derive(Debug)]
pub(crate) struct Connection {
    io: Io,
    input: BytesMut,
    output: Vec<u8>,
    pub(crate) log: SessionLog,
}

impl Connection {
    pub(crate) fn new(stream: TcpStream, log: SessionLog) -> Self {
        Self {
            io: Io::Plain(stream),
            input: BytesMut::new(),
            output: Vec::new(),
            log,
        }
    }

    pub(crate) fn is_tls(&self) -> bool {
        matches!(self.io, Io::Tls(_))
    }

    /// Octets that the client sent and nobody has read yet.
    pub(crate) fn has_input(&self) -> bool {
        !self.input.is_empty()
    }

    /// Does the TLS handshake. What the client sent in the clear after STARTTLS is thrown away.
    pub(crate) async fn start_tls(&mut self, config: Arc<ServerConfig>) -> io::Result<()> {
        self.flush().await?;
        self.input.clear();
        let Io::Plain(stream) = std::mem::replace(&mut self.io, Io::Closed) else {
            return Err(io::Error::other("TLS is already established"));
        };
        match TlsAcceptor::from(config).accept(stream).await {
            Ok(stream) => {
                self.io = Io::Tls(Box::new(stream));
                self.log.note("TLS established");
                Ok(())
            }
            Err(error) => {
                self.log.note(&format!("TLS handshake failed: {error}"));
                Err(error)
            }
        }
    }

    /// Adds to what will be written.
    pub(crate) fn put(&mut self, octets: &[u8]) {
        self.output.extend_from_slice(octets);
    }

    /// Writes what has been collected.
    pub(crate) async fn flush(&mut self) -> io::Result<()> {
        if self.output.is_empty() {
            return Ok(());
        }
        let output = std::mem::take(&mut self.output);
        self.log.server(&output);
        match &mut self.io {
            Io::Plain(stream) => stream.write_all(&output).await,
            Io::Tls(stream) => {
                stream.write_all(&output).await?;
                stream.flush().await
            }
            Io::Closed => Err(io::ErrorKind::NotConnected.into()),
        }
    }

    /// Waits for more input. False at its end. Safe to cancel.
    pub(crate) async fn fill(&mut self) -> io::Result<bool> {
        self.input.reserve(4096);
        let read = match &mut self.io {
            Io::Plain(stream) => stream.read_buf(&mut self.input).await?,
            Io::Tls(stream) => stream.read_buf(&mut self.input).await?,
            Io::Closed => 0,
        };
        Ok(read > 0)
    }

    /// The next line with its LF, of at most `limit` octets.
    pub(crate) async fn line(&mut self, limit: usize) -> io::Result<Line> {
        let mut seen = 0;
        let mut too_long = false;
        loop {
            if let Some(end) = find_lf(&self.input, seen) {
                let line = self.take(end + 1);
                let fits = !too_long && line.len() <= limit;
                return Ok(if fits {
                    Line::Complete(line)
                } else {
                    Line::TooLong
                });
            }
            seen = self.input.len();
            if seen > limit {
                too_long = true;
                self.input.clear();
                seen = 0;
            }
            self.flush().await?;
            if !self.fill().await? {
                return Ok(Line::Eof);
            }
        }
    }

    /// Exactly so many octets, or `None` if the client goes before.
    pub(crate) async fn exact(&mut self, octets: usize) -> io::Result<Option<Vec<u8>>> {
        while self.input.len() < octets {
            self.flush().await?;
            if !self.fill().await? {
                return Ok(None);
            }
        }
        Ok(Some(self.take(octets)))
    }

    /// All that is there now.
    pub(crate) fn take_all(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.input).into()
    }

    /// Puts back what was read too much.
    pub(crate) fn unread(&mut self, octets: &[u8]) {
        let later = std::mem::replace(&mut self.input, octets.into());
        self.input.extend_from_slice(&later);
    }

    fn take(&mut self, octets: usize) -> Vec<u8> {
        self.input.split_to(octets).into()
    }

    /// Writes what is left and says goodbye properly.
    pub(crate) async fn close(mut self) {
        if self.flush().await.is_err() {
            return;
        }
        // The client may have gone already; then there is nobody to say goodbye to.
        let _ = match &mut self.io {
            Io::Plain(stream) => stream.shutdown().await,
            Io::Tls(stream) => stream.shutdown().await,
            Io::Closed => Ok(()),
        };
        self.log.note("closed");
    }
}

fn find_lf(octets: &[u8], from: usize) -> Option<usize> {
    Some(from + memchr::memchr(b'\n', octets.get(from..)?)?)
}
