//! What holds a connection's reading back while too much of it waits to be written: the library's own queue has no bound.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, ready};

use futures_util::task::AtomicWaker;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::Notify;

use super::Duplex;

/// So many bytes are read at most before somebody has looked at all of them. Redis itself gives up a reader that leaves
/// it with too many (`client-output-buffer-limit`).
const MOST: usize = 4 << 20;

/// See the module.
#[derive(Default, Debug)]
pub(super) struct Gate {
    read: AtomicUsize,
    reader: AtomicWaker,
    shut: Notify,
}

impl Gate {
    /// Everything that was read has been looked at: reading goes on.
    pub(super) fn open(&self) {
        self.read.store(0, Ordering::Release);
        self.reader.wake();
    }

    /// Waits until nothing more is read before [`Gate::open`].
    pub(super) async fn shut(&self) {
        self.shut.notified().await;
    }

    fn poll_open(&self, context: &mut Context<'_>) -> Poll<()> {
        let is_open = || self.read.load(Ordering::Acquire) < MOST;
        if is_open() {
            return Poll::Ready(());
        }
        self.reader.register(context.waker());
        // it may have been opened before the waker was there
        if is_open() {
            return Poll::Ready(());
        }
        self.shut.notify_one();
        Poll::Pending
    }
}

/// A connection whose reading a gate can hold back.
pub(super) struct Gated {
    stream: Box<dyn Duplex>,
    gate: Arc<Gate>,
}

impl Gated {
    pub(super) fn new(stream: Box<dyn Duplex>, gate: Arc<Gate>) -> Gated {
        Gated { stream, gate }
    }
}

impl AsyncRead for Gated {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        ready!(self.gate.poll_open(context));
        let before = buffer.filled().len();
        let read = ready!(Pin::new(&mut self.stream).poll_read(context, buffer));
        self.gate.read.fetch_add(buffer.filled().len() - before, Ordering::AcqRel);
        Poll::Ready(read)
    }
}

impl AsyncWrite for Gated {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;
    use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};

    use super::*;

    #[tokio::test]
    async fn reading_stops_when_too_much_waits_and_goes_on_when_it_was_looked_at() {
        let (ours, mut theirs) = duplex(2 * MOST);
        let gate = Arc::new(Gate::default());
        let mut gated = Gated::new(Box::new(ours), Arc::clone(&gate));
        theirs.write_all(&vec![b'x'; MOST + 10]).await.unwrap();
        let mut buffer = vec![0; MOST];
        gated.read_exact(&mut buffer).await.unwrap();
        assert!(gated.read(&mut buffer).now_or_never().is_none());
        gate.shut().await;
        gate.open();
        assert_eq!(gated.read(&mut buffer).await.unwrap(), 10);
    }
}
