//! `/jobs/{job}`: starting runs and watching, awaiting or leaving them.

use std::process::Command;

use crate::OUTCOMES;
use crate::harness::{Server, run_to_end};

/// The headers that every stream has.
fn assert_stream_headers(response: &crate::harness::Response) {
    let header = |name: &str| response.header(name).unwrap_or_else(|| panic!("no {name} in {response:?}"));
    let cache = header("cache-control");
    assert!(cache.contains("no-cache") && cache.contains("no-store"), "{cache}");
    assert_eq!(header("x-content-type-options"), "nosniff");
    assert_eq!(header("x-accel-buffering"), "no");
    assert!(header("content-location").ends_with(&format!("/runs/{}", header("joblines-run"))));
    assert!(response.header("content-length").is_none());
}

#[test]
fn get_and_post_start_a_run_and_stream_it() {
    let server = Server::start(OUTCOMES);
    for method in ["GET", "POST"] {
        let response = server.request(method, "/jobs/good").send().expect(200);
        assert_stream_headers(&response);
        let run = response.run();
        let text = response.text();
        assert!(text == "out\nerr\n" || text == "err\nout\n", "{text:?}");
        assert_eq!(server.ended(&run)["job"], "good");
    }
    assert_eq!(server.runs("good").len(), 2);
}

#[test]
fn a_stream_comes_line_by_line() {
    let server = Server::start(OUTCOMES);
    let gate = server.gate("gate");
    for format in ["text", "html", "ndjson", "sse"] {
        let mut response = server.get(&format!("/jobs/waits?format={format}")).expect(200);
        assert_stream_headers(&response);
        response.until("out");
        gate.pass();
        response.until("more");
        response.rest();
        assert!(!response.is_broken_off(), "{format}");
    }
}

#[test]
fn the_head_of_the_answer_comes_before_the_first_line() {
    let server = Server::with_job("read _ < gate; echo one");
    let gate = server.gate("gate");
    let mut page = server.visit("/jobs/job").expect(200);
    page.until("<pre");
    let text = server.get("/jobs/job").expect(200);
    let objects = server.get("/jobs/job?format=ndjson").expect(200).line();
    assert!(objects.starts_with("{\"type\":\"run\""), "{objects}");
    gate.pass_many(3);
    assert_eq!(text.text(), "one\n");
}

#[test]
fn wait_answers_at_the_end_with_a_status_for_the_outcome() {
    let server = Server::start(OUTCOMES);
    for (job, status) in [("good", 200), ("bad", 500), ("slow", 504)] {
        let response = server.get(&format!("/jobs/{job}?wait"));
        assert_eq!(response.status, status, "{job}");
        let run = response.run();
        assert!(response.text().contains("out\n"));
        let again = server.get(&format!("/runs/{run}?wait"));
        assert_eq!(again.status, status, "{job}, by the run");
        assert!(again.text().contains("out\n"));
    }
}

#[test]
fn wait_does_not_answer_before_the_end_and_says_409_for_a_cancelled_run() {
    let server = Server::start(OUTCOMES);
    server.gate("gate");
    let waiting = server.request("GET", "/jobs/waits?wait").send_head_later();
    crate::harness::wait_for("the run to be there", || {
        server.runs("waits").iter().any(|run| run["lines"] == 1 || run["state"] == "running")
    });
    let run = server.runs("waits")[0]["run"].as_str().unwrap().to_owned();
    let by_run = server.request("GET", &format!("/runs/{run}?wait")).send_head_later();
    assert!(!waiting.is_finished() && !by_run.is_finished());
    server.post(&format!("/runs/{run}/cancel")).expect(202);
    assert_eq!(waiting.join().unwrap().status, 409);
    assert_eq!(by_run.join().unwrap().status, 409);
}

