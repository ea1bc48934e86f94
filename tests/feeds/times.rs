//! Lines asked for by when they came, and a page that stands still.

use crate::harness::{Server, html, wait_for};
use crate::{APP, events, page, push, rows, seqs};

/// When each line came.
fn times(server: &Server, feed: &str) -> Vec<String> {
    let lines = server.ndjson(&format!("/feeds/{feed}?follow=0&all"));
    lines.iter().filter(|line| line["type"] == "line").map(|line| line["time"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn since_and_until_take_the_same_lines_in_every_format() {
    let server = Server::start(APP);
    for batch in 0..5 {
        push(&server, "app", format!("{batch} a\n{batch} b\n").as_bytes());
    }
    let came = times(&server, "app");
    let (second, fourth) = (&came[2], &came[6]);
    for (query, expected) in [
        (format!("since={second}"), (3..=10).collect::<Vec<u64>>()),
        (format!("until={second}"), vec![1, 2]),
        (format!("since={second}&until={fourth}"), vec![3, 4, 5, 6]),
        (format!("since={second}&until={fourth}&q=b"), vec![4, 6]),
        (format!("since={second}&until={fourth}&q=b&tail=1"), vec![6]),
        (format!("until={fourth}&tail=3"), vec![4, 5, 6]),
        (format!("since={second}&from=5&until={fourth}"), vec![5, 6]),
        ("since=15m".to_owned(), (1..=10).collect()),
        ("since=2h&until=1h".to_owned(), vec![]),
        ("until=1d".to_owned(), vec![]),
        ("since=2999-01-01T00:00:00Z".to_owned(), vec![]),
    ] {
        let target = format!("/feeds/app?follow=0&{query}");
        assert_eq!(seqs(&server.ndjson(&target)), expected, "{query}");
        let page = page(&server, &target);
        html::assert_whole(&page);
        assert_eq!(rows(&page), expected, "{query}");
        assert_eq!(server.get(&target).text().lines().count(), expected.len(), "{query}");
        assert_eq!(server.get(&format!("/feeds/app?download&{query}")).text().lines().count(), expected.len());
        assert_eq!(events(&server, &target).text().matches("event: line").count(), expected.len(), "{query}");
    }
}

#[test]
fn what_is_over_ends_and_what_is_not_goes_on() {
    let server = Server::start(APP);
    push(&server, "app", b"one\n");
    push(&server, "app", b"two\n");
    let came = times(&server, "app");
    assert_eq!(server.get(&format!("/feeds/app?until={}", came[1])).text(), "one\n", "nothing more is to come");
    let mut seen = server.get(&format!("/feeds/app?since={}", came[1]));
    assert_eq!(seen.line(), "two");
    push(&server, "app", b"three\n");
    assert_eq!(seen.line(), "three");
    let soon = jiff::Timestamp::now() + std::time::Duration::from_secs(2);
    let all = server.get(&format!("/feeds/app?until={soon}")).text();
    assert!(all.starts_with("one\ntwo\nthree\n"), "{all}");
}

#[test]
fn a_bar_leads_to_its_lines() {
    let server = Server::start(APP);
    push(&server, "app", b"one\ntwo\n");
    let page = page(&server, "/feeds/app?follow=0");
    let link = page.split("<tr><th scope=\"row\"><a href=\"").nth(1).unwrap().split('"').next().unwrap();
    let link = link.replace("&#38;", "&");
    assert!(link.starts_with("/feeds/app?since=") && link.contains("&until="), "{link}");
    wait_for("the bar's time to be over", || rows(&self::page(&server, &format!("{link}&follow=0"))).len() == 2);
}

#[test]
fn a_page_of_no_line_a_second_says_how_many_remain_until_the_feed_stops() {
    let mut server = Server::start(APP);
    push(&server, "app", "x\n".repeat(500).as_bytes());
    let mut seen = server.visit("/feeds/app?from=101&rate=0");
    let mut shown = seen.until("400 remaining\n");
    assert!(shown.contains("type=\"number\" min=\"0\" max=\"1000000\" value=\"0\""), "{shown}");
    push(&server, "app", "x\n".repeat(100).as_bytes());
    shown += &seen.until("500 remaining\n");
    assert_eq!(rows(&shown), [0; 0]);
    let mut told = events(&server, "/feeds/app?rate=0");
    assert!(told.until("event: feed\n").contains("event: feed"));
    assert_eq!(rows(&page(&server, "/feeds/app?from=101&rate=1000000&follow=0")).len(), 500);
    assert_eq!(server.stop(), Some(0));
    shown += &seen.text();
    html::assert_whole(&shown);
    assert!(shown.contains("the feed has stopped after") && rows(&shown).is_empty(), "{shown}");
    assert!(!told.text().contains("event: line"));
}
