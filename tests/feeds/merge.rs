//! Several feeds as one: each line in the order of its arrival, with where it came from.

use serde_json::Value;

use crate::harness::{Server, html};
use crate::{page, push, row, rows, seqs};

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
fn a_traceback_is_one_record_with_its_line_folded_and_found_in_it() {
    let server = Server::start(FEEDS);
    push(&server, "a", b"ERROR:app:one\nTraceback (most recent call last):\n  File\nKeyError: <1>\nINFO:app:two\n");
    let page = page(&server, "/feeds/all?follow=0");
    html::assert_whole(&page);
    assert_eq!(rows(&page), [1, 2]);
    let folded = "ERROR:app:one<details class=exception><summary>KeyError: &lt;1></summary><pre>Traceback (most";
    assert!(row(&page, 1).contains(folded), "{page}");
    let found = server.ndjson("/feeds/all?follow=0&q=KeyError&level=error");
    assert_eq!(seqs(&found), [1]);
    assert_eq!(found[1]["record"]["exception"], "Traceback (most recent call last):\n  File\nKeyError: <1>");
}

#[test]
fn a_record_that_comes_line_by_line_is_shown_at_once_and_stays_one() {
    let server = Server::start(FEEDS);
    let mut watched = server.get("/feeds/all?format=ndjson&level=error&q=one");
    assert!(watched.line().contains("\"type\":\"feed\""));
    for (number, line) in (1..).zip(["ERROR:app:one\n", "  and more\n", "  and more\n"]) {
        push(&server, "a", line.as_bytes());
        let object: Value = serde_json::from_str(&watched.line()).unwrap();
        assert_eq!((object["seq"].as_i64(), object["level"].as_i64()), (Some(number), Some(40)));
        assert_eq!(object["goes_on"].as_bool(), (number > 1).then_some(true), "{object}");
    }
    push(&server, "b", b"between\n");
    push(&server, "a", b"  and last\nINFO:app:two\n");
    let page = page(&server, "/feeds/all?follow=0&q=one|between");
    html::assert_whole(&page);
    assert_eq!(rows(&page), [1, 2, 3, 4, 5]);
    assert!([2, 3].iter().all(|line| row(&page, *line).contains("class=\"level-error goes-on\"")), "{page}");
    assert!(row(&page, 5).contains("class=\"level-error\"") && row(&page, 5).contains(">a</a>"), "{page}");
    assert!(page.contains("id=e1") && !page.contains("id=e2"), "{page}");
}

#[test]
fn a_feed_says_how_its_records_are_written() {
    let server = Server::start(
        "[feeds.a]\npush = true\n[feeds.all]\nmerge = ['a']\ntext = '{level}|{logger}|{feed}|{message}'\n",
    );
    push(&server, "a", b"WARNING:app:one\nplain\n");
    assert_eq!(server.get("/feeds/all?follow=0").text(), "warning|app|a|WARNING:app:one\n||a|plain\n");
}
