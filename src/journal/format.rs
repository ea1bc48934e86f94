//! The bytes of an index file: its header and its entries. It encodes and decodes; it never touches a file.
//!
//! # The format, version 1
//!
//! A run's journal is two files, `RUN.output` and `RUN.index`. `output` is the run's bytes in order of arrival,
//! joblines' own lines among them, and nothing else. `index` is a header of 256 bytes, then one entry of 64 bytes for
//! each chunk, then, once the run has ended, one end entry. After 256 MiB a journal goes on in a further segment:
//! `RUN.output.1`, `RUN.index.1`, and so on; offsets, lines and entries count on over the segments.
//!
//! The bytes of a chunk are written first, its entry second, each by one appending write(2). A reader (also one in
//! another process) takes whole entries with a right checksum and ignores what stands behind the last of them; the
//! bytes an entry speaks of are there. Nothing is fsync'ed: what was shown survives the death of the server, not the
//! loss of power.
//!
//! Numbers are little-endian; times are microseconds since 1970.
//!
//! | chunk entry (`kind` 1) | | end entry (`kind` 2) | | header | |
//! |---|---|---|---|---|---|
//! | 0 | kind u8 | 0 | kind u8 | 0 | `JOBLINES` |
//! | 1 | stream u8: 1 stdout, 2 stderr, 3 system, 4 record | 1 | state u8: index in `State::ALL` | 8 | version u16 |
//! | 2 | flags u8: 1 continues, 2 open | 2 | flags u8: 1 exited, 2 signalled, 4 CPU, 8 memory known | 10 | entry size u16 |
//! | 3 | zero u8 | 3 | signal u8 | 12 | segment u32 |
//! | 4 | length u32 | 4 | exit code i32 | 16 | run, 16 bytes |
//! | 8 | time i64 | 8 | time i64 | 32 | offset of the segment u64 |
//! | 16 | offset u64 | 16 | bytes not kept u64 | 40 | first entry u64 |
//! | 24 | first line u64 | 24 | duration u64, µs | 48 | next line u64 |
//! | 32 | next line u64 | 32 | CPU in user mode u64, µs | 56 | when the run was asked for, i64 |
//! | 40 | CRC-32 of the bytes | 40 | CPU in the kernel u64, µs | 64 | process id of the child u32, or 0 |
//! | 44 | zero, 16 bytes | 48 | peak memory u64, bytes | 68 | lengths of job and trigger, u16 each |
//! | 60 | CRC-32 of 0..60 | 56 | zero u32 | 72 | job, 64 bytes |
//! | | | 60 | CRC-32 of 0..60 | 136 | trigger, 108 bytes |
//! | | | | | 244 | when the child was started, i64; 252: CRC-32 of 0..252 |
//!
//! "Next line" is the number that the next new line will get once the chunk is in, so it never falls from one entry to
//! the next, and a line is found by bisection. A chunk that continues a line has that line's number as its first.

use std::time::Duration;

use jiff::Timestamp;

use crate::record::{Outcome, RunId, State, Stream, Usage};

/// The size of an entry, in bytes.
pub(super) const ENTRY: usize = 64;

/// The size of the header, in bytes.
pub(super) const HEADER: usize = 256;

/// The longest chunk: whoever reads it back holds it whole, so an entry of a longer one is none.
pub(super) const LONGEST_CHUNK: usize = 256 << 10;

const MAGIC: &[u8; 8] = b"JOBLINES";
const VERSION: u16 = 1;

const CHUNK: u8 = 1;
const END: u8 = 2;

const CONTINUES: u8 = 1;
const OPEN: u8 = 2;

const EXITED: u8 = 1;
const SIGNALLED: u8 = 2;
const USAGE: u8 = 4;
const MEMORY: u8 = 8;

/// What a journal says of its run, so that it can be told even where nobody else knows of it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Origin {
    /// The run's name.
    pub run: RunId,
    /// The job's name.
    pub job: String,
    /// Who asked for it, and how; its first 108 bytes are kept.
    pub trigger: String,
    /// When it was asked for.
    pub started: Timestamp,
    /// Its child, once there is one.
    pub child: Option<Child>,
}

/// The process of a run: the number may be another's later, the two together are not.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Child {
    /// Its process id, which is its group's number too.
    pub pid: i32,
    /// When it was started.
    pub started: Timestamp,
}

/// What the first bytes of an index say.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Header {
    pub(super) origin: Origin,
    pub(super) segment: u32,
    pub(super) offset: u64,
    pub(super) first_entry: u64,
    pub(super) next_line: u64,
}

