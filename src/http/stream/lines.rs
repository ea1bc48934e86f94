//! The lines that a stream shows, in order: what a reader finds, less what a sieve holds back and what came at another
//! time, no faster than a pace. It never renders, and never holds more than a chunk.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use jiff::Timestamp;
use tokio::time::{Sleep, sleep};

use super::{LOOK_BACK, Outside, Pace, Sieve, Sifted, Span, Terms, Times};
use crate::journal::{Journal, Reader, Selection, Step};
use crate::record::Chunk;

/// The first part of a long journal that is searched for its last lines that pass; each further one is twice as long.
const PART: u64 = 20_000;

/// See the module.
pub(in crate::http) struct Lines {
    source: Source,
    times: Times,
    /// Rings when no more is to come, where that is still ahead.
    until: Option<Pin<Box<Sleep>>>,
    pace: Option<Pace>,
    /// What waits for its time.
    waiting: Option<Chunk>,
}

/// What comes next.
pub(super) enum Next {
    Step(Step),
    /// Something was read, and nothing of it is to be shown yet.
    Nothing,
}

enum Source {
    Whole(Reader, Selection),
    Search(Box<Search>),
    Sifted(Box<Sifting>),
}

impl Lines {
    /// What `selection` and `terms` ask for of `journal`, at most `rate` lines a second; with 0 none of them goes.
    ///
    /// # Errors
    /// Where the journal cannot be read.
    pub(in crate::http) fn new(
        journal: &Arc<Journal>,
        selection: &Selection,
        terms: Terms,
        rate: Option<u32>,
    ) -> io::Result<Lines> {
        let source = match terms.sift() {
            false => Source::Whole(journal.read(selection)?, selection.clone()),
            true => Source::sifted(journal, selection, Arc::new(terms))?,
        };
        Ok(Lines { source, times: Times::default(), until: None, pace: rate.map(Pace::new), waiting: None })
    }

    /// Only those of them that come within `times`.
    pub(in crate::http) fn within(self, times: Times) -> Lines {
        let ahead = times.until.map(|until| until.duration_since(Timestamp::now())).filter(|ahead| ahead.is_positive());
        let until = ahead.map(|ahead| Box::pin(sleep(ahead.unsigned_abs())));
        Lines { times, until, ..self }
    }

    /// Whether long may pass before something is shown, although there is something.
    pub(super) fn may_be_slow(&self) -> bool {
        self.pace.is_some() || !matches!(self.source, Source::Whole(..))
    }

    /// Whether lines wait for their time.
    pub(super) fn has_pace(&self) -> bool {
        self.pace.is_some()
    }

    /// Whether it is known that nothing follows for now, without another look.
    pub(super) fn are_taken(&self) -> bool {
        matches!(&self.source, Source::Whole(reader, _) if !reader.is_at_hand())
    }

    /// Whether none goes, however long they wait.
    pub(super) fn stand_still(&self) -> bool {
        self.pace.as_ref().is_some_and(Pace::stands_still)
    }

    /// The number of the first line that it may show.
    pub(super) fn first_line(&self) -> u64 {
        match &self.source {
            Source::Whole(reader, _) => reader.first_line(),
            Source::Search(search) => search.sifting.from,
            Source::Sifted(sifting) => sifting.from,
        }
    }

    /// Goes on with only the last `tail` of the lines from `from` on.
    pub(super) fn skip_to_last(&mut self, journal: &Arc<Journal>, from: u64, tail: u64) -> io::Result<()> {
        let (stream, to, terms) = match &self.source {
            Source::Whole(_, selection) => (selection.stream, selection.to, None),
            Source::Search(search) => (None, search.wanted.bound, Some(Arc::clone(&search.sifting.terms))),
            Source::Sifted(sifting) => (None, sifting.to, Some(Arc::clone(&sifting.terms))),
        };
        let selection = Selection { from, to, tail: Some(tail), stream, ..Selection::default() };
        self.waiting = None;
        self.source = match terms {
            None => Source::Whole(journal.read(&selection)?, selection),
            Some(terms) => Source::sifted(journal, &selection, terms)?,
        };
        Ok(())
    }

    /// What comes next. Safe to drop and to ask again.
    pub(super) fn poll_next(&mut self, context: &mut Context<'_>) -> Poll<io::Result<Next>> {
        if self.pace.is_none() {
            return self.poll_source(context);
        }
        if self.waiting.is_none() {
            match ready!(self.poll_source(context))? {
                Next::Step(Step::Chunk(chunk)) => self.waiting = Some(chunk),
                next => return Poll::Ready(Ok(next)),
            }
        }
        let Some(chunk) = ready!(self.poll_share(context)) else { return Poll::Ready(Ok(Next::Nothing)) };
        Poll::Ready(Ok(Next::Step(Step::Chunk(chunk))))
    }

