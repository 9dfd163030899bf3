//! Connections whose other end no longer reads: they are ended, so that nobody holds a place, or memory, by silence.
//!
//! What is sent is pulled by the connection, one event at a time, so such a reader delays nobody and costs what its socket
//! holds. It comes back with its cursor and reads on from the disk.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::serve::Listener;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::Sleep;

/// A listener whose connections end when nothing can be written to them for so long.
pub(super) struct Patient<L> {
    listener: L,
    patience: Duration,
}

impl<L> Patient<L> {
    pub(super) fn new(listener: L, patience: Duration) -> Self {
        Self { listener, patience }
    }
}

impl<L: Listener> Listener for Patient<L> {
    type Io = Watched<L::Io>;
    type Addr = L::Addr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        let (io, addr) = self.listener.accept().await;
        (Watched::new(io, self.patience), addr)
    }

    fn local_addr(&self) -> io::Result<Self::Addr> {
        self.listener.local_addr()
    }
}

/// A connection with an eye on whether the other end reads.
pub(super) struct Watched<T> {
    io: T,
    patience: Duration,
    /// Runs while something waits to be written.
    stalled: Option<Pin<Box<Sleep>>>,
}

impl<T> Watched<T> {
    fn new(io: T, patience: Duration) -> Self {
        Self {
            io,
            patience,
            stalled: None,
        }
    }

    /// `outcome` of a write, or an error where there was none for too long.
    fn judge<V>(
        &mut self,
        context: &mut Context<'_>,
        outcome: Poll<io::Result<V>>,
    ) -> Poll<io::Result<V>> {
        if outcome.is_ready() {
            self.stalled = None;
            return outcome;
        }
        let patience = self.patience;
        let timer = self
            .stalled
            .get_or_insert_with(|| Box::pin(tokio::time::sleep(patience)));
        if timer.as_mut().poll(context).is_pending() {
            return Poll::Pending;
        }
        let seconds = patience.as_secs_f32();
        tracing::debug!(seconds, "a connection ends: its other end does not read");
        Poll::Ready(Err(io::Error::new(
            io::ErrorKind::TimedOut,
            "the other end does not read",
        )))
    }
}

impl<T: AsyncRead + Unpin> AsyncRead for Watched<T> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_read(context, buffer)
    }
}

impl<T: AsyncWrite + Unpin> AsyncWrite for Watched<T> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let outcome = Pin::new(&mut self.io).poll_write(context, bytes);
        self.judge(context, outcome)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let outcome = Pin::new(&mut self.io).poll_write_vectored(context, bytes);
        self.judge(context, outcome)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let outcome = Pin::new(&mut self.io).poll_flush(context);
        match outcome {
            // A flush of nothing says nothing about the other end.
            Poll::Ready(outcome) => Poll::Ready(outcome),
            Poll::Pending => self.judge(context, Poll::Pending),
        }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    use super::*;

    #[tokio::test]
    async fn a_reader_that_is_slow_is_waited_for_and_one_that_is_silent_is_not() {
        let (near, mut far) = tokio::io::duplex(4);
        let mut near = Watched::new(near, Duration::from_secs(2));
        let write = async {
            let outcome = near.write_all(&[7; 64]).await;
            outcome.map_err(|error| error.kind())
        };
        let read = async {
            // Slow, but never silent for as long as that; longer than that in all.
            for _ in 0..8 {
                tokio::time::sleep(Duration::from_millis(300)).await;
                let mut bytes = [0; 4];
                far.read_exact(&mut bytes).await.unwrap();
            }
            far
        };
        let (outcome, _far) = tokio::join!(write, read);
        assert_eq!(outcome, Err(io::ErrorKind::TimedOut));
    }
}
