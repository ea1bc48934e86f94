//! The objects that ndjson and sse send, the same in both, and the record of a run. It never frames them.
//!
//! A line's object is written by hand: what stands between two texts is the same for all lines of a chunk but for the
//! number, so a line costs two copies. `text` is what the bytes decode to, `base64` the bytes themselves where they are
//! not UTF-8. Characters that would steer a terminal or reorder a page are escaped, so they survive unseen.

mod ndjson;
mod published;
mod record;
mod sse;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::BytesMut;
use serde::Serialize;
use utoipa::ToSchema;

pub(super) use crate::views::json::ndjson::Ndjson;
pub(super) use crate::views::json::published::Published;
pub use crate::views::json::published::PublishedObject;
pub use crate::views::json::record::{EndRecord, end_record};
pub(super) use crate::views::json::sse::Sse;
pub use crate::views::json::sse::{EventId, Reached};

use crate::record::stamp;
use crate::record::{Chunk, End, FeedStart, RunId, Start, State, Stream};
use crate::views::{Care, Counted, is_unsafe, none, whole_lines};

/// The first object of a stream.
#[derive(Serialize, ToSchema)]
#[schema(as = RunObject)]
pub struct RunObject<'a> {
    #[serde(rename = "type")]
    #[schema(pattern = "^run$")]
    kind: &'static str,
    run: RunId,
    job: &'a str,
    state: State,
    #[schema(format = DateTime)]
    started: String,
}

/// The first object of a feed's stream.
#[derive(Serialize, ToSchema)]
#[schema(as = FeedObject)]
pub struct FeedObject<'a> {
    #[serde(rename = "type")]
    #[schema(pattern = "^feed$")]
    kind: &'static str,
    feed: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    path: Option<&'a str>,
    /// The name of its journal: as long as it stays the same, so do the numbers of the lines.
    journal: RunId,
    #[schema(format = DateTime)]
    started: String,
}

fn feed_object(start: &FeedStart) -> FeedObject<'_> {
    FeedObject {
        kind: "feed",
        feed: &start.feed,
        path: start.path.as_deref(),
        journal: start.journal,
        started: stamp(start.started),
    }
}

/// The last object of a feed's stream: the server stops, or `jobs.toml` says something else of the feed now.
#[derive(Serialize, ToSchema)]
pub struct StoppedObject {
    #[serde(rename = "type")]
    #[schema(pattern = "^stopped$")]
    kind: &'static str,
    /// How many lines it has had.
    lines: u64,
    #[schema(format = DateTime)]
    ended: String,
}

fn stopped_object(end: &End) -> StoppedObject {
    StoppedObject { kind: "stopped", lines: end.lines, ended: stamp(end.ended) }
}

fn run_object(start: &Start) -> RunObject<'_> {
    RunObject { kind: "run", run: start.run, job: &start.job, state: start.state, started: stamp(start.started) }
}

/// Where a run stands in the queue.
#[derive(Serialize, ToSchema)]
pub struct QueueObject {
    #[serde(rename = "type")]
    #[schema(pattern = "^queue$")]
    kind: &'static str,
    #[schema(required)]
    run: Option<RunId>,
    state: State,
    #[serde(skip_serializing_if = "Option::is_none")]
    ahead: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    waiting: Option<usize>,
}

/// A line, or what there is of it. It is written by hand (`head`, `text`): this is its schema.
#[derive(ToSchema)]
#[expect(dead_code, reason = "a line is copied together, and none is made of a value of this type")]
pub struct LineObject {
    #[schema(rename = "type", pattern = "^line$")]
    kind: &'static str,
    /// The line's number, from 1.
    #[schema(minimum = 1)]
    seq: u64,
    #[schema(format = DateTime)]
    time: String,
    stream: Stream,
    /// The rest of the line is still to come.
    #[schema(nullable = false)]
    partial: Option<bool>,
    text: String,
    /// Its bytes, where they are not UTF-8.
    #[schema(nullable = false)]
    base64: Option<String>,
    /// Of a record: which feed it came from, in one that merges several.
    #[schema(nullable = false)]
    feed: Option<String>,
    /// Of a record: it goes on with the one before it from the same feed, as the rest of a traceback does.
    #[schema(nullable = false)]
    goes_on: Option<bool>,
    /// Of a record: its level on the scale of Python's logging, where 30 is a warning.
    #[schema(nullable = false)]
    level: Option<i32>,
    /// Of a record: what its program calls that level.
    #[schema(nullable = false)]
    level_name: Option<String>,
    /// Of a record: the logger's name.
    #[schema(nullable = false)]
    logger: Option<String>,
    /// Of a record: everything else that is known of it.
    #[schema(nullable = false)]
    #[schema(value_type = Object, required = false)]
    record: Option<()>,
}

/// `place` is how many are ahead, and how many wait; none where the run waits no longer.
fn queue_object(run: Option<RunId>, place: Option<(usize, usize)>) -> QueueObject {
    let state = if place.is_some() { State::Queued } else { State::Running };
    let (ahead, waiting) = place.unzip();
    QueueObject { kind: "queue", run, state, ahead, waiting }
}

