//! The html view of a feed: a table that is valid at every moment while it grows, one row a line or record. It never
//! takes bytes back and never needs a script.

mod page;
mod row;

use bytes::BytesMut;

use crate::record::{Chunk, End, Entry, FeedStart, Stream, said, stamp};
use crate::views::{FeedOptions, Frames, whole_lines};

use self::row::Row;

/// See the module.
pub(super) struct Table {
    options: FeedOptions,
    /// The beginning of a line whose end has not come, of each stream.
    open: [Vec<u8>; Stream::ALL.len()],
}

impl Table {
    pub(super) fn new(options: FeedOptions) -> Table {
        Table { options, open: Default::default() }
    }

    pub(super) fn start_feed(&mut self, start: &FeedStart, first_line: u64, out: &mut Frames) {
        out.buffer().extend_from_slice(page::start(start, first_line, &self.options).as_bytes());
    }

    pub(super) fn chunk(&mut self, chunk: &Chunk, out: &mut Frames) {
        let out = out.buffer();
        let time = stamp(chunk.time);
        if chunk.open || chunk.continues {
            let open = &mut self.open[chunk.stream as usize];
            open.extend_from_slice(&chunk.bytes);
            if !chunk.open {
                let line = std::mem::take(open);
                row(chunk, chunk.line, &time, line.strip_suffix(b"\n").unwrap_or(&line), out);
            }
            return;
        }
        for (number, line) in (chunk.line..).zip(whole_lines(&chunk.bytes)) {
            row(chunk, number, &time, line, out);
        }
    }

    pub(super) fn notice(&mut self, _text: &str, _out: &mut Frames) {}

    /// The page has as many rows as it may have, and goes on at line `next`.
    pub(super) fn full(&mut self, next: u64, out: &mut Frames) {
        out.buffer().extend_from_slice(page::end(&page::Ending::Full { next }, &self.options).as_bytes());
    }

    pub(super) fn pause(&mut self, out: &mut Frames) {
        out.buffer().extend_from_slice(page::end(&page::Ending::Pause, &self.options).as_bytes());
    }

    pub(super) fn stop(&mut self, end: &End, out: &mut Frames) {
        out.buffer().extend_from_slice(page::end(&page::Ending::Stopped(end), &self.options).as_bytes());
    }
}

fn row(chunk: &Chunk, number: u64, time: &str, line: &[u8], out: &mut BytesMut) {
    let entry = if chunk.stream == Stream::Record { Entry::read(line) } else { None };
    match entry {
        Some(entry) => Row::of_entry(number, time, &entry).write(out),
        None => Row::of_line(number, time, chunk.stream, (line, said(line))).write(out),
    }
}
