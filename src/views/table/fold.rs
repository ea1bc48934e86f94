//! What of a record is folded: tracebacks, other fields, where exactly it came from. What a fold holds is told in a few
//! words before it is opened.

use std::borrow::Cow;

use bytes::BytesMut;

use super::{encode, escape_text, stamp, write_lines};
use crate::record::{Entry, Thread, readable};
use crate::views::{Strand, legible, shortened};

/// So many characters of what is folded are seen.
const GLANCE: usize = 120;

/// A value of so many bytes is worth a link to the others that have it.
const LINKED: usize = 200;

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

/// Plain lines of one exception, behind what says most of them. Each but the first, which its row has, has its `id`.
pub(super) fn fold_lines(glance: &str, lines: &[(u64, &[u8])], ink: &mut Strand, out: &mut BytesMut) {
    open("exception", glance, out);
    out.extend_from_slice(b"<pre>");
    for (at, (number, line)) in lines.iter().enumerate() {
        if at > 0 {
            out.extend_from_slice(format!("<span id=L{number}>").as_bytes());
        }
        ink.line(line, out);
        out.extend_from_slice(if at > 0 { b"</span>\n" } else { b"\n" });
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
    let facts = extra.iter().map(|(name, value)| Fact {
        name: Cow::Borrowed(&**name),
        value: readable(value),
        field: Some(name),
    });
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
    list(facts.into_iter(), out);
    out.extend_from_slice(b"</details>");
}

/// What is known of a record under some name.
struct Fact<'a> {
    name: Cow<'a, str>,
    value: Cow<'a, str>,
    /// The field that it is, where lines can be asked for by it.
    field: Option<&'a str>,
}

fn origin<'a>(entry: &'a Entry<'_>, received: &str) -> Vec<Fact<'a>> {
    let mut facts = Vec::new();
    let mut add = |name: &'static str, field: Option<&'static str>, value: Option<Cow<'a, str>>| {
        facts.extend(value.map(|value| Fact { name: name.into(), value, field }));
    };
    let text = |text: &'a Option<Cow<'_, str>>| text.as_deref().map(Cow::Borrowed);
    let line = entry.line.map(|line| format!(":{line}")).unwrap_or_default();
    add("file", entry.log_file().map(|_| "file"), entry.file.as_deref().map(|file| format!("{file}{line}").into()));
    add("function", Some("func"), text(&entry.func));
    add("host", Some("host"), text(&entry.host));
    add("user", Some("user"), text(&entry.user));
    add("process", Some("process"), text(&entry.process));
    add("pid", Some("pid"), entry.pid.map(|pid| pid.to_string().into()));
    add("thread", Some("thread_name"), text(&entry.thread_name));
    add(
        "thread's id",
        Some("thread"),
        entry.thread.as_ref().map(|thread| match thread {
            Thread::Number(number) => number.to_string().into(),
            Thread::Text(text) => Cow::Borrowed(&**text),
        }),
    );
    add("task", Some("task"), text(&entry.task));
    let sent = entry.time.and_then(|time| jiff::Timestamp::from_microsecond(time).ok());
    add("sent", None, sent.map(|sent| stamp(sent).into()));
    if !facts.is_empty() {
        facts.push(Fact { name: "received".into(), value: received.to_owned().into(), field: None });
    }
    // what has the same name among the other fields is found before it
    for fact in &mut facts {
        fact.field = fact.field.filter(|field| !entry.extra.iter().any(|(other, _)| other == field));
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

/// Names and values; those that are fields lead to all lines that have them, and to no other filter.
fn list<'a>(facts: impl Iterator<Item = Fact<'a>>, out: &mut BytesMut) {
    out.extend_from_slice(b"<dl>");
    for Fact { name, value, field } in facts {
        out.extend_from_slice(b"<div><dt>");
        escape_text(&name, out);
        out.extend_from_slice(b"<dd>");
        let can_be_asked = |field: &&str| {
            let is_name = !field.is_empty() && !field.contains(['=', '\0']);
            is_name && !value.contains('\0') && !value.is_empty() && field.len() + value.len() <= LINKED
        };
        match field.filter(can_be_asked) {
            Some(field) => {
                out.extend_from_slice(format!("<a href=\"?field={}%3D{}\">", encode(field), encode(&value)).as_bytes());
                write_lines(&value, out);
                out.extend_from_slice(b"</a>");
            }
            None => write_lines(&value, out),
        }
        out.extend_from_slice(b"</div>");
    }
    out.extend_from_slice(b"</dl>");
}
