//! What a viewer gets while a job says nothing. These take as long as the silence that they are about.

use crate::harness::Server;

/// A job that says nothing until the test is done with it.
const SILENT: &str = "read _ < gate; echo done";

#[test]
fn a_silent_page_is_kept_open_by_comments() {
    let server = Server::with_job(SILENT);
    let gate = server.gate("gate");
    let mut page = server.visit("/jobs/job");
    page.until("<pre");
    let before = page.until("<!--");
    assert!(!before.contains("pty"), "the comment comes every 15 s, before the word about 30 s of silence");
    gate.pass();
    page.until("done");
}

#[test]
fn silent_events_are_kept_open_by_comments() {
    let server = Server::with_job(SILENT);
    let gate = server.gate("gate");
    let mut events = server.get("/jobs/job?format=sse");
    events.until("\n\n");
    events.until(":");
    gate.pass();
    events.until("done");
}

#[test]
fn after_30_s_of_silence_the_page_says_so_and_names_a_remedy() {
    let server = Server::with_job(SILENT);
    let gate = server.gate("gate");
    let mut page = server.visit("/jobs/job");
    let run = page.run();
    page.until("<pre");
    page.until("pty");
    gate.pass();
    page.rest();
    assert_eq!(server.get(&format!("/runs/{run}")).text(), "done\n");
    assert_eq!(server.ended(&run)["lines"], 1, "it is said to whoever watches, and not written down");
}

#[test]
fn a_page_whose_filter_finds_nothing_is_kept_open_and_does_not_call_the_run_silent() {
    let server = Server::with_job("until [ -e gate ]; do echo again; sleep 0.2; done; echo found");
    let mut page = server.visit("/jobs/job?q=found");
    page.until("<pre");
    let before = ["<!--", "<!--", "<!--"].map(|comment| page.until(comment)).concat();
    assert!(!before.contains("no output") && !before.contains("again"), "after 45 s: {before}");
    let _gate = server.gate("gate");
    page.until("found");
}
