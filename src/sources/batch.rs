//! Records and lines on their way to a feed, gathered so that one read makes one append. It never holds any back longer
//! than its user does.

use super::Sink;
use crate::record::{Entry, Stream};

/// As much as goes to the journal at once.
const FULL: usize = 256 << 10;

/// See the module.
#[derive(Debug)]
pub(super) struct Batch {
    sink: Sink,
    stream: Stream,
    bytes: Vec<u8>,
    /// So many bytes went on the last time, and may again; none are kept meanwhile.
    usual: usize,
}

impl Batch {
    /// Nothing, for `sink`.
    pub(super) fn new(sink: Sink) -> Batch {
        Batch { sink, stream: Stream::Record, bytes: Vec::new(), usual: 0 }
    }

    /// Adds a record.
    pub(super) fn record(&mut self, entry: &Entry<'_>) {
        self.turn_to(Stream::Record);
        entry.write(&mut self.bytes);
    }

    /// Adds a line byte by byte; it has no newline within.
    pub(super) fn line(&mut self, line: &[u8]) {
        self.turn_to(Stream::Stdout);
        self.bytes.extend_from_slice(line);
        if !line.ends_with(b"\n") {
            self.bytes.push(b'\n');
        }
    }

    /// Hands all of it on.
    pub(super) fn send(&mut self) {
        if !self.bytes.is_empty() {
            self.usual = self.bytes.len();
            self.sink.append(self.stream, std::mem::take(&mut self.bytes).into());
        }
    }

    fn turn_to(&mut self, stream: Stream) {
        if self.stream != stream || self.bytes.len() >= FULL {
            self.send();
            self.stream = stream;
        }
        if self.bytes.is_empty() {
            self.bytes.reserve(self.usual);
        }
    }
}
