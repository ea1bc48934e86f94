//! The text view: of a run, the child's bytes as they are, both streams; of a feed, its plain lines as they are and a line
//! for each record. It never adds to the bytes of a run, unless times were asked for.

use std::fmt::Write;

use bytes::BytesMut;

use crate::record::{Chunk, Entry, Level, Stream, stamp};
use crate::views::{FeedOptions, Frames, Options, is_unsafe, whole_lines};

/// See the module.
pub(super) struct Text {
    time: bool,
    /// What joblines itself says is shown too: a feed has no receipt that could tell it.
    system: bool,
}

impl Text {
    pub(super) fn new(options: Options) -> Text {
        Text { time: options.time, system: false }
    }

    pub(super) fn of_feed(options: FeedOptions) -> Text {
        Text { time: options.time, system: true }
    }

    pub(super) fn chunk(&mut self, chunk: &Chunk, out: &mut Frames) {
        match chunk.stream {
            Stream::Record => return records(chunk, out.buffer()),
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
fn records(chunk: &Chunk, out: &mut BytesMut) {
    for line in whole_lines(&chunk.bytes) {
        let Some(entry) = Entry::read(line) else {
            out.extend_from_slice(line);
            out.extend_from_slice(b"\n");
            continue;
        };
        out.extend_from_slice(in_text(&entry, chunk).as_bytes());
    }
}

fn in_text(entry: &Entry<'_>, chunk: &Chunk) -> String {
    let sent = entry.time.and_then(|time| jiff::Timestamp::from_microsecond(time).ok());
    let mut text = stamp(sent.unwrap_or(chunk.time));
    let level = entry.level_name.as_deref().or_else(|| entry.level.and_then(Level::name));
    for word in [entry.feed.as_deref(), level, entry.logger.as_deref()].into_iter().flatten() {
        text.push(' ');
        push_legible(word, &mut text);
    }
    text.push(' ');
    push_legible(&entry.text, &mut text);
    for more in [&entry.exception, &entry.stack].into_iter().flatten() {
        text.push('\n');
        push_legible(more, &mut text);
    }
    text.push('\n');
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
