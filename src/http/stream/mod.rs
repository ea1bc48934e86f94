//! The body of a streaming response: takes chunks from a reader as the socket has room for them, gives them to a view,
//! sends what it renders. What is taken at a time goes out in one frame, and nothing that is ready waits.

mod clock;
mod ending;
mod lines;
mod pace;
mod queue;
mod standstill;
mod subject;

use std::collections::VecDeque;
use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Body, Frame};
use tokio::sync::oneshot;
use tokio::time::{Instant, Sleep, sleep, timeout};

use super::{LOOK_BACK, Outside, Sieve, Sifted, Span, TRAILERS, Terms, Times};
use crate::journal::Step;
use crate::record::{Chunk, End};
use crate::runs::{Place, Run};
use crate::views::{Format, Frames, View};
use clock::Clock;
pub(super) use lines::Lines;
use lines::Next;
use pace::Pace;
use queue::{NextPlace, Places};
use standstill::Standstill;
pub(super) use subject::Subject;

/// Output is rendered up to so many bytes before a frame is sent, if so much is ready.
const FRAME: usize = 64 << 10;

/// A few lines, up to so many bytes, are sent before it is looked whether there are more: somebody waits for them.
const FEW: usize = 4 << 10;

/// So long lines that are not shown are gone through before others have their turn. Short, for tokio looks for new
/// requests only every 61 turns where there is always something to do.
const TURN: Duration = Duration::from_micros(200);

/// The head of an answer waits so long for what comes behind it.
const MOMENT: Duration = Duration::from_millis(5);

/// A live page of more lines than this goes on with a count.
const LONGEST_PAGE: u64 = 100_000;

/// How often that count is sent.
const COUNT: Duration = Duration::from_secs(3);

/// How often a page with a pace says how many lines wait.
const REMAINING: Duration = Duration::from_secs(2);

/// So many of the last lines end such a page.
const LAST_LINES: u64 = 1000;

/// What a stream shows and how.
pub(super) struct Show {
    pub(super) subject: Subject,
    pub(super) lines: Lines,
    pub(super) format: Format,
    pub(super) view: View,
    /// Every line, however long the page gets.
    pub(super) all: bool,
    /// Break the response off where the run did not succeed.
    pub(super) abort: bool,
    /// Cancelled when the client leaves before the end.
    pub(super) tie: Option<Tie>,
    /// The run, where it waits for its turn.
    pub(super) queued: Option<Arc<Run>>,
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
    /// The last line that was rendered, or begun.
    line: u64,
    /// How many lines were.
    shown: u64,
    /// When it was last said how many lines wait.
    told: Option<Instant>,
    /// The same, of a stream that stands still.
    standstill: Standstill,
    /// Something was left out before the line that comes next.
    resumes: bool,
    clock: Clock,
    /// While the run waits for its turn: its next place.
    queue: Option<NextPlace>,
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
    Breaking { why: Option<io::Error>, flushed: bool },
    /// The rest is silence.
    Done,
}

impl Stream {
    pub(super) fn new(show: Show) -> Stream {
        let live = show.subject.journal().end().is_none();
        let is_wondered_at = live && show.subject.rows().is_none() && !show.lines.stand_still();
        let speaks = matches!(show.format, Format::Html | Format::Sse) && (live || show.lines.may_be_slow());
        Stream {
            clock: Clock::new(live, speaks, is_wondered_at),
            show,
            stage: Stage::Head,
            frames: VecDeque::new(),
            rendered: Frames::default(),
            line: 0,
            queue: None,
            shown: 0,
            told: None,
            standstill: Standstill::new(),
            resumes: false,
            sent: None,
        }
    }

    /// What the page begins with; of a run that waits for its turn, the place comes next.
    fn begin(&mut self) {
        let show = &mut self.show;
        let first = show.lines.first_line();
        show.subject.begin(first, &mut show.view, &mut self.rendered);
        self.line = first.saturating_sub(1);
        self.stage = Stage::Lines;
        let Some(run) = show.queued.take() else { return };
        self.clock.queued = true;
        self.queue = Some(Box::pin(Places::of(run).next()));
    }

    /// Renders the run's place in the queue, and waits for the next one where it still has one.
    fn take_place(&mut self, place: Option<Place>, places: Places) {
        self.clock.queued = place.is_some();
        if let Some(Place { ahead, waiting }) = place {
            self.show.view.queued(ahead, waiting, &mut self.rendered);
            self.queue = Some(Box::pin(places.next()));
            return;
        }
        self.queue = None;
        self.clock.output = Instant::now();
        if self.show.subject.journal().end().is_none() {
            self.show.view.begun(&mut self.rendered);
        }
    }

