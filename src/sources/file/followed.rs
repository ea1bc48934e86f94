//! One open file between its reads and the journal: what was read of it, and the piece that waits for its newline. Each
//! read begins a little before what is new, so that a file that was written anew is known by its bytes, however long it
//! is by now. It does not know the file's name.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::time::{Instant, SystemTime};

use bytes::Bytes;

use super::{Opened, Position};
use crate::sources::LineCutter;

/// So many bytes before the offset are remembered.
pub(super) const REMEMBERED: usize = 256;

/// The first read takes so much; one that fills it makes the next the largest.
const SMALLEST_READ: usize = 8 << 10;

/// The largest read.
const LARGEST_READ: usize = 128 << 10;

/// See the module.
#[derive(Debug)]
pub(super) struct Followed {
    pub(super) opened: Opened,
    /// What stands in the journal ends here.
    pub(super) offset: u64,
    /// Up to [`REMEMBERED`] bytes before that.
    pub(super) before: Vec<u8>,
    /// A newline that comes next ends a line that the journal has ended already.
    pub(super) closed: bool,
    /// When it last brought something.
    pub(super) heard: Instant,
    /// When the last read began that came to its end: all that was written by then is read.
    seen: Option<SystemTime>,
    /// Behind the offset: what was read and waits for its newline.
    cutter: LineCutter,
    block: Vec<u8>,
}

/// What a read found.
#[derive(PartialEq, Eq, Debug)]
pub(super) enum News {
    /// Nothing new.
    Nothing,
    /// More: these pieces can be appended.
    Pieces([Option<Bytes>; 2]),
    /// A newline that was waited for, and is passed over.
    Passed,
    /// It is shorter than it was.
    Truncated,
    /// What was read is not in it any more.
    Rewritten,
}

impl Followed {
    /// `opened`, to be read from its beginning.
    pub(super) fn new(opened: Opened, now: Instant) -> Followed {
        Followed {
            opened,
            offset: 0,
            before: Vec::new(),
            closed: false,
            heard: now,
            seen: None,
            cutter: LineCutter::default(),
            block: Vec::new(),
        }
    }

    /// `opened`, to be read from `offset`.
    ///
    /// # Errors
    /// Where what is before that cannot be read.
    pub(super) fn at(opened: Opened, offset: u64, now: Instant) -> io::Result<Followed> {
        let mut before = vec![0; REMEMBERED.min(usize::try_from(offset).unwrap_or(REMEMBERED))];
        let from = offset - before.len() as u64;
        opened.file.read_exact_at(&mut before, from)?;
        Ok(Followed { offset, before, ..Followed::new(opened, now) })
    }

    /// How far it is in the journal, which is not looked at.
    pub(super) fn position(&self) -> Position {
        Position {
            identity: self.opened.identity,
            born: self.opened.born,
            offset: self.offset,
            before: self.before.clone(),
            journal_bytes: 0,
            open: false,
            closed: false,
            seen: self.seen,
        }
    }

    /// Up to where it was read.
    pub(super) fn end(&mut self) -> u64 {
        self.offset + self.cutter.buffer().len() as u64
    }

    /// Bytes that it has now behind what was read.
    pub(super) fn ahead(&mut self) -> u64 {
        let size = self.opened.file.metadata().map_or(0, |found| found.len());
        size.saturating_sub(self.end())
    }

    /// The bytes before [`end`](Followed::end), up to [`REMEMBERED`].
    pub(super) fn remembered(&mut self) -> Vec<u8> {
        let waiting = self.cutter.buffer();
        let old = self.before.len() - self.before.len().min(REMEMBERED.saturating_sub(waiting.len()));
        let new = waiting.len() - waiting.len().min(REMEMBERED);
        [&self.before[old..], &waiting[new..]].concat()
    }

    /// Reads on, a bounded portion.
    ///
    /// # Errors
    /// Where it cannot be read; it may be tried again.
    pub(super) fn read(&mut self, now: Instant) -> io::Result<News> {
        let remembered = self.remembered();
        let known = remembered.len();
        let size = if self.block.is_empty() { SMALLEST_READ } else { LARGEST_READ };
        self.block.resize(known + size, 0);
        let from = self.end() - known as u64;
        let began = SystemTime::now();
        let count = self.opened.file.read_at(&mut self.block, from)?;
        let Some((old, new)) = self.block.get(..count).and_then(|read| read.split_at_checked(known)) else {
            return Ok(News::Truncated);
        };
        if old != remembered {
            return Ok(News::Rewritten);
        }
        if new.len() < size {
            self.seen = Some(began);
        }
        if new.is_empty() {
            return Ok(News::Nothing);
        }
        self.heard = now;
        if std::mem::take(&mut self.closed) && new.first() == Some(&b'\n') {
            self.note(b"\n");
            return Ok(News::Passed);
        }
        let new_bytes = new.len();
        self.cutter.buffer().extend_from_slice(new);
        Ok(News::Pieces(self.cutter.cut(new_bytes)))
    }