/// Appends an object in one line. The objects here are plain structs, which always serialize.
fn append(object: &impl Serialize, out: &mut BytesMut) {
    if let Ok(json) = serde_json::to_vec(object) {
        out.extend_from_slice(&json);
    }
}

/// What stands before the text of a chunk's first line: `framing`, and the object up to the text's opening quote.
fn head(chunk: &Chunk, framing: &[u8]) -> Counted {
    const OBJECT: &[u8] = br#"{"type":"line","seq":"#;
    let time = stamp(chunk.time);
    let partial: &[u8] = if chunk.open { br#","partial":true"# } else { b"" };
    // a record brings its text along, among its other fields
    let text: &[u8] = if chunk.stream == Stream::Record { b"," } else { br#","text":""# };
    Counted::new(
        &[framing, OBJECT].concat(),
        chunk.line,
        &[br#","time":""#, time.as_bytes(), br#"","stream":""#, chunk.stream.name().as_bytes(), b"\"", partial, text],
    )
}

/// Appends the chunk's lines as objects, each with its heads before it and `close` after it.
fn lines(chunk: &Chunk, heads: &mut [Counted], close: &[u8], out: &mut BytesMut) {
    if chunk.stream == Stream::Record {
        return records(chunk, heads, close, out);
    }
    let close = &[b"\"}", close].concat()[..];
    let plain = is_plain(&chunk.bytes);
    if chunk.open || chunk.continues {
        let piece = chunk.bytes.strip_suffix(b"\n").unwrap_or(&chunk.bytes);
        heads.iter().for_each(|head| out.extend_from_slice(head.bytes()));
        text(piece, out);
        out.extend_from_slice(close);
        return;
    }
    let each = heads.iter().map(|head| head.bytes().len() + 2).sum::<usize>() + close.len();
    out.reserve(chunk.bytes.len() + each * (memchr::memchr_iter(b'\n', &chunk.bytes).count() + 1));
    // what ends a line goes out with what begins the next; nothing is before the first
    let mut lead = close.len();
    if let Some(head) = heads.first_mut() {
        head.follow(close);
    }
    for line in whole_lines(&chunk.bytes) {
        for head in heads.iter_mut() {
            out.extend_from_slice(&head.bytes()[std::mem::take(&mut lead)..]);
            head.advance();
        }
        if plain {
            out.extend_from_slice(line);
        } else {
            text(line, out);
        }
    }
    out.extend_from_slice(close);
}

/// The same for records, each of which is an object already: its fields go on where the head stops.
fn records(chunk: &Chunk, heads: &mut [Counted], close: &[u8], out: &mut BytesMut) {
    for line in whole_lines(&chunk.bytes) {
        for head in heads.iter_mut() {
            out.extend_from_slice(head.bytes());
            head.advance();
        }
        fields(line.strip_prefix(b"{").unwrap_or(line), out);
        out.extend_from_slice(close);
    }
}

/// Copies JSON, but for the characters in its strings that never go out raw.
fn fields(json: &[u8], out: &mut BytesMut) {
    const CARE: Care = Care::and(b"");
    if none(json, |byte| byte >= 0x7F) {
        return out.extend_from_slice(json);
    }
    CARE.copy(&String::from_utf8_lossy(json), out, |char, out| {
        let is_unsafe = is_unsafe(char);
        if is_unsafe {
            unicode(char, out);
        }
        is_unsafe
    });
}

/// Whether lines can stand in a JSON string as they are.
fn is_plain(bytes: &[u8]) -> bool {
    none(bytes, |byte| (byte < 0x20) & (byte != b'\n') | (byte >= 0x7F) | (byte == b'"') | (byte == b'\\'))
}

/// Appends the inside of a JSON string, and where the bytes are not UTF-8 a second one with all of them.
fn text(bytes: &[u8], out: &mut BytesMut) {
    match std::str::from_utf8(bytes) {
        Ok(text) => escape(text, out),
        Err(_) => {
            escape(&String::from_utf8_lossy(bytes), out);
            out.extend_from_slice(br#"","base64":""#);
            out.extend_from_slice(STANDARD.encode(bytes).as_bytes());
        }
    }
}

fn escape(text: &str, out: &mut BytesMut) {
    const CARE: Care = Care::and(b"\"\\");
    CARE.copy(text, out, |char, out| {
        match char {
            '"' => out.extend_from_slice(b"\\\""),
            '\\' => out.extend_from_slice(b"\\\\"),
            '\t' => out.extend_from_slice(b"\\t"),
            '\r' => out.extend_from_slice(b"\\r"),
            '\n' => out.extend_from_slice(b"\\n"),
            _ if is_unsafe(char) => unicode(char, out),
            _ => return false,
        }
        true
    });
}

/// `\u001b`: none of the unsafe characters lies beyond U+FFFF.
fn unicode(char: char, out: &mut BytesMut) {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    let code = u32::from(char);
    let digit = |shift: u32| HEX[(code >> shift & 0xF) as usize];
    out.extend_from_slice(&[b'\\', b'u', digit(12), digit(8), digit(4), digit(0)]);
}

#[cfg(test)]
mod tests;
