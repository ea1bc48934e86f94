//! How `joblines serve` stops: open pages get their end, runs are ended, nothing stays behind.

mod harness;

use harness::{Server, html, processes, wait_for};
use rustix::process::Signal;
use serde_json::Value;

/// A job that prints its pid, then stands still.
const STANDS: &str = "[jobs.job]\ncommand = 'echo $$; sleep 1000'\n";

/// A job that stays when it is told to go.
const STUBBORN: &str = "exec 2>/dev/null; trap 'echo told' TERM; echo $$; while :; do sleep 0.05; done";

#[test]
fn sigterm_and_sigint_end_it_with_0() {
    for signal in [Signal::TERM, Signal::INT] {
        let mut server = Server::start(STANDS);
        server.signal(signal);
        assert_eq!(server.wait(), (Some(0), vec![]), "{signal:?}");
    }
}

#[test]
fn at_sigterm_every_open_page_ends_with_its_footer() {
    let mut server = Server::start(STANDS);
    let mut text = server.get("/jobs/job");
    let pid: u32 = text.line().parse().unwrap();
    let run = text.run();
    let waiting = server.request("GET", &format!("/runs/{run}?wait")).send_head_later();
    let mut page = server.visit(&format!("/runs/{run}"));
    let mut start = page.until("</span>");
    let mut objects = server.get(&format!("/runs/{run}?format=ndjson"));
    let mut events = server.get(&format!("/runs/{run}?format=sse"));
    assert!(objects.line().contains("\"type\":\"run\"") && objects.line().contains("\"seq\":1"));
    events.until("event: line");
    assert_eq!(server.stop(), Some(0));

    start += &page.text();
    html::assert_whole(&start);
    assert!(html::text_of(&start, "end").trim().starts_with("finished"), "{start}");
    assert_eq!(html::attribute_of(&start, "end", "class").as_deref(), Some("cancelled"));
    let end = objects.ndjson().pop().unwrap();
    assert_eq!((&end["type"], &end["state"]), (&Value::from("end"), &Value::from("cancelled")));
    assert!(events.text().contains("event: end"));
    assert_eq!(text.text(), "", "the end of the text, and not a broken connection");
    assert_eq!(waiting.join().unwrap().status, 409);
    assert!(!processes::is_alive(pid));
}

#[test]
fn a_run_that_the_shutdown_ended_is_cancelled_in_the_history() {
    let mut server = Server::start(STANDS);
    let mut text = server.get("/jobs/job");
    let line = text.line();
    assert_eq!(server.stop(), Some(0));
    server.restart();
    let record = server.json(&format!("/runs/{}", text.run()));
    assert_eq!(record["state"], "cancelled");
    assert_eq!(record["signal"], 15);
    assert_eq!(server.get(&format!("/runs/{}", text.run())).text(), line + "\n");
}

#[test]
fn a_job_that_ignores_sigterm_is_killed_after_grace() {
    let mut server = Server::start(&format!("[jobs.job]\ncommand = \"{STUBBORN}\"\ngrace = '200ms'\n"));
    let mut text = server.get("/jobs/job");
    let pid: u32 = text.line().parse().unwrap();
    assert_eq!(server.stop(), Some(0));
    assert!(processes::group(pid).is_empty());
    assert!(text.text().starts_with("told\n"));
}

#[test]
fn a_second_signal_ends_it_at_once_with_1() {
    let mut server = Server::start(&format!("[jobs.job]\ncommand = \"{STUBBORN}\"\ngrace = '10m'\n"));
    let mut text = server.get("/jobs/job");
    let pid: u32 = text.line().parse().unwrap();
    server.signal(Signal::TERM);
    assert_eq!(text.line(), "told");
    server.signal(Signal::TERM);
    assert_eq!(server.wait().0, Some(1));
    server.restart();
    wait_for("the job to be ended by the next server at the latest", || processes::group(pid).is_empty());
}

#[test]
fn while_it_stops_it_takes_no_new_connection() {
    let mut server = Server::start(&format!("[jobs.job]\ncommand = \"{STUBBORN}\"\ngrace = '10m'\n"));
    let mut text = server.get("/jobs/job");
    text.line();
    server.signal(Signal::TERM);
    assert_eq!(text.line(), "told");
    wait_for("connections to be refused", || server.address().connect().is_err());
    server.signal(Signal::INT);
    assert_eq!(server.wait().0, Some(1));
}

#[test]
fn a_connection_that_asks_for_nothing_does_not_hold_it_up() {
    let mut server = Server::start(STANDS);
    let idle = server.address().connect().unwrap();
    assert_eq!(server.get("/healthz").status, 200);
    assert_eq!(server.stop(), Some(0));
    drop(idle);
}

#[test]
fn a_viewer_that_stands_still_does_not_hold_it_up_for_ever() {
    let mut server = Server::start("[jobs.job]\ncommand = 'head -c 64M /dev/zero'\ngrace = '500ms'\n");
    let mut text = server.get("/jobs/job");
    text.until("\0");
    server.ended(&text.run());
    assert_eq!(server.stop(), Some(0));
}
