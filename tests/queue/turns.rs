//! Turns: first come, first served within a job, and round over the jobs.

use std::fs;

use crate::harness::Server;

/// Two jobs that write their names down when they begin, then wait.
const JOBS: &str = "[jobs.many]\ncommand = 'echo $JOBLINES_RUN >> order; read _ < gate'\n\
                    [jobs.few]\ncommand = 'echo $JOBLINES_RUN >> order; read _ < gate'\n";

#[test]
fn a_job_with_many_waiting_runs_holds_up_another_by_one_turn() {
    let server = Server::with(JOBS).server("max_running = 1").start();
    let gate = server.gate("gate");
    let many: Vec<_> = (0..20).map(|_| server.detach("many")).collect();
    let few = server.detach("few");
    gate.pass_many(21);
    let ended: Vec<_> = many.iter().chain([&few]).map(|run| server.ended(run)).collect();
    assert!(ended.iter().all(|record| record["state"] == "succeeded"), "{ended:?}");
    let order = fs::read_to_string(server.path("order")).unwrap();
    let order: Vec<_> = order.lines().map(str::to_owned).collect();
    assert_eq!(order[..2], many[..2], "the first is on, and the second has waited longest");
    assert_eq!(order[2], few);
    assert_eq!(order[3..], many[2..]);
}

#[test]
fn whoever_leaves_the_queue_makes_room_in_it_at_once() {
    let server = Server::with(JOBS).server("max_running = 1").server("max_queued = 1").start();
    let gate = server.gate("gate");
    let first = server.detach("many");
    for _ in 0..10 {
        let waiting = server.detach("few");
        assert_eq!(server.post("/jobs/few?detach").status, 503);
        assert_eq!(server.post(&format!("/runs/{waiting}/cancel")).status, 202);
    }
    let record = server.runs("few").remove(0);
    assert_eq!((&record["state"], &record["duration_ms"]), (&"cancelled".into(), &0.into()), "it never had a turn");
    gate.pass();
    assert_eq!(server.ended(&first)["state"], "succeeded");
}

#[test]
fn runs_that_waited_when_the_server_was_killed_are_lost_and_keep_who_asked_for_them() {
    let mut server = Server::with(JOBS).server("max_running = 1").start();
    let _gate = server.gate("gate");
    server.detach("many");
    let waiting = server.detach("few");
    server.kill();
    server.restart();
    let record = server.json(&format!("/runs/{waiting}"));
    assert_eq!((&record["state"], &record["job"]), (&"lost".into(), &"few".into()));
    assert!(record["trigger"].as_str().unwrap().starts_with("POST from 127.0.0.1"), "{record}");
}
