//! What a stream brought to a journal after a place in it: for a source that saved how far it was, and was killed
//! between an append and the saving. It only reads.

use std::io;
use std::os::unix::fs::FileExt;

use super::{Access, Files, Journal, Segment};
use crate::record::Stream;

/// The most of the last bytes that are told.
const LAST: usize = 256;

/// The most entries that one reading looks at.
const STEP: u64 = 1024;

/// See [`Journal::brought`].
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Brought {
    /// How many bytes; not the one that [`closed`](Brought::closed) speaks of.
    pub bytes: u64,
    /// The last of these, up to 256, or as many as were asked for.
    pub last: Vec<u8>,
    /// Whether the last line of the stream has no newline yet; `None` where there was nothing.
    pub open: Option<bool>,
    /// The last chunk is a newline alone, which may be what [`Journal::resume`] ended a line with.
    pub closed: bool,
}

impl Journal {
    /// What `stream` brought after the first `offset` bytes of the journal, as far as it is in the files; `None` where
    /// those are not kept any more, or the journal never had so many.
    ///
    /// # Errors
    /// Where the files cannot be read.
    pub fn brought(&self, stream: Stream, offset: u64) -> io::Result<Option<Brought>> {
        self.brought_with(stream, offset, LAST)
    }

    /// The same, with the last `most` of its bytes.
    ///
    /// # Errors
    /// Where the files cannot be read.
    pub fn brought_with(&self, stream: Stream, offset: u64, most: usize) -> io::Result<Option<Brought>> {
        let (segments, mut end, total) = {
            let shared = self.lock();
            (shared.segments.clone(), shared.written, shared.totals.bytes)
        };
        if offset > total || segments.first().is_some_and(|first| offset < first.offset) {
            return Ok(None);
        }
        let mut brought = Brought::default();
        for segment in segments.iter().rev() {
            if self.count(segment, &mut end, (stream, offset), (&mut brought, most))? {
                break;
            }
        }
        brought.last.reverse();
        Ok(Some(brought))
    }

    /// Whether anything but joblines' own lines was ever appended; what is forgotten counts as that.
    ///
    /// # Errors
    /// Where the files cannot be read.
    pub fn was_brought_anything(&self) -> io::Result<bool> {
        let (segments, end) = {
            let shared = self.lock();
            (shared.segments.clone(), shared.written)
        };
        if segments.first().is_some_and(|first| first.first_entry > 0) {
            return Ok(true);
        }
        let ends = segments.iter().skip(1).map(|next| next.first_entry).chain([end]);
        for (segment, end) in segments.iter().zip(ends) {
            let opened = Files::open(self.base(), segment.number, false)?;
            let (files, _) = opened.ok_or_else(|| io::Error::from(io::ErrorKind::NotFound))?;
            for first in (segment.first_entry..end).step_by(STEP as usize) {
                let entries = files.entries(first, end.min(first + STEP), Access::Waiting)?;
                if entries.iter().any(|entry| entry.stream != Stream::System) {
                    return Ok(true);
                }
            }
        }
        Ok(false)
    }

