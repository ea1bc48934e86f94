//! What is answered to who starts a job while a run of it is on.

use crate::harness::{Server, html, wait_for};

const JOBS: &str = r#"
[jobs.refuse]
command = 'echo begun; read _ < gate; echo done'
overlap = "refuse"

[jobs.attach]
command = 'echo begun $PARAM_TARGET; read _ < gate; echo done'
overlap = "attach"
on_disconnect = "cancel"
params.target = { default = "daily" }

[jobs.replace]
command = 'echo begun; read _ < gate; echo done'
overlap = "replace"

[jobs.queue]
command = 'echo begun; read _ < gate; echo done'
overlap = "queue"
"#;

#[test]
fn a_run_in_progress_is_409_with_its_address_in_every_format() {
    let server = Server::start(JOBS);
    let gate = server.gate("gate");
    let mut first = server.get("/jobs/refuse").expect(200);
    let run = first.run();
    first.line();
    let place = format!("/runs/{run}");
    for accepted in ["*/*", "application/json", "application/x-ndjson", "text/event-stream", "text/html"] {
        let response = server.request("POST", "/jobs/refuse").accept(accepted).send().expect(409);
        assert_eq!(response.header("location"), Some(place.as_str()), "{accepted}");
        let text = response.text();
        assert!(text.contains(&run) && text.contains(&place), "{accepted}: {text}");
        if accepted == "text/html" {
            html::assert_whole(&text);
            assert!(text.contains(&format!("<a href=\"{place}\">")), "{text}");
        }
    }
    gate.pass();
    assert_eq!(first.text(), "done\n");
    server.ended(&run);
    gate.pass();
    assert_eq!(server.get("/jobs/refuse").expect(200).text(), "begun\ndone\n");
}

#[test]
fn who_joins_sees_the_run_from_its_first_line_and_does_not_end_it_by_leaving() {
    let server = Server::start(JOBS);
    let gate = server.gate("gate");
    let mut first = server.get("/jobs/attach").expect(200);
    assert_eq!(first.line(), "begun daily");
    for format in ["text", "html", "ndjson", "sse"] {
        let mut joined = server.get(&format!("/jobs/attach?target=daily&format={format}")).expect(200);
        assert_eq!(joined.run(), first.run(), "{format}");
        joined.until("begun daily");
        drop(joined);
    }
    let record = server.request("POST", "/jobs/attach?detach").send().expect(202).json();
    assert_eq!(record["run"], first.run().as_str());
    let mut other = server.get("/jobs/attach?target=full").expect(200);
    assert_ne!(other.run(), first.run(), "other parameters are another run");
    assert_eq!(other.line(), "begun full");
    let joined = server.get("/jobs/attach").expect(200);
    gate.pass_many(2);
    assert_eq!(joined.text(), "begun daily\ndone\n");
    assert_eq!(first.text(), "done\n");
    assert_eq!(other.text(), "done\n");
}

#[test]
fn the_one_who_started_a_run_ends_it_by_leaving_whoever_joined() {
    let server = Server::start(JOBS);
    server.gate("gate");
    let mut first = server.get("/jobs/attach").expect(200);
    first.line();
    let joined = server.get("/jobs/attach?format=ndjson").expect(200);
    drop(first);
    let objects = joined.ndjson();
    assert_eq!(objects.last().unwrap()["state"], "cancelled");
}

#[test]
fn a_new_run_replaces_the_one_that_is_on() {
    let server = Server::start(JOBS);
    let gate = server.gate("gate");
    let mut first = server.get("/jobs/replace").expect(200);
    let run = first.run();
    assert_eq!(first.line(), "begun");
    let second = server.get("/jobs/replace").expect(200);
    assert_eq!(server.ended(&run)["state"], "cancelled");
    gate.pass();
    assert_eq!(second.text(), "begun\ndone\n");
    first.rest();
}

#[test]
fn a_stream_that_comes_back_goes_on_with_the_run_it_saw() {
    let server = Server::start(JOBS);
    let gate = server.gate("gate");
    for job in ["refuse", "attach", "queue"] {
        let mut first = server.get(&format!("/jobs/{job}?format=sse")).expect(200);
        let run = first.run();
        first.until("begun");
        let mut resumed = server
            .request("GET", &format!("/jobs/{job}?format=sse"))
            .header("Last-Event-ID", &format!("{run}/1"))
            .send()
            .expect(200);
        assert_eq!(resumed.run(), run, "{job}");
        gate.pass();
        let rest = resumed.until("event: end");
        assert!(rest.contains("done") && !rest.contains("begun"), "{job}: {rest}");
        server.ended(&run);
        let again = server.request("GET", &format!("/jobs/{job}?format=sse"));
        assert_eq!(again.header("Last-Event-ID", &format!("{run}/end")).send().status, 204, "{job}");
        wait_for("one run", || server.runs(job).len() == 1);
    }
}
