//! `/runs/{id}`: what was printed, from anywhere, in any part.

use crate::harness::{Response, Server};

/// Lines 1 to 9; the odd ones on stdout, the even ones on stderr.
const NINE: &str = "for i in 1 3 5 7; do echo line $i; echo line $((i+1)) >&2; done; echo line 9";

/// A server and the path of a run that printed [`NINE`] and has ended.
fn nine() -> (Server, String) {
    let server = Server::start(&format!("[jobs.job]\ncommand = '{NINE}'\nmerge_stderr = true\n"));
    let run = server.get("/jobs/job?wait").expect(200).run();
    (server, format!("/runs/{run}"))
}

fn numbers(text: &str) -> Vec<u32> {
    text.lines().map(|line| line.strip_prefix("line ").unwrap().parse().unwrap()).collect()
}

#[test]
fn a_replay_has_every_line_and_the_headers_of_a_stream() {
    let (server, run) = nine();
    let response = server.get(&run).expect(200);
    assert_eq!(response.header("content-location"), Some(run.as_str()));
    assert_eq!(format!("/runs/{}", response.run()), run);
    assert_eq!(numbers(&response.text()), (1..=9).collect::<Vec<_>>());
}

#[test]
fn from_begins_with_that_line() {
    let (server, run) = nine();
    for (from, first) in [(1, 1), (4, 4), (9, 9)] {
        let text = server.get(&format!("{run}?from={from}")).text();
        assert_eq!(numbers(&text), (first..=9).collect::<Vec<_>>(), "from={from}");
    }
    assert_eq!(server.get(&format!("{run}?from=10")).text(), "");
    let objects = server.ndjson(&format!("{run}?from=8"));
    assert_eq!(objects.iter().filter_map(|object| object["seq"].as_u64()).collect::<Vec<_>>(), [8, 9]);
}

#[test]
fn tail_is_the_last_lines() {
    let (server, run) = nine();
    for (tail, first) in [(1, 9), (3, 7), (9, 1), (100, 1)] {
        let text = server.get(&format!("{run}?tail={tail}")).text();
        assert_eq!(numbers(&text), (first..=9).collect::<Vec<_>>(), "tail={tail}");
    }
    assert_eq!(server.get(&format!("{run}?tail=0")).text(), "");
}

#[test]
fn tail_of_a_long_run_is_found_wherever_it_lies() {
    let server = Server::with_job("seq 1 200000");
    let run = server.get("/jobs/job?wait").expect(200).run();
    for tail in [1, 1000, 150_000] {
        let wanted: String = (200_001 - tail..=200_000).map(|n| format!("{n}\n")).collect();
        assert!(server.get(&format!("/runs/{run}?tail={tail}")).text() == wanted, "tail={tail}");
    }
    for from in [2, 77_777, 200_000] {
        let wanted: String = (from..=200_000).map(|n| format!("{n}\n")).collect();
        assert!(server.get(&format!("/runs/{run}?from={from}")).text() == wanted, "from={from}");
    }
}

#[test]
fn tail_of_a_running_run_goes_on_with_what_comes() {
    let server = Server::with_job("seq 1 5; read _ < gate; seq 6 7");
    let gate = server.gate("gate");
    let mut starter = server.get("/jobs/job");
    starter.until("5\n");
    let mut tail = server.get(&format!("/runs/{}?tail=2", starter.run()));
    assert_eq!(tail.until("5\n"), "4\n5\n");
    gate.pass();
    assert_eq!(tail.text(), "6\n7\n");
}

#[test]
fn follow_0_ends_with_what_is_there() {
    let server = Server::with_job("echo one; read _ < gate; echo two");
    let gate = server.gate("gate");
    let mut starter = server.get("/jobs/job");
    starter.line();
    let run = starter.run();
    assert_eq!(server.get(&format!("/runs/{run}?follow=0")).text(), "one\n");
    let objects = server.ndjson(&format!("/runs/{run}?follow=0"));
    assert_eq!(objects[0]["state"], "running");
    assert!(objects.iter().all(|object| object["type"] != "end"), "it has not ended: {objects:?}");
    let page = server.visit(&format!("/runs/{run}?follow=0")).text();
    crate::harness::html::assert_whole(&page);
    gate.pass();
    starter.text();
    assert_eq!(server.get(&format!("/runs/{run}?follow=0")).text(), "one\ntwo\n");
}

#[test]
fn what_a_line_that_is_not_whole_counts_for_is_the_same_with_a_filter() {
    let server = Server::with_job("echo a; echo b; printf 'name? '; read _ < gate; echo Ann");
    let gate = server.gate("gate");
    let mut first = server.get("/jobs/job");
    first.until("name? ");
    for query in ["", "&q=.", "&x=zzz"] {
        let tail = |count: u32| server.get(&format!("/jobs/job/last?follow=0&tail={count}{query}")).text();
        assert_eq!([tail(1).as_str(), &tail(2)], ["name? ", "b\nname? "], "{query}");
    }
    gate.pass();
    first.text();
}