    /// Goes backwards through the entries of `segment` before `end`, and says whether it came to the place.
    fn count(
        &self,
        segment: &Segment,
        end: &mut u64,
        (stream, offset): (Stream, u64),
        (brought, most): (&mut Brought, usize),
    ) -> io::Result<bool> {
        let opened = Files::open(self.base(), segment.number, false)?;
        let (files, _) = opened.ok_or_else(|| io::Error::from(io::ErrorKind::NotFound))?;
        while *end > segment.first_entry {
            let first = end.saturating_sub(STEP).max(segment.first_entry);
            for entry in files.entries(first, *end, Access::Waiting)?.iter().rev() {
                if entry.offset < offset {
                    return Ok(true);
                }
                if entry.stream != stream {
                    continue;
                }
                let is_last = brought.open.is_none();
                brought.open.get_or_insert(entry.open);
                if is_last && entry.continues && !entry.open && entry.length == 1 {
                    brought.closed = true;
                    continue;
                }
                brought.bytes += u64::from(entry.length);
                let wanted = (most - brought.last.len()).min(entry.length as usize);
                let mut bytes = vec![0; wanted];
                let place = entry.offset - segment.offset + u64::from(entry.length) - wanted as u64;
                files.output.read_exact_at(&mut bytes, place)?;
                // backwards, until all is there
                brought.last.extend(bytes.iter().rev());
            }
            *end = first;
        }
        Ok(false)
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use jiff::Timestamp;

    use super::*;
    use crate::journal::{Origin, Resumed};
    use crate::record::RunId;

    fn resume(folder: &std::path::Path, keep: u64) -> Resumed {
        let (run, job, started) = (RunId::new(), "feed".to_owned(), Timestamp::now());
        let origin = Origin { run, job, trigger: String::new(), started, child: None };
        Journal::resume(folder.join("lines"), origin, keep).unwrap()
    }

    #[test]
    fn a_streams_bytes_behind_a_place_are_counted_over_others() {
        let folder = tempfile::tempdir().unwrap();
        let Resumed { mut writer, journal, .. } = resume(folder.path(), 1 << 20);
        assert_eq!(journal.brought(Stream::Stdout, 0).unwrap(), Some(Brought::default()));
        writer.append(Stream::Stdout, Bytes::from_static(b"before\n"));
        writer.say("ours");
        let place = journal.totals().bytes;
        assert_eq!(journal.brought(Stream::Stdout, place).unwrap(), Some(Brought::default()));
        writer.append(Stream::Stdout, Bytes::from_static(b"one\n"));
        writer.say("ours");
        writer.append(Stream::Stdout, Bytes::from_static(b"tw"));
        let expected = Brought { bytes: 6, last: b"one\ntw".to_vec(), open: Some(true), closed: false };
        assert_eq!(journal.brought(Stream::Stdout, place).unwrap(), Some(expected.clone()));
        let all = journal.brought_with(Stream::Stdout, 0, 1 << 20).unwrap().unwrap();
        assert_eq!((all.bytes, all.last), (13, b"before\none\ntw".to_vec()));
        let last = journal.brought_with(Stream::Stdout, 0, 8).unwrap().unwrap();
        assert_eq!((last.bytes, last.last), (13, b"e\none\ntw"[..].to_vec()));
        assert_eq!(journal.brought(Stream::Stdout, 1 << 30).unwrap(), None);
        // who comes after us ends the line, and that is no byte of the stream's
        drop(writer);
        let Resumed { journal, .. } = resume(folder.path(), 1 << 20);
        let expected = Brought { open: Some(false), closed: true, ..expected };
        assert_eq!(journal.brought(Stream::Stdout, place).unwrap(), Some(expected));
    }

    #[test]
    fn what_is_spread_over_segments_is_counted_and_what_is_forgotten_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let Resumed { mut writer, journal, .. } = resume(folder.path(), 64 << 10);
        let line = [vec![b'x'; 1023], b"\n".to_vec()].concat();
        let mut append = |count| (0..count).for_each(|_| writer.append(Stream::Stdout, Bytes::from(line.clone())));
        append(20);
        let place = journal.totals().bytes;
        append(20);
        let brought = journal.brought(Stream::Stdout, place).unwrap().unwrap();
        assert_eq!((brought.bytes, brought.last.len()), (20 << 10, LAST));
        append(100);
        assert_eq!(journal.brought(Stream::Stdout, place).unwrap(), None);
    }

    #[test]
    fn what_joblines_says_is_nothing_that_was_brought() {
        let folder = tempfile::tempdir().unwrap();
        let Resumed { mut writer, journal, .. } = resume(folder.path(), 1 << 20);
        assert!(!journal.was_brought_anything().unwrap());
        for _ in 0..3 * STEP {
            writer.say("source lost");
        }
        drop(writer);
        let Resumed { mut writer, journal, .. } = resume(folder.path(), 1 << 20);
        assert!(!journal.was_brought_anything().unwrap());
        writer.append(Stream::Record, Bytes::from_static(b"{}\n"));
        assert!(journal.was_brought_anything().unwrap());
        for _ in 0..9000 {
            writer.say(&"source lost".repeat(10));
        }
        assert!(journal.first_line() > 3 * STEP + 1, "the record is forgotten");
        assert!(journal.was_brought_anything().unwrap());
    }
}
