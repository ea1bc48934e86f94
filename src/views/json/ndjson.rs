//! The ndjson framing: one object a line. It never holds anything between calls.

use crate::record::{Chunk, End, Start};
use crate::views::Frames;
use crate::views::json::{append, end_record, head, lines, run_object};

/// See the module.
pub(in crate::views) struct Ndjson;

impl Ndjson {
    pub(in crate::views) fn start(&mut self, start: &Start, out: &mut Frames) {
        append(&run_object(start), out.buffer());
        out.buffer().extend_from_slice(b"\n");
    }

    pub(in crate::views) fn chunk(&mut self, chunk: &Chunk, out: &mut Frames) {
        lines(chunk, &mut [head(chunk, b"")], b"\"}\n", out.buffer());
    }

    pub(in crate::views) fn end(&mut self, end: &End, out: &mut Frames) {
        append(&end_record(end), out.buffer());
        out.buffer().extend_from_slice(b"\n");
    }
}
