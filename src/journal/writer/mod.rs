//! The one writer of a journal: appends chunks, then publishes them; counts what cannot be kept, and says so. It never
//! waits for a reader.

mod segments;

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use bytes::Bytes;
use jiff::Timestamp;
use tracing::warn;

use super::{
    Child, ChunkEntry, ENTRY, EndEntry, Files, Header, Journal, LONGEST_CHUNK, Origin, Segment, Shared, Totals,
    checksum,
};
use crate::record::{Chunk, End, Outcome, State, Stream, Usage};

/// Output goes on in a further segment after so many bytes.
pub(super) const SEGMENT_BYTES: u64 = 256 << 20;

/// What joblines says while there is no room waits, up to so many lines of it.
const MOST_UNSAID: usize = 100;

/// What appends to a journal. When it is dropped before [`Writer::end`], the run counts as lost; a feed stops.
#[derive(Debug)]
pub struct Writer {
    pub(super) journal: Arc<Journal>,
    pub(super) origin: Origin,
    pub(super) place: Place,
    /// Its first files were made, and their header is still to be written: that can wait for the child to be known.
    headless: bool,
    pub(super) entries: u64,
    pub(super) offset: u64,
    pub(super) next_line: u64,
    /// For each stream, the number of the line that it has begun and not ended.
    pub(super) open: [Option<u64>; Stream::ALL.len()],
    /// Bytes of output (not of ours) that may still be kept.
    room: u64,
    /// Bytes of output that were not kept, and why.
    pub(super) not_kept: u64,
    pub(super) refused: Option<Refused>,
    /// The last refusal that the log has.
    pub(super) refusal: Option<String>,
    /// Of an endless journal: its own words that there was no room for.
    pub(super) unsaid: Vec<String>,
    /// A chunk was shown that is not in the files: none behind it may be.
    unwritten: bool,
    /// See [`SEGMENT_BYTES`].
    pub(super) segment_bytes: u64,
    /// Of an endless journal: the most bytes that its files may take.
    pub(super) keep: Option<u64>,
    ended: bool,
}

/// Why output is not kept, and since when.
#[derive(Debug)]
pub(super) struct Refused {
    pub(super) reason: String,
    pub(super) since: Instant,
}

/// Where the writer stands with its files.
#[derive(Debug)]
pub(super) enum Place {
    /// They are made with the first chunk, or by [`Writer::prepare`].
    NotYet,
    Open(Arc<Files>),
    /// The disk refused: nothing is written any more but, where there are files, the end.
    Refused(Option<Arc<Files>>),
}

impl Journal {
    /// A new journal in files whose names begin with `base`, and which are not there yet; of a run's output at most `limit` bytes are kept.
    ///
    /// Where the disk refuses, the writer is as good as any, but what it is given reaches nobody, is counted, and the
    /// receipt tells.
    pub fn create(base: PathBuf, origin: Origin, limit: u64) -> (Writer, Arc<Journal>) {
        let shared = Mutex::new(Shared::default());
        let journal = Arc::new(Journal { base, shared, news: Arc::default(), verify: false, endless: false });
        let mut writer = Writer::new(Arc::clone(&journal), origin);
        writer.room = limit;
        (writer, journal)
    }
}

impl Writer {
    pub(super) fn new(journal: Arc<Journal>, origin: Origin) -> Writer {
        Writer {
            journal,
            origin,
            place: Place::NotYet,
            headless: false,
            entries: 0,
            offset: 0,
            next_line: 1,
            open: [None; Stream::ALL.len()],
            room: u64::MAX,
            not_kept: 0,
            refused: None,
            refusal: None,
            unsaid: Vec::new(),
            unwritten: false,
            segment_bytes: SEGMENT_BYTES,
            keep: None,
            ended: false,
        }
    }

    /// The journal as its readers see it.
    pub fn journal(&self) -> &Arc<Journal> {
        &self.journal
    }

    /// Notes the child that the output comes from, so that it is found if this server is killed.
    pub fn note(&mut self, child: Child) {
        self.origin.child = Some(child);
        self.prepare();
        self.headless = true;
        if let Place::Open(files) = &self.place
            && let Err(error) = self.write_first_header(&Arc::clone(files))
        {
            warn!(run = %self.origin.run, %error, "the process of the run cannot be noted");
        }
    }

    /// Makes the files, if they are not there yet; else the first chunk does.
    pub fn prepare(&mut self) {
        if !matches!(self.place, Place::NotYet) {
            return;
        }
        match self.make_files(0, self.next_line) {
            Ok(files) => {
                self.go_on_in(files);
                self.headless = true;
            }
            Err(error) => {
                self.place = Place::Refused(None);
                self.refuse(&error.to_string());
            }
        }
    }

