//! The html view of a feed: a table that is valid at every moment while it grows, one row a line or record. It never
//! takes bytes back and never needs a script.
//!
//! # Rows
//!
//! ```text
//! <tr id=L12 class=level-warning><td>number<td>time<td>level<td>logger<td>message<td>place
//! ```
//!
//! A line of joblines' own is of the class `joblines`; one that goes on with the record before it (a traceback's, an indented
//! one) has that record's level, and `goes-on`. Where several feeds are merged and another's line stands between, it says
//! everything again. The lines of a traceback that come together are one row, folded, each with its own `id`; `data-to`
//! is the number of the last. A row that begins a record from warning up is numbered as well, and its
//! level leads to those before and behind it: `#e1`, `#e2` and so on. What few people want of a record is folded.
//!
//! # The newest first
//!
//! A table whose newest row is on top is finished when it is sent: its rows wait until the last one is there, and of more
//! than [`Held::BYTES`] the oldest are left out.

mod fold;
mod histogram;
mod page;
mod row;

use std::collections::VecDeque;
use std::ops::RangeInclusive;

use bytes::BytesMut;
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use crate::record::{Chunk, End, Entry, FeedStart, Level, Records, Stream, begins_exception, stamp};
use crate::views::{FeedOptions, Frames, Plain, Strand, encode, escape_text, in_digits, whole_lines};

pub use self::histogram::{Bar, Histogram};

use self::fold::{Folded, fold_extra, fold_lines, fold_origin, fold_text};
use self::page::{Ending, Left};
use self::row::{Row, Said, write_lines};

/// See the module.
pub(super) struct Table {
    options: FeedOptions,
    /// What is carried over in each stream.
    strands: [Carried; Stream::ALL.len()],
    plain: Plain,
    before: Before,
    /// The day of the last row.
    day: Option<Date>,
    /// How many rows begin a record from warning up.
    problems: u64,
    /// The rows, where the newest comes first.
    held: Option<Held>,
    /// The first line shown, or to be.
    first: u64,
}

/// What of a stream matters to its next line.
#[derive(Default)]
struct Carried {
    records: Records,
    /// What the record says that the line before belongs to.
    said: Said,
    /// It has come to the exception that explains it.
    explains: bool,
    ink: Strand,
    /// The beginning of a line whose end has not come.
    open: Vec<u8>,
}

/// What a plain line is to the record before it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Standing {
    Begins,
    GoesOn,
    /// It goes on, and is of an exception.
    Explains,
}

