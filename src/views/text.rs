//! The text view: of a run, the child's bytes as they are, both streams; of a feed, its plain lines as they are and a line
//! for each record. It never adds to the bytes of a run, unless times were asked for.

use std::borrow::Cow;
use std::fmt::Write;

use bytes::BytesMut;

use crate::record::{Chunk, Entry, Level, Stream, stamp};
use crate::views::{FeedOptions, Frames, Options, is_unsafe, whole_lines};

/// See the module.
pub(super) struct Text {
    time: bool,
    /// What joblines itself says is shown too: a feed has no receipt that could tell it.
    system: bool,
    /// How a record is written.
    record: Option<Template>,
}

impl Text {
    pub(super) fn new(options: Options) -> Text {
        Text { time: options.time, system: false, record: None }
    }

    pub(super) fn of_feed(options: FeedOptions) -> Text {
        Text { time: options.time, system: true, record: options.text.as_deref().map(Template::new) }
    }

    pub(super) fn chunk(&mut self, chunk: &Chunk, out: &mut Frames) {
        match chunk.stream {
            Stream::Record => return records(chunk, self.record.as_ref(), out.buffer()),
            Stream::System if !self.system => return,
            Stream::System | Stream::Stdout | Stream::Stderr => {}
        }
        let mark = if chunk.stream == Stream::System { "joblines: " } else { "" };
        if mark.is_empty() && (!self.time || chunk.continues) {
            out.share(&chunk.bytes);
            return;
        }
        let time = if self.time { stamp(chunk.time) + " " } else { String::new() };
        let buffer = out.buffer();
        if chunk.open {
            buffer.extend_from_slice(time.as_bytes());
            buffer.extend_from_slice(&chunk.bytes);
            return;
        }
        for line in whole_lines(&chunk.bytes) {
            buffer.extend_from_slice(time.as_bytes());
            buffer.extend_from_slice(mark.as_bytes());
            buffer.extend_from_slice(line);
            buffer.extend_from_slice(b"\n");
        }
    }
}

/// Each record as people read it: when, how grave, whose, what; its exception and its stack on the lines behind.
fn records(chunk: &Chunk, template: Option<&Template>, out: &mut BytesMut) {
    for line in whole_lines(&chunk.bytes) {
        let Some(entry) = Entry::read(line) else {
            out.extend_from_slice(line);
            out.extend_from_slice(b"\n");
            continue;
        };
        let mut text = match template {
            Some(template) => template.fill(&entry, chunk),
            None => in_text(&entry, chunk),
        };
        for more in [&entry.exception, &entry.stack].into_iter().flatten() {
            text.push('\n');
            push_legible(more.trim_end_matches('\n'), &mut text);
        }
        text.push('\n');
        out.extend_from_slice(text.as_bytes());
    }
}

/// What a template may have in braces.
pub const RECORD_FIELDS: [&str; 15] = [
    "time", "level", "logger", "message", "feed", "file", "line", "func", "host", "user", "pid", "process", "thread",
    "task", "received",
];

