//! What a journal's files hold, read from the disk alone: for a run that has ended, and for one whose server died, where
//! whatever has no whole entry is cut off and the end is written.

use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;

use jiff::Timestamp;

use super::{ChunkEntry, ENTRY, EndEntry, Entry, Files, Header, Origin, Segment, Totals, checksum};
use crate::record::{End, Outcome, State, Stream};

/// What stands in a journal's files.
pub(super) struct Contents {
    pub(super) segments: Vec<Segment>,
    pub(super) entries: u64,
    pub(super) totals: Totals,
    pub(super) end: Option<End>,
}

/// What [`recover`] found.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Recovered {
    /// What the journal says of its run; `None` where it holds nothing.
    pub origin: Option<Origin>,
    /// The receipt: as the run wrote it, or of a lost run.
    pub end: End,
    /// Bytes of output that were cut off, because no whole entry spoke of them.
    pub cut: u64,
    /// Bytes that its index takes on the disk.
    pub index_bytes: u64,
}

/// Reads the receipt and the extent of an ended journal, trusting what lies before its last entries. Where there are no
/// files there is nothing in it.
pub(super) fn read_whole(base: &Path) -> io::Result<Contents> {
    let mut contents = Contents { segments: Vec::new(), entries: 0, totals: Totals::default(), end: None };
    let mut last = None;
    while let Some((files, header)) = open_if_whole(base, contents.segments.len() as u32, false)? {
        contents.segments.push(files.segment.clone());
        contents.entries = header.first_entry;
        contents.totals = header.totals();
        last = Some(files);
    }
    let Some(files) = last else {
        return if Files::output_bytes(base, 0)? == 0 { Ok(contents) } else { Err(without_index(base)) };
    };
    let end = contents.entries + files.count()?;
    let mut receipt = None;
    // the last entry is the end, the one before it the last chunk; what is damaged is passed over
    for number in (contents.entries..end).rev() {
        match files.entry(number)? {
            Some(Entry::Chunk(entry)) => {
                contents.entries = number + 1;
                contents.totals = entry.totals();
                break;
            }
            Some(Entry::End(entry)) => receipt = Some(entry),
            None => {}
        }
    }
    contents.end = receipt.map(|entry| entry.with(contents.totals));
    Ok(contents)
}

/// Makes the journal at `base` whole after its server died: cuts off what is torn and ends it as lost, unless the run
/// had ended before. `started` is when it was asked for, where the journal does not say.
///
/// # Errors
/// Where the files cannot be read or written, or there is output that no index speaks of. They stay as they are then.
pub fn recover(base: &Path, started: Timestamp) -> io::Result<Recovered> {
    let mut whole =
        Whole { totals: Totals::default(), time: started, open: [None; Stream::ALL.len()], end: None, cut: 0 };
    let mut number = 0;
    let mut last = None;
    let mut origin = None;
    let mut index_bytes = 0;
    let mut is_torn = false;
    while let Some((files, header)) = open_if_whole(base, number, true)? {
        if number == 0 {
            whole.time = header.origin.started;
            origin = Some(header.origin);
        }
        let complete = whole.check(&files)?;
        index_bytes += files.index.metadata()?.len();
        last = Some(files);
        number += 1;
        is_torn = !complete;
        if is_torn {
            break;
        }
    }
    if number == 0 && Files::output_bytes(base, 0)? > 0 {
        return Err(without_index(base));
    }
    // nothing goes on behind what is torn; but output that only lacks its index is left to whoever can read it
    while (is_torn || Files::output_bytes(base, number)? == 0) && Files::remove(base, number)? {
        number += 1;
    }
    if let Some(end) = whole.end {
        return Ok(Recovered { origin, end, cut: whole.cut, index_bytes });
    }
    let entry = EndEntry {
        state: State::Lost,
        outcome: Outcome::Unknown,
        time: whole.time,
        duration: whole
            .time
            .duration_since(origin.as_ref().map_or(started, |origin| origin.started))
            .try_into()
            .unwrap_or_default(),
        usage: None,
        bytes_not_kept: 0,
    };
    if let Some(files) = last {
        files.index.write_all_at(&entry.encode(), files.index.metadata()?.len())?;
        index_bytes += ENTRY as u64;
    }
    Ok(Recovered { origin, end: entry.with(whole.totals), cut: whole.cut, index_bytes })
}