    /// Lets go of the room for reading, until there is more to read.
    pub(super) fn rest(&mut self) {
        self.block = Vec::new();
        if !self.cutter.is_waiting() {
            self.cutter = LineCutter::default();
        }
    }

    /// Whether a piece waits for its newline.
    pub(super) fn is_waiting(&self) -> bool {
        self.cutter.is_waiting()
    }

    /// That piece, as it stands.
    pub(super) fn flush(&mut self) -> Option<Bytes> {
        self.cutter.flush()
    }

    /// `piece` is in the journal.
    pub(super) fn note(&mut self, piece: &[u8]) {
        self.offset += piece.len() as u64;
        let new = &piece[piece.len() - piece.len().min(REMEMBERED)..];
        let surplus = (self.before.len() + new.len()).saturating_sub(REMEMBERED);
        self.before.drain(..surplus);
        self.before.extend_from_slice(new);
    }

    /// Whether it is the file of `position`, and has what was read of that.
    pub(super) fn holds(opened: &Opened, position: &Position) -> bool {
        let found = opened.identity;
        // a device may have another number after the machine was started anew; its bytes then tell
        let is_it =
            found == position.identity || found.inode == position.identity.inode && position.before.len() == REMEMBERED;
        // a number goes to another file once this one is removed, and logs begin alike
        let is_other = opened.born != position.born && opened.born > 0 && position.born > 0;
        is_it && !is_other && holds_at(&opened.file, position.offset, &position.before)
    }
}

/// Whether `bytes` stand in `file` right before `offset`.
pub(super) fn holds_at(file: &File, offset: u64, bytes: &[u8]) -> bool {
    let mut found = vec![0; bytes.len()];
    let from = offset.checked_sub(bytes.len() as u64);
    from.is_some_and(|from| file.read_exact_at(&mut found, from).is_ok() && found == bytes)
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use proptest::prelude::*;
    use tempfile::NamedTempFile;

    use super::*;
    use crate::sources::file::Root;

    fn follow(file: &NamedTempFile) -> Followed {
        let (root, name) = Root::of_file(file.path());
        Followed::new(root.open(&name).unwrap(), Instant::now())
    }

    /// Reads to the end and appends: what was appended, and what came last.
    fn drain(followed: &mut Followed) -> (Vec<u8>, News) {
        let mut all = Vec::new();
        loop {
            match followed.read(Instant::now()).unwrap() {
                News::Pieces(pieces) => {
                    for piece in pieces.into_iter().flatten() {
                        followed.note(&piece);
                        all.extend_from_slice(&piece);
                    }
                }
                other => return (all, other),
            }
        }
    }

    #[test]
    fn a_newline_that_ends_what_was_ended_is_passed_over_once() {
        let mut file = NamedTempFile::new().unwrap();
        file.write_all(b"begun").unwrap();
        let mut followed = follow(&file);
        drain(&mut followed);
        let piece = followed.flush().unwrap();
        followed.note(&piece);
        followed.closed = true;
        file.write_all(b"\n\nnext\n").unwrap();
        assert_eq!(drain(&mut followed), (Vec::new(), News::Passed));
        assert_eq!(drain(&mut followed), (b"\nnext\n".to_vec(), News::Nothing));
    }

    proptest! {
        #[test]
        fn what_is_remembered_is_what_stands_before(writes in proptest::collection::vec("[ab\n]{0,300}", 1..9)) {
            let mut file = NamedTempFile::new().unwrap();
            let mut followed = follow(&file);
            let (mut written, mut read) = (Vec::new(), Vec::new());
            for write in &writes {
                file.write_all(write.as_bytes()).unwrap();
                written.extend_from_slice(write.as_bytes());
                let (new, last) = drain(&mut followed);
                read.extend(new);
                prop_assert_eq!(last, News::Nothing);
                prop_assert_eq!(followed.end(), written.len() as u64);
                prop_assert_eq!(followed.offset, read.len() as u64);
                prop_assert_eq!(followed.remembered(), &written[written.len().saturating_sub(REMEMBERED)..]);
                prop_assert_eq!(&followed.before, &read[read.len().saturating_sub(REMEMBERED)..]);
            }
            read.extend_from_slice(&followed.flush().unwrap_or_default());
            prop_assert_eq!(read, written);
        }

        #[test]
        fn a_file_that_was_written_anew_is_known_however_long_it_is(old in 1_usize..600, new in 0_usize..900) {
            let mut file = NamedTempFile::new().unwrap();
            file.write_all(&vec![b'o'; old]).unwrap();
            let mut followed = follow(&file);
            drain(&mut followed);
            file.as_file().set_len(0).unwrap();
            file.as_file().write_all_at(&vec![b'n'; new], 0).unwrap();
            let expected = if new < old { News::Truncated } else { News::Rewritten };
            prop_assert_eq!(drain(&mut followed).1, expected);
        }
    }
}