/// How a record is written: texts, each followed by a field where there is one.
struct Template(Vec<(String, Option<&'static str>)>);

impl Template {
    /// Of a text with fields in braces; any other brace stays as it is.
    fn new(text: &str) -> Template {
        let (mut parts, mut plain, mut rest) = (Vec::new(), String::new(), text);
        while let Some(at) = rest.find('{') {
            let (before, behind) = rest.split_at(at);
            plain.push_str(before);
            let field = RECORD_FIELDS.into_iter().find(|field| {
                behind.get(1..).and_then(|inner| inner.strip_prefix(field)).is_some_and(|rest| rest.starts_with('}'))
            });
            let length = match field {
                Some(field) => {
                    parts.push((std::mem::take(&mut plain), Some(field)));
                    field.len() + 2
                }
                None => {
                    plain.push('{');
                    1
                }
            };
            rest = behind.get(length..).unwrap_or_default();
        }
        plain.push_str(rest);
        parts.push((plain, None));
        Template(parts)
    }

    fn fill(&self, entry: &Entry<'_>, chunk: &Chunk) -> String {
        let mut text = String::new();
        for (plain, field) in &self.0 {
            text.push_str(plain);
            if let Some(value) = field.and_then(|field| value(field, entry, chunk)) {
                push_legible(&value, &mut text);
            }
        }
        text
    }
}

/// The field of a record that is called so; `None` where the record has none.
fn value<'a>(field: &str, entry: &'a Entry<'_>, chunk: &Chunk) -> Option<Cow<'a, str>> {
    let text = |text: &'a Option<Cow<'_, str>>| text.as_deref().map(Cow::Borrowed);
    match field {
        "time" => Some(Cow::Owned(time_of(entry, chunk))),
        "received" => Some(Cow::Owned(stamp(chunk.time))),
        "level" => {
            level_of(entry).map(Cow::Borrowed).or_else(|| entry.level.map(|level| Cow::Owned(level.to_string())))
        }
        "logger" => text(&entry.logger),
        "message" => Some(Cow::Borrowed(&entry.text)),
        "feed" => text(&entry.feed),
        "file" => text(&entry.file),
        "line" => entry.line.map(|line| Cow::Owned(line.to_string())),
        "func" => text(&entry.func),
        "host" => text(&entry.host),
        "user" => text(&entry.user),
        "pid" => entry.pid.map(|pid| Cow::Owned(pid.to_string())),
        "process" => text(&entry.process),
        "thread" => text(&entry.thread_name),
        "task" => text(&entry.task),
        _ => None,
    }
}

/// When it was made, or came where that is not known.
fn time_of(entry: &Entry<'_>, chunk: &Chunk) -> String {
    let sent = entry.time.and_then(|time| jiff::Timestamp::from_microsecond(time).ok());
    stamp(sent.unwrap_or(chunk.time))
}

fn level_of<'a>(entry: &'a Entry<'_>) -> Option<&'a str> {
    entry.level_name.as_deref().or_else(|| entry.level.and_then(Level::name))
}

fn in_text(entry: &Entry<'_>, chunk: &Chunk) -> String {
    let mut text = time_of(entry, chunk);
    let words = [entry.feed.as_deref(), entry.log_file(), level_of(entry), entry.logger.as_deref()];
    for word in words.into_iter().flatten() {
        text.push(' ');
        push_legible(word, &mut text);
    }
    text.push(' ');
    push_legible(&entry.text, &mut text);
    text
}

/// A sender's text, less what would steer a terminal: a record is nobody's raw output.
fn push_legible(text: &str, out: &mut String) {
    for char in text.chars() {
        match char {
            '\n' => out.push(char),
            _ if is_unsafe(char) => drop(write!(out, "\\u{{{:x}}}", u32::from(char))),
            _ => out.push(char),
        }
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    #[test]
    fn a_record_is_written_as_its_feed_says() {
        let entry = Entry {
            level: Some(Level::new(33)),
            logger: Some("app.db".into()),
            text: "two\nlines\u{1b}[1m".into(),
            time: Some(0),
            line: Some(7),
            exception: Some("KeyError: 1\n".into()),
            ..Entry::default()
        };
        let mut line = Vec::new();
        entry.write(&mut line);
        let time = "2026-11-21T12:00:00Z".parse().unwrap();
        let chunk =
            Chunk { line: 1, time, stream: Stream::Record, continues: false, open: false, bytes: Bytes::from(line) };
        for (template, expected) in [
            ("{time} - {level} - {message}", "1970-01-01T00:00:00.000000Z - 33 - two\nlines\\u{1b}[1m"),
            ("{received} {logger}:{line} {{level}} {x} {", "2026-11-21T12:00:00.000000Z app.db:7 {33} {x} {"),
            ("[{func}{task}]", "[]"),
            ("", ""),
        ] {
            let mut out = Frames::default();
            let options = FeedOptions { text: Some(template.to_owned()), ..FeedOptions::default() };
            Text::of_feed(options).chunk(&chunk, &mut out);
            assert_eq!(out.take().as_slice().concat(), format!("{expected}\nKeyError: 1\n").into_bytes(), "{template}");
        }
    }
}
