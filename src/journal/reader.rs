//! A cursor into a journal: reads at its own pace, from memory where it is caught up and from the files where it is
//! behind, then waits for more until the journal is ended. It never holds the writer up.

use std::collections::VecDeque;
use std::io;
use std::ops::Range;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use jiff::Timestamp;
use tokio::sync::futures::OwnedNotified;
use tokio::task::JoinHandle;

use super::{Access, Entry, Files, Journal, Segment};
use crate::record::{Chunk, End, Stream};

/// The most bytes taken out of the window at a time, if it is more than one chunk: what a stalled reader may hold.
const BATCH: usize = 64 << 10;

/// Which of a journal's lines a reader wants.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Selection {
    /// The first line, from 1.
    pub from: u64,
    /// Up to the line before this one, and then no further: also a line that was begun before it is left as far as it
    /// has come by then.
    pub to: Option<u64>,
    /// With [`from`](Selection::from): what comes of lines that were begun before it, too.
    pub rests: bool,
    /// Go on behind the end of this line: what was sent before it ended is not sent again, and what was begun before it
    /// and ended after it is not lost.
    pub after: Option<u64>,
    /// Only so many of the last lines (of the stream asked for).
    pub tail: Option<u64>,
    /// Only this stream's lines.
    pub stream: Option<Stream>,
    /// Wait for more until the end; else stop at what there is now.
    pub follow: bool,
}

impl Default for Selection {
    /// Everything, to the end.
    fn default() -> Self {
        Selection { from: 1, to: None, rests: false, after: None, tail: None, stream: None, follow: true }
    }
}

/// What a reader finds next.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Step {
    /// Lines.
    Chunk(Chunk),
    /// The run has ended, and every line was read.
    End(Arc<End>),
    /// All that there was when the reader began was read, and it does not follow.
    Pause,
}

/// A position in a journal. See [`Journal::read`].
#[derive(Debug)]
pub struct Reader {
    journal: Arc<Journal>,
    from: u64,
    to: Option<u64>,
    rests: bool,
    after: Option<u64>,
    stream: Option<Stream>,
    /// The next entry to read.
    entry: u64,
    /// The last line of which the end was read, or passed over on purpose.
    seen: u64,
    /// Stop before this entry.
    until: Option<u64>,
    ready: VecDeque<Chunk>,
    files: Option<Arc<Files>>,
    news: Pin<Box<OwnedNotified>>,
    disk: Option<JoinHandle<io::Result<Vec<Chunk>>>>,
}

impl Reader {
    pub(super) fn new(journal: Arc<Journal>, selection: &Selection) -> io::Result<Reader> {
        let mut shared = journal.lock();
        shared.readers += 1;
        let (oldest, mut entries, mut lines) = (shared.first_entry(), shared.written, shared.totals.lines);
        let until = (!selection.follow).then_some(shared.entries);
        drop(shared);
        let news = Box::pin(Arc::clone(&journal.news).notified_owned());
        let mut reader = Reader {
            journal,
            from: selection.from.max(1),
            to: selection.to,
            rests: selection.rests,
            after: selection.after,
            stream: selection.stream,
            entry: 0,
            seen: 0,
            until,
            ready: VecDeque::new(),
            files: None,
            news,
            disk: None,
        };
        if let Some(to) = selection.to {
            lines = lines.min(to.saturating_sub(1));
            if let Some(end) = reader.end_before(to, oldest..entries)? {
                entries = end;
                reader.until = Some(reader.until.map_or(end, |until| until.min(end)));
            }
        }
        if let Some(tail) = selection.tail {
            let first = match selection.stream {
                None => (lines + 1).saturating_sub(tail),
                Some(stream) => reader.first_of_last(tail, stream, entries)?,
            };
            reader.from = reader.from.max(first);
        }
        reader.begin(entries)?;
        Ok(reader)
    }

