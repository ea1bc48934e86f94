//! The files of one segment of a journal: creating them, and reading chunks back from them. It never appends.

use std::ffi::OsStr;
use std::fs::{self, File, OpenOptions};
use std::io::{self, IoSliceMut};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use bytes::{Bytes, BytesMut};
use rustix::io::{Errno, ReadWriteFlags};

use super::{ChunkEntry, ENTRY, Entry, HEADER, Header, checksum};
use crate::record::Chunk;

/// The most bytes of output that one reading brings: what a reader may hold at a time.
const BLOCK: usize = 128 << 10;

/// The most entries that one reading looks at.
const ENTRIES: u64 = 1024;

/// Where a segment begins.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Segment {
    pub(super) number: u32,
    pub(super) offset: u64,
    pub(super) first_entry: u64,
    /// The number that the first line begun in it has.
    pub(super) next_line: u64,
}

/// A segment's two files.
#[derive(Debug)]
pub(super) struct Files {
    pub(super) segment: Segment,
    pub(super) output: File,
    pub(super) index: File,
}

/// Whether reading may wait for the disk.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Access {
    /// Only what is in memory already (`RWF_NOWAIT`, preadv2(2)); else `WouldBlock`.
    Cached,
    /// Whatever it takes.
    Waiting,
}

/// `RUN.output`, `RUN.index`, and those of further segments, `RUN.output.1`: beside each other in one folder, for making
/// a folder of its own costs a short run more than everything else that is written of it.
fn path(base: &Path, name: &str, number: u32) -> PathBuf {
    let mut path = base.as_os_str().to_owned();
    path.push(".");
    path.push(name);
    if number > 0 {
        path.push(format!(".{number}"));
    }
    path.into()
}

impl Files {
    /// New, empty files, still without the header; none where one of them cannot be made.
    pub(super) fn create(base: &Path, segment: Segment) -> io::Result<Files> {
        let number = segment.number;
        let open = |name| {
            let mut options = OpenOptions::new();
            options.read(true).write(true).create_new(true).mode(0o600);
            options.open(path(base, name, number))
        };
        let make = || Ok(Files { index: open("index")?, output: open("output")?, segment });
        make().inspect_err(|_| {
            let _ = Files::remove(base, number);
        })
    }

    /// Writes the header, or writes it anew.
    pub(super) fn write_header(&self, header: &Header) -> io::Result<()> {
        self.index.write_all_at(&header.encode(), 0)
    }

    /// The numbers of the segments whose index is there, in order.
    pub(super) fn numbers(base: &Path) -> io::Result<Vec<u32>> {
        let (Some(folder), Some(name)) = (base.parent(), base.file_name()) else { return Ok(Vec::new()) };
        let begin = [name.as_encoded_bytes(), b".index"].concat();
        let number = |file: &OsStr| match file.as_encoded_bytes().strip_prefix(&begin[..])? {
            b"" => Some(0),
            rest => str::from_utf8(rest.strip_prefix(b".")?).ok()?.parse().ok(),
        };
        let mut numbers: Vec<u32> = fs::read_dir(folder)?
            .map(|entry| entry.map(|entry| number(&entry.file_name())))
            .filter_map(Result::transpose)
            .collect::<io::Result<_>>()?;
        numbers.sort_unstable();
        Ok(numbers)
    }

    /// How many bytes of output there are of segment `number`, whatever its index says.
    pub(super) fn output_bytes(base: &Path, number: u32) -> io::Result<u64> {
        match fs::metadata(path(base, "output", number)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(0),
            found => found.map(|found| found.len()),
        }
    }

