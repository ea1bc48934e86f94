//! Filters take the same lines in every format, of what is there and of what comes.

use crate::harness::{Server, html};
use crate::{APP, KINDS, events, page, push, rows, seqs};

/// The lines of [`KINDS`] that each filter takes.
const FILTERS: [(&str, &[u64]); 13] = [
    ("q=one", &[7, 9]),
    ("x=one", &[1, 2, 3, 4, 5, 6, 8]),
    ("q=one&x=health", &[7]),
    ("level=error", &[2, 3, 4, 5]),
    ("level=warning", &[2, 3, 4, 5, 6]),
    ("level=warning,warning", &[6]),
    ("level=debug,warning", &[6, 9]),
    ("level=..notset,info..notice", &[1, 7, 8]),
    ("since=1h&q=one", &[7, 9]),
    ("level=warning&x=KeyError|File", &[2, 3, 6]),
    ("logger=app.db", &[1, 2, 3, 4, 5, 9]),
    ("logger=app.db.pool&q=%5EERROR", &[2]),
    ("stream=system", &[]),
];

#[test]
fn a_filter_takes_the_same_lines_in_every_format() {
    let server = Server::start(APP);
    push(&server, "app", KINDS);
    let all: Vec<&[u8]> = KINDS.split_inclusive(|byte| *byte == b'\n').collect();
    for (filter, expected) in FILTERS {
        let target = format!("/feeds/app?follow=0&{filter}");
        assert_eq!(seqs(&server.ndjson(&target)), expected, "{filter}");
        let page = page(&server, &target);
        html::assert_whole(&page);
        assert_eq!(rows(&page), expected, "{filter}");
        let text: Vec<u8> = expected.iter().flat_map(|line| all[*line as usize - 1]).copied().collect();
        assert_eq!(server.get(&target).whole(), text, "{filter}");
        assert_eq!(server.get(&format!("/feeds/app?download&{filter}")).whole(), text, "{filter}");
        let told = events(&server, &target).text();
        let ids: Vec<u64> = told
            .lines()
            .filter_map(|line| line.strip_prefix("id: ")?.rsplit('/').next()?.parse().ok())
            .filter(|line| *line > 0)
            .collect();
        assert_eq!(ids, expected, "{filter}");
        let last = server.ndjson(&format!("{target}&tail=1"));
        assert_eq!(seqs(&last), expected.iter().rev().take(1).copied().collect::<Vec<_>>(), "the last of {filter}");
    }
}

#[test]
fn a_filter_takes_what_comes() {
    let server = Server::start(APP);
    let mut seen = server.get("/feeds/app?level=warning&x=health");
    push(&server, "app", b"INFO:a:no\nERROR:a:health\nERROR:a:yes\n");
    assert_eq!(seen.line(), "ERROR:a:yes");
}

#[test]
fn runs_have_the_opposite_of_a_regex_too() {
    let server = Server::with_job("echo health; echo one; echo two");
    let run = server.get("/jobs/job?wait").run();
    assert_eq!(server.get(&format!("/runs/{run}?x=health|two")).text(), "one\n");
    assert_eq!(server.get("/jobs/job?x=o").text(), "health\n");
    let page = server.visit(&format!("/runs/{run}?x=health")).text();
    assert!(page.contains("name=\"x\" value=\"health\"") && !page.contains("id=L1>"), "{page}");
}

#[test]
fn what_cannot_be_meant_is_refused() {
    let server = Server::start(APP);
    for (query, expected) in [
        ("x=(", "`x` cannot be `(`: unclosed group"),
        ("order=oldest", "`order` cannot be `oldest`"),
        ("order=newest", "`order` cannot be `newest` in a stream; only format=html"),
        ("rate=-1", "`rate` cannot be `-1`"),
        ("level=warning,,error", "`level` cannot be `warning,,error`"),
        ("field==42", "`field` cannot be `=42`; allowed: the name of a field, or a name and a value, such as run=42"),
        ("since=noon", "`since` cannot be `noon`; allowed: a time such as 2026-11-21T12:00:00Z"),
        ("until=15", "`until` cannot be `15`"),
        ("since=1m&until=1h", "`since` cannot be `1m`; allowed: a time before `until`"),
    ] {
        let refused = server.get(&format!("/feeds/app?{query}")).expect(400).text();
        assert!(refused.starts_with(expected), "{query}: {refused}");
    }
}

#[test]
fn the_form_has_what_was_asked_for_and_so_have_the_links() {
    let server = Server::start(APP);
    push(&server, "app", KINDS);
    let page = page(&server, "/feeds/app?follow=0&q=o&x=%22%3E&level=info&logger=app&stream=stdout&rate=1000");
    for part in [
        "name=\"q\" value=\"o\"",
        "name=\"x\" value=\"&#34;&#62;\"",
        "<option selected>info</option>",
        "name=\"logger\" value=\"app\"",
        "<option selected>stdout</option>",
        "value=\"1000\"",
        "href=\"/feeds/app?q=o&#38;x=%22%3E&#38;level=info&#38;logger=app&#38;stream=stdout&#38;format=ndjson&#38;download\"",
    ] {
        assert!(page.contains(part), "no {part} in {page}");
    }
}
