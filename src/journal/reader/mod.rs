//! A cursor into a journal: reads at its own pace, from memory where it is caught up and from the files where it is
//! behind, then waits for more until the journal is ended. It never holds the writer up.

mod cut;
mod seek;

use std::collections::VecDeque;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use jiff::Timestamp;
use tokio::sync::futures::OwnedNotified;
use tokio::task::JoinHandle;

use super::{Access, ChunkEntry, CountedReader, Entry, Files, Journal, Segment};
use crate::record::{Chunk, End, Stream};
use cut::{behind, cut, cut_end};

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
    journal: CountedReader,
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
        let journal = CountedReader::of(journal);
        let shared = journal.lock();
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

    /// Goes no further than to what there is now.
    pub fn stop_following(&mut self) {
        let entries = self.journal.lock().entries;
        self.until = Some(self.until.map_or(entries, |until| until.min(entries)));
    }

    /// The number of the first line that it may show.
    pub fn first_line(&self) -> u64 {
        self.from
    }

    /// Whether what comes next was taken out of the journal before.
    pub fn is_at_hand(&self) -> bool {
        !self.ready.is_empty()
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
            for chunk in shared.window.iter().skip(skip as usize).take((end - self.entry) as usize) {
                bytes += chunk.bytes.len();
                if bytes > BATCH && !self.ready.is_empty() {
                    break;
                }
                self.ready.push_back(chunk.clone());
            }
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
