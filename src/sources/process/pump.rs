//! Moves the streams of a child into the journal: reads what is there, cuts it into lines, appends. It never waits for a
//! viewer, and it does not know when a run is over.

use std::borrow::Cow;
use std::io;
use std::path::PathBuf;
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex, PoisonError};
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
    fn finish(&mut self) -> Option<Bytes> {
        if let Some(masker) = &mut self.masker {
            masker.finish(self.cutter.buffer());
        }
        self.cutter.flush()
    }
}

/// Moves everything that comes out of `taps`, until nobody holds their other ends any more; or, once `stop` says so, what
/// is there by then. Then it gives them back: closing them is not for when somebody waits for the end.
///
/// It is for a task of its own: output then wakes what moves it and nothing else, however much there is to the run.
pub(super) async fn pump_all(taps: Vec<(Stream, Tap)>, output: Arc<Output>, stop: CancellationToken) -> Vec<Tap> {
    let mut pumps: Vec<_> = taps.into_iter().map(|(stream, tap)| Pump::new(stream, tap, &output)).collect();
    let all = async {
        match &mut pumps[..] {
            [one, other] => {
                tokio::join!(one.run(), other.run());
            }
            pumps => {
                for pump in pumps {
                    pump.run().await;
                }
            }
        }
    };
    tokio::select! {
        biased;
        () = all => {}
        () = stop.cancelled() => pumps.iter_mut().for_each(Pump::stop),
    }
    pumps.into_iter().map(|pump| pump.tap).collect()
}

/// What moves one stream.
struct Pump<'a> {
    stream: Stream,
    tap: Tap,
    output: &'a Output,
    intake: Intake<'a>,
    is_over: bool,
}

impl<'a> Pump<'a> {
    fn new(stream: Stream, tap: Tap, output: &'a Output) -> Pump<'a> {
        Pump { stream, tap, output, intake: Intake::new(output), is_over: false }
    }

    /// Moves everything, until nobody holds the other end any more. Safe to drop before.
    async fn run(&mut self) {
        let mut size = SMALLEST_READ;
        let mut patience = pin!(sleep_until(Instant::now()));
        // when the waiting piece began to wait; the clock is set only when it has run out, not with every read
        let mut since = Instant::now();
        let mut ticking = false;
        loop {
            let waited = self.intake.cutter.is_waiting();
            let room = reserve(self.intake.buffer(), size);
            let read = tokio::select! {
                biased;
                read = self.tap.read_buf(self.intake.buffer()) => read,
                () = patience.as_mut(), if ticking => {
                    ticking = self.intake.cutter.is_waiting() && since.elapsed() < PATIENCE;
                    if ticking {
                        patience.as_mut().reset(since + PATIENCE);
                    } else {
                        let piece = self.intake.cutter.flush();
                        self.append([piece, None]);
                    }
                    continue;
                }
            };
            let count = match read {
                Ok(0) => break,
                Ok(count) => count,
                Err(error) => {
                    self.output.say(&format!("{} cannot be read any more: {error}", self.stream.name()));
                    break;
                }
            };
            self.output.heard();
            let pieces = self.intake.cut(count);
            if !waited || pieces[0].is_some() {
                since = Instant::now();
            }
            self.append(pieces);
            if self.intake.cutter.is_waiting() && !ticking {
                ticking = true;
                patience.as_mut().reset(since + PATIENCE);
            }
            if count == room && size < LARGEST_READ {
                size *= 2;
                self.tap.widen();
            }
        }
        self.finish();
    }

    /// Moves what is there at this moment, at most a wide pipe's worth: somebody may go on filling it.
    fn stop(&mut self) {
        if self.is_over {
            return;
        }
        let mut block = vec![0; LARGEST_READ];
        let mut left = WIDE_PIPE;
        while let Ok(count @ 1..) = self.tap.read_now(&mut block) {
            self.intake.buffer().extend_from_slice(&block[..count]);
            let pieces = self.intake.cut(count);
            self.append(pieces);
            left = left.saturating_sub(count);
            if left == 0 {
                break;
            }
        }
        self.finish();
    }

    fn finish(&mut self) {
        self.is_over = true;
        let rest = self.intake.finish();
        self.append([rest, None]);
    }

    fn append(&self, pieces: [Option<Bytes>; 2]) {
        self.output.with(|(writer, _)| {
            pieces.into_iter().flatten().for_each(|piece| writer.append(self.stream, piece));
        });
    }
}

/// Makes room for a read of about `size`, and says for how much there is room.
fn reserve(buffer: &mut BytesMut, size: usize) -> usize {
    if buffer.capacity() - buffer.len() < size / 2 {
        buffer.reserve(size);
    }
    buffer.capacity() - buffer.len()
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
