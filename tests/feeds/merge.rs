//! Several feeds as one: each line in the order of its arrival, with where it came from.

use std::fs::{self, File};
use std::io::Write;

use serde_json::Value;

use crate::harness::{Server, html, wait_for};
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

/// Appends to `log`, and waits until its feed has it.
fn write(server: &Server, log: &mut File, text: &str) {
    log.write_all(text.as_bytes()).unwrap();
    let last = text.trim();
    wait_for(last, || server.get("/feeds/log?follow=0").text().trim_end().ends_with(last));
}

/// The records of the feed `all`: level and text.
fn all(server: &Server) -> Vec<(i64, String)> {
    let objects = server.ndjson("/feeds/all?follow=0");
    let lines = objects.iter().filter(|object| object["type"] == "line");
    lines.map(|line| (line["level"].as_i64().unwrap_or(0), line["text"].as_str().unwrap().to_owned())).collect()
}

/// Saves `jobs.toml` with `old` replaced, and waits until it is in use.
fn save(server: &Server, old: &str, new: &str, mark: &str) {
    let path = server.path("jobs.toml");
    let written = fs::read_to_string(&path).unwrap().replace(old, new);
    fs::write(&path, format!("{written}[feeds.{mark}]\npush = true\n")).unwrap();
    wait_for("the file to be in use", || server.get(&format!("/feeds/{mark}?follow=0")).status == 200);
}

#[test]
fn a_line_under_way_outlives_a_saved_file_and_what_has_come_of_it_a_restart() {
    let mut server =
        Server::with("[feeds.all]\nmerge = ['log']\n[feeds.log]\nfile = 'log'\n").file("log", "", 0o600).start();
    let mut log = File::options().append(true).open(server.path("log")).unwrap();
    write(&server, &mut log, "ERROR:app:begun ");
    save(&server, "", "", "more");
    write(&server, &mut log, "ended\nTraceback (most\n");
    save(&server, "", "", "evenmore");
    write(&server, &mut log, "  File\nINFO:app:sec");
    let begun = [(40, "ERROR:app:begun ended"), (40, "  File")].map(|(level, text)| (level, text.to_owned()));
    assert_eq!(all(&server), begun, "the level of the record goes on, too");
    assert_eq!(server.stop(), Some(0));
    server.restart();
    write(&server, &mut log, "ond\n");
    assert_eq!(all(&server)[2..], [(20, "INFO:app:sec"), (0, "ond")].map(|(level, text)| (level, text.to_owned())));
}

#[test]
fn a_feed_that_is_configured_otherwise_keeps_what_has_come_of_a_line() {
    let server =
        Server::with("[feeds.all]\nmerge = ['log']\n[feeds.log]\nfile = 'log'\n").file("log", "", 0o600).start();
    let mut log = File::options().append(true).open(server.path("log")).unwrap();
    write(&server, &mut log, "one");
    save(&server, "merge", "keep_bytes = '2MiB'\nmerge", "more");
    write(&server, &mut log, "two\nthree");
    save(&server, "file = 'log'", "file = 'other'", "evenmore");
    assert_eq!(all(&server)[..3], ["one", "two", "three"].map(|text| (0, text.to_owned())));
}
