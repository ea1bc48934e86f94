//! What holds a connection's reading back while too much of it waits to be written, for the library's own queue has no
//! bound; and what keeps a single string from being longer than anybody wants.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, ready};

use futures_util::task::AtomicWaker;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::Notify;

use super::{Duplex, Replies};

/// Read from the connection at once.
const BLOCK: usize = 16 << 10;

/// See the module.
#[derive(Debug)]
pub(super) struct Gate {
    /// So many bytes are read at most before somebody has looked at all of them.
    most: usize,
    read: AtomicUsize,
    reader: AtomicWaker,
    shut: Notify,
}

impl Gate {
    /// One that is open for about `most` bytes.
    pub(super) fn new(most: usize) -> Gate {
        Gate { most, read: AtomicUsize::new(0), reader: AtomicWaker::new(), shut: Notify::new() }
    }

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
        let is_open = || self.read.load(Ordering::Acquire) < self.most;
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

/// A connection whose reading a gate can hold back, and whose long strings are cut.
pub(super) struct Gated {
    stream: Box<dyn Duplex>,
    gate: Arc<Gate>,
    replies: Replies,
    block: Box<[u8]>,
    /// What may go on and has not.
    passed: Vec<u8>,
    /// So many bytes of that have.
    taken: usize,
}

impl Gated {
    pub(super) fn new(stream: Box<dyn Duplex>, gate: Arc<Gate>) -> Gated {
        let (replies, block) = (Replies::default(), vec![0; BLOCK].into_boxed_slice());
        Gated { stream, gate, replies, block, passed: Vec::new(), taken: 0 }
    }

    /// Reads until there is something that may go on, or nothing more.
    fn poll_pass(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.passed.clear();
        self.taken = 0;
        while self.passed.is_empty() {
            let mut block = ReadBuf::new(&mut self.block);
            ready!(Pin::new(&mut self.stream).poll_read(context, &mut block))?;
            if block.filled().is_empty() {
                break;
            }
            self.replies.pass(block.filled(), &mut self.passed);
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncRead for Gated {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        ready!(self.gate.poll_open(context));
        if self.taken == self.passed.len() {
            ready!(self.poll_pass(context))?;
        }
        let waiting = self.passed.get(self.taken..).unwrap_or_default();
        let count = waiting.len().min(buffer.remaining());
        buffer.put_slice(&waiting[..count]);
        self.taken += count;
        self.gate.read.fetch_add(count, Ordering::AcqRel);
        Poll::Ready(Ok(()))
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

    const MOST: usize = 1 << 20;

    #[tokio::test]
    async fn reading_stops_when_too_much_waits_and_goes_on_when_it_was_looked_at() {
        let (ours, mut theirs) = duplex(2 * MOST);
        let gate = Arc::new(Gate::new(MOST));
        let mut gated = Gated::new(Box::new(ours), Arc::clone(&gate));
        theirs.write_all(&vec![b'x'; MOST + 10]).await.unwrap();
        let mut buffer = vec![0; MOST];
        gated.read_exact(&mut buffer).await.unwrap();
        assert!(gated.read(&mut buffer).now_or_never().is_none());
        gate.shut().await;
        gate.open();
        assert_eq!(gated.read(&mut buffer).await.unwrap(), 10);
    }

    #[tokio::test]
    async fn what_does_not_go_on_waits_for_nobody_and_is_no_end() {
        let (ours, mut theirs) = duplex(1 << 10);
        let gate = Arc::new(Gate::new(2 * MOST));
        let mut gated = Gated::new(Box::new(ours), Arc::clone(&gate));
        tokio::spawn(async move {
            theirs.write_all(format!("${}\r\n", 10 * MOST).as_bytes()).await.unwrap();
            for _ in 0..10 {
                theirs.write_all(&vec![b'x'; MOST]).await.unwrap();
            }
            theirs.write_all(b"\r\n+OK\r\n").await.unwrap();
        });
        let mut all = Vec::new();
        gated.read_to_end(&mut all).await.unwrap();
        assert!(all.ends_with(b"x\r\n+OK\r\n") && all.len() < MOST + 100, "{} bytes, {gate:?}", all.len());
    }
}
