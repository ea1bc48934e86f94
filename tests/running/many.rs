//! Many runs: one after the other, and at once.

use std::thread;

use crate::harness::{Gate, Response, Server};

/// Asks `count` times for the job as NDJSON, four at a time; each has to have these types of objects.
fn ask_often(server: &Server, count: usize, types: &[&str]) {
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..count / 4 {
                    let objects = server.ndjson("/jobs/job");
                    let got: Vec<_> = objects.iter().map(|object| object["type"].as_str().unwrap()).collect();
                    assert_eq!(got, types, "{objects:?}");
                    assert_eq!(objects.last().unwrap()["state"], "succeeded");
                }
            });
        }
    });
}

#[test]
fn true_300_times_loses_no_end() {
    ask_often(&Server::with_job("true"), 300, &["run", "end"]);
}

#[test]
fn echo_hi_300_times_loses_no_line() {
    ask_often(&Server::with_job("echo hi"), 300, &["run", "line", "end"]);
}

#[test]
fn echo_hi_300_times_is_hi_as_text() {
    let server = Server::with_job("echo hi");
    for _ in 0..300 {
        assert_eq!(server.get("/jobs/job").text(), "hi\n");
    }
}

#[test]
fn two_hundred_runs_go_on_at_once() {
    let job = "[jobs.job]\ncommand = 'echo ready; read _ < gate; echo $JOBLINES_RUN'\n";
    let server = Server::with(job).server("max_running = 400").start();
    let gate = server.gate("gate");
    let mut responses: Vec<_> = (0..200).map(|_| server.get("/jobs/job").expect(200)).collect();
    for response in &mut responses {
        assert_eq!(response.line(), "ready");
    }
    gate.pass_many(200);
    for response in responses {
        let run = response.run();
        assert_eq!(response.text(), format!("{run}\n"));
    }
    assert_eq!(server.json("/runs?job=job&state=succeeded&limit=1000")["runs"].as_array().unwrap().len(), 200);
}

/// A server whose runs wait at the gate, one of them begun and so many others allowed to queue.
fn one_at_a_time(max_queued: usize) -> (Server, Gate, Response) {
    let job = "[jobs.job]\ncommand = 'echo ready; read _ < gate'\n";
    let queue = format!("max_queued = {max_queued}");
    let server = Server::with(job).server("max_running = 1").server(&queue).start();
    let gate = server.gate("gate");
    let mut first = server.get("/jobs/job");
    first.line();
    (server, gate, first)
}

#[test]
fn a_run_beyond_max_running_is_queued_until_its_turn() {
    let (server, gate, _first) = one_at_a_time(2);
    let second = server.detach("job");
    assert_eq!(server.json(&format!("/runs/{second}"))["state"], "queued");
    let mut page = server.visit("/jobs/job");
    page.until("<pre");
    assert_eq!(server.json(&format!("/runs/{}", page.run()))["state"], "queued");
    gate.pass_many(3);
    assert_eq!(server.ended(&second)["state"], "succeeded");
    page.until("id=\"end\"");
}

#[test]
fn a_queued_run_can_be_cancelled() {
    let (server, gate, first) = one_at_a_time(1);
    let second = server.detach("job");
    assert_eq!(server.post(&format!("/runs/{second}/cancel")).status, 202);
    assert_eq!(server.ended(&second)["state"], "cancelled");
    gate.pass();
    assert_eq!(first.text(), "");
}

#[test]
fn beyond_max_queued_a_run_is_refused_with_503() {
    let (server, gate, _first) = one_at_a_time(1);
    server.detach("job");
    let refused = server.get("/jobs/job").expect(503);
    assert!(refused.header("retry-after").is_some());
    assert_eq!(server.runs("job").len(), 2);
    gate.pass_many(2);
}
