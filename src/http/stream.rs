//! The body of a streaming response: takes chunks from a reader as the socket has room for them, gives them to a view,
//! sends what it renders. All that is ready goes out in one frame, and nothing that is ready waits.

use std::collections::VecDeque;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::http::{HeaderMap, HeaderValue};
use bytes::Bytes;
use http_body::{Body, Frame};
use tokio::sync::oneshot;
use tokio::time::{Instant, Sleep, sleep};

use super::TRAILERS;
use crate::journal::{Journal, Reader, Selection, Step};
use crate::record::{End, Start, State};
use crate::runs::Run;
use crate::views::{Format, Frames, View};

/// Output is rendered up to so many bytes before a frame is sent, if so much is ready.
const FRAME: usize = 64 << 10;

/// How often something is sent, so that proxies keep a silent page open.
const HEARTBEAT: Duration = Duration::from_secs(15);

/// A run that printed nothing for so long is spoken of.
const SILENCE: Duration = Duration::from_secs(30);

/// A live page of more lines than this goes on with a count.
const LONGEST_PAGE: u64 = 100_000;

/// How often that count is sent.
const COUNT: Duration = Duration::from_secs(3);

/// So many of the last lines end such a page.
const LAST_LINES: u64 = 1000;

/// What a stream shows and how.
pub(super) struct Show {
    pub(super) journal: Arc<Journal>,
    pub(super) start: Start,
    pub(super) reader: Reader,
    pub(super) format: Format,
    pub(super) view: View,
    /// Every line, however long the page gets.
    pub(super) all: bool,
    /// Break the response off where the run did not succeed.
    pub(super) abort: bool,
    /// Cancelled when the client leaves before the end.
    pub(super) tie: Option<Tie>,
    /// The job's output comes through a pipe: programs may hold it back.
    pub(super) on_pipes: bool,
}

/// Cancels a run when it is dropped before the run's end.
pub(super) struct Tie(pub(super) Arc<Run>);

impl Drop for Tie {
    fn drop(&mut self) {
        if self.0.cancel() {
            tracing::info!(run = %self.0.id, "the client that started it has left");
        }
    }
}

/// The body. See [`Show`].
pub(super) struct Stream {
    show: Show,
    stage: Stage,
    frames: VecDeque<Bytes>,
    rendered: Frames,
    lines: u64,
    clock: Clock,
    /// The last frame's fate, where the response may be broken off.
    sent: Option<oneshot::Receiver<()>>,
}

enum Stage {
    /// Nothing has been sent.
    Head,
    /// Lines are sent as they come.
    Lines,
    /// Only their number is.
    Count(Pin<Box<Sleep>>),
    /// The view has rendered the end of this run.
    Ended(Arc<End>),
    /// The response is about to be broken off: all that is left is for the kernel to take it.
    Breaking { flushed: bool },
    /// The rest is silence.
    Done,
}

impl Stream {
    pub(super) fn new(show: Show) -> Stream {
        let live = show.journal.end().is_none() && matches!(show.format, Format::Html | Format::Sse);
        Stream {
            clock: Clock::new(live),
            show,
            stage: Stage::Head,
            frames: VecDeque::new(),
            rendered: Frames::default(),
            lines: 0,
            sent: None,
        }
    }

    /// Renders what is ready, up to one frame's worth. Ready where there is something to send or the stage has changed.
    fn poll_lines(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let show = &mut self.show;
        let mut taken = 0;
        while taken < FRAME {
            match show.reader.poll_next(context)? {
                Poll::Ready(Step::Chunk(chunk)) => {
                    taken += chunk.bytes.len();
                    self.lines = self.lines.max(chunk.line);
                    show.view.chunk(&chunk, &mut self.rendered);
                    if self.clock.live && !show.all && show.format == Format::Html && self.lines > LONGEST_PAGE {
                        show.view.left_out(show.journal.totals().lines, &mut self.rendered);
                        self.stage = Stage::Count(Box::pin(sleep(COUNT)));
                        return Poll::Ready(Ok(()));
                    }
                }
                Poll::Ready(Step::End(end)) => {
                    show.view.end(&end, &mut self.rendered);
                    self.stage = Stage::Ended(end);
                    return Poll::Ready(Ok(()));
                }
                Poll::Ready(Step::Pause) => {
                    show.view.pause(&mut self.rendered);
                    self.stage = Stage::Done;
                    return Poll::Ready(Ok(()));
                }
                Poll::Pending if taken > 0 => break,
                Poll::Pending => {
                    ready!(self.clock.poll_silence(context, show, &mut self.rendered));
                    return Poll::Ready(Ok(()));
                }
            }
        }
        self.clock.output = Instant::now();
        Poll::Ready(Ok(()))
    }

