//! Runs that wait for their turn: their place in every format, and what is answered when too many wait.

use crate::harness::{Gate, Response, Server, html, joblines, run_to_end};

const JOBS: &str = "
[jobs.job]
command = 'echo begun; read _ < gate; echo done'
[jobs.other]
command = 'echo other'
";

/// A server that has begun the one run that may be on, and the gate at which that waits.
fn crowded() -> (Server, Gate, Response) {
    let server = Server::with(JOBS).server("max_running = 1").server("max_queued = 3").start();
    let gate = server.gate("gate");
    let mut on = server.get("/jobs/job").expect(200);
    on.line();
    (server, gate, on)
}

#[test]
fn a_queued_run_says_its_place_and_every_change_of_it() {
    let (server, gate, on) = crowded();
    let second = server.detach("job");
    let mut third = server.get("/jobs/job?format=ndjson").expect(200);
    let run = third.run();
    let object = |line: String| serde_json::from_str::<serde_json::Value>(&line).unwrap();
    assert_eq!(object(third.line())["state"], "queued");
    let place = object(third.line());
    assert_eq!((&place["type"], &place["run"]), (&"queue".into(), &run.as_str().into()));
    assert_eq!((&place["state"], &place["ahead"], &place["waiting"]), (&"queued".into(), &1.into(), &2.into()));
    let mut page = server.visit(&format!("/runs/{run}")).expect(200);
    let head = page.until("waiting for its turn: 1 run ahead\"></span>");
    assert!(head.contains("<pre id=\"lines\""), "{head}");
    let mut events = server.get(&format!("/runs/{run}?format=sse")).expect(200);
    let queue = events.until("event: queue\ndata: {");
    assert!(!queue.contains("event: line"), "{queue}");
    let text = server.get(&format!("/runs/{run}")).expect(200);
    gate.pass();
    server.ended(&on.run());
    let place = object(third.line());
    assert_eq!((&place["ahead"], &place["waiting"]), (&0.into(), &1.into()), "{place}");
    let moved = page.until("waiting for its turn: it is the next");
    events.until("\"ahead\":0");
    gate.pass();
    server.ended(&second);
    let begun = object(third.line());
    assert_eq!((&begun["type"], &begun["state"]), (&"queue".into(), &"running".into()));
    assert_eq!(object(third.line())["text"], "begun");
    let rest = page.until("begun");
    assert!(rest.contains("<wbr>"), "the notice goes: {rest}");
    events.until("event: line");
    gate.pass();
    html::assert_whole(&(head + &moved + &rest + &page.text()));
    assert_eq!(text.text(), "begun\ndone\n", "text has no word of it");
    assert_eq!(third.ndjson().last().unwrap()["state"], "succeeded");
}

#[test]
fn a_place_gets_better_when_one_ahead_gives_up() {
    let (server, gate, _on) = crowded();
    let second = server.detach("job");
    let mut third = server.get("/jobs/job?format=ndjson").expect(200);
    third.until("\"ahead\":1");
    server.post(&format!("/runs/{second}/cancel")).expect(202);
    third.until("\"ahead\":0");
    server.post(&format!("/runs/{}/cancel", third.run())).expect(202);
    let rest = third.text();
    assert!(rest.contains("\"state\":\"cancelled\""), "{rest}");
    gate.pass();
}

#[test]
fn one_more_than_may_wait_is_503_and_told_when_to_come_again() {
    let (server, gate, _on) = crowded();
    let waiting: Vec<_> = (0..3).map(|_| server.detach("job")).collect();
    for accepted in ["*/*", "application/json", "text/html"] {
        let response = server.request("POST", "/jobs/other").accept(accepted).send().expect(503);
        let after: u64 = response.header("retry-after").unwrap().parse().unwrap();
        assert!((1..=60).contains(&after));
        assert!(response.text().contains("max_queued"));
    }
    gate.pass_many(4);
    waiting.iter().for_each(|run| assert_eq!(server.ended(run)["state"], "succeeded"));
    assert_eq!(server.get("/jobs/other").expect(200).text(), "other\n");
}

#[test]
fn the_client_waits_with_its_run() {
    let (server, gate, _on) = crowded();
    let mut client = joblines(["run", "other", "--server", &server.url("")]);
    let client = std::thread::spawn(move || run_to_end(&mut client));
    crate::harness::wait_for("the client's run to wait", || {
        server.runs("other").iter().any(|run| run["state"] == "queued")
    });
    gate.pass();
    let ended = client.join().unwrap();
    assert_eq!((ended.code, ended.text().as_str()), (Some(0), "other\n"), "{}", ended.stderr);
}