    /// What comes next within the times.
    fn poll_source(&mut self, context: &mut Context<'_>) -> Poll<io::Result<Next>> {
        if self.until.as_mut().is_some_and(|until| until.as_mut().poll(context).is_ready()) {
            self.until = None;
            self.source.stop_following();
        }
        let next = ready!(self.source.poll_next(context))?;
        let Next::Step(Step::Chunk(chunk)) = &next else { return Poll::Ready(Ok(next)) };
        Poll::Ready(Ok(match self.times.leave_out(chunk.time) {
            None => next,
            // the end of a line that was begun before: the reader knows where it stops, and whether that is the end
            Some(Outside::After) if chunk.continues => Next::Nothing,
            Some(Outside::Before) => Next::Nothing,
            Some(Outside::After) => Next::Step(Step::Pause),
        }))
    }

    /// As much of what waits as may go now. A line counts once, with its first piece.
    fn poll_share(&mut self, context: &mut Context<'_>) -> Poll<Option<Chunk>> {
        let (Some(chunk), Some(pace)) = (&mut self.waiting, &mut self.pace) else { return Poll::Ready(None) };
        if chunk.continues && !pace.stands_still() {
            return Poll::Ready(self.waiting.take());
        }
        let most = ready!(pace.poll_lines(context));
        let nth = usize::try_from(most).unwrap_or(usize::MAX) - 1;
        match memchr::memchr_iter(b'\n', &chunk.bytes).nth(nth).map(|at| at + 1) {
            Some(end) if end < chunk.bytes.len() => {
                let share = Chunk { bytes: chunk.bytes.split_to(end), ..chunk.clone() };
                chunk.line += most;
                pace.spend(most);
                Poll::Ready(Some(share))
            }
            _ => {
                let lines = memchr::memchr_iter(b'\n', &chunk.bytes).count() as u64;
                pace.spend(lines.max(1));
                Poll::Ready(self.waiting.take())
            }
        }
    }
}

impl Source {
    fn sifted(journal: &Arc<Journal>, selection: &Selection, terms: Arc<Terms>) -> io::Result<Source> {
        let from = selection.from.max(1);
        let sifting = Sifting::new(journal, &terms, from, selection)?;
        let lines = journal.totals().lines;
        match selection.tail {
            None => Ok(Source::Sifted(Box::new(sifting))),
            Some(0) => {
                let from = from.max(selection.to.unwrap_or(lines + 1));
                let sifting = Sifting::new(journal, &terms, from, selection)?;
                Ok(Source::Sifted(Box::new(sifting)))
            }
            Some(tail) => {
                let to = selection.to.unwrap_or(u64::MAX).min(lines + 1);
                let wanted = Wanted { tail, to, bound: selection.to };
                let search = Search::new(journal, sifting, selection.follow, wanted)?;
                Ok(Source::Search(Box::new(search)))
            }
        }
    }

    fn poll_next(&mut self, context: &mut Context<'_>) -> Poll<io::Result<Next>> {
        match self {
            Source::Whole(reader, _) => reader.poll_next(context).map_ok(Next::Step),
            Source::Sifted(sifting) => sifting.poll_next(context),
            Source::Search(search) => {
                if let Some(found) = ready!(search.poll_found(context))? {
                    *self = Source::Sifted(Box::new(found));
                }
                Poll::Ready(Ok(Next::Nothing))
            }
        }
    }

    /// Goes no further than to what there is now.
    fn stop_following(&mut self) {
        if let Source::Search(search) = self {
            search.follow = false;
        }
        self.reader().stop_following();
    }

    fn reader(&mut self) -> &mut Reader {
        match self {
            Source::Whole(reader, _) => reader,
            Source::Sifted(sifting) => &mut sifting.reader,
            Source::Search(search) => &mut search.sifting.reader,
        }
    }
}

impl Lines {
    /// Waits for the end of the journal and passes over what comes until then.
    pub(super) fn poll_end(&mut self, context: &mut Context<'_>) -> Poll<()> {
        self.source.reader().poll_end(context)
    }
}

/// A reader, and the sieve that its chunks go through.
struct Sifting {
    terms: Arc<Terms>,
    from: u64,
    /// Where it stops, if that is before the end.
    to: Option<u64>,
    reader: Reader,
    sieve: Sieve,
    last: Option<Step>,
}

