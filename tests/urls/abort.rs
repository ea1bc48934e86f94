//! `?abort`: curl itself exits non-zero when the run did not succeed, and has every line all the same.

use std::process::Command;

use crate::OUTCOMES;
use crate::harness::{Ended, Server, run_to_end};

fn curl(server: &Server, target: &str) -> Ended {
    run_to_end(Command::new("curl").args(["-sS", &server.url(target)]))
}

#[test]
fn curl_exits_with_18_after_a_run_that_failed_and_has_every_line() {
    let server = Server::start(OUTCOMES);
    for job in ["bad", "slow"] {
        let ended = curl(&server, &format!("/jobs/{job}?abort"));
        assert_eq!((ended.code, ended.text().as_str()), (Some(18), "out\n"), "{job}: {}", ended.stderr);
    }
}

#[test]
fn curl_exits_with_0_after_a_run_that_succeeded() {
    let server = Server::start(OUTCOMES);
    let ended = curl(&server, "/jobs/good?abort");
    assert_eq!((ended.code, ended.text().lines().count()), (Some(0), 2), "{}", ended.stderr);
}

#[test]
fn no_line_of_a_long_output_is_lost_to_the_break() {
    let server = Server::with_job("seq 1 500000; exit 1");
    let wanted: String = (1..=500_000).map(|n| format!("{n}\n")).collect();
    for _ in 0..5 {
        let ended = curl(&server, "/jobs/job?abort");
        assert_eq!(ended.code, Some(18));
        assert!(ended.text() == wanted, "{} of {} bytes", ended.stdout.len(), wanted.len());
    }
}

#[test]
fn no_line_is_lost_to_the_break_when_the_reader_is_slow() {
    let server = Server::with_job("seq 1 2000000; exit 1");
    let mut text = server.get("/jobs/job?abort");
    let first = text.line();
    server.ended(&text.run());
    let rest = text.rest();
    assert!(text.is_broken_off());
    assert_eq!(first, "1");
    assert!(rest.ends_with(b"\n2000000\n"));
    let wanted: usize = (2..=2_000_000).map(|n: u32| n.ilog10() as usize + 2).sum();
    assert_eq!(rest.len(), wanted);
}

#[test]
fn a_short_output_is_not_lost_to_the_break() {
    let server = Server::with_job("echo out; exit 1");
    for _ in 0..50 {
        let mut text = server.get("/jobs/job?abort").expect(200);
        assert_eq!(text.rest(), b"out\n");
        assert!(text.is_broken_off());
    }
}

#[test]
fn a_replay_breaks_off_too() {
    let server = Server::start(OUTCOMES);
    let run = server.get("/jobs/bad").expect(200).run();
    server.ended(&run);
    let ended = curl(&server, &format!("/runs/{run}?abort"));
    assert_eq!((ended.code, ended.text().as_str()), (Some(18), "out\n"));
}