/// What one entry of an index says.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Entry {
    Chunk(ChunkEntry),
    End(EndEntry),
}

/// Where one chunk's bytes are, and what they are.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct ChunkEntry {
    pub(super) stream: Stream,
    pub(super) continues: bool,
    pub(super) open: bool,
    pub(super) time: Timestamp,
    pub(super) offset: u64,
    pub(super) length: u32,
    pub(super) line: u64,
    pub(super) next_line: u64,
    pub(super) checksum: u32,
}

/// The receipt, less what the entries before it say.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct EndEntry {
    pub(super) state: State,
    pub(super) outcome: Outcome,
    pub(super) time: Timestamp,
    pub(super) duration: Duration,
    pub(super) usage: Option<Usage>,
    pub(super) bytes_not_kept: u64,
}

/// The checksum of some bytes: CRC-32 (IEEE).
pub(super) fn checksum(bytes: &[u8]) -> u32 {
    crc32fast::hash(bytes)
}

/// Puts the checksum of what stands before it into the last four bytes.
fn seal<const N: usize>(mut block: [u8; N]) -> [u8; N] {
    let sum = checksum(&block[..N - 4]);
    block[N - 4..].copy_from_slice(&sum.to_le_bytes());
    block
}

fn is_sealed<const N: usize>(block: &[u8; N]) -> bool {
    checksum(&block[..N - 4]) == u32_at(block, N - 4)
}

fn u32_at<const N: usize>(block: &[u8; N], at: usize) -> u32 {
    u32::from_le_bytes([block[at], block[at + 1], block[at + 2], block[at + 3]])
}

fn u64_at<const N: usize>(block: &[u8; N], at: usize) -> u64 {
    u64::from(u32_at(block, at)) | u64::from(u32_at(block, at + 4)) << 32
}

fn time_at<const N: usize>(block: &[u8; N], at: usize) -> Option<Timestamp> {
    Timestamp::from_microsecond(u64_at(block, at).cast_signed()).ok()
}