#[test]
fn a_run_that_has_ended_has_its_end_also_before_the_rest_of_a_line() {
    let server = Server::with_job("printf 'name? '; read _ < gate; echo Ann");
    let gate = server.gate("gate");
    let mut first = server.get("/jobs/job");
    first.until("name? ");
    gate.pass();
    first.text();
    let whole = server.ndjson("/jobs/job/last");
    let time = whole.iter().rfind(|object| object["type"] == "line").unwrap()["time"].as_str().unwrap();
    for query in ["", "&q=.", "&tail=1"] {
        let cut = server.ndjson(&format!("/jobs/job/last?until={time}{query}"));
        let seen: Vec<_> = cut.iter().filter(|object| object["type"] == "line").collect();
        assert!(seen.iter().all(|line| line["text"] == "name? "), "{query}: {cut:?}");
        assert_eq!(cut.last().unwrap()["type"], "end", "{query}: {cut:?}");
    }
}

#[test]
fn stream_shows_one_stream_with_its_own_line_numbers() {
    let server = Server::with_job("echo a; read _ < gate; echo b >&2; read _ < gate; echo c");
    let gate = server.gate("gate");
    let mut starter = server.get("/jobs/job");
    starter.line();
    gate.pass();
    starter.line();
    gate.pass();
    starter.line();
    let run = format!("/runs/{}", starter.run());
    assert_eq!(server.get(&format!("{run}?stream=stdout")).text(), "a\nc\n");
    assert_eq!(server.get(&format!("{run}?stream=stderr")).text(), "b\n");
    let objects = server.ndjson(&format!("{run}?stream=stdout"));
    let seqs: Vec<_> = objects.iter().filter_map(|object| object["seq"].as_u64()).collect();
    assert_eq!(seqs, [1, 3]);
    let page = server.visit(&format!("{run}?stream=stderr")).text();
    assert_eq!(crate::harness::html::text_of(&page, "lines"), "b\n");
}

#[test]
fn time_puts_its_time_before_each_line() {
    let (server, run) = nine();
    let text = server.get(&format!("{run}?time=1")).text();
    let objects = server.ndjson(&run);
    let times = objects.iter().filter_map(|object| object["time"].as_str());
    for (line, time) in text.lines().zip(times) {
        let (stamp, rest) = line.split_once(" line ").unwrap_or_else(|| panic!("{line:?}"));
        assert!(rest.parse::<u32>().is_ok());
        let day = &time[..10];
        assert!(stamp.contains(day) || stamp.contains(':'), "{stamp:?} tells the time");
        assert!(stamp.chars().all(|c| c.is_ascii_digit() || "-:.TZ+ []".contains(c)), "{stamp:?}");
    }
    assert_eq!(text.lines().count(), 9);
}

#[test]
fn download_is_saved_by_a_browser() {
    let (server, run) = nine();
    let response = server.get(&format!("{run}?download")).expect(200);
    let disposition = response.header("content-disposition").unwrap().to_owned();
    assert!(disposition.starts_with("attachment") && disposition.contains("job"), "{disposition}");
    assert_eq!(numbers(&response.text()).len(), 9);
    let browser = server.visit(&format!("{run}?download&format=text")).expect(200);
    assert!(browser.header("content-type").unwrap().starts_with("text/plain"), "{browser:?}");
    let objects = server.get(&format!("{run}?download&format=ndjson"));
    assert!(objects.header("content-disposition").unwrap().contains(".ndjson"), "{objects:?}");
}

#[test]
fn parameters_that_cannot_be_meant_are_400_and_named() {
    let (server, run) = nine();
    for (query, name) in [
        ("from=x", "from"),
        ("from=-1", "from"),
        ("tail=many", "tail"),
        ("follow=perhaps", "follow"),
        ("stream=stdin", "stream"),
        ("time=now", "time"),
        ("format=pdf", "format"),
        ("nonsense=1", "nonsense"),
    ] {
        let response: Response = server.get(&format!("{run}?{query}"));
        assert_eq!(response.status, 400, "{query}");
        let text = response.text();
        assert!(text.contains(name) && text.lines().count() == 1, "{query}: {text}");
    }
}

#[test]
fn looking_at_a_run_starts_nothing() {
    let (server, run) = nine();
    for target in [&run, "/jobs/job/last", "/runs", "/"] {
        server.get(target).expect(200).rest();
    }
    assert_eq!(server.runs("job").len(), 1);
}
