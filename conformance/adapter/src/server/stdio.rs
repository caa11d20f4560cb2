//! Standard input and output, read and written on the thread that asks.

use std::io::{self, Read, Stdin, Stdout, Write};
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// Octets that are read at once at most.
const CHUNK: usize = 64 * 1024;

/// Standard input and output for [`serve`](super::serve). They block: between two requests an
/// adapter has nothing to do, and handing each line from thread to thread, as tokio's do, takes
/// longer than many a request. An adapter that works in the background takes tokio's.
pub fn stdio() -> (impl AsyncRead + Unpin, impl AsyncWrite + Unpin) {
    (Blocking(io::stdin()), Blocking(io::stdout()))
}

struct Blocking<T>(T);

impl AsyncRead for Blocking<Stdin> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let room = buffer.remaining().min(CHUNK);
        let read = uninterrupted(|| self.0.read(buffer.initialize_unfilled_to(room)))?;
        buffer.advance(read);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Blocking<Stdout> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        octets: &[u8],
    ) -> Poll<io::Result<usize>> {
        Poll::Ready(uninterrupted(|| self.0.write(octets)))
    }

    fn poll_flush(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(self.0.flush())
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll_flush(context)
    }
}

/// Does it once more as often as a signal comes in between.
fn uninterrupted<T>(mut operation: impl FnMut() -> io::Result<T>) -> io::Result<T> {
    loop {
        match operation() {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            outcome => return outcome,
        }
    }
}
