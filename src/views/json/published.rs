//! A feed as the events of Elva's server: each line one message with an object such as python-redis-log publishes, in its
//! keys and its words. It never sends half a line, and nothing that this library has no key for.

use std::borrow::Cow;

use bytes::BytesMut;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::Serialize;
use utoipa::ToSchema;

use super::fields;
use crate::record::{Chunk, Entry, FeedStart, Level, Records, RunId, Stream};
use crate::views::{EventId, Frames, Pieces, Plain, Reached};

/// One record as python-redis-log publishes it. What is not known is empty, or 0, for whoever reads these takes it to be
/// there.
#[derive(Serialize, ToSchema)]
#[schema(as = PublishedObject)]
pub struct PublishedObject<'a> {
    username: &'a str,
    /// The message has them in it.
    #[schema(value_type = Vec<String>, max_items = 0)]
    args: [(); 0],
    /// The logger; of a line that shows none, the feed; of joblines' own, `joblines`.
    name: &'a str,
    level: &'static str,
    line_no: u64,
    #[schema(required)]
    traceback: Option<Cow<'a, str>>,
    filename: &'a str,
    /// In UTC, without saying so.
    time: String,
    msg: Cow<'a, str>,
    funcname: &'a str,
    hostname: &'a str,
}

/// See the module.
#[derive(Default)]
pub(in crate::views) struct Published {
    feed: String,
    journal: Option<RunId>,
    pieces: Pieces,
    plain: Plain,
    /// What is carried over in each stream.
    strands: [Strand; Stream::ALL.len()],
}

/// What of a stream of plain lines matters to its next line.
#[derive(Default)]
struct Strand {
    records: Records,
    level: Option<Level>,
    logger: Option<String>,
}

impl Published {
    pub(in crate::views) fn start_feed(&mut self, start: &FeedStart) {
        self.journal = Some(start.journal);
        self.feed.clone_from(&start.feed);
    }

    pub(in crate::views) fn chunk(&mut self, chunk: &Chunk, out: &mut Frames) {
        let mut pieces = std::mem::take(&mut self.pieces);
        pieces.whole_lines(chunk, |number, line| self.message(chunk, (number, line), out.buffer()));
        self.pieces = pieces;
    }

    fn message(&mut self, chunk: &Chunk, (number, line): (u64, &[u8]), out: &mut BytesMut) {
        if let Some(run) = self.journal {
            let id = EventId { run, reached: Reached::Line(number) };
            out.extend_from_slice(format!("id: {id}\n").as_bytes());
        }
        out.extend_from_slice(b"data: ");
        let entry = if chunk.stream == Stream::Record { Entry::read(line) } else { None };
        let json = match &entry {
            Some(entry) => serde_json::to_vec(&of_entry(entry, &self.feed, chunk.time)),
            None => serde_json::to_vec(&self.of_line(chunk, number, line)),
        };
        // an object of texts and numbers always serializes
        fields(&json.unwrap_or_default(), out);
        out.extend_from_slice(b"\n\n");
    }

    /// A plain line; one that goes on with the record before it has that one's level and logger.
    fn of_line<'a>(&'a mut self, chunk: &Chunk, number: u64, line: &'a [u8]) -> PublishedObject<'a> {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let strand = &mut self.strands[chunk.stream as usize];
        if chunk.stream != Stream::System
            && let Some(said) = strand.records.begin(number, chunk.time, self.plain.of(line))
        {
            strand.level = said.level;
            strand.logger = said.logger.map(|name| String::from_utf8_lossy(name).into_owned());
        }
        let own = if chunk.stream == Stream::System { "joblines" } else { &self.feed };
        PublishedObject {
            name: strand.logger.as_deref().unwrap_or(own),
            level: word_for(strand.level),
            msg: String::from_utf8_lossy(line),
            ..nothing(chunk.time)
        }
    }
}

fn of_entry<'a>(entry: &'a Entry<'_>, feed: &'a str, received: Timestamp) -> PublishedObject<'a> {
    let time = entry.time.and_then(|time| Timestamp::from_microsecond(time).ok());
    let text = |text: &'a Option<Cow<'_, str>>| text.as_deref().unwrap_or_default();
    let traceback = match (entry.exception.as_deref(), entry.stack.as_deref()) {
        (Some(exception), Some(stack)) => Some(Cow::Owned(format!("{exception}\n{stack}"))),
        (one, other) => one.or(other).map(Cow::Borrowed),
    };
    PublishedObject {
        username: text(&entry.user),
        name: entry.logger.as_deref().or(entry.feed.as_deref()).unwrap_or(feed),
        level: word_for(entry.level),
        line_no: entry.line.unwrap_or(0),
        traceback,
        filename: text(&entry.file),
        msg: Cow::Borrowed(&entry.text),
        funcname: text(&entry.func),
        hostname: text(&entry.host),
        ..nothing(time.unwrap_or(received))
    }
}

fn nothing<'a>(time: Timestamp) -> PublishedObject<'a> {
    PublishedObject {
        username: "",
        args: [],
        name: "",
        level: word_for(None),
        line_no: 0,
        traceback: None,
        filename: "",
        time: naive(time),
        msg: Cow::Borrowed(""),
        funcname: "",
        hostname: "",
    }
}