    /// Ready where the run's place in the queue has changed.
    fn poll_queue(&mut self, context: &mut Context<'_>) -> Poll<()> {
        let Some(next) = &mut self.queue else { return Poll::Pending };
        let (place, places) = ready!(next.as_mut().poll(context));
        self.take_place(place, places);
        Poll::Ready(())
    }

    /// Waits for what is sent first, but for a moment only: it goes out together with the head then, in one packet.
    pub(super) async fn begun(mut self) -> Stream {
        let first = poll_fn(|context| {
            while self.frames.is_empty() && matches!(self.stage, Stage::Head | Stage::Lines) {
                ready!(self.poll_rendered(context));
            }
            Poll::Ready(())
        });
        // a head without anything behind it tells a client little, but that there is one
        let _ = timeout(MOMENT, first).await;
        self
    }

    /// Renders what comes next, where that is something but the end.
    fn poll_rendered(&mut self, context: &mut Context<'_>) -> Poll<()> {
        match &self.stage {
            Stage::Head => self.begin(),
            Stage::Lines => {
                let is_elsewhere_now = self.queue.is_some() && self.poll_queue(context).is_ready();
                if !is_elsewhere_now {
                    ready!(self.poll_lines(context));
                }
            }
            Stage::Count(_) => ready!(self.poll_count(context)),
            Stage::Ended(_) | Stage::Breaking { .. } | Stage::Done => {}
        }
        self.frames.extend(self.rendered.take());
        if !self.frames.is_empty() {
            self.clock.sent = Instant::now();
        }
        Poll::Ready(())
    }

    /// Renders what is ready, up to one frame's worth. Ready where there is something to send or the stage has changed.
    fn poll_lines(&mut self, context: &mut Context<'_>) -> Poll<()> {
        let mut begun = None;
        let mut taken = 0;
        while taken < FRAME {
            match self.show.lines.poll_next(context) {
                Poll::Ready(Ok(Next::Step(Step::Chunk(chunk)))) => {
                    taken += chunk.bytes.len();
                    let chunk = self.cut_to_room(chunk);
                    if self.take(&chunk) || (taken < FEW && self.show.lines.are_taken()) {
                        break;
                    }
                }
                Poll::Ready(Ok(Next::Nothing)) => {
                    // the run does print, though nothing that is shown here
                    self.clock.output = Instant::now();
                    if self.clock.output - *begun.get_or_insert(self.clock.output) < TURN {
                        continue;
                    }
                    if taken > 0 {
                        break;
                    }
                    context.waker().wake_by_ref();
                    return self.clock.poll_silence(context, &mut self.show, &mut self.rendered);
                }
                Poll::Ready(Ok(Next::Step(Step::End(end)))) => {
                    if end.bytes_not_kept == 0 && self.show.subject.journal().totals().bytes < end.bytes {
                        self.fail(io::Error::other("some of its files are gone or damaged"));
                        return Poll::Ready(());
                    }
                    self.show.subject.end(&end, &mut self.show.view, &mut self.rendered);
                    self.stage = Stage::Ended(end);
                    return Poll::Ready(());
                }
                Poll::Ready(Ok(Next::Step(Step::Pause))) => {
                    self.show.view.pause(&mut self.rendered);
                    self.stage = Stage::Done;
                    return Poll::Ready(());
                }
                Poll::Ready(Err(error)) => {
                    self.fail(error);
                    return Poll::Ready(());
                }
                Poll::Pending if taken > 0 => break,
                Poll::Pending if self.show.lines.stand_still() => return self.poll_standstill(context),
                Poll::Pending => return self.clock.poll_silence(context, &mut self.show, &mut self.rendered),
            }
        }
        self.clock.output = Instant::now();
        self.tell_remaining();
        Poll::Ready(())
    }

    /// Says of a stream that stands still how many lines wait. A feed's ends with the feed all the same.
    fn poll_standstill(&mut self, context: &mut Context<'_>) -> Poll<()> {
        let show = &mut self.show;
        let is_over = show.subject.rows().is_some() && show.lines.poll_end(context).is_ready();
        if let Some(end) = show.subject.journal().end().filter(|_| is_over) {
            show.subject.end(&end, &mut show.view, &mut self.rendered);
            self.stage = Stage::Ended(end);
            return Poll::Ready(());
        }
        let remaining = show.subject.journal().totals().lines.saturating_sub(self.line);
        if self.standstill.poll_count(context, remaining).is_ready() {
            show.view.remaining(remaining, &mut self.rendered);
            return Poll::Ready(());
        }
        self.clock.poll_silence(context, show, &mut self.rendered)
    }

