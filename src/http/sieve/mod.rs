//! The filters of a stream, between a journal's reader and the view: chunks in, chunks out with only the lines that
//! pass, each line under its own number. It never reads, waits, or changes a byte of what passes.
//!
//! # Which lines pass
//!
//! - `q` is searched in the line as people see it: without escape sequences, its newline, and a carriage return before
//!   that; in a record of a logging library, in each of its texts (see [`Entry::any_text`](crate::record::Entry::any_text)).
//!   A line in which `x` finds something does not pass. Where a feed that merges others has a record in several lines,
//!   both are searched in all of it that has come: what goes on with a record that passes passes with it.
//! - `level` and `logger` are those of the record that a line belongs to (see [`Records`]), or the library's own; what
//!   shows no level is below all levels. So is a `field`: of a library's record any that has a name, of a plain line one
//!   under a JSON object's own keys or in logfmt's pairs. What joblines itself says always passes these three.
//! - `stream`, as it is.
//!
//! # Lines in pieces
//!
//! The pieces of a line are held back until the line is whole, or 64 KiB long, or [`LOOK_BACK`] lines of other streams
//! have come meanwhile; then what is there decides, and what follows of the line goes the same way. Pieces of a line
//! that has fallen further behind are judged alone.
//!
//! # Going on
//!
//! What is kept between lines reaches no further back than [`LOOK_BACK`] lines. So a sieve that begins that much earlier
//! comes to the same result as one that has seen everything, and a client that comes back after line N gets just what
//! it would have got: the lines before are gone through again, and left out until the end of line N.

mod field;
mod levels;
mod terms;

#[cfg(test)]
mod tests;

use std::collections::{HashMap, VecDeque};
use std::ops::Range;
use std::sync::Arc;

use super::{Query, Refusal, Wanted};
use crate::record::{Chunk, Entry, Heading, LONGEST_RECORD, Records, Stream};
use crate::views::Plain;
use field::{FIELDS, Field};
use levels::{LEVELS, Levels};
use terms::Finding;
pub(super) use terms::Terms;

/// So many lines back something may matter to a line.
pub(super) const LOOK_BACK: u64 = LONGEST_RECORD;

/// A line in pieces is held back up to so many bytes.
const HELD: usize = 64 << 10;

/// So many bytes of a chunk are gone through at a time.
const PORTION: usize = 16 << 10;

/// Of so many merged feeds the last records are kept, whether anything may go on with them or not.
const MERGED: usize = 256;

/// Which of the lines that pass are given out.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Span {
    /// From this line on.
    pub(super) from: u64,
    /// Up to the one before this.
    pub(super) to: u64,
    /// Once this one has ended.
    pub(super) after: Option<u64>,
    /// Without so many of the first.
    pub(super) skip: u64,
}

impl Span {
    /// Whether a line of this number may be given out now.
    fn is_open(&self, number: u64) -> bool {
        (self.from..self.to).contains(&number) && self.after.is_none()
    }
}

/// What comes out of a sieve.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Sifted {
    /// Lines that pass, or a piece of one.
    Chunk(Chunk),
    /// There is more to go through.
    More,
    /// It wants the next chunk.
    Empty,
}

/// See the module.
#[derive(Debug)]
pub(super) struct Sieve {
    terms: Arc<Terms>,
    span: Span,
    strands: [Strand; Stream::ALL.len()],
    /// The last record of each feed and file that is joined: the line that began it, and what has been found in it.
    merged: HashMap<String, (u64, Finding)>,
    plain: Plain,
    /// The whole lines that are gone through, and where among them it is.
    current: Option<(Chunk, Place)>,
    ready: VecDeque<Chunk>,
    /// The last line begun.
    last: u64,
    passed: u64,
}

#[derive(Clone, Copy, Debug)]
struct Place {
    line: u64,
    at: usize,
}

/// What is kept of one stream.
#[derive(Default, Debug)]
struct Strand {
    records: Records,
    /// The record that its lines belong to passes.
    passes: bool,
    /// The line of which pieces have come.
    open: Option<Open>,
}

#[derive(Debug)]
struct Open {
    line: u64,
    fate: Fate,
}

#[derive(Debug)]
enum Fate {
    /// What has come, and how many bytes that is.
    Held(Vec<Chunk>, usize),
    Passes,
    Fails,
}