    /// Appends what a stream brought: on disk first, then to whoever reads. Whole lines make one chunk, a piece of a line
    /// is a chunk of its own, so that the lines in a chunk are numbered one after another.
    pub fn append(&mut self, stream: Stream, mut bytes: Bytes) {
        while !bytes.is_empty() {
            let cut = self.cut(stream, &bytes);
            self.keep(stream, bytes.split_to(cut));
        }
    }

    /// Appends as [`append`](Writer::append) does, as far as there is room, and returns the rest: whoever has it still
    /// offers it again, so it is not counted as lost.
    pub fn offer(&mut self, stream: Stream, mut bytes: Bytes) -> Bytes {
        while !bytes.is_empty() {
            self.prepare();
            let waited = if self.refused.is_some() { self.ask_again() } else { None };
            let cut = self.cut(stream, &bytes);
            if self.refused.is_some() || !self.publish(stream, bytes.slice(..cut)) {
                break;
            }
            bytes = bytes.slice(cut..);
            if let Some(reason) = waited {
                self.tell_of_room(&reason);
            }
        }
        bytes
    }

    /// How much of `bytes` makes the next chunk; at least one byte.
    fn cut(&self, stream: Stream, bytes: &[u8]) -> usize {
        let most = &bytes[..bytes.len().min(LONGEST_CHUNK)];
        let end = match self.open[stream as usize] {
            Some(_) => memchr::memchr(b'\n', most),
            None => memchr::memrchr(b'\n', most),
        };
        end.map_or(most.len(), |end| end + 1)
    }

    /// Appends a line of joblines' own. An endless journal that has no room for it says it later.
    pub fn say(&mut self, text: &str) {
        self.prepare();
        let waits = self.keep.is_some() && self.refused.is_some() && !self.retry();
        let is_said = !waits && self.publish(Stream::System, Bytes::from(format!("{text}\n")));
        if !is_said && self.keep.is_some() && self.unsaid.len() < MOST_UNSAID {
            self.unsaid.push(text.to_owned());
        }
    }

    /// Ends the journal and tells the readers.
    pub fn end(mut self, state: State, outcome: Outcome, usage: Option<Usage>, duration: Duration) -> Arc<End> {
        self.finish(state, outcome, usage, duration)
    }

    fn keep(&mut self, stream: Stream, mut bytes: Bytes) {
        self.prepare();
        if self.refused.is_some() && !self.retry() {
            self.not_kept += bytes.len() as u64;
            return;
        }
        let fits = usize::try_from(self.room).unwrap_or(usize::MAX);
        let mut over = Bytes::new();
        if bytes.len() > fits {
            let whole = memchr::memrchr(b'\n', &bytes[..fits]).map_or(0, |end| end + 1);
            over = bytes.split_off(whole);
        }
        let length = bytes.len() as u64;
        self.room = self.room.saturating_sub(length);
        if !bytes.is_empty() && !self.publish(stream, bytes) {
            self.not_kept += length;
        }
        if !over.is_empty() {
            self.not_kept += over.len() as u64;
            self.room = 0;
            self.refuse("max_output is reached");
        }
    }

    /// From here on output is drained and counted, and this is said.
    fn refuse(&mut self, reason: &str) {
        if self.refused.is_some() {
            return;
        }
        self.refused = Some(Refused { reason: reason.to_owned(), since: Instant::now() });
        // what an endless journal says has to be in its files, so it waits for room
        if self.keep.is_none() {
            self.say(&format!("output from here on is not kept: {reason}"));
        }
    }

    /// Gives `bytes` their number, writes them, shows them; whether the disk took them. What joblines says of a run is
    /// shown even where it did not.
    pub(super) fn publish(&mut self, stream: Stream, bytes: Bytes) -> bool {
        let chunk = self.number(stream, bytes);
        let written = match &self.place {
            Place::Open(files) => match self.write(Arc::clone(files), &chunk) {
                Ok(()) => true,
                Err(error) => {
                    self.fail(stream, &chunk, &error);
                    return false;
                }
            },
            // the words about it may find room where the output did not; never behind some that did not either
            Place::Refused(Some(files)) if !self.unwritten => self.write(Arc::clone(files), &chunk).is_ok(),
            Place::NotYet | Place::Refused(_) => false,
        };
        self.unwritten |= !written;
        self.entries += u64::from(written);
        self.offset += chunk.bytes.len() as u64;
        let totals = Totals { lines: self.next_line - 1, bytes: self.offset };
        self.journal.publish(chunk, totals, written);
        written
    }