/// There is output, and nothing says what it is.
pub(super) fn without_index(base: &Path) -> io::Error {
    let text = format!("the index of {}.output is gone or damaged", base.display());
    io::Error::new(io::ErrorKind::InvalidData, text)
}

/// The files of a segment, unless there are none or they were begun by a write that a crash or a full disk cut short:
/// those hold nothing yet.
pub(super) fn open_if_whole(base: &Path, number: u32, write: bool) -> io::Result<Option<(Files, Header)>> {
    match Files::open(base, number, write) {
        Err(error)
            if matches!(
                error.kind(),
                io::ErrorKind::UnexpectedEof | io::ErrorKind::NotFound | io::ErrorKind::InvalidData
            ) =>
        {
            Ok(None)
        }
        opened => opened,
    }
}

/// What was found whole so far.
pub(super) struct Whole {
    pub(super) totals: Totals,
    time: Timestamp,
    /// For each stream, the line that it has begun and not ended.
    pub(super) open: [Option<u64>; Stream::ALL.len()],
    end: Option<End>,
    pub(super) cut: u64,
}

impl From<&Header> for Whole {
    /// As it is where a segment begins.
    fn from(header: &Header) -> Self {
        Whole {
            totals: header.totals(),
            time: header.origin.started,
            open: [None; Stream::ALL.len()],
            end: None,
            cut: 0,
        }
    }
}

impl Whole {
    /// Goes through a segment, cuts it where it is torn, and says whether it was not.
    pub(super) fn check(&mut self, files: &Files) -> io::Result<bool> {
        let count = files.count()?;
        let mut good = 0;
        while good < count && self.end.is_none() {
            match files.entry(files.segment.first_entry + good)? {
                Some(Entry::Chunk(entry)) if self.is_there(files, &entry)? => {
                    self.totals = entry.totals();
                    self.time = entry.time;
                    self.open[entry.stream as usize] = entry.open.then_some(entry.line);
                }
                Some(Entry::End(entry)) => self.end = Some(entry.with(self.totals)),
                _ => break,
            }
            good += 1;
        }
        let index = files.place(files.segment.first_entry + good);
        let output = self.totals.bytes.saturating_sub(files.segment.offset);
        let torn = files.index.metadata()?.len() != index;
        let surplus = files.output.metadata()?.len().saturating_sub(output);
        if torn {
            files.index.set_len(index)?;
        }
        if surplus > 0 {
            files.output.set_len(output)?;
            self.cut += surplus;
        }
        Ok(!torn && surplus == 0)
    }

    fn is_there(&self, files: &Files, entry: &ChunkEntry) -> io::Result<bool> {
        let Some(place) = entry.offset.checked_sub(files.segment.offset) else { return Ok(false) };
        if entry.offset != self.totals.bytes {
            return Ok(false);
        }
        let mut bytes = vec![0; entry.length as usize];
        match files.output.read_exact_at(&mut bytes, place) {
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(false),
            read => read.map(|()| checksum(&bytes) == entry.checksum),
        }
    }
}

impl Header {
    /// How much there is before the segment.
    fn totals(&self) -> Totals {
        Totals { lines: self.next_line.saturating_sub(1), bytes: self.offset }
    }
}

impl ChunkEntry {
    fn totals(&self) -> Totals {
        Totals { lines: self.next_line.saturating_sub(1), bytes: self.offset.saturating_add(self.length.into()) }
    }
}

#[cfg(test)]
mod tests;