impl Sieve {
    pub(super) fn new(terms: Arc<Terms>, span: Span) -> Sieve {
        Sieve {
            terms,
            span,
            strands: Default::default(),
            merged: HashMap::new(),
            plain: Plain::default(),
            current: None,
            ready: VecDeque::new(),
            last: 0,
            passed: 0,
        }
    }

    /// How many lines it has given out, or is about to.
    pub(super) fn passed(&self) -> u64 {
        self.passed
    }

    /// Whether all lines before `line` are judged, now that `chunk` is next.
    pub(super) fn is_past(&self, line: u64, chunk: &Chunk) -> bool {
        let holds =
            |strand: &Strand| matches!(&strand.open, Some(Open { line: open, fate: Fate::Held(..) }) if *open < line);
        chunk.line >= line && !chunk.continues && !self.strands.iter().any(holds)
    }

    /// Takes the next chunk. All that is in it already must have been taken out.
    pub(super) fn push(&mut self, chunk: Chunk) {
        let lines = match chunk.open || chunk.continues {
            true => 1,
            false => memchr::memchr_iter(b'\n', &chunk.bytes).count() as u64,
        };
        self.forget_far_behind(self.last.max(chunk.line));
        self.last = self.last.max(chunk.line + lines.saturating_sub(1));
        if !self.terms.take_stream(chunk.stream) {
            let ended = if chunk.open { 0 } else { lines };
            self.meet(chunk.line..chunk.line + ended);
        } else if chunk.open || chunk.continues {
            self.take_piece(chunk);
        } else {
            let place = Place { line: chunk.line, at: 0 };
            self.current = Some((chunk, place));
        }
    }

    /// Takes the end: what is held back is judged as it is.
    pub(super) fn finish(&mut self) {
        for stream in Stream::ALL {
            self.judge_open(stream);
        }
    }

    /// What passes next.
    pub(super) fn next(&mut self) -> Sifted {
        if let Some(chunk) = self.ready.pop_front() {
            return Sifted::Chunk(chunk);
        }
        let Some((chunk, mut place)) = self.current.take() else { return Sifted::Empty };
        let passing = self.pass_lines(&chunk, &mut place);
        if place.at < chunk.bytes.len() {
            self.current = Some((chunk, place));
        }
        passing.map_or(Sifted::More, Sifted::Chunk)
    }

    /// The next lines in a row that pass, in the next portion.
    fn pass_lines(&mut self, chunk: &Chunk, place: &mut Place) -> Option<Chunk> {
        let begin = place.at;
        let mut first: Option<Place> = None;
        let mut end = begin;
        while place.at < chunk.bytes.len() && place.at - begin < PORTION {
            let rest = &chunk.bytes[place.at..];
            let line = &rest[..memchr::memchr(b'\n', rest).map_or(rest.len(), |at| at + 1)];
            let here = *place;
            *place = Place { line: here.line + 1, at: here.at + line.len() };
            let passes = self.judge(chunk, here.line, line);
            let passes = self.admit(here.line, passes);
            self.meet(here.line..here.line + 1);
            match passes {
                true => {
                    first.get_or_insert(here);
                    end = place.at;
                }
                false if first.is_some() => break,
                false => {}
            }
        }
        first.map(|first| Chunk { line: first.line, bytes: chunk.bytes.slice(first.at..end), ..chunk.clone() })
    }

    /// Whether a line, or what is there of it, passes the terms.
    fn judge(&mut self, chunk: &Chunk, number: u64, line: &[u8]) -> bool {
        let line = line.strip_suffix(b"\n").unwrap_or(line);
        let terms = &self.terms;
        if chunk.stream == Stream::Record {
            let passes = !terms.are_of_headings() || terms.take_record(Heading::of(line).said());
            return passes && (!terms.are_of_entries() || self.judge_entry(number, line));
        }
        let text = self.plain.of(line.strip_suffix(b"\r").unwrap_or(line));
        if terms.are_of_records() && chunk.stream != Stream::System {
            let strand = &mut self.strands[chunk.stream as usize];
            if let Some(said) = strand.records.begin(number, chunk.time, text) {
                strand.passes = terms.take_head(said, text);
            }
            if !strand.passes {
                return false;
            }
        }
        terms.take_text(text)
    }