    /// Says now and then how many lines wait for their time.
    fn tell_remaining(&mut self) {
        let now = self.clock.output;
        let is_due = self.told.is_none_or(|told| now - told >= REMAINING);
        let has_rows = self.show.subject.rows().is_some();
        if !is_due || !has_rows || !self.show.lines.has_pace() || !matches!(self.stage, Stage::Lines) {
            return;
        }
        let remaining = self.show.subject.journal().totals().lines.saturating_sub(self.line);
        if remaining > 0 {
            self.told = Some(now);
            self.show.view.remaining(remaining, &mut self.rendered);
        }
    }

    /// `chunk` without the lines that a page of so many rows has no room for.
    fn cut_to_room(&self, chunk: Chunk) -> Chunk {
        let show = &self.show;
        let rows = show.subject.rows().filter(|_| !show.all && show.format == Format::Html && self.clock.live);
        let room = rows.map(|rows| rows.saturating_sub(self.shown).saturating_sub(1));
        let Some(room) = room.and_then(|room| usize::try_from(room).ok()) else { return chunk };
        match memchr::memchr_iter(b'\n', &chunk.bytes).nth(room) {
            Some(end) => Chunk { bytes: chunk.bytes.slice(..=end), ..chunk },
            None => chunk,
        }
    }

    /// Renders `chunk`; true where the page has become so long that it goes on with a count.
    fn take(&mut self, chunk: &Chunk) -> bool {
        let show = &mut self.show;
        if std::mem::take(&mut self.resumes) {
            show.view.resume(chunk.line, &mut self.rendered);
        }
        show.view.chunk(chunk, &mut self.rendered);
        if !self.clock.live || show.all || show.format != Format::Html {
            return false;
        }
        let more = (memchr::memchr_iter(b'\n', &chunk.bytes).count() as u64).saturating_sub(1);
        self.line = self.line.max(chunk.line + more);
        self.shown += if chunk.continues { 0 } else { 1 + more };
        if let Some(rows) = show.subject.rows() {
            let is_full = self.shown >= rows;
            if is_full {
                show.view.full(self.line + 1, &mut self.rendered);
                self.stage = Stage::Done;
            }
            return is_full;
        }
        if self.shown <= LONGEST_PAGE {
            return false;
        }
        show.view.left_out(show.subject.journal().totals().lines, &mut self.rendered);
        self.stage = Stage::Count(Box::pin(sleep(COUNT)));
        true
    }

    /// The journal cannot be read any more: what was read is sent, then the response is broken off.
    fn fail(&mut self, error: io::Error) {
        tracing::error!(of = self.show.subject.name(), %error, "a journal cannot be read");
        self.show.view.notice("the rest cannot be read: see the server's log", &mut self.rendered);
        self.stage = Stage::Breaking { why: Some(error), flushed: false };
    }

    /// Sends the number of lines now and then, and the last lines once the run has ended.
    fn poll_count(&mut self, context: &mut Context<'_>) -> Poll<()> {
        let Stage::Count(pause) = &mut self.stage else { return Poll::Ready(()) };
        let show = &mut self.show;
        if show.lines.poll_end(context).is_pending() {
            ready!(pause.as_mut().poll(context));
            pause.as_mut().reset(Instant::now() + COUNT);
            show.view.left_out(show.subject.journal().totals().lines, &mut self.rendered);
            return Poll::Ready(());
        }
        match show.lines.skip_to_last(show.subject.journal(), self.line + 1, LAST_LINES) {
            Ok(()) => {
                show.all = true;
                self.resumes = true;
                self.stage = Stage::Lines;
            }
            Err(error) => self.fail(error),
        }
        Poll::Ready(())
    }
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
                Stage::Head | Stage::Lines | Stage::Count(_) => ready!(this.poll_rendered(context)),
                Stage::Ended(end) => {
                    let end = Arc::clone(end);
                    if let Some(frame) = this.finish(&end) {
                        return Poll::Ready(Some(Ok(frame)));
                    }
                }
                Stage::Breaking { .. } => return this.poll_break(context),
                Stage::Done => return Poll::Ready(None),
            }
        }
    }
}

#[cfg(test)]
mod tests;
