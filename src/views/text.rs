//! The text view: the child's bytes as they are, both streams. It never adds to them, unless times were asked for.

use crate::record::stamp;
use crate::record::{Chunk, Stream};
use crate::views::{Frames, Options, whole_lines};

/// See the module.
pub(super) struct Text {
    time: bool,
}

impl Text {
    pub(super) fn new(options: Options) -> Text {
        Text { time: options.time }
    }

    pub(super) fn chunk(&mut self, chunk: &Chunk, out: &mut Frames) {
        if chunk.stream == Stream::System {
            return;
        }
        if !self.time || chunk.continues {
            out.share(&chunk.bytes);
            return;
        }
        let time = stamp(chunk.time) + " ";
        let buffer = out.buffer();
        if chunk.open {
            buffer.extend_from_slice(time.as_bytes());
            buffer.extend_from_slice(&chunk.bytes);
            return;
        }
        for line in whole_lines(&chunk.bytes) {
            buffer.extend_from_slice(time.as_bytes());
            buffer.extend_from_slice(line);
            buffer.extend_from_slice(b"\n");
        }
    }
}
