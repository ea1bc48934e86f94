//! The ndjson framing: one object a line. It holds nothing between calls but the run's name.

use crate::record::{Chunk, End, FeedStart, RunId, Start};
use crate::views::Frames;
use crate::views::json::{append, end_record, feed_object, head, lines, queue_object, run_object, stopped_object};

/// See the module.
#[derive(Default)]
pub(in crate::views) struct Ndjson {
    run: Option<RunId>,
}

impl Ndjson {
    pub(in crate::views) fn start(&mut self, start: &Start, out: &mut Frames) {
        self.run = Some(start.run);
        append(&run_object(start), out.buffer());
        out.buffer().extend_from_slice(b"\n");
    }

    pub(in crate::views) fn start_feed(&mut self, start: &FeedStart, out: &mut Frames) {
        append(&feed_object(start), out.buffer());
        out.buffer().extend_from_slice(b"\n");
    }

    pub(in crate::views) fn stop(&mut self, end: &End, out: &mut Frames) {
        append(&stopped_object(end), out.buffer());
        out.buffer().extend_from_slice(b"\n");
    }

    /// `place` is how many are ahead, and how many wait; none where it waits no longer.
    pub(in crate::views) fn queue(&mut self, place: Option<(usize, usize)>, out: &mut Frames) {
        append(&queue_object(self.run, place), out.buffer());
        out.buffer().extend_from_slice(b"\n");
    }

    pub(in crate::views) fn chunk(&mut self, chunk: &Chunk, out: &mut Frames) {
        lines(chunk, &mut [head(chunk, b"")], b"\n", out.buffer());
    }

    pub(in crate::views) fn end(&mut self, end: &End, out: &mut Frames) {
        append(&end_record(end), out.buffer());
        out.buffer().extend_from_slice(b"\n");
    }
}