    /// Sends the number of lines now and then, and the last lines once the run has ended.
    fn poll_count(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let Stage::Count(pause) = &mut self.stage else { return Poll::Ready(Ok(())) };
        let show = &mut self.show;
        if show.reader.poll_end(context).is_pending() {
            ready!(pause.as_mut().poll(context));
            pause.as_mut().reset(Instant::now() + COUNT);
            show.view.left_out(show.journal.totals().lines, &mut self.rendered);
            return Poll::Ready(Ok(()));
        }
        let rest = Selection { from: self.lines + 1, tail: Some(LAST_LINES), ..Selection::default() };
        show.reader = show.journal.read(&rest)?;
        show.all = true;
        show.view.resume(show.reader.first_line(), &mut self.rendered);
        self.stage = Stage::Lines;
        Poll::Ready(Ok(()))
    }

    /// What comes after the last frame of a run that has ended.
    fn finish(&mut self, end: &End) -> Option<Frame<Bytes>> {
        if let Some(tie) = self.show.tie.take() {
            drop(tie);
        }
        if self.show.abort && end.state != State::Succeeded {
            self.stage = Stage::Breaking { flushed: false };
            return None;
        }
        self.stage = Stage::Done;
        Some(Frame::trailers(trailers(end)))
    }

    /// Waits until the kernel has every byte, then breaks off.
    fn poll_break(&mut self, context: &mut Context<'_>) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        if let Some(sent) = &mut self.sent {
            // an error means that the frame was dropped: it is as gone as a sent one
            let _ = ready!(Pin::new(sent).poll(context));
            self.sent = None;
        } else if let Stage::Breaking { flushed: flushed @ false } = &mut self.stage {
            // no frame at all: a pause lets the head go out
            *flushed = true;
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        self.stage = Stage::Done;
        Poll::Ready(Some(Err(io::Error::other("the run did not succeed"))))
    }

    fn pop(&mut self) -> Option<Frame<Bytes>> {
        let bytes = self.frames.pop_front()?;
        if !self.show.abort {
            return Some(Frame::data(bytes));
        }
        let (dropped, sent) = oneshot::channel();
        self.sent = Some(sent);
        Some(Frame::data(Bytes::from_owner(Handed { bytes, _dropped: dropped })))
    }
}

/// Bytes whose end of life is heard of: hyper drops them once the kernel has them.
struct Handed {
    bytes: Bytes,
    _dropped: oneshot::Sender<()>,
}

impl AsRef<[u8]> for Handed {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

fn trailers(end: &End) -> HeaderMap {
    let [state, exit_code] = TRAILERS;
    let mut trailers = HeaderMap::new();
    trailers.insert(state, HeaderValue::from_static(end.state.name()));
    if let Some(code) = end.outcome.exit_code() {
        trailers.insert(exit_code, HeaderValue::from(code));
    }
    trailers
}

impl Body for Stream {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        let this = self.get_mut();
        loop {
            if let Some(frame) = this.pop() {
                return Poll::Ready(Some(Ok(frame)));
            }
            match &mut this.stage {
                Stage::Head => {
                    let first = this.show.reader.first_line();
                    this.show.view.start(&this.show.start, first, &mut this.rendered);
                    this.stage = Stage::Lines;
                }
                Stage::Lines => ready!(this.poll_lines(context))?,
                Stage::Count(_) => ready!(this.poll_count(context))?,
                Stage::Ended(end) => {
                    let end = Arc::clone(end);
                    if let Some(frame) = this.finish(&end) {
                        return Poll::Ready(Some(Ok(frame)));
                    }
                }
                Stage::Breaking { .. } => return this.poll_break(context),
                Stage::Done => return Poll::Ready(None),
            }
            this.frames.extend(this.rendered.take());
            if !this.frames.is_empty() {
                this.clock.sent = true;
            }
        }
    }
}

/// Notices silence: on the line, which proxies do not like, and of the run, which people wonder about.
struct Clock {
    live: bool,
    tick: Option<Pin<Box<Sleep>>>,
    /// Something was sent since the last tick.
    sent: bool,
    output: Instant,
    spoken: bool,
}

impl Clock {
    fn new(live: bool) -> Clock {
        Clock { live, tick: None, sent: false, output: Instant::now(), spoken: false }
    }

    /// Ready where the view has rendered something about the silence.
    fn poll_silence(&mut self, context: &mut Context<'_>, show: &mut Show, out: &mut Frames) -> Poll<()> {
        if !self.live {
            return Poll::Pending;
        }
        let tick = self.tick.get_or_insert_with(|| Box::pin(sleep(HEARTBEAT)));
        loop {
            ready!(tick.as_mut().poll(context));
            tick.as_mut().reset(Instant::now() + HEARTBEAT);
            if !self.spoken && self.output.elapsed() >= SILENCE {
                self.spoken = true;
                show.view.notice(silence(show.on_pipes), out);
                return Poll::Ready(());
            }
            if !std::mem::take(&mut self.sent) {
                show.view.heartbeat(out);
                return Poll::Ready(());
            }
        }
    }
}

fn silence(on_pipes: bool) -> &'static str {
    if on_pipes {
        "no output for 30 s. A program that holds its output back when it is not on a terminal wants `pty = true` in \
         jobs.toml."
    } else {
        "no output for 30 s."
    }
}
