//! The sse framing (WHATWG HTML §9.2): events `run`, `queue`, `line` and `end`. It never gives an id to a piece of a line.
//!
//! An id is `RUN/SEQ` on a complete line, `RUN/end` on `end`; on `run` it is `RUN/0`, or that of the line behind which a
//! stream goes on. A browser sends the last one it saw as `Last-Event-ID`; [`EventId`] reads it, so that a stream goes on
//! after that line, and a client that comes back after the end is recognised as such whatever lines its view had left out.

use std::fmt;
use std::str::FromStr;

use crate::record::{Chunk, End, FeedStart, RunId, Start};
use crate::views::json::{append, end_record, feed_object, head, lines, queue_object, run_object, stopped_object};
use crate::views::{Counted, Frames};

/// How far a client of server-sent events has come: the value of `id:` and of `Last-Event-ID`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct EventId {
    /// The run it was watching.
    pub run: RunId,
    /// What it has seen of it.
    pub reached: Reached,
}

/// The last thing a client of server-sent events has seen of a run.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Reached {
    /// Every line up to and with this one; 0 is the start.
    Line(u64),
    /// The end.
    End,
}

impl fmt::Display for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.reached {
            Reached::Line(line) => write!(f, "{}/{line}", self.run),
            Reached::End => write!(f, "{}/end", self.run),
        }
    }
}

impl FromStr for EventId {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (run, reached) = text.split_once('/').ok_or(())?;
        let reached = match reached {
            "end" => Reached::End,
            line => Reached::Line(line.parse().map_err(|_| ())?),
        };
        Ok(EventId { run: run.parse().map_err(|_| ())?, reached })
    }
}

/// See the module.
pub(in crate::views) struct Sse {
    run: Option<RunId>,
    /// The last line that the client had before: it may lose the connection again before the next one comes.
    seen: u64,
}

impl Sse {
    /// For a client that has had the lines up to and with `seen`.
    pub(in crate::views) fn behind(seen: u64) -> Sse {
        Sse { run: None, seen }
    }

    pub(in crate::views) fn start(&mut self, start: &Start, out: &mut Frames) {
        self.run = Some(start.run);
        let open = format!("event: run\n{}data: ", self.id(Reached::Line(self.seen)));
        let buffer = out.buffer();
        buffer.extend_from_slice(open.as_bytes());
        append(&run_object(start), buffer);
        buffer.extend_from_slice(b"\n\n");
    }

    pub(in crate::views) fn start_feed(&mut self, start: &FeedStart, out: &mut Frames) {
        self.run = Some(start.journal);
        let open = format!("event: feed\n{}data: ", self.id(Reached::Line(self.seen)));
        let buffer = out.buffer();
        buffer.extend_from_slice(open.as_bytes());
        append(&feed_object(start), buffer);
        buffer.extend_from_slice(b"\n\n");
    }

    /// The id stays the last line's: a browser comes back by itself and goes on behind it.
    pub(in crate::views) fn stop(&mut self, end: &End, out: &mut Frames) {
        let buffer = out.buffer();
        buffer.extend_from_slice(b"event: stopped\ndata: ");
        append(&stopped_object(end), buffer);
        buffer.extend_from_slice(b"\n\n");
    }

    pub(in crate::views) fn chunk(&mut self, chunk: &Chunk, out: &mut Frames) {
        const CLOSE: &[u8] = b"\n\n";
        match self.run {
            Some(run) if !chunk.open => {
                let id = Counted::new(format!("event: line\nid: {run}/").as_bytes(), chunk.line, &[]);
                lines(chunk, &mut [id, head(chunk, b"\ndata: ")], CLOSE, out.buffer());
            }
            _ => lines(chunk, &mut [head(chunk, b"event: line\ndata: ")], CLOSE, out.buffer()),
        }
    }

    /// `place` is how many are ahead, and how many wait; none where it waits no longer. There is no id to go on from.
    pub(in crate::views) fn queue(&mut self, place: Option<(usize, usize)>, out: &mut Frames) {
        let buffer = out.buffer();
        buffer.extend_from_slice(b"event: queue\ndata: ");
        append(&queue_object(self.run, place), buffer);
        buffer.extend_from_slice(b"\n\n");
    }

    pub(in crate::views) fn notice(&mut self, text: &str, out: &mut Frames) {
        let words: Vec<_> = text.split_whitespace().collect();
        out.buffer().extend_from_slice(format!(": {}\n\n", words.join(" ")).as_bytes());
    }

    pub(in crate::views) fn end(&mut self, end: &End, out: &mut Frames) {
        let open = format!("event: end\n{}data: ", self.id(Reached::End));
        let buffer = out.buffer();
        buffer.extend_from_slice(open.as_bytes());
        append(&end_record(end), buffer);
        buffer.extend_from_slice(b"\n\n");
    }

    fn id(&self, reached: Reached) -> String {
        self.run.map(|run| format!("id: {}\n", EventId { run, reached })).unwrap_or_default()
    }
}
