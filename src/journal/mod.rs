//! One append-only log of chunks on disk, with one writer and any number of readers: a run's queue.
//!
//! The writer appends a chunk to the files first and publishes it second, so nobody is shown what a crash of the server
//! could take back. Readers that are caught up get chunks from a small window in memory; those behind it read the files
//! at their own pace. A reader is a position and nothing else: a stalled one costs no memory and slows nobody. The
//! journal knows no source, no view and no HTTP.
//!
//! A run's journal ends and is kept whole. A feed's is endless: it goes on in the same files after a restart, and keeps
//! to a size by forgetting its oldest segment: see [`Journal::resume`].

mod brought;
mod counted;
mod endless;
mod format;
mod reader;
mod recover;
mod removal;
mod segment;
mod writer;

#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use tokio::sync::Notify;

pub use brought::Brought;
pub use counted::CountedReader;
pub use endless::Resumed;
pub use format::{Child, Origin};
pub use reader::{Reader, Selection, Step};
pub use recover::{Recovered, recover};
pub use removal::{forget, retire, retired};
pub use writer::Writer;

use crate::record::{Chunk, End};
use format::{ChunkEntry, ENTRY, EndEntry, Entry, HEADER, Header, LONGEST_CHUNK, checksum};
use recover::{Whole, open_if_whole};
use segment::{Access, Files, Segment};
use writer::{Place, Refused, SEGMENT_BYTES};

/// Bytes of the latest chunks kept in memory for readers that are caught up.
const WINDOW_BYTES: usize = 512 << 10;

/// Chunks kept in memory for readers that are caught up.
const WINDOW_CHUNKS: usize = 4096;

/// The journal of a run or a feed, as everybody but its writer sees it.
#[derive(Debug)]
pub struct Journal {
    /// Its files' path, but for what their names end with.
    base: PathBuf,
    shared: Mutex<Shared>,
    news: Arc<Notify>,
    /// Whether the bytes are checked against their checksums when read back: not while we have just written them.
    verify: bool,
    /// It is a feed's, and has no end.
    endless: bool,
}

#[derive(Default, Debug)]
struct Shared {
    window: VecDeque<Chunk>,
    window_bytes: usize,
    /// The number of the window's first entry.
    window_first: u64,
    /// Entries published, those that could not be written among them.
    entries: u64,
    /// Entries that are in the files; what comes behind them stays in the window.
    written: u64,
    readers: usize,
    totals: Totals,
    end: Option<Arc<End>>,
    segments: Vec<Segment>,
    current: Option<Arc<Files>>,
}

/// How much a journal holds.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Totals {
    /// Lines begun.
    pub lines: u64,
    /// Bytes, joblines' own lines among them.
    pub bytes: u64,
}

impl Journal {
    /// Opens the journal of a run that has ended; `receipt` is its end as the history tells it: the files may not (the disk
    /// was full, the run never began), or not all of it (a part is gone or damaged).
    ///
    /// # Errors
    /// Where the files cannot be read, or nobody knows of an end: then [`recover`] was not run on them.
    pub fn open(base: PathBuf, receipt: Option<End>) -> io::Result<Arc<Journal>> {
        let contents = recover::read_whole(&base)?;
        // who was told of the end knows also of what is missing here
        let end = receipt.or(contents.end).ok_or_else(|| {
            io::Error::new(io::ErrorKind::InvalidData, format!("the journal at {} has no end", base.display()))
        })?;
        let shared = Shared {
            window_first: contents.entries,
            entries: contents.entries,
            written: contents.entries,
            totals: contents.totals,
            end: Some(Arc::new(end)),
            segments: contents.segments,
            ..Shared::default()
        };
        Ok(Arc::new(Journal { base, shared: Mutex::new(shared), news: Arc::default(), verify: true, endless: false }))
    }

    /// Its files' path, but for what their names end with.
    pub fn base(&self) -> &Path {
        &self.base
    }

    /// How much it holds now.
    pub fn totals(&self) -> Totals {
        self.lock().totals
    }

    /// Bytes that its index takes on the disk.
    pub fn index_bytes(&self) -> u64 {
        let shared = self.lock();
        let entries = shared.written + u64::from(shared.end.is_some());
        shared.segments.len() as u64 * HEADER as u64 + entries * ENTRY as u64
    }

    /// The oldest line that is kept, as far as one has been written; above 1 the earlier ones were forgotten.
    pub fn first_line(&self) -> u64 {
        self.lock().first_line()
    }

    /// The receipt, once the run has ended.
    pub fn end(&self) -> Option<Arc<End>> {
        self.lock().end.clone()
    }

    /// Waits until the run has ended.
    pub async fn ended(&self) {
        loop {
            // made before the look, so that an end that comes after it is not slept through
            let news = self.news.notified();
            if self.end().is_some() {
                return;
            }
            news.await;
        }
    }

    /// A reader of what `selection` asks for.
    ///
    /// # Errors
    /// Where the files cannot be read.
    pub fn read(self: &Arc<Self>, selection: &Selection) -> io::Result<Reader> {
        Reader::new(Arc::clone(self), selection)
    }

    /// For who is going to read it once something else is known, so that what comes until then is still in memory.
    pub fn expect_reader(self: &Arc<Self>) -> CountedReader {
        CountedReader::of(Arc::clone(self))
    }

    /// The first line that came at `time` or later, by the times of its chunks, which only a clock that was set back puts
    /// out of order; the number of the next line where none has.
    ///
    /// # Errors
    /// Where the files cannot be read.
    pub fn line_at(self: &Arc<Self>, time: Timestamp) -> io::Result<u64> {
        self.read(&Selection { from: u64::MAX, follow: false, ..Selection::default() })?.line_at(time)
    }

    fn lock(&self) -> MutexGuard<'_, Shared> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Shows `chunk` to the readers; `written`: it is in the files.
    fn publish(&self, chunk: Chunk, totals: Totals, written: bool) {
        let mut shared = self.lock();
        shared.totals = totals;
        shared.entries += 1;
        if written {
            shared.written = shared.entries;
        }
        shared.window_bytes += chunk.bytes.len();
        shared.window.push_back(chunk);
        shared.trim();
        let anybody = shared.readers > 0;
        drop(shared);
        if anybody {
            self.news.notify_waiters();
        }
    }

    fn publish_end(&self, end: Arc<End>) {
        let mut shared = self.lock();
        shared.end = Some(end);
        shared.trim();
        drop(shared);
        self.news.notify_waiters();
    }
}

impl Shared {
    /// The oldest entry that is kept.
    fn first_entry(&self) -> u64 {
        self.segments.first().map_or(0, |segment| segment.first_entry)
    }

    /// The first line that is begun in what is kept.
    fn first_line(&self) -> u64 {
        self.segments.first().map_or(1, |segment| segment.next_line)
    }

    /// Lets go of what nobody needs in memory, and of the files where nobody reads and nobody writes.
    fn trim(&mut self) {
        if self.readers == 0 && self.end.is_some() {
            self.current = None;
        }
        let (bytes, chunks) = if self.readers == 0 { (0, 0) } else { (WINDOW_BYTES, WINDOW_CHUNKS) };
        while (self.window_bytes > bytes || self.window.len() > chunks) && self.window_first < self.written {
            let Some(chunk) = self.window.pop_front() else { break };
            self.window_bytes -= chunk.bytes.len();
            self.window_first += 1;
        }
    }
}