    fn number(&mut self, stream: Stream, bytes: Bytes) -> Chunk {
        let slot = &mut self.open[stream as usize];
        let open = !bytes.ends_with(b"\n");
        let continues = slot.is_some();
        let line = slot.take().unwrap_or(self.next_line);
        if !continues {
            self.next_line += if open { 1 } else { memchr::memchr_iter(b'\n', &bytes).count() as u64 };
        }
        if open {
            *slot = Some(line);
        }
        Chunk { line, time: Timestamp::now(), stream, continues, open, bytes }
    }

    fn write(&mut self, mut files: Arc<Files>, chunk: &Chunk) -> io::Result<()> {
        if self.taken_since(&files.segment) + chunk.bytes.len() as u64 > self.segment_bytes
            && self.entries > files.segment.first_entry
        {
            let next_line = if chunk.continues { self.next_line } else { chunk.line };
            files = self.begin_segment(files.segment.number + 1, next_line)?;
            self.forget_oldest();
        }
        let entry = ChunkEntry {
            stream: chunk.stream,
            continues: chunk.continues,
            open: chunk.open,
            time: chunk.time,
            offset: self.offset,
            length: chunk.bytes.len() as u32,
            line: chunk.line,
            next_line: self.next_line,
            checksum: checksum(&chunk.bytes),
        };
        self.write_first_header(&files)?;
        let place = self.offset - files.segment.offset;
        append(&files.output, &chunk.bytes, place)?;
        let undo = |error| {
            let _ = files.output.set_len(place);
            error
        };
        append(&files.index, &entry.encode(), files.place(self.entries)).map_err(undo)
    }

    /// The disk refused `chunk`: it is taken back as if it had not come.
    fn fail(&mut self, stream: Stream, chunk: &Chunk, error: &io::Error) {
        // an endless journal asks again and again
        if self.refusal.as_ref() != Some(&error.to_string()) {
            warn!(run = %self.origin.run, job = self.origin.job, %error, "the journal cannot be written");
            self.refusal = Some(error.to_string());
        }
        self.open[stream as usize] = chunk.continues.then_some(chunk.line);
        self.next_line = if chunk.continues { self.next_line } else { chunk.line };
        self.place = match std::mem::replace(&mut self.place, Place::NotYet) {
            Place::Open(files) => Place::Refused(Some(files)),
            place => place,
        };
        if stream == Stream::System && self.keep.is_none() {
            self.publish(stream, chunk.bytes.clone());
        }
        self.refuse(&error.to_string());
    }

    fn finish(&mut self, state: State, outcome: Outcome, usage: Option<Usage>, duration: Duration) -> Arc<End> {
        self.ended = true;
        if self.keep.is_none() {
            self.prepare();
        }
        if self.not_kept > 0 {
            let reason = self.refused.take().map(|refused| refused.reason).unwrap_or_default();
            self.say(&format!("{} bytes of output were not kept: {reason}", self.not_kept));
        }
        let entry = EndEntry { state, outcome, time: Timestamp::now(), duration, usage, bytes_not_kept: self.not_kept };
        // an endless journal goes on another time
        if let Place::Open(files) | Place::Refused(Some(files)) = &self.place
            && self.keep.is_none()
        {
            let files = Arc::clone(files);
            let header = self.write_first_header(&files);
            let written = header.and_then(|()| append(&files.index, &entry.encode(), files.place(self.entries)));
            if let Err(error) = written {
                warn!(run = %self.origin.run, %error, "the end of the journal cannot be written");
            }
        }
        let totals = Totals { lines: self.next_line - 1, bytes: self.offset };
        let end = Arc::new(entry.with(totals));
        self.journal.publish_end(Arc::clone(&end));
        end
    }
}

impl EndEntry {
    /// The whole receipt.
    pub(super) fn with(&self, totals: Totals) -> End {
        End {
            state: self.state,
            outcome: self.outcome,
            ended: self.time,
            duration: self.duration,
            usage: self.usage,
            lines: totals.lines,
            bytes: totals.bytes,
            bytes_not_kept: self.bytes_not_kept,
        }
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        if !self.ended {
            let state = if self.keep.is_some() { State::Cancelled } else { State::Lost };
            self.finish(state, Outcome::Unknown, None, Duration::ZERO);
        }
    }
}

/// Writes all of `bytes` behind the first `place` bytes of the file, or leaves it with those.
fn append(file: &File, bytes: &[u8], place: u64) -> io::Result<()> {
    file.write_all_at(bytes, place).inspect_err(|_| {
        let _ = file.set_len(place);
    })
}