impl Sifting {
    /// From line `from` on, or behind the end of the line that `selection` says.
    fn new(journal: &Arc<Journal>, terms: &Arc<Terms>, from: u64, selection: &Selection) -> io::Result<Sifting> {
        let span = Span { from, to: u64::MAX, after: selection.after, skip: 0 };
        Sifting::within(journal, terms, span, (selection.to, selection.follow))
    }

    /// What is in `span`, up to a line or to what is still to come.
    fn within(
        journal: &Arc<Journal>,
        terms: &Arc<Terms>,
        span: Span,
        (to, follow): (Option<u64>, bool),
    ) -> io::Result<Sifting> {
        let first = span.after.unwrap_or(span.from).saturating_sub(LOOK_BACK).max(1);
        // what else is selected, the sieve does: it has to see every line
        let selection = Selection { from: first, to, rests: true, follow, ..Selection::default() };
        let reader = journal.read(&selection)?;
        let sieve = Sieve::new(Arc::clone(terms), span);
        Ok(Sifting { terms: Arc::clone(terms), from: span.from, to, reader, sieve, last: None })
    }

    fn poll_next(&mut self, context: &mut Context<'_>) -> Poll<io::Result<Next>> {
        match self.sieve.next() {
            Sifted::Chunk(chunk) => return Poll::Ready(Ok(Next::Step(Step::Chunk(chunk)))),
            Sifted::More => return Poll::Ready(Ok(Next::Nothing)),
            Sifted::Empty => {}
        }
        if let Some(step) = &self.last {
            return Poll::Ready(Ok(Next::Step(step.clone())));
        }
        match ready!(self.reader.poll_next(context))? {
            Step::Chunk(chunk) => self.sieve.push(chunk),
            step => {
                self.sieve.finish();
                self.last = Some(step);
            }
        }
        Poll::Ready(Ok(Next::Nothing))
    }
}

/// How many of the last lines before which one are looked for.
#[derive(Clone, Copy)]
struct Wanted {
    tail: u64,
    to: u64,
    /// Nothing is shown from this line on.
    bound: Option<u64>,
}

/// The search for the last lines that pass: part by part from the end, each counted once, until there are enough or
/// none is left. Then all from there on is sifted again, without as many as were found too many.
struct Search {
    journal: Arc<Journal>,
    /// Of the part that is searched.
    sifting: Sifting,
    /// Where the part begins and ends.
    part: (u64, u64),
    /// What passes behind it.
    found: u64,
    /// The first line that may be shown.
    from: u64,
    wanted: Wanted,
    follow: bool,
}

impl Search {
    fn new(journal: &Arc<Journal>, whole: Sifting, follow: bool, wanted: Wanted) -> io::Result<Search> {
        let (from, to) = (whole.from, wanted.to);
        let part = (to.saturating_sub(PART).max(from), to);
        let sifting = Search::count(journal, &whole.terms, part)?;
        Ok(Search { journal: Arc::clone(journal), sifting, part, found: 0, from, wanted, follow })
    }

    /// What counts the lines of a part.
    fn count(journal: &Arc<Journal>, terms: &Arc<Terms>, part: (u64, u64)) -> io::Result<Sifting> {
        let span = Span { from: part.0, to: part.1, after: None, skip: 0 };
        Sifting::within(journal, terms, span, (None, false))
    }

    /// Counts on; once that is done: what shows the lines.
    fn poll_found(&mut self, context: &mut Context<'_>) -> Poll<io::Result<Option<Sifting>>> {
        let Sifting { reader, sieve, .. } = &mut self.sifting;
        if sieve.next() != Sifted::Empty {
            return Poll::Ready(Ok(None));
        }
        match ready!(reader.poll_next(context))? {
            Step::Chunk(chunk) if !sieve.is_past(self.part.1, &chunk) => {
                sieve.push(chunk);
                return Poll::Ready(Ok(None));
            }
            // what is not whole yet counts as something that is still to come, unless nothing is
            Step::Pause if !self.follow => sieve.finish(),
            Step::Chunk(_) | Step::Pause => {}
            Step::End(_) => sieve.finish(),
        }
        self.found += sieve.passed();
        let (begin, end) = self.part;
        let terms = Arc::clone(&self.sifting.terms);
        if self.found < self.wanted.tail && begin > self.from {
            self.part = (begin.saturating_sub(2 * (end - begin)).max(self.from), begin);
            self.sifting = Search::count(&self.journal, &terms, self.part)?;
            return Poll::Ready(Ok(None));
        }
        let skip = self.found.saturating_sub(self.wanted.tail);
        let span = Span { from: begin, to: u64::MAX, after: None, skip };
        Sifting::within(&self.journal, &terms, span, (self.wanted.bound, self.follow))
            .map(|found| Poll::Ready(Ok(Some(found))))?
    }
}
