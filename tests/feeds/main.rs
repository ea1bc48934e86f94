//! Feeds from outside: lines that are pushed to them, their page, their filters, several of them as one.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

#[path = "../harness/mod.rs"]
mod harness;

mod events;
mod fields;
mod filters;
mod merge;
mod page;
mod push;
mod script;
mod times;
mod viewers;

use harness::{Response, Server};
use serde_json::Value;

/// A feed that lines are pushed to.
const APP: &str = "[feeds.app]\ndescription = 'The shop & <more>'\npush = true\n";

/// Lines of every kind: levels, a traceback, colours, what is no UTF-8, markup.
const KINDS: &[u8] = b"2026-11-21 13:00:00,1 - app.db - INFO - begun
ERROR:app.db.pool:lost <b>
Traceback (most recent call last):
  File \"a.py\", line 1
KeyError: 1
\x1b[33mWARNING\x1b[0m:other:in colours
bytes \xff\xfe one
<script>alert(1)</script> &amp; \x07 \xe2\x80\xae
DEBUG:app.db:health one
";

/// How many lines [`KINDS`] has.
const KIND_LINES: u64 = 9;

/// Pushes lines to `feed`; they are in its journal when this returns.
fn push(server: &Server, feed: &str, lines: &[u8]) {
    server.request("PUT", &format!("/feeds/{feed}/lines")).body("text/plain", lines).send().expect(200);
}

/// The page of a feed as a browser gets it, as far as it is there.
fn page(server: &Server, target: &str) -> String {
    let page = server.visit(target).expect(200);
    assert!(page.header("content-type").is_some_and(|kind| kind.starts_with("text/html")), "{page:?}");
    page.text()
}

/// The numbers of the rows of a page, in its order.
fn rows(page: &str) -> Vec<u64> {
    // the lines of an exception share a row
    let ids = page.split("<tr id=L").skip(1).flat_map(|row| row.split("<span id=L"));
    ids.map(|id| id.split([' ', '>']).next().unwrap().parse().unwrap()).collect()
}

/// The row of a line.
fn row(page: &str, line: u64) -> &str {
    let shared = || page[..page.find(&format!("<span id=L{line}>"))?].rfind("<tr ");
    let begin = page.find(&format!("<tr id=L{line} ")).or_else(shared);
    let begin = begin.unwrap_or_else(|| panic!("no line {line} in {page}"));
    let row = &page[begin..];
    let end = row[1..].find("<tr ").or_else(|| row.find("</tbody>")).map_or(row.len(), |end| end + 1);
    &row[..end]
}

/// The numbers of the lines among objects.
fn seqs(objects: &[Value]) -> Vec<u64> {
    objects.iter().filter_map(|object| object["seq"].as_u64()).collect()
}

/// A stream of events.
fn events(server: &Server, target: &str) -> Response {
    server.request("GET", target).accept("text/event-stream").send().expect(200)
}