    /// Whether a record of a logging library, or what of it came before and is there now, passes `q`, `x` and `field`.
    fn judge_entry(&mut self, number: u64, line: &[u8]) -> bool {
        if !self.terms.may_take(line) {
            return false;
        }
        let Some(entry) = Entry::read(line) else { return self.terms.take_unread(line) };
        let found = self.terms.look_into(&entry, &mut self.plain);
        let Some(origin) = entry.origin() else { return found.passes() };
        match self.merged.get_mut(&*origin) {
            Some((head, so_far)) if entry.goes_on => {
                if *head + LOOK_BACK < number {
                    return found.passes();
                }
                *so_far = so_far.and(found);
                return so_far.passes();
            }
            Some(last) => *last = (number, found),
            // what it goes on with was not seen
            None if entry.goes_on => {}
            None => {
                if self.merged.len() >= MERGED {
                    self.merged.retain(|_, (head, _)| *head + LOOK_BACK >= number);
                }
                self.merged.insert(origin.into_owned(), (number, found));
            }
        }
        found.passes()
    }

    /// Whether line `number` is given out; `passes`: the terms take it.
    fn admit(&mut self, number: u64, passes: bool) -> bool {
        let span = &mut self.span;
        if !passes || !span.is_open(number) {
            return false;
        }
        if span.skip > 0 {
            span.skip -= 1;
            return false;
        }
        self.passed += 1;
        true
    }

    /// These lines have ended.
    fn meet(&mut self, lines: Range<u64>) {
        if self.span.after.is_some_and(|seen| lines.contains(&seen)) {
            self.span.after = None;
        }
    }

    fn take_piece(&mut self, chunk: Chunk) {
        let (stream, line, ends) = (chunk.stream, chunk.line, !chunk.open);
        let strand = &mut self.strands[stream as usize];
        if !chunk.continues {
            strand.open = Some(Open { line, fate: Fate::Held(Vec::new(), 0) });
        }
        match &mut strand.open {
            Some(Open { line: open, fate }) if *open == line => match fate {
                Fate::Held(pieces, bytes) => {
                    *bytes += chunk.bytes.len();
                    let is_enough = ends || *bytes >= HELD;
                    pieces.push(chunk);
                    if is_enough {
                        self.judge_open(stream);
                    }
                }
                Fate::Passes if self.span.after.is_none() => self.ready.push_back(chunk),
                Fate::Passes | Fate::Fails => {}
            },
            _ => {
                // it is no line of its own: none of those that are counted
                let passes = self.judge(&chunk, line, &chunk.bytes);
                if passes && self.span.is_open(line) && self.span.skip == 0 {
                    self.ready.push_back(chunk);
                }
            }
        }
        if ends {
            self.strands[stream as usize].open = None;
            self.meet(line..line + 1);
        }
    }

    /// Judges the line of `stream` that is held back by what is there of it.
    fn judge_open(&mut self, stream: Stream) {
        let Some(Open { line, fate: Fate::Held(pieces, _) }) = &mut self.strands[stream as usize].open else { return };
        let (line, pieces) = (*line, std::mem::take(pieces));
        let Some(first) = pieces.first() else { return };
        let text: Vec<u8> = pieces.iter().flat_map(|piece| &piece.bytes[..]).copied().collect();
        let passes = self.judge(first, line, &text);
        // one that was given out before the place where this goes on has its rest still to come
        let is_seen = passes && self.span.after.is_some() && line >= self.span.from;
        let passes = self.admit(line, passes);
        if passes {
            self.ready.extend(pieces);
        }
        let fate = if passes || is_seen { Fate::Passes } else { Fate::Fails };
        self.strands[stream as usize].open = Some(Open { line, fate });
    }

    /// Judges what is held back of lines that `line` has left far behind; what comes of them later is judged alone.
    fn forget_far_behind(&mut self, line: u64) {
        for stream in Stream::ALL {
            let open = &self.strands[stream as usize].open;
            if open.as_ref().is_some_and(|open| open.line + LOOK_BACK < line) {
                self.judge_open(stream);
                self.strands[stream as usize].open = None;
            }
        }
    }
}
