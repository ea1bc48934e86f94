//! Where a tail stands, and the small file that it is saved in. It is read as if anybody had written it: what is not
//! whole is no position.
//!
//! The file is one block of 308 bytes, written over at each append; where several files are followed as one, the name of the
//! one that it is about stands behind it. Numbers are little-endian.
//!
//! | at | what |
//! |---|---|
//! | 0 | `JLTAIL`, version u16 (1) |
//! | 8 | device u32, when the file was made, in seconds since 1970, u32 (0: unknown), inode u64, offset u64, bytes of the journal u64 |
//! | 40 | flags u8: 1 open, 2 closed; zero u8 |
//! | 42 | length of what stood before the offset u16; when it was read to its end, in seconds since 1970, u32 (0: unknown) |
//! | 48 | what stood before the offset, 256 bytes |
//! | 304 | CRC-32 of 0..304 |

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use tracing::warn;

use super::{Identity, REMEMBERED};

/// The size of the file, in bytes.
const SIZE: usize = 308;

const MAGIC: &[u8; 8] = b"JLTAIL\x01\x00";
const OPEN: u8 = 1;
const CLOSED: u8 = 2;

/// How far a file has been appended to its journal.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Position {
    pub(super) identity: Identity,
    /// When the file was made, in seconds since 1970; 0 where that is not known.
    pub(super) born: u32,
    /// Up to here the journal has it.
    pub(super) offset: u64,
    /// The bytes before that, up to 256: by them the file is known again.
    pub(super) before: Vec<u8>,
    /// How many bytes the journal had then; what it has more was appended after this was saved.
    pub(super) journal_bytes: u64,
    /// The journal's last line of the file has no newline yet.
    pub(super) open: bool,
    /// That line was ended though the file had not: a newline that comes next is that one.
    pub(super) closed: bool,
    /// All that was written to the file by then was read, where that is known.
    pub(super) seen: Option<SystemTime>,
}

impl Position {
    /// The bytes of the file.
    pub fn encode(&self) -> [u8; SIZE] {
        let mut block = [0; SIZE];
        block[..8].copy_from_slice(MAGIC);
        // a device has 32 bits, whatever its type: 12 of its kind and 20 of its own
        let device = self.identity.device & u64::from(u32::MAX) | u64::from(self.born) << 32;
        let numbers = [device, self.identity.inode, self.offset, self.journal_bytes];
        for (at, number) in numbers.into_iter().enumerate() {
            block[8 + at * 8..16 + at * 8].copy_from_slice(&number.to_le_bytes());
        }
        block[40] = (u8::from(self.open) * OPEN) | (u8::from(self.closed) * CLOSED);
        let length = self.before.len().min(REMEMBERED);
        block[42..44].copy_from_slice(&(length as u16).to_le_bytes());
        block[44..48].copy_from_slice(&self.seen.map_or(0, seconds).to_le_bytes());
        block[48..48 + length].copy_from_slice(&self.before[..length]);
        let sum = crc32fast::hash(&block[..304]);
        block[304..].copy_from_slice(&sum.to_le_bytes());
        block
    }

    /// What `bytes` say; `None` where they are not a whole position of a version that this program knows.
    pub fn decode(bytes: &[u8]) -> Option<Position> {
        let block: &[u8; SIZE] = bytes.try_into().ok()?;
        let (body, sum) = block.split_at(304);
        if &block[..8] != MAGIC || crc32fast::hash(body).to_le_bytes() != sum {
            return None;
        }
        let number = |at: usize| Some(u64::from_le_bytes(body.get(at..at + 8)?.try_into().ok()?));
        let length = usize::from(u16::from_le_bytes([block[42], block[43]]));
        let seen = u32::from_le_bytes([block[44], block[45], block[46], block[47]]);
        let (device, born) = (number(8)? & u64::from(u32::MAX), number(8)? >> 32);
        let position = Position {
            identity: Identity { device, inode: number(16)? },
            born: u32::try_from(born).ok()?,
            offset: number(24)?,
            before: body.get(48..48 + length)?.to_vec(),
            journal_bytes: number(32)?,
            open: block[40] & OPEN != 0,
            closed: block[40] & CLOSED != 0,
            seen: (seen > 0).then(|| SystemTime::UNIX_EPOCH + Duration::from_secs(seen.into())),
        };
        (length as u64 <= position.offset).then_some(position)
    }
}

/// `time` in whole seconds since 1970; 0 where there is no such number.
pub(super) fn seconds(time: SystemTime) -> u32 {
    let since = time.duration_since(SystemTime::UNIX_EPOCH).ok();
    since.and_then(|since| u32::try_from(since.as_secs()).ok()).unwrap_or(0)
}

/// The file it is saved in.
#[derive(Debug)]
pub(super) struct PositionFile {
    path: PathBuf,
    /// Stands behind the position.
    name: Vec<u8>,
    file: Option<File>,
    /// That it cannot be written was told.
    told: bool,
}

impl PositionFile {
    pub(super) fn new(path: PathBuf) -> PositionFile {
        PositionFile::named(path, Vec::new())
    }