#[test]
fn wait_works_in_every_format() {
    let server = Server::start(OUTCOMES);
    for format in ["text", "html", "ndjson", "sse"] {
        let response = server.get(&format!("/jobs/bad?wait&format={format}"));
        assert_eq!(response.status, 500, "{format}");
        assert!(response.text().contains("out"), "{format}");
    }
    let record = server.get("/jobs/bad?wait&format=json").json();
    assert_eq!((&record["state"], &record["exit_code"]), (&"failed".into(), &3.into()));
}

#[test]
fn detach_answers_202_at_once_with_the_run() {
    let server = Server::start(OUTCOMES);
    let gate = server.gate("gate");
    for request in [
        server.request("POST", "/jobs/waits?detach"),
        server.request("POST", "/jobs/waits").header("Prefer", "respond-async"),
        server.request("POST", "/jobs/waits").header("Prefer", "return=minimal, respond-async, wait=10"),
        server.request("POST", "/jobs/waits").accept("application/json"),
    ] {
        let response = request.send().expect(202);
        assert!(response.header("content-type").unwrap().starts_with("application/json"), "{response:?}");
        let location = response.header("location").unwrap().to_owned();
        let record = response.json();
        let run = record["run"].as_str().unwrap();
        assert_eq!(location, format!("/runs/{run}"));
        assert_eq!(record["id"], record["run"]);
        assert_eq!((&record["job"], record["ended"].is_null()), (&"waits".into(), true), "{record}");
        gate.pass();
        assert_eq!(server.ended(run)["state"], "succeeded");
        assert_eq!(server.get(&location).text(), "out\nmore\n");
    }
    assert_eq!(server.runs("waits").len(), 4);
}

#[test]
fn trailers_tell_the_outcome_to_those_who_ask() {
    let server = Server::start(OUTCOMES);
    for (job, state, code) in
        [("good", "succeeded", Some("0")), ("bad", "failed", Some("3")), ("slow", "timed_out", None)]
    {
        let mut response = server.request("GET", &format!("/jobs/{job}")).header("TE", "trailers").send().expect(200);
        let declared = response.header("trailer").unwrap().to_ascii_lowercase();
        assert!(declared.contains("joblines-state") && declared.contains("joblines-exit-code"), "{declared}");
        response.rest();
        assert_eq!(response.trailer("joblines-state"), Some(state));
        assert_eq!(response.trailer("joblines-exit-code").filter(|code| !code.is_empty()), code, "{job}");
    }
    let mut response = server.get("/jobs/bad");
    response.rest();
    assert_eq!((response.is_broken_off(), response.trailer("joblines-state")), (false, None));
}

#[test]
fn curl_shows_the_trailers() {
    let server = Server::start(OUTCOMES);
    let mut curl = Command::new("curl");
    curl.args(["-sS", "-i", "-H", "TE: trailers", &server.url("/jobs/bad")]);
    let text = run_to_end(&mut curl).text().to_ascii_lowercase();
    let body = text.split_once("\r\n\r\n").unwrap().1;
    assert!(body.contains("joblines-state: failed") && body.contains("joblines-exit-code: 3"), "{text}");
}

#[test]
fn an_old_client_gets_the_stream_until_the_connection_closes() {
    let server = Server::start(OUTCOMES);
    let mut curl = Command::new("curl");
    let ended = run_to_end(curl.args(["-sS", "-0", &server.url("/jobs/bad")]));
    assert_eq!((ended.code, ended.text().as_str()), (Some(0), "out\n"));
}

#[test]
fn http2_without_tls_is_spoken_too() {
    let server = Server::start(OUTCOMES);
    let mut curl = Command::new("curl");
    let ended = run_to_end(curl.args(["-sS", "--http2-prior-knowledge", &server.url("/jobs/bad")]));
    assert_eq!((ended.code, ended.text().as_str()), (Some(0), "out\n"));
}

#[test]
fn a_connection_serves_one_request_after_the_other() {
    let server = Server::start(OUTCOMES);
    let url = server.url("/jobs/bad");
    let mut curl = Command::new("curl");
    let ended = run_to_end(curl.args(["-sS", "-w", "%{num_connects}", &url, &url, &url]));
    assert_eq!(ended.text(), "out\n1out\n0out\n0");
}
