//! Lines asked for by a field: of records, of plain lines that are JSON or logfmt, in every format, of every feed.

use serde_json::Value;

use crate::harness::{Server, html, wait_for};
use crate::{events, page, push, row, rows, seqs};

/// A feed of records, one of plain lines, and both as one.
const FEEDS: &str =
    "[feeds.py]\npython_logging = { http = true }\n[feeds.app]\npush = true\n[feeds.all]\nmerge = ['py', 'app']\n";

/// Sends a record, which is answered before it is kept, and waits until it is.
fn record(server: &Server, record: &str) {
    let kept = || server.json("/feeds/all")["lines"].as_u64();
    let before = kept();
    server.request("POST", "/feeds/py/records").body("application/json", record).send().expect(204);
    wait_for("a record in the feed", || kept() > before);
}

fn send(server: &Server) {
    record(server, r#"{"message":"begun","logger":"app","level":"info","run":42,"user":"anna"}"#);
    push(server, "app", b"{\"run\":42,\"msg\":\"plain\"}\n");
    record(server, r#"{"message":"other","level":"error","run":43,"tags":["a","b"],"note":"<&\" =x"}"#);
    push(server, "app", b"run=43 step=1\nTraceback (most recent call last):\n  File\nKeyError: 1\n");
    record(server, r#"{"message":"done","level":"warning","run":"42","traceback":"Traceback\nKeyError: 1"}"#);
    push(server, "app", b"run=42 step=\"2 3\"\nplain\n");
}

/// What a field takes of each feed.
const FIELDS: [(&str, &str, &[u64]); 14] = [
    ("py", "field=run%3D42", &[1, 3]),
    ("py", "field=run", &[1, 2, 3]),
    ("py", "field=user=anna", &[1]),
    ("py", "field=tags=%5B%22a%22,%22b%22%5D", &[2]),
    ("py", "field=note=%3C%26%22%20%3Dx", &[2]),
    ("py", "field=run=42&level=warning", &[3]),
    ("py", "field=logger=app", &[1]),
    ("py", "field=exception", &[3]),
    ("py", "field=msg", &[]),
    ("app", "field=run=42", &[1, 6]),
    ("app", "field=run=43", &[2, 3, 4, 5]),
    ("app", "field=step=2%203", &[6]),
    ("all", "field=run=42", &[1, 2, 5, 6]),
    ("all", "field=run=43", &[3, 4]),
];

#[test]
fn a_field_takes_the_same_lines_in_every_format() {
    let server = Server::start(FEEDS);
    send(&server);
    for (feed, filter, expected) in FIELDS {
        let target = format!("/feeds/{feed}?follow=0&{filter}");
        assert_eq!(seqs(&server.ndjson(&target)), expected, "{target}");
        let page = page(&server, &target);
        html::assert_whole(&page);
        assert_eq!(rows(&page), expected, "{target}");
        let mut newest: Vec<u64> = expected.iter().rev().copied().collect();
        assert_eq!(seqs(&server.ndjson(&format!("{target}&tail=1"))), newest.get(..1).unwrap_or_default(), "{target}");
        if (feed, filter) == ("app", "field=run=43") {
            // the lines of one record are read downwards all the same
            newest.reverse();
        }
        assert_eq!(rows(&self::page(&server, &format!("/feeds/{feed}?order=newest&{filter}"))), newest, "{target}");
        let saved = server.get(&format!("/feeds/{feed}?download&format=ndjson&{filter}")).ndjson();
        assert_eq!(seqs(&saved), expected, "{target}");
        let told = events(&server, &target).text();
        let ids = told.lines().filter_map(|line| line.strip_prefix("id: ")?.rsplit('/').next()?.parse::<u64>().ok());
        assert_eq!(ids.filter(|line| *line > 0).collect::<Vec<_>>(), expected, "{target}");
        let lines = server.get(&target).text().lines().filter(|line| !line.is_empty()).count();
        assert!(lines >= expected.len() && (lines == 0) == expected.is_empty(), "{target}");
    }
}

#[test]
fn who_comes_back_gets_what_follows_of_the_field() {
    let server = Server::start(FEEDS);
    send(&server);
    let journal = server.json("/feeds/all")["journal"].as_str().unwrap().to_owned();
    let back = server.request("GET", "/feeds/all?field=run=42&follow=0&since=0s").accept("application/x-ndjson");
    let rest: Vec<Value> = back.header("Last-Event-ID", &format!("{journal}/2")).send().expect(200).ndjson();
    assert_eq!(seqs(&rest), [5, 6], "where to begin was said for the first time");
}

#[test]
fn a_field_takes_what_comes_of_a_folders_file_too() {
    let server = Server::start("[feeds.logs]\ndirectory = '.'\nallow = ['*.log']\n");
    std::fs::write(server.path("a.log"), "run=1\nrun=42 one\n").unwrap();
    let mut seen = server.get("/feeds/logs/a.log?field=run=42");
    assert_eq!(seen.line(), "run=42 one");
    let more = std::fs::OpenOptions::new().append(true).open(server.path("a.log")).unwrap();
    std::io::Write::write_all(&mut &more, b"run=2\nrun=42 two\n").unwrap();
    assert_eq!(seen.line(), "run=42 two");
}

#[test]
fn a_records_fields_lead_to_the_lines_that_have_them() {
    let server = Server::start(FEEDS);
    send(&server);
    let page = page(&server, "/feeds/py?follow=0&level=error");
    let other = row(&page, 2);
    assert!(other.contains("<dt>run<dd><a href=\"?field=run%3D43\">43</a>"), "{other}");
    let link = other.split("<dt>note<dd><a href=\"").nth(1).unwrap().split('"').next().unwrap();
    assert_eq!(rows(&self::page(&server, &format!("/feeds/py{link}&follow=0"))), [2], "{link}");
    let asked = self::page(&server, "/feeds/py?follow=0&field=run%3D42&until=2999-01-01T00:00:00Z");
    for part in [
        "name=\"field\" value=\"run=42\"",
        "name=\"until\" value=\"2999-01-01T00:00:00Z\"",
        "href=\"/feeds/py?field=run%3D42&#38;until=2999-01-01T00%3A00%3A00.000000Z&#38;format=text\"",
        "<td><a href=\"?from=1#L3\">3</a>",
    ] {
        assert!(asked.contains(part), "no {part} in {asked}");
    }
}
