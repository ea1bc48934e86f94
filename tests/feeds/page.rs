//! A feed's page: its head before anything else, rows as they come, valid however it ends, and bounded.

use crate::harness::{Server, html};
use crate::{APP, KIND_LINES, KINDS, events, page, push, row, rows};

#[test]
fn the_head_comes_first_and_rows_as_lines_do() {
    let server = Server::start(APP);
    let mut seen = server.visit("/feeds/app");
    let head = seen.until("<tbody>");
    assert!(head.contains("The shop &#38; &#60;more&#62;") && head.contains("0 lines so far"), "{head}");
    push(&server, "app", b"one\n");
    assert!(seen.until("<td>one<td>").contains("<tr id=L1 class=\"level-none\">"));
    push(&server, "app", b"ERROR:app:two\n");
    seen.until("<tr id=L2 class=\"level-error\">");
}

#[test]
fn a_page_is_valid_and_shows_what_lines_say_of_themselves() {
    let server = Server::start(APP);
    push(&server, "app", KINDS);
    let page = page(&server, "/feeds/app?follow=0");
    html::assert_whole(&page);
    assert_eq!(rows(&page), (1..=KIND_LINES).collect::<Vec<_>>());
    assert!(row(&page, 1).contains("<td>info<td>app.db<td>2026"), "{page}");
    assert!(row(&page, 2).contains("id=e1>error") && row(&page, 2).contains("lost &lt;b>"), "{page}");
    assert!(row(&page, 4).contains("class=\"level-error goes-on\""), "{page}");
    assert!(row(&page, 6).contains("<span class=\"f3\">WARNING</span>:other:in colours"), "{page}");
    assert!(row(&page, 8).contains("&lt;script>alert(1)&lt;/script> &amp;amp; \u{2407} \u{fffd}"), "{page}");
    assert!(page.contains("<svg viewBox=") && !page.contains("style="), "{page}");
    assert!(page.contains(&format!("{KIND_LINES} lines, 4 errors, 1 warning")), "{page}");
}

#[test]
fn every_link_to_a_row_shows_what_is_around_it() {
    let server = Server::start(APP);
    let lines: String = (1..=3000).map(|line| format!("line {line}\n")).collect();
    push(&server, "app", lines.as_bytes());
    let filtered = page(&server, "/feeds/app?follow=0&q=line%202500%24");
    assert!(row(&filtered, 2500).contains("<a href=\"?from=2400#L2500\">2500</a>"), "{filtered}");
    let around = page(&server, "/feeds/app?from=2400&follow=0");
    assert_eq!(rows(&around), (2400..=3000).collect::<Vec<_>>());
}

#[test]
fn it_opens_at_the_last_thousand_lines_and_says_what_is_before() {
    let server = Server::start(APP);
    push(&server, "app", "x\n".repeat(2500).as_bytes());
    let page = page(&server, "/feeds/app?follow=0");
    assert_eq!(rows(&page), (1501..=2500).collect::<Vec<_>>());
    assert!(
        page.contains("1,500 earlier lines are not on this page") && page.contains("/feeds/app?from=501#L1501"),
        "{page}"
    );
}

#[test]
fn a_full_page_leads_on() {
    let server = Server::start(APP);
    push(&server, "app", "x\n".repeat(6000).as_bytes());
    let first = page(&server, "/feeds/app?from=1&x=y");
    html::assert_whole(&first);
    assert_eq!(rows(&first).len(), 5000);
    assert!(
        first.contains("<footer id=\"end\" class=\"full\">") && first.contains("x=y&#38;from=5001\">go on</a>"),
        "{first}"
    );
    assert_eq!(rows(&page(&server, "/feeds/app?from=5001&follow=0")), (5001..=6000).collect::<Vec<_>>());
}

#[test]
fn the_newest_line_comes_first_where_that_is_asked_for() {
    let server = Server::start(APP);
    push(&server, "app", "x\n".repeat(1500).as_bytes());
    let newest = page(&server, "/feeds/app?order=newest");
    html::assert_whole(&newest);
    assert_eq!(rows(&newest), (501..=1500).rev().collect::<Vec<_>>());
    assert!(newest.contains("the newest 1,000 lines"), "{newest}");
    assert_eq!(rows(&page(&server, "/feeds/app?order=newest&tail=2&q=x")), [1500, 1499]);
}

#[test]
fn a_slow_page_says_how_many_lines_remain() {
    let server = Server::start(APP);
    push(&server, "app", "x\n".repeat(500).as_bytes());
    let mut seen = server.visit("/feeds/app?from=1&rate=1000");
    let told = seen.until(" remaining\n");
    let count = told.rsplit('>').next().unwrap().trim_end_matches(" remaining\n").parse::<usize>().unwrap();
    assert_eq!(count, 500 - rows(&told).len());
    seen.until("<tr id=L500 ");
}