    /// One that says behind the position whose it is.
    pub(super) fn named(path: PathBuf, name: Vec<u8>) -> PositionFile {
        PositionFile { path, name, file: None, told: false }
    }

    /// The position in the file at `path`, if it is whole, and the name behind it; `None` where none was saved yet.
    pub(super) fn read(path: &Path) -> Option<(Option<Position>, Vec<u8>)> {
        let bytes = fs::read(path).ok()?;
        let (position, name) = bytes.split_at_checked(SIZE)?;
        let is_saved = position.iter().any(|&byte| byte != 0) && !name.is_empty();
        is_saved.then(|| (Position::decode(position), name.to_vec()))
    }

    /// Removes it: there is nothing to remember.
    pub(super) fn remove(self) {
        if let Err(error) = fs::remove_file(&self.path).or_else(none_is_removed) {
            warn!(path = %self.path.display(), %error, "how far a file was read cannot be forgotten");
        }
    }

    /// What was saved last, if it is whole.
    pub(super) fn load(&self) -> Option<Position> {
        Position::decode(&fs::read(&self.path).ok()?)
    }

    /// Saves `position` in place of the last one, by one write. Where that cannot be, the lines come all the same, and
    /// the log says once that they may come again.
    pub(super) fn save(&mut self, position: &Position) {
        match self.write(position) {
            Ok(()) => self.told = false,
            Err(error) => {
                self.file = None;
                if !std::mem::replace(&mut self.told, true) {
                    warn!(path = %self.path.display(), %error, "how far a file was read cannot be saved");
                }
            }
        }
    }

    fn write(&mut self, position: &Position) -> io::Result<()> {
        let file = match &mut self.file {
            Some(file) => file,
            none => {
                if let Some(folder) = self.path.parent() {
                    make_private(folder)?;
                }
                let mut options = OpenOptions::new();
                let file = options.write(true).create(true).truncate(false).mode(0o600).open(&self.path)?;
                file.set_len((SIZE + self.name.len()) as u64)?;
                file.write_all_at(&self.name, SIZE as u64)?;
                none.insert(file)
            }
        };
        file.write_all_at(&position.encode(), 0)
    }
}

/// Makes a folder below the state directory, if it is not there, and those above it.
pub(super) fn make_private(folder: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(folder)
}

fn none_is_removed(error: io::Error) -> io::Result<()> {
    if error.kind() == io::ErrorKind::NotFound { Ok(()) } else { Err(error) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    prop_compose! {
        fn position()(
            numbers in any::<[u64; 3]>(),
            device: u32,
            born: u32,
            before in proptest::collection::vec(any::<u8>(), 0..=REMEMBERED),
            open: bool,
            closed: bool,
            seen: u32,
        ) -> Position {
            let [inode, offset, journal_bytes] = numbers;
            let offset = offset.max(before.len() as u64);
            let seen = (seen > 0).then(|| SystemTime::UNIX_EPOCH + Duration::from_secs(seen.into()));
            let identity = Identity { device: device.into(), inode };
            Position { identity, born, offset, before, journal_bytes, open, closed, seen }
        }
    }

    proptest! {
        #[test]
        fn what_is_saved_is_read_back(position in position()) {
            prop_assert_eq!(Position::decode(&position.encode()), Some(position.clone()));
            let folder = tempfile::tempdir().unwrap();
            let mut file = PositionFile::new(folder.path().join("position"));
            file.save(&position);
            prop_assert_eq!(file.load(), Some(position));
        }

        #[test]
        fn what_is_torn_or_changed_is_no_position(position in position(), at in 0..SIZE, change in 1_u8..) {
            let mut block = position.encode();
            block[at] ^= change;
            prop_assert_eq!(Position::decode(&block), None);
            prop_assert_eq!(Position::decode(&block[..at]), None);
        }

        #[test]
        fn any_bytes_are_judged(bytes in proptest::collection::vec(any::<u8>(), 0..400), length: u16, offset: u64) {
            prop_assert_eq!(Position::decode(&bytes), None);
            // also where the checksum is right
            let mut block = [0; SIZE];
            for (to, from) in block.iter_mut().zip(&bytes) {
                *to = *from;
            }
            block[..8].copy_from_slice(MAGIC);
            block[24..32].copy_from_slice(&offset.to_le_bytes());
            block[42..44].copy_from_slice(&length.to_le_bytes());
            let sum = crc32fast::hash(&block[..304]);
            block[304..].copy_from_slice(&sum.to_le_bytes());
            let read = Position::decode(&block);
            prop_assert_eq!(read.is_some(), usize::from(length) <= REMEMBERED && u64::from(length) <= offset);
        }
    }

    #[test]
    fn where_it_cannot_be_saved_nothing_happens() {
        let mut file = PositionFile::new(PathBuf::from("/proc/no/such"));
        let identity = Identity { device: 1, inode: 2 };
        let before = Vec::new();
        let (open, closed, seen) = (false, false, None);
        file.save(&Position { identity, born: 0, offset: 0, before, journal_bytes: 0, open, closed, seen });
        assert_eq!(file.load(), None);
    }
}
