//! NDJSON from a server, cut into lines and read: bytes in any portions in, events out. It knows no socket and no
//! terminal.

use std::borrow::Cow;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::{Buf, BytesMut};
use serde::Deserialize;
use thiserror::Error;

/// The most bytes of one event. A server sends pieces of 64 KiB; more than this is something else.
const MAX_EVENT: usize = 16 << 20;

/// One event of a run.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Event {
    /// A run's beginning.
    Run {
        /// Its id.
        run: String,
    },
    /// Where the run stands in the queue.
    Queue {
        /// Its turn comes after so many others.
        ahead: u64,
    },
    /// A line, or a piece of one.
    Line(Text),
    /// A run's end.
    End {
        /// One of the final states.
        state: String,
        /// How the command exited, where it did.
        exit_code: Option<i64>,
        /// The signal that ended it, where one did.
        signal: Option<i64>,
    },
    /// A heartbeat, or something of a later version.
    Other,
}

/// A line, or a piece of one.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Text {
    /// The number of its line.
    pub seq: u64,
    /// Where it came from, as the server names it.
    pub stream: String,
    /// Exactly what was printed.
    pub bytes: Vec<u8>,
    /// The line goes on in another piece, or ends without a newline.
    pub is_partial: bool,
}

/// What came is not a stream of events.
#[derive(Debug, Error)]
pub enum NotEvents {
    /// A line that is not an event.
    #[error("the server sent something that is no event ({0})")]
    Malformed(#[from] serde_json::Error),
    /// The bytes of a line that are not in base64.
    #[error("the server sent something that is no base64 ({0})")]
    Base64(#[from] base64::DecodeError),
    /// A line without an end.
    #[error("the server sent a line of more than {MAX_EVENT} bytes")]
    Endless,
}

/// What has come of a stream of events and has not been read yet.
#[derive(Debug, Default)]
pub struct Events {
    buffer: BytesMut,
    /// So many bytes at its beginning hold no newline.
    searched: usize,
}

impl Events {
    /// Takes in what came next.
    pub fn push(&mut self, bytes: &[u8]) {
        self.buffer.extend_from_slice(bytes);
    }

    /// The next event that is there as a whole.
    pub fn take(&mut self) -> Result<Option<Event>, NotEvents> {
        self.take_line()?.map(|line| parse(&line)).transpose()
    }

    /// The next line that is there as a whole, without its newline: one event, or nothing but blanks.
    pub fn take_line(&mut self) -> Result<Option<BytesMut>, NotEvents> {
        let unsearched = self.buffer.get(self.searched..).unwrap_or_default();
        let Some(at) = memchr::memchr(b'\n', unsearched) else {
            self.searched = self.buffer.len();
            return if self.searched > MAX_EVENT { Err(NotEvents::Endless) } else { Ok(None) };
        };
        let line = self.buffer.split_to(self.searched + at);
        self.buffer.advance(1);
        self.searched = 0;
        Ok(Some(line))
    }
}

/// All kinds of events at once: read in one pass, and without a copy of the text where it has no escapes.
#[derive(Deserialize)]
struct Object<'a> {
    #[serde(rename = "type", borrow)]
    kind: Cow<'a, str>,
    #[serde(borrow, default)]
    run: Cow<'a, str>,
    #[serde(default)]
    seq: u64,
    #[serde(borrow, default)]
    stream: Cow<'a, str>,
    #[serde(borrow, default)]
    text: Cow<'a, str>,
    base64: Option<String>,
    #[serde(default)]
    partial: bool,
    #[serde(borrow, default)]
    state: Cow<'a, str>,
    exit_code: Option<i64>,
    signal: Option<i64>,
    #[serde(default)]
    ahead: u64,
}

/// The event that a line is.
pub fn parse(line: &[u8]) -> Result<Event, NotEvents> {
    if line.iter().all(u8::is_ascii_whitespace) {
        return Ok(Event::Other);
    }
    let object: Object<'_> = serde_json::from_slice(line)?;
    Ok(match &*object.kind {
        "run" => Event::Run { run: object.run.into_owned() },
        "queue" => Event::Queue { ahead: object.ahead },
        "line" => {
            let bytes = match object.base64 {
                Some(base64) => STANDARD.decode(base64)?,
                None => object.text.into_owned().into_bytes(),
            };
            let (seq, stream) = (object.seq, object.stream.into_owned());
            Event::Line(Text { seq, stream, bytes, is_partial: object.partial })
        }
        "end" => Event::End { state: object.state.into_owned(), exit_code: object.exit_code, signal: object.signal },
        _ => Event::Other,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const STREAM: &str = concat!(
        r#"{"type":"run","run":"R1","job":"demo","state":"running","started":"2026-11-21T00:00:00Z"}"#,
        "\n\n",
        r#"{"type":"line","seq":1,"time":"2026-11-21T00:00:00Z","stream":"stdout","text":"caf\u00e9\t\"x\""}"#,
        "\n",
        r#"{"type":"line","seq":2,"stream":"stderr","text":"\ufffd","base64":"/wA=","partial":true}"#,
        "\n",
        r#"{"type":"news","of":{"a":[1]}}"#,
        "\n",
        r#"{"type":"queue","ahead":2,"waiting":5}"#,
        "\n",
        r#"{"type":"end","state":"failed","exit_code":3,"signal":null,"duration_ms":5,"lines":2,"bytes":9}"#,
        "\n",
    );

    fn expected() -> Vec<Event> {
        let line = |seq, stream: &str, bytes: &[u8], is_partial| {
            Event::Line(Text { seq, stream: stream.to_owned(), bytes: bytes.to_vec(), is_partial })
        };
        vec![
            Event::Run { run: "R1".to_owned() },
            Event::Other,
            line(1, "stdout", "café\t\"x\"".as_bytes(), false),
            line(2, "stderr", b"\xff\0", true),
            Event::Other,
            Event::Queue { ahead: 2 },
            Event::End { state: "failed".to_owned(), exit_code: Some(3), signal: None },
        ]
    }

    fn read(pieces: &mut dyn Iterator<Item = &[u8]>) -> Vec<Event> {
        let (mut events, mut read) = (Events::default(), Vec::new());
        for piece in pieces {
            events.push(piece);
            while let Some(event) = events.take().unwrap() {
                read.push(event);
            }
        }
        read
    }

    #[test]
    fn events_are_the_same_wherever_the_bytes_are_cut() {
        for size in 1..STREAM.len() {
            assert_eq!(read(&mut STREAM.as_bytes().chunks(size)), expected(), "cut every {size} bytes");
        }
    }

    #[test]
    fn an_event_without_its_newline_has_not_come() {
        let mut events = Events::default();
        events.push(br#"{"type":"end","state":"succeeded","exit_code":0}"#);
        assert_eq!(events.take().unwrap(), None);
    }

    #[test]
    fn what_is_no_event_is_said_to_be_none() {
        let read = |text: &[u8]| {
            let mut events = Events::default();
            events.push(text);
            events.take().map(drop).map_err(|error| error.to_string())
        };
        assert!(read(b"<html>\n").unwrap_err().contains("no event"));
        assert!(read(b"{\"type\":\"line\",\"base64\":\"*\"}\n").unwrap_err().contains("no base64"));
        assert!(read(&vec![b'x'; MAX_EVENT + 1]).unwrap_err().contains("more than"));
    }
}