#[test]
fn the_stop_of_the_server_ends_a_page_properly() {
    let mut server = Server::start(APP);
    push(&server, "app", b"one\n");
    let mut seen = server.visit("/feeds/app");
    let begin = seen.until("<td>one<td>");
    assert_eq!(server.stop(), Some(0));
    let page = begin + &seen.text();
    html::assert_whole(&page);
    assert!(page.contains("the feed has stopped after"), "{page}");
}

#[test]
fn a_client_that_comes_back_gets_each_other_line_once() {
    let server = Server::start(APP);
    push(&server, "app", b"one\ntwo\nthree\n");
    let mut seen = events(&server, "/feeds/app");
    let told = seen.until("\"text\":\"two\"");
    let id = told.lines().rfind(|line| line.starts_with("id: ")).unwrap().trim_start_matches("id: ").to_owned();
    assert!(id.ends_with("/2") || id.ends_with("/1"), "{told}");
    drop(seen);
    push(&server, "app", b"four\n");
    let id = format!("{}/2", id.rsplit_once('/').unwrap().0);
    let back = server.request("GET", "/feeds/app").accept("text/event-stream").header("Last-Event-ID", &id);
    let mut back = back.send().expect(200);
    let told = back.until("\"text\":\"four\"");
    assert!(told.contains("\"text\":\"three\"") && !told.contains("\"text\":\"two\""), "{told}");
}

#[test]
fn who_comes_back_to_a_feed_that_has_lost_its_newest_lines_gets_each_that_comes() {
    let server = Server::start(APP);
    push(&server, "app", b"one\ntwo\n");
    let journal = server.json("/feeds/app")["journal"].as_str().unwrap().to_owned();
    let back = server.request("GET", "/feeds/app").accept("text/event-stream");
    let mut back = back.header("Last-Event-ID", &format!("{journal}/9")).send().expect(200);
    assert!(back.until("\n\n").contains(&format!("id: {journal}/2\n")));
    push(&server, "app", b"three\n");
    assert!(back.until("\n\n").contains("\"text\":\"three\""));
}

#[test]
fn a_line_that_is_not_kept_any_more_is_told_of_in_a_row() {
    let server = Server::start("[feeds.app]\npush = true\nkeep_bytes = '1MiB'\n");
    let line = format!("{}\n", "x".repeat(999));
    push(&server, "app", line.repeat(100).as_bytes());
    let journal = server.json("/feeds/app")["journal"].as_str().unwrap().to_owned();
    for _ in 0..40 {
        push(&server, "app", line.repeat(100).as_bytes());
    }
    let first = server.json("/feeds/app")["first_line"].as_u64().unwrap();
    assert!(first > 1);
    let request = server.request("GET", "/feeds/app?follow=0").accept("text/html");
    let page = request.header("Last-Event-ID", &format!("{journal}/5")).send().expect(200).text();
    let words = format!("lines skipped (6 to {}): they are not kept any more", first - 1);
    assert!(page.contains("class=\"joblines\"") && page.contains(&words), "{}", &page[..page.len().min(9000)]);
}

#[test]
fn the_front_page_lists_the_feeds_in_every_format() {
    let server = Server::start(&format!("{APP}[jobs.job]\ncommand = 'true'\n"));
    push(&server, "app", b"one\ntwo\n");
    let front = server.visit("/").expect(200).text();
    html::assert_whole(&front);
    for part in ["<a href=\"/feeds/app\">app</a>", "The shop &#38; &#60;more&#62;", "2 lines", "just now"] {
        assert!(front.contains(part), "no {part} in {front}");
    }
    let index = server.json("/");
    assert_eq!((&index["feeds"][0]["feed"], &index["feeds"][0]["lines"]), (&"app".into(), &2.into()));
    assert!(index["feeds"][0]["newest"].is_string() && index["feeds"][0]["problem"].is_null(), "{index}");
    let text = server.get("/").text();
    assert!(text.lines().any(|line| line.starts_with("app ") && line.ends_with("The shop & <more>")), "{text}");
    assert!(!server.visit("/?filter=nothing").text().contains("/feeds/app"));
}

#[test]
fn the_page_says_who_sent_how_much() {
    let server = Server::start("[feeds.ci]\npush = true\n");
    assert!(!server.visit("/feeds/ci?follow=0").text().contains("class=\"senders\""), "nobody has sent anything yet");
    server.request("PUT", "/feeds/ci/lines").body("text/plain", "one\ntwo\n").send().expect(200);
    let page = server.visit("/feeds/ci?follow=0").expect(200).text();
    html::assert_whole(&page);
    assert!(page.contains("<summary>1 sender</summary>"), "{page}");
    assert!(page.contains("<tr><th scope=\"row\">127.0.0.1<td>2<td>8 bytes<td>0<td>0</tr>"), "{page}");
}