/// The lines of an exception with their numbers, and the level of its record.
type Explaining<'a> = (&'a [(u64, &'a [u8])], Option<Level>);

/// The row before.
#[derive(Default)]
struct Before {
    number: u64,
    /// Where its record came from, where several are joined.
    origin: String,
    is_own: bool,
}

impl Before {
    /// Whether what goes on with a record of `origin` in line `number` goes on with this row; that line is the next one.
    fn leads_to(&self, number: u64, origin: &str) -> bool {
        self.number + 1 == number && self.origin == origin && !self.is_own
    }

    fn replace(&mut self, number: u64, origin: &str, is_own: bool) {
        self.number = number;
        self.origin.clear();
        self.origin.push_str(origin);
        self.is_own = is_own;
    }
}

/// Rows that wait for the last one, those of one record together.
#[derive(Default)]
struct Held {
    records: VecDeque<HeldRecord>,
    bytes: usize,
}

struct HeldRecord {
    line: u64,
    rows: u64,
    day: Date,
    html: BytesMut,
}

impl Held {
    /// So many bytes of rows may wait.
    const BYTES: usize = 8 << 20;

    /// One row more, which goes on with the one before it or not.
    fn push(&mut self, record: HeldRecord, goes_on: bool) {
        self.bytes += record.html.len();
        match self.records.back_mut() {
            Some(last) if goes_on && self.bytes <= Self::BYTES => {
                last.rows += record.rows;
                last.html.extend_from_slice(&record.html);
            }
            _ => self.records.push_back(record),
        }
        while self.bytes > Self::BYTES && self.records.len() > 1 {
            let Some(oldest) = self.records.pop_front() else { break };
            self.bytes -= oldest.html.len();
        }
    }
}

/// When a chunk came, in the words of its rows.
struct When {
    day: Date,
    /// `12:00:00.123`.
    clock: String,
    stamp: String,
}

impl When {
    fn new(time: Timestamp) -> When {
        let zoned = time.to_zoned(TimeZone::UTC);
        When { day: zoned.date(), clock: zoned.strftime("%H:%M:%S%.3f").to_string(), stamp: stamp(time) }
    }
}

impl Table {
    pub(super) fn new(options: FeedOptions) -> Table {
        Table {
            held: options.newest.then(Held::default),
            options,
            strands: Default::default(),
            plain: Plain::default(),
            before: Before::default(),
            day: None,
            problems: 0,
            first: 1,
        }
    }

    pub(super) fn start_feed(&mut self, start: &FeedStart, first_line: u64, out: &mut Frames) {
        self.first = first_line;
        out.buffer().extend_from_slice(page::start(start, first_line, &self.options).as_bytes());
    }

    pub(super) fn chunk(&mut self, chunk: &Chunk, out: &mut Frames) {
        let when = When::new(chunk.time);
        if chunk.open || chunk.continues {
            let open = &mut self.strands[chunk.stream as usize].open;
            open.extend_from_slice(&chunk.bytes);
            if !chunk.open {
                let line = std::mem::take(open);
                self.line(chunk, (chunk.line, line.strip_suffix(b"\n").unwrap_or(&line)), &when, out.buffer());
            }
            return;
        }
        // the lines of an exception, and their record's level: the line behind them may begin another
        let (mut explaining, mut level) = (Vec::new(), None);
        for numbered in (chunk.line..).zip(whole_lines(&chunk.bytes)) {
            if chunk.stream == Stream::Record {
                self.line(chunk, numbered, &when, out.buffer());
                continue;
            }
            let standing = self.stand(chunk, numbered);
            if standing == Standing::Explains {
                explaining.push(numbered);
                level = self.strands[chunk.stream as usize].said.level;
                continue;
            }
            self.fold_lines(chunk, (&std::mem::take(&mut explaining), level), &when, out.buffer());
            self.plain_line(chunk, (numbered, standing), &when, out.buffer());
        }
        self.fold_lines(chunk, (&explaining, level), &when, out.buffer());
    }

    /// A line of any kind that came alone.
    fn line(&mut self, chunk: &Chunk, numbered: (u64, &[u8]), when: &When, out: &mut BytesMut) {
        let entry = if chunk.stream == Stream::Record { Entry::read(numbered.1) } else { None };
        match entry {
            Some(entry) => {
                self.put(numbered.0..=numbered.0, when, out, |table, out| table.entry(numbered.0, &entry, when, out));
            }
            None => {
                let standing = self.stand(chunk, numbered);
                self.plain_line(chunk, (numbered, standing), when, out);
            }
        }
    }

    fn plain_line(
        &mut self,
        chunk: &Chunk,
        (numbered, standing): ((u64, &[u8]), Standing),
        when: &When,
        out: &mut BytesMut,
    ) {
        let goes_on = standing != Standing::Begins;
        let write = |table: &mut Table, out: &mut BytesMut| table.plain(chunk, (numbered, goes_on), when, out);
        self.put(numbered.0..=numbered.0, when, out, write);
    }

    /// The lines of an exception as one row.
    fn fold_lines(&mut self, chunk: &Chunk, explaining: Explaining<'_>, when: &When, out: &mut BytesMut) {
        if let ([(first, _), ..], [.., (last, _)]) = (explaining.0, explaining.0) {
            self.put(*first..=*last, when, out, |table, out| table.exception(chunk, explaining, out));
        }
    }

    /// Puts a row of these lines on the page, a date before it where the day is another one. `write` says whether it goes on
    /// with the row before it.
    fn put(
        &mut self,
        lines: RangeInclusive<u64>,
        when: &When,
        out: &mut BytesMut,
        write: impl FnOnce(&mut Table, &mut BytesMut) -> bool,
    ) {
        if self.held.is_none() {
            self.turn_day(when.day, out);
            write(self, out);
            return;
        }
        let mut html = BytesMut::new();
        let goes_on = write(self, &mut html);
        if let Some(held) = &mut self.held {
            let rows = lines.end() + 1 - lines.start();
            held.push(HeldRecord { line: *lines.start(), rows, day: when.day, html }, goes_on);
        }
    }

    fn turn_day(&mut self, day: Date, out: &mut BytesMut) {
        if self.day.replace(day) != Some(day) {
            out.extend_from_slice(
                format!("<tr class=day><td colspan=6>{}\n", day.strftime("%A, %-d %B %Y")).as_bytes(),
            );
        }
    }

    /// What a plain line is to those before it.
    fn stand(&mut self, chunk: &Chunk, (number, line): (u64, &[u8])) -> Standing {
        let strand = &mut self.strands[chunk.stream as usize];
        if chunk.stream == Stream::System {
            strand.said = Said::JOBLINES;
            return Standing::Begins;
        }
        let text = self.plain.of(line.strip_suffix(b"\r").unwrap_or(line));
        match strand.records.begin(number, chunk.time, text) {
            Some(said) => {
                strand.said.take(said);
                strand.explains = begins_exception(text);
                Standing::Begins
            }
            None => {
                strand.explains |= begins_exception(text);
                if strand.explains { Standing::Explains } else { Standing::GoesOn }
            }
        }
    }

    /// The row of a record; true where it goes on with the one before it.
    fn entry(&mut self, number: u64, entry: &Entry<'_>, when: &When, out: &mut BytesMut) -> bool {
        let problem = self.count_problem(entry.level.filter(|_| !entry.goes_on));
        let row = Row { number, problem, newest: self.options.newest };
        let origin = entry.origin().unwrap_or_default();
        let goes_on = entry.goes_on && self.before.leads_to(number, &origin);
        self.before.replace(number, &origin, false);
        match goes_on {
            true => row.of_more(entry, out),
            false => row.of_entry(entry, (when, &self.options), out),
        }
        goes_on
    }

    /// The row of a plain line; true where it follows the one before it, with which it goes on.
    fn plain(
        &mut self,
        chunk: &Chunk,
        ((number, line), goes_on): ((u64, &[u8]), bool),
        when: &When,
        out: &mut BytesMut,
    ) -> bool {
        let level = self.strands[chunk.stream as usize].said.level.filter(|_| !goes_on);
        let problem = self.count_problem(level);
        let strand = &mut self.strands[chunk.stream as usize];
        let row = Row { number, problem, newest: self.options.newest };
        row.of_line(&strand.said, goes_on, when, out);
        strand.ink.line(line, out);
        out.extend_from_slice(b"<td>\n");
        let follows = goes_on && self.before.leads_to(number, "");
        self.before.replace(number, "", chunk.stream == Stream::System);
        follows
    }

    /// The row of an exception, as [`plain`](Table::plain).
    fn exception(&mut self, chunk: &Chunk, (lines, level): Explaining<'_>, out: &mut BytesMut) -> bool {
        let (Some((first, line)), Some((last, _))) = (lines.first(), lines.last()) else { return false };
        let strand = &mut self.strands[chunk.stream as usize];
        Row { number: *first, problem: None, newest: self.options.newest }.of_lines(level, *last, out);
        if lines.len() == 1 {
            strand.ink.line(line, out);
        } else {
            let says_most = lines.iter().rev().find(|(_, line)| !line.trim_ascii().is_empty());
            let glance = self.plain.of(says_most.map_or(b"", |(_, line)| line.trim_ascii_end()));
            fold_lines(&String::from_utf8_lossy(glance), lines, &mut strand.ink, out);
        }
        out.extend_from_slice(b"<td>\n");
        let follows = self.before.leads_to(*first, "");
        self.before.replace(*last, "", false);
        follows
    }

    /// The number of a row that begins a record of this level, among those from warning up.
    fn count_problem(&mut self, level: Option<Level>) -> Option<u64> {
        level.filter(|level| *level >= Level::WARNING)?;
        self.problems += 1;
        Some(self.problems)
    }

    /// More lines are there than the pace lets through yet. Each count is hidden once something follows it.
    pub(super) fn remaining(&mut self, lines: u64, out: &mut Frames) {
        if self.held.is_none() {
            let words = in_digits(lines);
            let row = format!("<tr class=remaining><td colspan=6>{words} remaining\n");
            out.buffer().extend_from_slice(row.as_bytes());
        }
    }

    pub(super) fn notice(&mut self, text: &str, out: &mut Frames) {
        let out = out.buffer();
        out.extend_from_slice(b"<tr class=remaining><td colspan=6>");
        escape_text(text, out);
        out.extend_from_slice(b"\n");
    }

    /// The page has as many rows as it may have, and goes on at line `next`.
    pub(super) fn full(&mut self, next: u64, out: &mut Frames) {
        self.close(&Ending::Full { next }, out.buffer());
    }

    pub(super) fn pause(&mut self, out: &mut Frames) {
        self.close(&Ending::Pause, out.buffer());
    }

    pub(super) fn stop(&mut self, end: &End, out: &mut Frames) {
        self.close(&Ending::Stopped(end), out.buffer());
    }

    fn close(&mut self, ending: &Ending<'_>, out: &mut BytesMut) {
        for stream in Stream::ALL {
            // what has no end yet is not on the page, and is not said to be
            self.strands[stream as usize].open.clear();
        }
        let mut left = Left { first: self.first, shown: None };
        if let Some(held) = self.held.take() {
            let shown = held.records.iter().map(|record| record.rows).sum();
            left = Left { first: held.records.front().map_or(self.first, |record| record.line), shown: Some(shown) };
            for record in held.records.into_iter().rev() {
                self.turn_day(record.day, out);
                out.extend_from_slice(&record.html);
            }
        }
        out.extend_from_slice(page::end(ending, &left, &self.options).as_bytes());
    }
}

#[cfg(test)]
mod tests;
