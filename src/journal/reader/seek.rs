//! Where in its files a reader begins, and where it stops: found by halving in the index, whose lines and times only
//! grow. It reads no output.

use std::io;
use std::ops::Range;
use std::sync::Arc;

use jiff::Timestamp;

use super::{Access, ChunkEntry, Entry, Files, Reader, Segment};
use crate::record::Stream;

impl Reader {
    /// Finds the entry to begin at, before entry `entries`. Who comes back for lines that were forgotten meanwhile begins
    /// before the oldest that is kept, and is told.
    pub(super) fn begin(&mut self, entries: u64) -> io::Result<()> {
        let (oldest, first_kept) = {
            let shared = self.journal.lock();
            (shared.first_entry(), shared.first_line())
        };
        self.seen = first_kept - 1;
        if let Some(seen) = self.after.filter(|seen| *seen < first_kept) {
            self.after = None;
            self.seen = seen;
            if seen + 1 < first_kept {
                return Ok(());
            }
            self.from = self.from.max(first_kept);
        }
        let first = self.after.unwrap_or(self.from);
        self.entry = match first > first_kept {
            true => self.find(oldest..entries, |entry| entry.next_line <= first)?,
            false => oldest,
        };
        Ok(())
    }

    /// The entry before which every line before `to` is begun; `None` where that line is still to come.
    pub(super) fn end_before(&mut self, to: u64, entries: Range<u64>) -> io::Result<Option<u64>> {
        let reaching = self.find(entries.clone(), |entry| entry.next_line <= to)?;
        if reaching >= entries.end {
            return Ok(None);
        }
        let entry = self.chunk_entry(reaching)?;
        Ok(Some(reaching + u64::from(entry.line < to)))
    }

    /// The first line that was begun at `time` or later, as far as one is in the files; else the one that comes next.
    pub(in crate::journal) fn line_at(&mut self, time: Timestamp) -> io::Result<u64> {
        let shared = self.journal.lock();
        let (oldest, entries, first_kept) = (shared.first_entry(), shared.written, shared.first_line());
        drop(shared);
        match self.find(oldest..entries, |entry| entry.time < time)? {
            first if first == oldest => Ok(first_kept),
            first => Ok(self.chunk_entry(first - 1)?.next_line),
        }
    }

    fn chunk_entry(&mut self, number: u64) -> io::Result<ChunkEntry> {
        match self.files_with(number)?.0.entry(number)? {
            Some(Entry::Chunk(entry)) => Ok(entry),
            _ => Err(io::Error::new(io::ErrorKind::InvalidData, "the journal's index is damaged")),
        }
    }

    /// The first of `entries` that no longer `is_before`.
    fn find(&mut self, entries: Range<u64>, is_before: impl Fn(&ChunkEntry) -> bool) -> io::Result<u64> {
        let (mut low, mut high) = (entries.start, entries.end);
        while low < high {
            let middle = low + (high - low) / 2;
            if is_before(&self.chunk_entry(middle)?) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        Ok(low)
    }

    /// The number of the first of the last `tail` lines of `stream`.
    pub(super) fn first_of_last(&mut self, tail: u64, stream: Stream, entries: u64) -> io::Result<u64> {
        const STEP: u64 = 1024;
        let (mut missing, mut end) = (tail, entries);
        let oldest = self.journal.lock().first_entry();
        while end > oldest {
            let (files, _) = self.files_with(end - 1)?;
            let first = end.saturating_sub(STEP).max(files.segment.first_entry);
            for entry in files.entries(first, end, Access::Waiting)?.iter().rev() {
                if entry.stream != stream || entry.continues {
                    continue;
                }
                let lines = if entry.open { 1 } else { entry.next_line.saturating_sub(entry.line) };
                if lines >= missing {
                    return Ok(entry.line + lines - missing);
                }
                missing -= lines;
            }
            end = first;
        }
        Ok(1)
    }

    /// The files with entry `number`, and the entry at which the next segment begins.
    pub(super) fn files_with(&mut self, number: u64) -> io::Result<(Arc<Files>, Option<u64>)> {
        let shared = self.journal.lock();
        let next = shared.segments.partition_point(|segment| segment.first_entry <= number);
        let last = shared.segments.get(next).map(|segment| segment.first_entry);
        let segment: Option<Segment> = next.checked_sub(1).and_then(|at| shared.segments.get(at)).cloned();
        let current = shared.current.clone();
        drop(shared);
        let segment = segment.ok_or_else(|| io::Error::from(io::ErrorKind::NotFound))?;
        let held = [self.files.take(), current].into_iter().flatten().find(|files| files.segment == segment);
        let files = match held {
            Some(files) => files,
            None => {
                let opened = Files::open(self.journal.base(), segment.number, false)?;
                Arc::new(opened.ok_or_else(|| io::Error::from(io::ErrorKind::NotFound))?.0)
            }
        };
        self.files = Some(Arc::clone(&files));
        Ok((files, last))
    }
}
