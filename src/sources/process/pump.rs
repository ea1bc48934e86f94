//! Moves one stream of a child into the journal: reads what is there, cuts it into lines, appends. It never waits for a
//! viewer, and it does not know when a run is over.

use std::io;
use std::path::PathBuf;
use std::pin::{Pin, pin};
use std::sync::{Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::BytesMut;
use pty_process::Pty;
use tokio::io::{AsyncRead, AsyncReadExt, ReadBuf};
use tokio::net::unix::pipe;
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

use crate::journal::Writer;
use crate::record::Stream;
use crate::sources::LineCutter;

/// Text waits so long for its newline.
const PATIENCE: Duration = Duration::from_millis(100);

/// The first read takes so much; one that fills it doubles the next.
const SMALLEST_READ: usize = 8 << 10;

/// The largest read.
const LARGEST_READ: usize = 128 << 10;

/// What the pipe of a job that prints fast is widened to (pipe(7)): the system's limit for everybody.
const WIDE_PIPE: usize = 1 << 20;

/// Where a child's output comes out.
pub(super) enum Tap {
    Pipe(pipe::Receiver),
    Terminal(Pty),
}

/// The journal that the streams of one child share, and when it last got something.
pub(super) struct Output {
    inner: Mutex<(Writer, Instant)>,
}

impl Output {
    pub(super) fn new(writer: Writer) -> Output {
        Output { inner: Mutex::new((writer, Instant::now())) }
    }

    /// Appends a line of joblines' own.
    pub(super) fn say(&self, text: &str) {
        self.with(|(writer, _)| writer.say(text));
    }

    /// The child has printed something.
    fn heard(&self) {
        self.with(|(_, last)| *last = Instant::now());
    }

    /// When the child last printed something.
    pub(super) fn last(&self) -> Instant {
        self.with(|(_, last)| *last)
    }

    pub(super) fn into_writer(self) -> Writer {
        self.inner.into_inner().unwrap_or_else(PoisonError::into_inner).0
    }

    fn with<T>(&self, act: impl FnOnce(&mut (Writer, Instant)) -> T) -> T {
        act(&mut self.inner.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Moves everything that comes out of `tap`, until nobody holds its other end any more; or, once `stop` says so, what is
/// there by then.
pub(super) async fn pump(mut tap: Tap, stream: Stream, output: &Output, stop: &CancellationToken) {
    let mut cutter = LineCutter::default();
    let mut size = SMALLEST_READ;
    let mut patience = pin!(sleep_until(Instant::now()));
    // when the waiting piece began to wait; the clock is set only when it has run out, not with every read
    let mut since = Instant::now();
    let mut ticking = false;
    loop {
        let room = reserve(cutter.buffer(), size);
        let read = tokio::select! {
            biased;
            read = tap.read_buf(cutter.buffer()) => read,
            () = stop.cancelled() => {
                take_rest(&tap, stream, output, &mut cutter);
                break;
            }
            () = patience.as_mut(), if ticking => {
                ticking = cutter.is_waiting() && since.elapsed() < PATIENCE;
                match ticking {
                    true => patience.as_mut().reset(since + PATIENCE),
                    false => append(output, stream, [cutter.flush(), None]),
                }
                continue;
            }
        };
        let count = match read {
            Ok(0) => break,
            Ok(count) => count,
            Err(error) => {
                report(output, stream, &error);
                break;
            }
        };
        output.heard();
        let waited = cutter.buffer().len() > count;
        let pieces = cutter.cut(count);
        if !waited || pieces[0].is_some() {
            since = Instant::now();
        }
        append(output, stream, pieces);
        if cutter.is_waiting() && !ticking {
            ticking = true;
            patience.as_mut().reset(since + PATIENCE);
        }
        if count == room && size < LARGEST_READ {
            size *= 2;
            tap.widen();
        }
    }
    append(output, stream, [cutter.flush(), None]);
}

/// Moves what is in `tap` at this moment, at most a wide pipe's worth: somebody may go on filling it.
fn take_rest(tap: &Tap, stream: Stream, output: &Output, cutter: &mut LineCutter) {
    let mut block = vec![0; LARGEST_READ];
    let mut left = WIDE_PIPE;
    while let Ok(count @ 1..) = tap.read_now(&mut block) {
        cutter.buffer().extend_from_slice(&block[..count]);
        append(output, stream, cutter.cut(count));
        left = left.saturating_sub(count);
        if left == 0 {
            break;
        }
    }
}

/// Makes room for a read of about `size`, and says for how much there is room.
fn reserve(buffer: &mut BytesMut, size: usize) -> usize {
    if buffer.capacity() - buffer.len() < size / 2 {
        buffer.reserve(size);
    }
    buffer.capacity() - buffer.len()
}

fn append(output: &Output, stream: Stream, pieces: [Option<bytes::Bytes>; 2]) {
    output.with(|(writer, _)| pieces.into_iter().flatten().for_each(|piece| writer.append(stream, piece)));
}

fn report(output: &Output, stream: Stream, error: &io::Error) {
    output.say(&format!("{} cannot be read any more: {error}", stream.name()));
}

impl Tap {
    /// What `readlink /proc/PID/fd/N` says of the other end.
    pub(super) fn other_end(&self) -> Option<PathBuf> {
        match self {
            Tap::Pipe(pipe) => {
                let inode = rustix::fs::fstat(pipe).ok()?.st_ino;
                Some(PathBuf::from(format!("pipe:[{inode}]")))
            }
            Tap::Terminal(terminal) => {
                let name = rustix::pty::ptsname(terminal, Vec::new()).ok()?;
                Some(PathBuf::from(name.into_string().ok()?))
            }
        }
    }

    /// What is there, without waiting and whatever the runtime knows of it.
    fn read_now(&self, block: &mut [u8]) -> io::Result<usize> {
        Ok(match self {
            Tap::Pipe(pipe) => rustix::io::read(pipe, block)?,
            Tap::Terminal(terminal) => rustix::io::read(terminal, block)?,
        })
    }

    /// Fewer, larger reads. Refused where the user's pipes hold too much memory already: then it stays as it is.
    fn widen(&self) {
        if let Tap::Pipe(pipe) = self {
            let _ = rustix::pipe::fcntl_setpipe_size(pipe, WIDE_PIPE);
        }
    }
}

impl AsyncRead for Tap {
    fn poll_read(self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Tap::Pipe(pipe) => Pin::new(pipe).poll_read(context, buffer),
            Tap::Terminal(terminal) => match Pin::new(terminal).poll_read(context, buffer) {
                // a terminal whose last holder is gone has no end of file but this error
                Poll::Ready(Err(error)) if error.raw_os_error() == Some(libc::EIO) => Poll::Ready(Ok(())),
                poll => poll,
            },
        }
    }
}
