//! One row of a feed's table. It escapes whatever a sender may have written.

use std::fmt::Write;

use bytes::BytesMut;

use super::{Folded, When, escape_text, fold_extra, fold_origin, fold_text};
use crate::record::{self, Entry, Level};
use crate::views::{FeedOptions, Strand};

/// So many lines before it a link to a row shows.
const CONTEXT: u64 = 100;

/// What the record says of itself that a line belongs to.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub(super) struct Said {
    pub(super) level: Option<Level>,
    pub(super) logger: String,
    /// joblines itself says it.
    is_own: bool,
}

impl Said {
    pub(super) const JOBLINES: Said = Said { level: None, logger: String::new(), is_own: true };

    /// What a line says that begins a record.
    pub(super) fn take(&mut self, said: record::Said<'_>) {
        self.level = said.level;
        self.logger.clear();
        if let Some(name) = said.logger {
            self.logger.push_str(&String::from_utf8_lossy(name));
        }
    }
}

/// A row that is to be written.
pub(super) struct Row {
    pub(super) number: u64,
    /// Its number among those that begin a record from warning up.
    pub(super) problem: Option<u64>,
    /// The row above is the next one.
    pub(super) newest: bool,
}

impl Row {
    /// Everything up to the message of a plain line.
    pub(super) fn of_line(&self, said: &Said, goes_on: bool, when: &When, out: &mut BytesMut) {
        let class = if said.is_own { "joblines" } else { class_of(said.level) };
        self.begin(class, goes_on, out);
        if goes_on {
            out.extend_from_slice(b"<td><td><td><td>");
            return;
        }
        write_time(&when.stamp, &when.clock, out);
        let name = said.level.map(|level| level.to_string()).unwrap_or_default();
        self.write_level(if said.is_own { "joblines" } else { &name }, out);
        out.extend_from_slice(b"<td>");
        escape_text(&said.logger, out);
        out.extend_from_slice(b"<td>");
    }

    /// The whole row of a record.
    pub(super) fn of_entry(&self, entry: &Entry<'_>, (when, options): (&When, &FeedOptions), out: &mut BytesMut) {
        self.begin(class_of(entry.level), false, out);
        match entry.time.and_then(|time| jiff::Timestamp::from_microsecond(time).ok()).map(When::new) {
            // of another day than the rows around it
            Some(sent) if sent.day != when.day => {
                write_time(&sent.stamp, &format!("{} {}", sent.day, sent.clock), out);
            }
            Some(sent) => write_time(&sent.stamp, &sent.clock, out),
            None => write_time(&when.stamp, &when.clock, out),
        }
        match (&entry.level_name, entry.level) {
            (Some(name), _) => self.write_level(name, out),
            (None, Some(level)) => self.write_level(&level.to_string(), out),
            (None, None) => self.write_level("", out),
        }
        out.extend_from_slice(b"<td>");
        escape_text(entry.logger.as_deref().unwrap_or_default(), out);
        out.extend_from_slice(b"<td>");
        write_lines(&entry.text, out);
        for (text, name) in [(&entry.exception, "exception"), (&entry.stack, "stack")] {
            if let Some(text) = text {
                fold_text(&Folded { name, text }, out);
            }
        }
        fold_extra(&entry.extra, out);
        out.extend_from_slice(b"<td>");
        if let Some(feed) = &entry.feed {
            write_source(feed, &options.base_path, out);
        }
        fold_origin(entry, &when.stamp, out);
        out.extend_from_slice(b"\n");
    }

    /// The whole row of what goes on with the record in the row before.
    pub(super) fn of_more(&self, entry: &Entry<'_>, out: &mut BytesMut) {
        self.begin(class_of(entry.level), true, out);
        out.extend_from_slice(b"<td><td><td><td>");
        write_lines(&entry.text, out);
        out.extend_from_slice(b"<td>\n");
    }

    /// Everything up to the message of the lines up to `last`, which go on with the row before it.
    pub(super) fn of_lines(&self, level: Option<Level>, last: u64, out: &mut BytesMut) {
        let (number, class) = (self.number, class_of(level));
        // a buffer takes everything
        let _ = write!(out, "<tr id=L{number}");
        if last > number {
            let _ = write!(out, " data-to={last}");
        }
        let _ = write!(out, " class=\"{class} goes-on\"><td>{number}<td><td><td><td>");
    }

    fn begin(&self, class: &str, goes_on: bool, out: &mut BytesMut) {
        let number = self.number;
        // a buffer takes everything
        let _ = match goes_on {
            true => write!(out, "<tr id=L{number} class=\"{class} goes-on\"><td>{number}"),
            false => {
                let from = number.saturating_sub(CONTEXT).max(1);
                let link = format_args!("<a href=\"?from={from}#L{number}\">{number}</a>");
                write!(out, "<tr id=L{number} class=\"{class}\"><td>{link}")
            }
        };
    }

    /// The level, and links to the rows before and behind that are as grave.
    fn write_level(&self, name: &str, out: &mut BytesMut) {
        let Some(problem) = self.problem else {
            out.extend_from_slice(b"<td>");
            return escape_text(name, out);
        };
        let _ = write!(out, "<td id=e{problem}>");
        escape_text(name, out);
        let (above, below) = if self.newest { (problem + 1, problem - 1) } else { (problem - 1, problem + 1) };
        let (up, down) = if self.newest { ("next", "previous") } else { ("previous", "next") };
        out.extend_from_slice(b"<span class=hop>");
        for (to, which, sign) in [(above, up, '↑'), (below, down, '↓')] {
            if to > 0 {
                let _ = write!(out, "<a href=#e{to} aria-label=\"{which} warning or error\">{sign}</a>");
            }
        }
        out.extend_from_slice(b"</span>");
    }
}

/// The feed that a record came from, with a link to it where that is its name.
fn write_source(feed: &str, base_path: &str, out: &mut BytesMut) {
    let is_name = feed.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_.-/".contains(&byte));
    match is_name {
        true => drop(write!(out, "<a class=source href=\"{base_path}/feeds/{feed}\">{feed}</a> ")),
        false => {
            out.extend_from_slice(b"<span class=source>");
            escape_text(feed, out);
            out.extend_from_slice(b"</span> ");
        }
    }
}

/// The class of a row: the level with a name that it is among.
fn class_of(level: Option<Level>) -> &'static str {
    match level.and_then(Level::band).unwrap_or(Level::NOTSET) {
        Level::TRACE => "level-trace",
        Level::DEBUG => "level-debug",
        Level::INFO => "level-info",
        Level::NOTICE => "level-notice",
        Level::WARNING => "level-warning",
        Level::ERROR => "level-error",
        Level::CRITICAL => "level-critical",
        _ => "level-none",
    }
}

/// A time; HTML knows no more of it than milliseconds.
fn write_time(stamp: &str, words: &str, out: &mut BytesMut) {
    let millis = stamp.len().checked_sub("000Z".len()).and_then(|end| stamp.get(..end)).unwrap_or(stamp);
    let _ = write!(out, "<td><time datetime={millis}Z title={stamp}>{words}</time>");
}

/// A sender's text, its lines and its colours kept.
pub(super) fn write_lines(text: &str, out: &mut BytesMut) {
    let mut ink = Strand::default();
    for (at, line) in text.split('\n').enumerate() {
        if at > 0 {
            out.extend_from_slice(b"\n");
        }
        ink.line(line.as_bytes(), out);
    }
}