/// The library's word for the level with a name that this one is among.
fn word_for(level: Option<Level>) -> &'static str {
    match level.and_then(Level::band) {
        Some(Level::TRACE | Level::DEBUG) => "debug",
        Some(Level::INFO | Level::NOTICE) => "info",
        Some(Level::WARNING) => "warning",
        Some(Level::ERROR) => "error",
        Some(Level::CRITICAL) => "fatal",
        _ => "unknown",
    }
}

/// As Python's `datetime.utcnow().isoformat()`: no zone, and no fraction of a second where it is 0.
fn naive(time: Timestamp) -> String {
    let seconds = time.to_zoned(TimeZone::UTC).strftime("%Y-%m-%dT%H:%M:%S").to_string();
    match time.subsec_microsecond() {
        0 => seconds,
        micros => format!("{seconds}.{micros:06}"),
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use serde_json::{Value, json};

    use super::*;

    fn chunk(line: u64, stream: Stream, text: &[u8]) -> Chunk {
        let time = "2026-11-21T12:00:00.05Z".parse().unwrap();
        let open = !text.ends_with(b"\n");
        Chunk { line, time, stream, continues: false, open, bytes: Bytes::copy_from_slice(text) }
    }

    /// What comes of the chunks: the lines of each event.
    fn events(journal: RunId, chunks: &[Chunk]) -> Vec<String> {
        let mut published = Published::default();
        let mut out = Frames::default();
        let started = Timestamp::UNIX_EPOCH;
        published.start_feed(&FeedStart { feed: "app".into(), path: None, journal, started });
        chunks.iter().for_each(|chunk| published.chunk(chunk, &mut out));
        let sent = String::from_utf8(out.take().as_slice().concat()).unwrap();
        sent.split_terminator("\n\n").map(str::to_owned).collect()
    }

    fn data(event: &str) -> Value {
        serde_json::from_str(event.split_once("\ndata: ").unwrap().1).unwrap()
    }

    #[test]
    fn a_record_is_an_object_in_the_words_of_the_library() {
        let entry = Entry {
            level: Some(Level::CRITICAL),
            logger: Some("my.logger".into()),
            text: "two\nlines \u{202e}\u{7f}".into(),
            time: Some(1_795_242_536_000_000),
            file: Some("/srv/a.py".into()),
            line: Some(7),
            func: Some("f".into()),
            host: Some("vm".into()),
            user: Some("root".into()),
            exception: Some("KeyError: 1".into()),
            extra: vec![("more".into(), "1".into())],
            ..Entry::default()
        };
        let mut line = Vec::new();
        entry.write(&mut line);
        let journal = RunId::new();
        let sent = events(journal, &[chunk(4, Stream::Record, &line)]);
        assert!(sent[0].starts_with(&format!("id: {journal}/4\ndata: {{")) && sent[0].lines().count() == 2, "{sent:?}");
        assert!(sent[0].contains(r"two\nlines \u202e\u007f"), "nothing raw: {sent:?}");
        let expected = json!({
            "username": "root", "args": [], "name": "my.logger", "level": "fatal", "line_no": 7,
            "traceback": "KeyError: 1", "filename": "/srv/a.py", "time": "2026-11-21T06:28:56",
            "msg": "two\nlines \u{202e}\u{7f}", "funcname": "f", "hostname": "vm",
        });
        assert_eq!(data(&sent[0]), expected);
    }

    #[test]
    fn a_plain_line_is_one_too_and_half_a_line_waits() {
        let journal = RunId::new();
        let half = Chunk { open: true, ..chunk(4, Stream::Stdout, b"la") };
        let rest = Chunk { continues: true, ..chunk(4, Stream::Stdout, b"st \xff\n") };
        let sent = events(
            journal,
            &[
                chunk(1, Stream::Stdout, b"plain\r\n\x1b[31mERROR\x1b[m:db:gone\n  more\n"),
                half,
                chunk(5, Stream::System, b"source lost\n"),
                rest,
            ],
        );
        let told: Vec<_> = sent.iter().map(|event| data(event)).collect();
        let words = |value: &Value| ["name", "level", "msg"].map(|key| value[key].as_str().unwrap().to_owned());
        let expected = [
            ["app", "unknown", "plain"],
            ["db", "error", "\u{1b}[31mERROR\u{1b}[m:db:gone"],
            ["db", "error", "  more"],
            ["joblines", "unknown", "source lost"],
            ["app", "unknown", "last \u{fffd}"],
        ];
        assert_eq!(told.iter().map(words).collect::<Vec<_>>(), expected.map(|words| words.map(str::to_owned)));
        let last = &told[4];
        assert_eq!((&last["time"], &last["line_no"]), (&json!("2026-11-21T12:00:00.050000"), &json!(0)));
        assert_eq!((&last["traceback"], &last["filename"]), (&Value::Null, &json!("")));
        assert!(sent[4].starts_with(&format!("id: {journal}/4\n")));
    }

    #[test]
    fn levels_have_the_words_of_the_library() {
        let words = [0, 5, 10, 20, 25, 33, 40, 50, 99].map(|number| word_for(Some(Level::new(number))));
        assert_eq!(words, ["unknown", "debug", "debug", "info", "info", "warning", "error", "fatal", "fatal"]);
    }
}