fn put<const N: usize>(block: &mut [u8; N], at: usize, value: u64) {
    block[at..at + 8].copy_from_slice(&value.to_le_bytes());
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

impl Header {
    pub(super) fn encode(&self) -> [u8; HEADER] {
        let mut block = [0; HEADER];
        let origin = &self.origin;
        block[..8].copy_from_slice(MAGIC);
        block[8..10].copy_from_slice(&VERSION.to_le_bytes());
        block[10..12].copy_from_slice(&(ENTRY as u16).to_le_bytes());
        block[12..16].copy_from_slice(&self.segment.to_le_bytes());
        block[16..32].copy_from_slice(origin.run.as_bytes());
        put(&mut block, 32, self.offset);
        put(&mut block, 40, self.first_entry);
        put(&mut block, 48, self.next_line);
        put(&mut block, 56, origin.started.as_microsecond().cast_unsigned());
        if let Some(child) = origin.child {
            block[64..68].copy_from_slice(&child.pid.to_le_bytes());
            put(&mut block, 244, child.started.as_microsecond().cast_unsigned());
        }
        let job = put_text(&mut block[72..136], &origin.job);
        let trigger = put_text(&mut block[136..244], &origin.trigger);
        block[68..70].copy_from_slice(&job.to_le_bytes());
        block[70..72].copy_from_slice(&trigger.to_le_bytes());
        seal(block)
    }

    /// `None` where this is no header of a version this program knows, or its checksum is wrong.
    pub(super) fn decode(block: &[u8; HEADER]) -> Option<Header> {
        let known = &block[..8] == MAGIC && block[8..10] == VERSION.to_le_bytes();
        if !known || !is_sealed(block) {
            return None;
        }
        let mut run = [0; 16];
        run.copy_from_slice(&block[16..32]);
        let lengths = u32_at(block, 68);
        let origin = Origin {
            run: RunId::from_bytes(run),
            job: text(&block[72..136], lengths & 0xffff),
            trigger: text(&block[136..244], lengths >> 16),
            started: time_at(block, 56)?,
            child: match u32_at(block, 64).cast_signed() {
                pid @ 1.. => Some(Child { pid, started: time_at(block, 244)? }),
                _ => None,
            },
        };
        Some(Header {
            origin,
            segment: u32_at(block, 12),
            offset: u64_at(block, 32),
            first_entry: u64_at(block, 40),
            next_line: u64_at(block, 48),
        })
    }
}

/// As much of `text` as has room, and its length.
fn put_text(field: &mut [u8], text: &str) -> u16 {
    let text = &text[..text.floor_char_boundary(field.len())];
    field[..text.len()].copy_from_slice(text.as_bytes());
    text.len() as u16
}

fn text(field: &[u8], length: u32) -> String {
    String::from_utf8_lossy(field.get(..length as usize).unwrap_or_default()).into_owned()
}

impl Entry {
    /// `None` where it is torn or written by a newer program.
    pub(super) fn decode(block: &[u8; ENTRY]) -> Option<Entry> {
        if !is_sealed(block) {
            return None;
        }
        match block[0] {
            CHUNK => ChunkEntry::decode(block).map(Entry::Chunk),
            END => EndEntry::decode(block).map(Entry::End),
            _ => None,
        }
    }
}

impl ChunkEntry {
    pub(super) fn encode(&self) -> [u8; ENTRY] {
        let mut block = [0; ENTRY];
        block[0] = CHUNK;
        block[1] = match self.stream {
            Stream::Stdout => 1,
            Stream::Stderr => 2,
            Stream::System => 3,
            Stream::Record => 4,
        };
        block[2] = (u8::from(self.continues) * CONTINUES) | (u8::from(self.open) * OPEN);
        block[4..8].copy_from_slice(&self.length.to_le_bytes());
        put(&mut block, 8, self.time.as_microsecond().cast_unsigned());
        put(&mut block, 16, self.offset);
        put(&mut block, 24, self.line);
        put(&mut block, 32, self.next_line);
        block[40..44].copy_from_slice(&self.checksum.to_le_bytes());
        seal(block)
    }

    fn decode(block: &[u8; ENTRY]) -> Option<ChunkEntry> {
        Some(ChunkEntry {
            stream: match block[1] {
                1 => Stream::Stdout,
                2 => Stream::Stderr,
                3 => Stream::System,
                4 => Stream::Record,
                _ => return None,
            },
            continues: block[2] & CONTINUES != 0,
            open: block[2] & OPEN != 0,
            length: Some(u32_at(block, 4)).filter(|length| *length as usize <= LONGEST_CHUNK)?,
            time: time_at(block, 8)?,
            offset: u64_at(block, 16),
            line: u64_at(block, 24),
            next_line: u64_at(block, 32),
            checksum: u32_at(block, 40),
        })
    }
}

impl EndEntry {
    pub(super) fn encode(&self) -> [u8; ENTRY] {
        let mut block = [0; ENTRY];
        let usage = self.usage.unwrap_or_default();
        block[0] = END;
        block[1] = State::ALL.iter().position(|state| *state == self.state).unwrap_or(0) as u8;
        block[2] = u8::from(self.usage.is_some()) * USAGE;
        block[2] |= u8::from(usage.max_rss.is_some()) * MEMORY;
        match self.outcome {
            Outcome::Exited(code) => {
                block[2] |= EXITED;
                block[4..8].copy_from_slice(&code.to_le_bytes());
            }
            Outcome::Signalled(signal) => {
                block[2] |= SIGNALLED;
                block[3] = signal as u8;
            }
            Outcome::Unknown => {}
        }
        put(&mut block, 8, self.time.as_microsecond().cast_unsigned());
        put(&mut block, 16, self.bytes_not_kept);
        put(&mut block, 24, micros(self.duration));
        put(&mut block, 32, micros(usage.cpu_user));
        put(&mut block, 40, micros(usage.cpu_system));
        put(&mut block, 48, usage.max_rss.unwrap_or(0));
        seal(block)
    }

    fn decode(block: &[u8; ENTRY]) -> Option<EndEntry> {
        let outcome = match block[2] & (EXITED | SIGNALLED) {
            EXITED => Outcome::Exited(u32_at(block, 4).cast_signed()),
            SIGNALLED => Outcome::Signalled(i32::from(block[3])),
            _ => Outcome::Unknown,
        };
        let usage = (block[2] & USAGE != 0).then(|| Usage {
            cpu_user: Duration::from_micros(u64_at(block, 32)),
            cpu_system: Duration::from_micros(u64_at(block, 40)),
            max_rss: (block[2] & MEMORY != 0).then(|| u64_at(block, 48)),
        });
        Some(EndEntry {
            state: *State::ALL.get(usize::from(block[1]))?,
            outcome,
            time: time_at(block, 8)?,
            duration: Duration::from_micros(u64_at(block, 24)),
            usage,
            bytes_not_kept: u64_at(block, 16),
        })
    }
}

#[cfg(test)]
mod tests;