    /// Gives the files of segment `number` other names, `….damaged`, by which no journal finds them any more.
    pub(super) fn set_aside(base: &Path, number: u32) -> io::Result<()> {
        for name in ["output", "index"] {
            let path = path(base, name, number);
            let mut aside = path.clone().into_os_string();
            aside.push(".damaged");
            match fs::rename(&path, aside) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                renamed => renamed?,
            }
        }
        Ok(())
    }

    /// Whether there is any file of segment `number`.
    pub(super) fn exist(base: &Path, number: u32) -> bool {
        ["output", "index"].iter().any(|name| path(base, name, number).exists())
    }

    /// Gives the first index another name.
    pub(super) fn rename_index(base: &Path, name: &Path) -> io::Result<()> {
        fs::rename(path(base, "index", 0), name)
    }

    /// Removes the files of segment `number`, the index last, and says whether there were any.
    pub(super) fn remove(base: &Path, number: u32) -> io::Result<bool> {
        let mut found = false;
        for name in ["output", "index"] {
            match fs::remove_file(path(base, name, number)) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                removed => found = removed.map(|()| true)?,
            }
        }
        Ok(found)
    }

    /// The files of segment `number`, with its header; `None` where there is no such segment.
    pub(super) fn open(base: &Path, number: u32, write: bool) -> io::Result<Option<(Files, Header)>> {
        let open = |name| OpenOptions::new().read(true).write(write).open(path(base, name, number));
        let index = match open("index") {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            index => index?,
        };
        let mut block = [0; HEADER];
        index.read_exact_at(&mut block, 0)?;
        let header = Header::decode(&block).ok_or_else(|| {
            let shown = path(base, "index", number);
            io::Error::new(io::ErrorKind::InvalidData, format!("{} is not an index of a journal", shown.display()))
        })?;
        Ok(Some((Files { segment: Segment::from(&header), output: open("output")?, index }, header)))
    }

    /// The place in the index file of entry `number`.
    pub(super) fn place(&self, number: u64) -> u64 {
        HEADER as u64 + number.saturating_sub(self.segment.first_entry) * ENTRY as u64
    }

    /// One entry; `None` where it is not there or torn.
    pub(super) fn entry(&self, number: u64) -> io::Result<Option<Entry>> {
        let mut block = [0; ENTRY];
        match self.index.read_exact_at(&mut block, self.place(number)) {
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(None),
            read => read.map(|()| Entry::decode(&block)),
        }
    }

    /// Whole entries in the file, torn ones among them.
    pub(super) fn count(&self) -> io::Result<u64> {
        Ok(self.index.metadata()?.len().saturating_sub(HEADER as u64) / ENTRY as u64)
    }

    /// The entries of chunks from `first` on and before `end`, at most so many as one reading takes.
    pub(super) fn entries(&self, first: u64, end: u64, access: Access) -> io::Result<Vec<ChunkEntry>> {
        let mut index = vec![0; end.saturating_sub(first).min(ENTRIES) as usize * ENTRY];
        read(&self.index, &mut index, self.place(first), access)?;
        let decode = |block: &[u8]| match Entry::decode(block.try_into().ok()?)? {
            Entry::Chunk(entry) => Some(entry),
            Entry::End(_) => None,
        };
        Ok(index.chunks_exact(ENTRY).map_while(decode).collect())
    }

    /// The chunks of the entries from `first` on and before `end`, as many as one block takes; at least one.
    pub(super) fn chunks(&self, first: u64, end: u64, access: Access, verify: bool) -> io::Result<Vec<Chunk>> {
        let mut entries = self.entries(first, end, access)?;
        let Some(offset) = entries.first().map(|entry| entry.offset) else { return Err(damaged()) };
        let mut length = 0;
        let fits = entries.iter().take_while(|entry| {
            length += entry.length as usize;
            length <= BLOCK
        });
        entries.truncate(fits.count().max(1));
        let length = entries.iter().map(|entry| entry.length as usize).sum();
        let mut bytes = BytesMut::zeroed(length);
        read(&self.output, &mut bytes, offset.checked_sub(self.segment.offset).ok_or_else(damaged)?, access)?;
        let mut bytes = bytes.freeze();
        entries.into_iter().map(|entry| chunk(entry, &mut bytes, verify)).collect()
    }
}

impl From<&Header> for Segment {
    fn from(header: &Header) -> Self {
        Segment {
            number: header.segment,
            offset: header.offset,
            first_entry: header.first_entry,
            next_line: header.next_line,
        }
    }
}

fn chunk(entry: ChunkEntry, bytes: &mut Bytes, verify: bool) -> io::Result<Chunk> {
    let bytes = bytes.split_to((entry.length as usize).min(bytes.len()));
    if verify && checksum(&bytes) != entry.checksum {
        return Err(damaged());
    }
    Ok(Chunk {
        line: entry.line,
        time: entry.time,
        stream: entry.stream,
        continues: entry.continues,
        open: entry.open,
        bytes,
    })
}

fn damaged() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "the journal is damaged: its index and its output do not agree")
}

fn read(file: &File, buffer: &mut [u8], offset: u64, access: Access) -> io::Result<()> {
    if access == Access::Waiting {
        return file.read_exact_at(buffer, offset);
    }
    let mut done = 0;
    while let Some(rest) = buffer.get_mut(done..).filter(|rest| !rest.is_empty()) {
        match rustix::io::preadv2(file, &mut [IoSliceMut::new(rest)], offset + done as u64, ReadWriteFlags::NOWAIT) {
            Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(count) => done += count,
            Err(Errno::INTR) => {}
            // a file system or kernel that has no such reading: as if it were not in memory
            Err(Errno::OPNOTSUPP | Errno::NOSYS | Errno::AGAIN) => return Err(io::ErrorKind::WouldBlock.into()),
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}
