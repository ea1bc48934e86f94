//! What of a record is folded: tracebacks, other fields, where exactly it came from. What a fold holds is told in a few
//! words before it is opened.

use std::borrow::Cow;

use bytes::BytesMut;

use super::{escape_text, stamp, write_lines};
use crate::record::{Entry, Thread, readable};
use crate::views::{Strand, legible, shortened};

/// So many characters of what is folded are seen.
const GLANCE: usize = 120;

/// A long text and what it is.
pub(super) struct Folded<'a> {
    pub(super) name: &'static str,
    pub(super) text: &'a str,
}

/// A text of many lines, behind the one that says most: an exception's last.
pub(super) fn fold_text(folded: &Folded<'_>, out: &mut BytesMut) {
    let last = folded.text.lines().rev().find(|line| !line.trim().is_empty());
    let glance = last.filter(|_| folded.name == "exception").unwrap_or(folded.name);
    open(folded.name, glance, out);
    out.extend_from_slice(b"<pre>");
    let mut ink = Strand::default();
    // a newline right behind the tag would be none of the text
    for line in folded.text.trim_matches('\n').lines() {
        ink.line(line.as_bytes(), out);
        out.extend_from_slice(b"\n");
    }
    out.extend_from_slice(b"</pre></details>");
}

/// The fields that the model has no name for.
pub(super) fn fold_extra(extra: &[(Cow<'_, str>, Cow<'_, str>)], out: &mut BytesMut) {
    if extra.is_empty() {
        return;
    }
    let glance: Vec<String> =
        extra.iter().take(8).map(|(name, value)| format!("{name}={}", shortened(&readable(value), 40))).collect();
    open("extra", &glance.join(" "), out);
    let facts = extra.iter().map(|(name, value)| (Cow::Borrowed(&**name), readable(value)));
    list(facts, out);
    out.extend_from_slice(b"</details>");
}

/// Where in which program a record was made, when, and by whom it was sent.
pub(super) fn fold_origin(entry: &Entry<'_>, received: &str, out: &mut BytesMut) {
    let facts = origin(entry, received);
    if facts.is_empty() {
        return;
    }
    let place = match (&entry.file, entry.line) {
        (Some(file), line) => {
            let name = file.rsplit(['/', '\\']).next().unwrap_or(file);
            line.map_or(name.to_owned(), |line| format!("{name}:{line}"))
        }
        (None, _) => entry.host.as_deref().or(entry.process.as_deref()).unwrap_or("origin").to_owned(),
    };
    let func = entry.func.as_deref().filter(|func| !func.starts_with('<'));
    open("origin", &func.map_or(place.clone(), |func| format!("{place} {func}")), out);
    list(facts.into_iter().map(|(name, value)| (Cow::Borrowed(name), Cow::Owned(value))), out);
    out.extend_from_slice(b"</details>");
}

fn origin(entry: &Entry<'_>, received: &str) -> Vec<(&'static str, String)> {
    let mut facts = Vec::new();
    let mut add = |name, value: Option<String>| facts.extend(value.map(|value| (name, value)));
    let line = entry.line.map(|line| format!(":{line}")).unwrap_or_default();
    add("file", entry.file.as_deref().map(|file| format!("{file}{line}")));
    add("function", entry.func.as_deref().map(str::to_owned));
    add("host", entry.host.as_deref().map(str::to_owned));
    add("user", entry.user.as_deref().map(str::to_owned));
    add("process", entry.process.as_deref().map(str::to_owned));
    add("pid", entry.pid.map(|pid| pid.to_string()));
    add("thread", entry.thread_name.as_deref().map(str::to_owned));
    add(
        "thread's id",
        entry.thread.as_ref().map(|thread| match thread {
            Thread::Number(number) => number.to_string(),
            Thread::Text(text) => text.to_string(),
        }),
    );
    add("task", entry.task.as_deref().map(str::to_owned));
    let sent = entry.time.and_then(|time| jiff::Timestamp::from_microsecond(time).ok());
    add("sent", sent.map(stamp));
    if !facts.is_empty() {
        facts.push(("received", received.to_owned()));
    }
    facts
}

fn open(class: &str, glance: &str, out: &mut BytesMut) {
    out.extend_from_slice(b"<details class=");
    out.extend_from_slice(class.as_bytes());
    out.extend_from_slice(b"><summary>");
    escape_text(&shortened(&legible(glance), GLANCE), out);
    out.extend_from_slice(b"</summary>");
}

/// Names and values.
fn list<'a>(facts: impl Iterator<Item = (Cow<'a, str>, Cow<'a, str>)>, out: &mut BytesMut) {
    out.extend_from_slice(b"<dl>");
    for (name, value) in facts {
        out.extend_from_slice(b"<div><dt>");
        escape_text(&name, out);
        out.extend_from_slice(b"<dd>");
        write_lines(&value, out);
        out.extend_from_slice(b"</div>");
    }
    out.extend_from_slice(b"</dl>");
}