    /// Finds the entry to begin at, before entry `entries`. Who comes back for lines that were forgotten meanwhile begins
    /// before the oldest that is kept, and is told.
    fn begin(&mut self, entries: u64) -> io::Result<()> {
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
    fn end_before(&mut self, to: u64, entries: Range<u64>) -> io::Result<Option<u64>> {
        let reaching = self.find(entries.clone(), |entry| entry.next_line <= to)?;
        if reaching >= entries.end {
            return Ok(None);
        }
        let entry = self.chunk_entry(reaching)?;
        Ok(Some(reaching + u64::from(entry.line < to)))
    }

    /// The first line that was begun at `time` or later, as far as one is in the files; else the one that comes next.
    pub(super) fn line_at(&mut self, time: Timestamp) -> io::Result<u64> {
        let shared = self.journal.lock();
        let (oldest, entries, first_kept) = (shared.first_entry(), shared.written, shared.first_line());
        drop(shared);
        match self.find(oldest..entries, |entry| entry.time < time)? {
            first if first == oldest => Ok(first_kept),
            first => Ok(self.chunk_entry(first - 1)?.next_line),
        }
    }

    /// Goes no further than to what there is now.
    pub fn stop_following(&mut self) {
        let entries = self.journal.lock().entries;
        self.until = Some(self.until.map_or(entries, |until| until.min(entries)));
    }

    /// The number of the first line that it may show.
    pub fn first_line(&self) -> u64 {
        self.from
    }

    /// What comes next. Safe to drop and to ask again.
    ///
    /// # Errors
    /// Where the files cannot be read (any more).
    pub fn poll_next(&mut self, context: &mut Context<'_>) -> Poll<io::Result<Step>> {
        loop {
            let mut passed_over = false;
            while let Some(chunk) = self.ready.pop_front() {
                if let Some(chunk) = self.select(chunk) {
                    return Poll::Ready(Ok(Step::Chunk(chunk)));
                }
                passed_over = true;
            }
            if passed_over {
                // others have a turn before the next block: there may be a gigabyte of what was not asked for
                context.waker().wake_by_ref();
                return Poll::Pending;
            }
            if let Some(disk) = &mut self.disk {
                let chunks = ready!(Pin::new(disk).poll(context)).map_err(io::Error::other)?;
                self.disk = None;
                self.accept(chunks?);
                continue;
            }
            match self.look() {
                Found::Chunks => {}
                Found::Behind(end) => self.read_files(end)?,
                Found::Overtaken { entry, line } => {
                    self.entry = entry;
                    if let Some(chunk) = self.tell_of_skipped(line) {
                        return Poll::Ready(Ok(Step::Chunk(chunk)));
                    }
                }
                Found::Step(step) => return Poll::Ready(Ok(step)),
                Found::Nothing => {
                    ready!(self.news.as_mut().poll(context));
                    // made anew before the next look, so that what is published after it is not slept through
                    self.news.set(Arc::clone(&self.journal.news).notified_owned());
                }
            }
        }
    }

    /// Waits for the end of the journal and passes over what comes until then.
    pub fn poll_end(&mut self, context: &mut Context<'_>) -> Poll<()> {
        while self.journal.end().is_none() {
            ready!(self.news.as_mut().poll(context));
            self.news.set(Arc::clone(&self.journal.news).notified_owned());
        }
        Poll::Ready(())
    }

    /// What comes next, for those who can wait.
    ///
    /// # Errors
    /// As [`Reader::poll_next`].
    pub async fn next(&mut self) -> io::Result<Step> {
        std::future::poll_fn(|context| self.poll_next(context)).await
    }

    /// Takes what the window has, or says where else to look.
    fn look(&mut self) -> Found {
        let shared = self.journal.lock();
        let end = self.until.unwrap_or(shared.entries).min(shared.entries);
        if self.entry < shared.first_entry() {
            return Found::Overtaken { entry: shared.first_entry(), line: shared.first_line() };
        }
        if self.entry < end {
            let Some(skip) = self.entry.checked_sub(shared.window_first) else {
                return Found::Behind(shared.window_first.min(end));
            };
            let mut bytes = 0;
            let batch =
                shared.window.iter().skip(skip as usize).take((end - self.entry) as usize).take_while(|chunk| {
                    let first = bytes == 0;
                    bytes += chunk.bytes.len();
                    first || bytes <= BATCH
                });
            self.ready.extend(batch.cloned());
            drop(shared);
            self.entry += self.ready.len() as u64;
            return Found::Chunks;
        }
        match &shared.end {
            // whose end is known is told it, however few of the lines were asked for
            Some(end) if self.to.is_some() || self.until.is_none_or(|until| until >= shared.entries) => {
                Found::Step(Step::End(Arc::clone(end)))
            }
            _ if self.until.is_some() => Found::Step(Step::Pause),
            _ => Found::Nothing,
        }
    }

    /// joblines' own word that the lines before `line` are gone, under the number of the last of them; `None` where all
    /// of them have been read.
    fn tell_of_skipped(&mut self, line: u64) -> Option<Chunk> {
        let (first, last) = (self.seen + 1, line - 1);
        self.seen = self.seen.max(last);
        let text = match last.checked_sub(first)? {
            0 => format!("1 line skipped ({first}): it is not kept any more\n"),
            more => format!("{} lines skipped ({first} to {last}): they are not kept any more\n", more + 1),
        };
        Some(Chunk {
            line: last,
            time: Timestamp::now(),
            stream: Stream::System,
            continues: false,
            open: false,
            bytes: text.into(),
        })
    }

    /// Reads a block of chunks before entry `end`: at once where it is in memory, else on a thread that may wait.
    fn read_files(&mut self, end: u64) -> io::Result<()> {
        let Some((files, last)) = self.files_kept()? else { return Ok(()) };
        let (first, end, verify) = (self.entry, last.map_or(end, |last| end.min(last)), self.journal.verify);
        match files.chunks(first, end, Access::Cached, verify) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                let read = move || files.chunks(first, end, Access::Waiting, verify);
                self.disk = Some(tokio::task::spawn_blocking(read));
                Ok(())
            }
            chunks => {
                self.accept(chunks?);
                Ok(())
            }
        }
    }

    fn accept(&mut self, chunks: Vec<Chunk>) {
        self.entry += chunks.len() as u64;
        self.ready.extend(chunks);
    }

    /// The part of `chunk` that was asked for.
    fn select(&mut self, mut chunk: Chunk) -> Option<Chunk> {
        if self.journal.endless {
            let ends = memchr::memchr_iter(b'\n', &chunk.bytes).count() as u64;
            self.seen = self.seen.max(chunk.line + ends.saturating_sub(1));
        }
        if let Some(seen) = self.after {
            chunk = behind(chunk, seen, &mut self.after)?;
        }
        if self.stream.is_some_and(|stream| stream != chunk.stream) {
            return None;
        }
        if let Some(to) = self.to.filter(|_| !chunk.continues) {
            chunk = cut_end(chunk, to)?;
        }
        if chunk.line < self.from {
            return match chunk.continues {
                true => self.rests.then_some(chunk),
                false => cut(chunk, self.from),
            };
        }
        Some(chunk)
    }

    /// The files with entry `number`, and the entry at which the next segment begins.
    fn files_with(&mut self, number: u64) -> io::Result<(Arc<Files>, Option<u64>)> {
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

    /// The files with the next entry; `None` where it was forgotten just now.
    fn files_kept(&mut self) -> io::Result<Option<(Arc<Files>, Option<u64>)>> {
        match self.files_with(self.entry) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let is_gone = self.entry < self.journal.lock().first_entry();
                if is_gone { Ok(None) } else { Err(error) }
            }
            files => files.map(Some),
        }
    }

    fn chunk_entry(&mut self, number: u64) -> io::Result<super::ChunkEntry> {
        match self.files_with(number)?.0.entry(number)? {
            Some(Entry::Chunk(entry)) => Ok(entry),
            _ => Err(io::Error::new(io::ErrorKind::InvalidData, "the journal's index is damaged")),
        }
    }

    /// The first of `entries` that no longer `is_before`.
    fn find(&mut self, entries: Range<u64>, is_before: impl Fn(&super::ChunkEntry) -> bool) -> io::Result<u64> {
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
    fn first_of_last(&mut self, tail: u64, stream: Stream, entries: u64) -> io::Result<u64> {
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
}

/// `chunk` without the lines before `first`; `None` where nothing is left.
fn cut(mut chunk: Chunk, first: u64) -> Option<Chunk> {
    let surplus = usize::try_from(first.checked_sub(chunk.line + 1)?).ok()?;
    let end = memchr::memchr_iter(b'\n', &chunk.bytes).nth(surplus)? + 1;
    let bytes = chunk.bytes.split_off(end);
    (!bytes.is_empty()).then_some(Chunk { line: first, bytes, ..chunk })
}

/// `chunk` without the lines from `to` on; `None` where nothing is left.
fn cut_end(chunk: Chunk, to: u64) -> Option<Chunk> {
    let lines = usize::try_from(to.checked_sub(chunk.line + 1)?).ok()?;
    match memchr::memchr_iter(b'\n', &chunk.bytes).nth(lines) {
        Some(end) => Some(Chunk { bytes: chunk.bytes.slice(..=end), ..chunk }),
        None => Some(chunk),
    }
}

/// What of `chunk` comes behind the end of line `seen`; `after` is cleared once that has been met.
fn behind(chunk: Chunk, seen: u64, after: &mut Option<u64>) -> Option<Chunk> {
    let lines = if chunk.open { 0 } else { memchr::memchr_iter(b'\n', &chunk.bytes).count() as u64 };
    if !(chunk.line..chunk.line + lines).contains(&seen) {
        return None;
    }
    *after = None;
    cut(chunk, seen + 1)
}

enum Found {
    Chunks,
    Behind(u64),
    /// What comes next was forgotten: this is the oldest entry that is kept, and the first line begun in it.
    Overtaken {
        entry: u64,
        line: u64,
    },
    Step(Step),
    Nothing,
}

impl Drop for Reader {
    fn drop(&mut self) {
        let mut shared = self.journal.lock();
        shared.readers -= 1;
        shared.trim();
    }
}
