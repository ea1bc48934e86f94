//! What a query asks to see of a run, and how it is to look. It finds no run, and reads no line.

use std::io;
use std::sync::Arc;

use jiff::Timestamp;

use super::{Asked, Lines, Query, Refusal, Terms, Times, Wanted, encode_pairs};
use crate::journal::{Journal, Selection};
use crate::record;
use crate::runs::RunRecord;
use crate::views::Filters;

/// A replayed page starts at so many last lines.
const REPLAYED: u64 = 5000;

/// The most lines a second that may be asked for.
const FASTEST: u32 = 1_000_000;

/// What of a run is shown, and how, as a query says.
pub(super) struct Viewed {
    pub(super) format: Wanted,
    pub(super) selection: Selection,
    pub(super) terms: Terms,
    /// When the lines came.
    pub(super) times: Times,
    /// What the page's form says of them.
    pub(super) filters: Filters,
    /// The most lines a second; with 0 none goes.
    pub(super) rate: Option<u32>,
    pub(super) all: bool,
    pub(super) abort: bool,
    pub(super) time: bool,
    pub(super) download: bool,
    /// Nothing is said of which lines.
    unbounded: bool,
    /// It is watched again, not for the first time.
    replay: bool,
}

impl Viewed {
    pub(super) fn of_query(asked: &Asked) -> Result<Viewed, Refusal> {
        let query = &asked.query;
        let terms = Terms::of_query(query)?;
        let times = Times::of_query(query, Timestamp::now())?;
        let stream = terms.stream;
        Ok(Viewed {
            format: asked.wanted,
            selection: Selection {
                from: query.number("from", 1)?.unwrap_or(1),
                tail: query.number("tail", 0)?,
                stream,
                follow: query.flag("follow")?.unwrap_or(true),
                ..Selection::default()
            },
            terms: terms.seen_in(asked.wanted),
            times,
            filters: filters(query, stream, &times),
            rate: rate(query)?,
            all: query.flag("all")?.unwrap_or(false),
            abort: query.flag("abort")?.unwrap_or(false),
            time: query.flag("time")?.unwrap_or(false),
            download: query.flag("download")?.unwrap_or(false),
            unbounded: query.value("from").is_none() && query.value("tail").is_none() && times.since.is_none(),
            replay: false,
        })
    }

    /// Whether nothing is said of which lines.
    pub(super) fn is_unbounded(&self) -> bool {
        self.unbounded
    }

    /// What its URL said of where to begin was for the first time: it goes on behind the end of line `seen`.
    pub(super) fn behind(&mut self, seen: u64) {
        self.times.since = None;
        self.selection = Selection { from: 1, tail: None, after: Some(seen), ..self.selection.clone() };
    }

    /// Behind the end of which line it goes on; 0 where it is watched for the first time.
    pub(super) fn seen(&self) -> u64 {
        self.selection.after.unwrap_or(0)
    }

    /// The lines of `journal` that are shown.
    ///
    /// # Errors
    /// Where the journal cannot be read.
    pub(super) fn lines(&self, journal: &Arc<Journal>) -> io::Result<Lines> {
        let mut selection = self.selection.clone();
        if let Some(since) = self.times.since {
            selection.from = selection.from.max(journal.line_at(since)?);
        }
        if let Some(until) = self.times.until {
            let next = journal.line_at(until)?;
            selection.to = Some(next).filter(|next| *next <= journal.totals().lines);
            // nothing is to come any more, and all that is there is to be found
            selection.follow &= until > Timestamp::now();
        }
        Ok(Lines::new(journal, &selection, self.terms.clone(), self.rate)?.within(self.times))
    }

    /// The same, watched again.
    pub(super) fn again(self) -> Viewed {
        Viewed { replay: true, ..self }
    }

    /// A page of a long run that is not watched from its beginning starts near the end.
    pub(super) fn shorten(&mut self, record: &RunRecord, waited: bool) {
        let again = (self.replay || waited) && self.unbounded && !self.all && !self.download;
        if self.format == Wanted::Html && again && record.lines > REPLAYED {
            self.selection.tail = Some(REPLAYED);
            self.filters.last = Some(REPLAYED).filter(|_| self.filters.are_on());
        }
    }
}

/// The filters of a query as a page's form shows them. Its links say times that stay the same.
fn filters(query: &Query, stream: Option<record::Stream>, times: &Times) -> Filters {
    let given = |name: &str| query.value(name).unwrap_or_default().to_owned();
    let pairs = ["q", "x", "level", "logger", "field", "stream"].map(|name| (name, given(name)));
    let pairs = pairs.into_iter().chain(times.pairs()).filter(|(_, value)| !value.is_empty());
    Filters {
        q: given("q"),
        x: given("x"),
        level: given("level"),
        logger: given("logger"),
        field: given("field"),
        since: given("since"),
        until: given("until"),
        stream,
        query: encode_pairs(pairs),
        last: None,
    }
}

/// The most lines a second.
fn rate(query: &Query) -> Result<Option<u32>, Refusal> {
    let Some(value) = query.value("rate").filter(|value| !value.is_empty()) else { return Ok(None) };
    let rate = query.number("rate", 0).ok().flatten().and_then(|rate| u32::try_from(rate).ok());
    let rate = rate.filter(|rate| *rate <= FASTEST);
    rate.map(Some).ok_or_else(|| {
        Refusal::bad_request(format!("`rate` cannot be `{value}`"))
            .remedy(format!("allowed: a whole number of lines a second from 1 to {FASTEST}, or 0 for none"))
    })
}
