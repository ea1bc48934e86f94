//! Several feeds as one: each line in the order of its arrival, with where it came from.

use crate::harness::{Server, html};
use crate::{page, push, row};

const FEEDS: &str = "[feeds.a]\npush = true\n[feeds.b]\npush = true\n[feeds.all]\nmerge = ['a', 'b']\n";

#[test]
fn a_merged_line_says_where_it_came_from_in_every_format() {
    let server = Server::start(FEEDS);
    push(&server, "a", b"WARNING:app:one\n");
    push(&server, "b", b"two <b>\n");
    push(&server, "a", b"three\n");
    let lines: Vec<_> =
        server.ndjson("/feeds/all?follow=0").into_iter().filter(|object| object["type"] == "line").collect();
    let told: Vec<_> =
        lines.iter().map(|line| (line["feed"].as_str().unwrap(), line["text"].as_str().unwrap())).collect();
    assert_eq!(told, [("a", "WARNING:app:one"), ("b", "two <b>"), ("a", "three")]);
    assert_eq!((lines[0]["level"].as_i64(), lines[0]["logger"].as_str()), (Some(30), Some("app")));
    let text = server.get("/feeds/all?follow=0").text();
    assert!(text.lines().next().unwrap().ends_with(" a warning app WARNING:app:one"), "{text}");
    let page = page(&server, "/feeds/all?follow=0");
    html::assert_whole(&page);
    assert!(row(&page, 1).contains("class=\"level-warning\"") && row(&page, 1).contains(">app<td>"), "{page}");
    assert!(row(&page, 2).contains("two &lt;b><td><a class=source href=\"/feeds/b\">b</a>"), "{page}");
}

#[test]
fn a_traceback_keeps_the_level_of_its_record() {
    let server = Server::start(FEEDS);
    push(&server, "a", b"ERROR:app:one\nTraceback (most recent call last):\n  File\nKeyError: 1\nINFO:app:two\n");
    let kept = server.get("/feeds/all?follow=0&level=error").text();
    assert_eq!(kept.lines().count(), 4, "{kept}");
}

#[test]
fn a_feed_says_how_its_records_are_written() {
    let server = Server::start(
        "[feeds.a]\npush = true\n[feeds.all]\nmerge = ['a']\ntext = '{level}|{logger}|{feed}|{message}'\n",
    );
    push(&server, "a", b"WARNING:app:one\nplain\n");
    assert_eq!(server.get("/feeds/all?follow=0").text(), "warning|app|a|WARNING:app:one\n||a|plain\n");
}
