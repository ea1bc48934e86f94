//! A feed as the events of flask-log-viewer's addresses: each line one message, its text alone. It never sends a line
//! before it is whole.

use bytes::BytesMut;

use crate::record::{Chunk, Entry, FeedStart, RunId, Stream};
use crate::views::{EventId, Frames, Pieces, Reached, legible};

/// See the module.
#[derive(Default)]
pub(super) struct Messages {
    journal: Option<RunId>,
    pieces: Pieces,
}

impl Messages {
    pub(super) fn start_feed(&mut self, start: &FeedStart) {
        self.journal = Some(start.journal);
    }

    pub(super) fn chunk(&mut self, chunk: &Chunk, out: &mut Frames) {
        let journal = self.journal;
        self.pieces.whole_lines(chunk, |number, line| {
            let id = journal.map(|run| EventId { run, reached: Reached::Line(number) });
            message(id, chunk.stream, line, out.buffer());
        });
    }
}

fn message(id: Option<EventId>, stream: Stream, line: &[u8], out: &mut BytesMut) {
    let entry = if stream == Stream::Record { Entry::read(line) } else { None };
    let text = match &entry {
        Some(entry) => entry.text.clone(),
        None => String::from_utf8_lossy(line.strip_suffix(b"\r").unwrap_or(line)),
    };
    if let Some(id) = id {
        out.extend_from_slice(format!("id: {id}\n").as_bytes());
    }
    for part in text.split('\n') {
        out.extend_from_slice(b"data: ");
        out.extend_from_slice(legible(part).as_bytes());
        out.extend_from_slice(b"\n");
    }
    out.extend_from_slice(b"\n");
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;

    fn chunk(line: u64, text: &'static str, (continues, open): (bool, bool)) -> Chunk {
        let bytes = text.as_bytes().into();
        Chunk { line, time: Timestamp::UNIX_EPOCH, stream: Stream::Stdout, continues, open, bytes }
    }

    #[test]
    fn each_line_is_one_message_with_nothing_raw_and_half_a_line_waits() {
        let journal = RunId::new();
        let mut messages = Messages::default();
        let mut out = Frames::default();
        let start = FeedStart { feed: "a".into(), path: None, journal, started: Timestamp::UNIX_EPOCH };
        messages.start_feed(&start);
        messages.chunk(&chunk(3, "one\r\n\u{1b}[1mtwo\n", (false, false)), &mut out);
        messages.chunk(&chunk(5, "thr", (false, true)), &mut out);
        messages.chunk(&chunk(5, "ee\n", (true, false)), &mut out);
        let sent: Vec<u8> = out.take().as_slice().concat();
        let expected = format!(
            "id: {journal}/3\ndata: one\n\nid: {journal}/4\ndata: \u{241b}[1mtwo\n\nid: {journal}/5\ndata: three\n\n"
        );
        assert_eq!(String::from_utf8(sent).unwrap(), expected);
    }
}
