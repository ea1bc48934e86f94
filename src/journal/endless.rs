//! A feed's journal: it has no end of its own, goes on in the same files after a restart, and keeps to a size by
//! forgetting its oldest segment. It never forgets a line that is younger than one it keeps.
//!
//! Its name, the run's name in the header of a run's journal, is made once and outlives restarts, so that a client that
//! comes back with a name and a line's number means the same line, or one of a journal that is gone.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use bytes::Bytes;
use tracing::warn;

use super::{
    Files, Header, Journal, Origin, Place, Refused, SEGMENT_BYTES, Segment, Shared, Totals, Whole, Writer,
    open_if_whole,
};
use crate::record::Stream;

/// A journal of that size is cut in so many segments: what is forgotten at a time.
const SEGMENTS: u64 = 8;

/// So long after the disk refused it is asked again.
const RETRY: Duration = Duration::from_secs(1);

/// What [`Journal::resume`] found or made.
#[derive(Debug)]
pub struct Resumed {
    /// What appends to it.
    pub writer: Writer,
    /// The journal as its readers see it.
    pub journal: Arc<Journal>,
    /// What its files say of it.
    pub origin: Origin,
    /// It was not there before.
    pub is_new: bool,
    /// Bytes that were cut off, because no whole entry spoke of them.
    pub cut: u64,
}

impl Journal {
    /// The endless journal in files whose names begin with `base`, or a new one of this `origin` where there is none. Its
    /// files take up to `keep` bytes; nobody else may write them.
    ///
    /// # Errors
    /// Where the files that are there cannot be read or made whole.
    pub fn resume(base: PathBuf, origin: Origin, keep: u64) -> io::Result<Resumed> {
        let found = find(&base)?;
        let is_new = found.last.is_none();
        let (origin, files) = match found.last {
            Some((files, header)) => (header.origin, Some(Arc::new(files))),
            None => (origin, None),
        };
        let extent = found.extent;
        let shared = Shared {
            window_first: extent.entries,
            entries: extent.entries,
            written: extent.entries,
            totals: Totals { lines: extent.next_line - 1, bytes: extent.offset },
            segments: found.segments,
            current: files.clone(),
            ..Shared::default()
        };
        let journal =
            Arc::new(Journal { base, shared: Mutex::new(shared), news: Arc::default(), verify: true, endless: true });
        let mut writer = Writer::endless(Arc::clone(&journal), origin.clone(), keep, keep / SEGMENTS);
        if let Some(files) = files {
            writer.go_on(files, extent);
        }
        Ok(Resumed { writer, journal, origin, is_new, cut: found.cut })
    }
}

/// What is there.
struct Found {
    segments: Vec<Segment>,
    last: Option<(Files, Header)>,
    extent: Extent,
    cut: u64,
}

/// The segments that follow one another up to the youngest; what is torn of that is cut off. The older ones were whole
/// when it was begun.
fn find(base: &Path) -> io::Result<Found> {
    let mut found = Found { segments: Vec::new(), last: None, extent: Extent::default(), cut: 0 };
    for number in numbers(base)? {
        match open_if_whole(base, number, true)? {
            Some((files, header)) => {
                if found.segments.last().is_some_and(|segment| segment.number + 1 != number) {
                    found.segments.clear();
                }
                found.segments.push(files.segment.clone());
                found.last = Some((files, header));
            }
            None => match Files::output_bytes(base, number)? {
                // it was begun and never written to
                0 => drop(Files::remove(base, number)?),
                damaged => {
                    warn!(files = %base.display(), number, "an index is damaged: its part is set aside as .damaged");
                    Files::set_aside(base, number)?;
                    found.cut += damaged;
                }
            },
        }
    }
    if let Some((files, header)) = &found.last {
        let mut whole = Whole::from(header);
        whole.check(files)?;
        found.cut += whole.cut;
        found.extent = Extent {
            entries: header.first_entry + files.count()?,
            offset: whole.totals.bytes,
            next_line: whole.totals.lines + 1,
            open: whole.open,
        };
    }
    Ok(found)
}

