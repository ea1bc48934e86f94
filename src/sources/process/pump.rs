//! Moves one stream of a child into the journal: reads what is there, cuts it into lines, appends. It never waits for a
//! viewer, and it does not know when a run is over.

use std::borrow::Cow;
use std::io;
use std::path::PathBuf;
use std::pin::{Pin, pin};
use std::sync::{Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use pty_process::Pty;
use tokio::io::{AsyncRead, AsyncReadExt, ReadBuf};
use tokio::net::unix::pipe;
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

use super::{Mask, Masker};
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

/// The journal that the streams of one child share, when it last got something, and what must not get there.
pub(super) struct Output {
    inner: Mutex<(Writer, Instant)>,
    mask: Option<Mask>,
}

impl Output {
    pub(super) fn new(writer: Writer, mask: Option<Mask>) -> Output {
        Output { inner: Mutex::new((writer, Instant::now())), mask }
    }

    /// Appends a line of joblines' own.
    pub(super) fn say(&self, text: &str) {
        let text = self.hide(text);
        self.with(|(writer, _)| writer.say(&text));
    }

    /// `text` with the run's secrets masked.
    pub(super) fn hide<'a>(&self, text: &'a str) -> Cow<'a, str> {
        self.mask.as_ref().map_or(text.into(), |mask| mask.hide(text).into())
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

/// One stream between its reads and the journal: past the mask, where its run has secrets, then cut into lines.
struct Intake<'a> {
    masker: Option<Masker<'a>>,
    cutter: LineCutter,
}

impl<'a> Intake<'a> {
    fn new(output: &'a Output) -> Intake<'a> {
        Intake { masker: output.mask.as_ref().map(Masker::new), cutter: LineCutter::default() }
    }

    /// Where the next read goes.
    fn buffer(&mut self) -> &mut BytesMut {
        match &mut self.masker {
            None => self.cutter.buffer(),
            Some(masker) => masker.buffer(),
        }
    }

    /// After a read that brought `new` bytes: what is to be appended.
    fn cut(&mut self, new: usize) -> [Option<Bytes>; 2] {
        let told = match &mut self.masker {
            None => new,
            Some(masker) => masker.pass(new, self.cutter.buffer()),
        };
        self.cutter.cut(told)
    }

    /// At the end of the stream: what waited for its newline, and what could have been the beginning of a secret.
    fn finish(mut self) -> Option<Bytes> {
        if let Some(masker) = &mut self.masker {
            masker.finish(self.cutter.buffer());
        }
        self.cutter.flush()
    }
}

/// Moves everything that comes out of `taps`, as [`pump`] does.
pub(super) async fn pump_all(taps: Vec<(Stream, Tap)>, output: &Output, stop: &CancellationToken) {
    let mut pumps = taps.into_iter().map(|(stream, tap)| pump(tap, stream, output, stop));
    match (pumps.next(), pumps.next()) {
        (Some(one), Some(other)) => {
            tokio::join!(one, other);
        }
        (Some(one), None) => one.await,
        (None, _) => {}
    }
}

/// Moves everything that comes out of `tap`, until nobody holds its other end any more; or, once `stop` says so, what is
/// there by then.
async fn pump(mut tap: Tap, stream: Stream, output: &Output, stop: &CancellationToken) {
    let mut intake = Intake::new(output);
    let mut size = SMALLEST_READ;
    let mut patience = pin!(sleep_until(Instant::now()));
    // when the waiting piece began to wait; the clock is set only when it has run out, not with every read
    let mut since = Instant::now();
    let mut ticking = false;
    loop {
        let waited = intake.cutter.is_waiting();
        let room = reserve(intake.buffer(), size);
        let read = tokio::select! {
            biased;
            read = tap.read_buf(intake.buffer()) => read,
            () = stop.cancelled() => {
                take_rest(&tap, stream, output, &mut intake);
                break;
            }
            () = patience.as_mut(), if ticking => {
                ticking = intake.cutter.is_waiting() && since.elapsed() < PATIENCE;
                match ticking {
                    true => patience.as_mut().reset(since + PATIENCE),
                    false => append(output, stream, [intake.cutter.flush(), None]),
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
        let pieces = intake.cut(count);
        if !waited || pieces[0].is_some() {
            since = Instant::now();
        }
        append(output, stream, pieces);
        if intake.cutter.is_waiting() && !ticking {
            ticking = true;
            patience.as_mut().reset(since + PATIENCE);
        }
        if count == room && size < LARGEST_READ {
            size *= 2;
            tap.widen();
        }
    }
    append(output, stream, [intake.finish(), None]);
}

/// Moves what is in `tap` at this moment, at most a wide pipe's worth: somebody may go on filling it.
fn take_rest(tap: &Tap, stream: Stream, output: &Output, intake: &mut Intake<'_>) {
    let mut block = vec![0; LARGEST_READ];
    let mut left = WIDE_PIPE;
    while let Ok(count @ 1..) = tap.read_now(&mut block) {
        intake.buffer().extend_from_slice(&block[..count]);
        append(output, stream, intake.cut(count));
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

fn append(output: &Output, stream: Stream, pieces: [Option<Bytes>; 2]) {
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
