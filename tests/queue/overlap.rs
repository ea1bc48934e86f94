//! `overlap`: what a start comes to while a run of the job is on.

use crate::harness::{Gate, Server};

/// A server whose one job overlaps like this and waits at a gate between its two lines.
fn server(overlap: &str) -> (Server, Gate) {
    let job = format!("[jobs.job]\ncommand = 'echo begun; read _ < gate; echo done'\noverlap = '{overlap}'\n");
    let server = Server::start(&job);
    let gate = server.gate("gate");
    (server, gate)
}

#[test]
fn with_attach_a_visitor_joins_the_run_that_is_on_and_sees_every_line_of_it() {
    let (server, gate) = server("attach");
    let mut first = server.get("/jobs/job");
    assert_eq!(first.line(), "begun");
    let second = server.get("/jobs/job");
    assert_eq!(second.run(), first.run());
    gate.pass();
    assert_eq!(second.text(), "begun\ndone\n");
    assert_eq!(first.text(), "done\n");
    assert_eq!(server.runs("job").len(), 1);
    gate.pass();
    assert_ne!(server.get("/jobs/job?wait").run(), server.runs("job")[1]["run"], "after its end, another begins");
}

#[test]
fn with_queue_runs_come_one_after_another() {
    let (server, gate) = server("queue");
    let mut first = server.get("/jobs/job");
    assert_eq!(first.line(), "begun");
    let later: Vec<_> = (0..3).map(|_| server.detach("job")).collect();
    for run in &later {
        assert_eq!(server.json(&format!("/runs/{run}"))["state"], "queued");
    }
    gate.pass();
    assert_eq!(first.text(), "done\n");
    for (number, run) in later.iter().enumerate() {
        server.wait_for_state(run, "running");
        for waiting in &later[number + 1..] {
            assert_eq!(server.json(&format!("/runs/{waiting}"))["state"], "queued");
        }
        gate.pass();
        assert_eq!(server.ended(run)["state"], "succeeded");
    }
}

#[test]
fn with_refuse_there_is_no_second_run_until_the_first_has_ended() {
    let (server, gate) = server("refuse");
    let mut first = server.get("/jobs/job");
    assert_eq!(first.line(), "begun");
    let refused = server.get("/jobs/job");
    assert!(refused.status >= 400, "{refused:?}");
    assert!(refused.text().contains(&first.run()), "it says which one is on");
    gate.pass();
    assert_eq!(first.text(), "done\n");
    gate.pass();
    assert_eq!(server.get("/jobs/job").expect(200).text(), "begun\ndone\n", "whoever saw the end may start the next");
    assert_eq!(server.runs("job").len(), 2);
}

#[test]
fn with_replace_the_newest_start_is_the_one_that_runs() {
    let (server, gate) = server("replace");
    let mut first = server.get("/jobs/job");
    assert_eq!(first.line(), "begun");
    let run = first.run();
    let second = server.detach("job");
    assert_eq!(first.text(), "", "the page of the first ends");
    let objects = server.ndjson(&format!("/runs/{run}"));
    assert_eq!(objects.last().unwrap()["state"], "cancelled");
    let said = format!("replaced by run {second}");
    assert!(objects.iter().any(|line| line["stream"] == "system" && line["text"] == said.as_str()), "{objects:?}");
    server.wait_for_state(&second, "running");
    gate.pass();
    assert_eq!(server.ended(&second)["state"], "succeeded");
}