fn numbers(base: &Path) -> io::Result<Vec<u32>> {
    match Files::numbers(base) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        numbers => numbers,
    }
}

/// How far a journal goes.
#[derive(Clone, Debug)]
struct Extent {
    entries: u64,
    offset: u64,
    next_line: u64,
    /// For each stream, the line that it has begun and not ended.
    open: [Option<u64>; Stream::ALL.len()],
}

impl Default for Extent {
    fn default() -> Self {
        Extent { entries: 0, offset: 0, next_line: 1, open: [None; Stream::ALL.len()] }
    }
}

impl Writer {
    /// The writer of a journal without an end, which keeps to a size.
    fn endless(journal: Arc<Journal>, origin: Origin, keep: u64, segment: u64) -> Writer {
        let segment_bytes = segment.min(SEGMENT_BYTES);
        let mut writer = Writer::new(journal, origin);
        (writer.keep, writer.segment_bytes) = (Some(keep), segment_bytes);
        writer
    }

    /// Goes on where the last writer stopped. A line that it had begun is ended: whoever brought it is gone.
    fn go_on(&mut self, files: Arc<Files>, extent: Extent) {
        self.place = Place::Open(files);
        Extent { entries: self.entries, offset: self.offset, next_line: self.next_line, open: self.open } = extent;
        for stream in Stream::ALL {
            if self.open[stream as usize].is_some() {
                // where there is no room it goes on with what comes next
                self.offer(stream, Bytes::from_static(b"\n"));
            }
        }
    }

    /// Whether the disk takes an endless journal again; then it says what was not kept meanwhile.
    pub(super) fn retry(&mut self) -> bool {
        let Some(reason) = self.ask_again() else { return false };
        self.refused.is_none() && self.tell_of_room(&reason)
    }

    /// Has the next chunk ask the disk again, and returns why it refused. Only now and then, for each try costs a write.
    pub(super) fn ask_again(&mut self) -> Option<String> {
        let Refused { reason, .. } = self.refused.take_if(|refused| refused.since.elapsed() >= RETRY)?;
        if self.keep.is_none() {
            self.refused = Some(Refused { reason, since: Instant::now() });
            return None;
        }
        self.place = match std::mem::replace(&mut self.place, Place::NotYet) {
            Place::Refused(Some(files)) => Place::Open(files),
            Place::Refused(None) => Place::NotYet,
            place => place,
        };
        self.prepare();
        Some(reason)
    }

    /// Says what the disk refused, and what joblines would have said meanwhile; whether there is room for that.
    pub(super) fn tell_of_room(&mut self, reason: &str) -> bool {
        let text = match self.not_kept {
            0 => format!("lines waited for room: {reason}\n"),
            lost => format!("{lost} bytes were not kept: {reason}\n"),
        };
        if !self.publish(Stream::System, text.into()) {
            return false;
        }
        self.not_kept = 0;
        self.refusal = None;
        for text in std::mem::take(&mut self.unsaid) {
            self.say(&text);
        }
        self.refused.is_none()
    }

    /// Forgets an endless journal's oldest segments, so that there is room for the one that has begun.
    pub(super) fn forget_oldest(&mut self) {
        let Some(keep) = self.keep else { return };
        loop {
            let mut shared = self.journal.lock();
            let Some(oldest) = shared.segments.first() else { return };
            if shared.segments.len() < 2 || self.taken_since(oldest) + self.segment_bytes <= keep {
                return;
            }
            let oldest = shared.segments.remove(0);
            drop(shared);
            if let Err(error) = Files::remove(self.journal.base(), oldest.number) {
                warn!(feed = %self.origin.job, %error, "a part of a journal that is too old cannot be removed");
            }
        }
    }
}

#[cfg(test)]
mod tests;
