//! Runs of many lines as pages.

use crate::harness::{Server, html};
use crate::run;

/// Whether line `number` has a row on the page.
fn has(page: &str, number: u32) -> bool {
    page.contains(&format!("id=L{number}>")) || page.contains(&format!("id=\"L{number}\""))
}

#[test]
fn a_replay_starts_at_the_last_5000_lines_and_links_to_the_rest() {
    let server = Server::with_job("seq 1 12000");
    let run = run(&server);
    let page = server.visit(&run).text();
    html::assert_whole(&page);
    let wanted: String = (7001..=12_000).map(|n| format!("{n}\n")).collect();
    assert!(html::text_of(&page, "lines") == wanted);
    assert!(has(&page, 7001) && has(&page, 12_000) && !has(&page, 7000));
    let links: Vec<&str> = page.split("href=\"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
    assert!(links.iter().any(|link| link.contains("format=text")), "no link to the whole text: {links:?}");
    assert!(
        links.iter().any(|link| link.contains("from=") || link.contains("all")),
        "no link to what is before: {links:?}"
    );
    let all = server.visit(&format!("{run}?all")).text();
    let wanted: String = (1..=12_000).map(|n| format!("{n}\n")).collect();
    assert!(html::text_of(&all, "lines") == wanted);
}

#[test]
fn a_replay_of_5000_lines_has_them_all() {
    let server = Server::with_job("seq 1 5000");
    let page = server.visit(&run(&server)).text();
    assert!(has(&page, 1) && has(&page, 5000));
}

#[test]
fn a_live_page_goes_on_counting_after_100000_lines_and_ends_with_the_last_1000() {
    // many more than 100,000, as it goes by whole chunks
    let server = Server::with_job("seq 1 900000");
    let page = server.visit("/jobs/job").expect(200).text();
    html::assert_whole(&page);
    for shown in [1, 50_000, 100_000, 899_001, 899_500, 900_000] {
        assert!(has(&page, shown), "line {shown} is there");
    }
    for left_out in [400_000, 700_000, 899_000] {
        assert!(!has(&page, left_out), "line {left_out} is left out");
    }
    assert!(html::text_of(&page, "end").trim().starts_with("finished"));
    assert!(html::text_of(&page, "lines").ends_with("\n899999\n900000\n"));
}

#[test]
fn a_live_page_shows_all_when_asked_to() {
    let server = Server::with_job("seq 1 150000");
    let page = server.visit("/jobs/job?all").expect(200).text();
    html::assert_whole(&page);
    let wanted: String = (1..=150_000).map(|n| format!("{n}\n")).collect();
    assert!(html::text_of(&page, "lines") == wanted);
}

#[test]
fn the_other_formats_leave_nothing_out() {
    let server = Server::with_job("seq 1 150000");
    let run = run(&server);
    assert_eq!(server.get(&run).text().lines().count(), 150_000);
    assert_eq!(server.ndjson(&run).len(), 150_002);
}
