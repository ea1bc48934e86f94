//! The `jobs.toml` at the root of the project: it is a good one, it teaches, and every job of it does what it says.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod harness;

use std::fs;
use std::thread;

use harness::{Server, joblines, run_to_end};
use serde_json::Value;

const SAMPLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/jobs.toml");

/// A server with the sample as it is, and its state in a folder of its own.
fn start() -> Server {
    let args = ["serve", "--config", SAMPLE, "--listen", "127.0.0.1:0", "--state-dir", "state"];
    Server::with("").args(&args).start()
}

/// The names of the sample's jobs.
fn names() -> Vec<String> {
    let sample: toml::Table = fs::read_to_string(SAMPLE).unwrap().parse().unwrap();
    sample["jobs"].as_table().unwrap().keys().cloned().collect()
}

/// The lines of one stream.
fn lines<'a>(objects: &'a [Value], stream: &str) -> Vec<&'a str> {
    let lines = objects.iter().filter(|object| object["type"] == "line" && object["stream"] == stream);
    lines.map(|line| line["text"].as_str().unwrap()).collect()
}

#[test]
fn the_sample_is_free_of_mistakes() {
    let ended = run_to_end(&mut joblines(["check", "--config", SAMPLE]));
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""));
}

#[test]
fn the_sample_has_a_comment_for_every_job() {
    let sample = fs::read_to_string(SAMPLE).unwrap();
    assert!(names().len() >= 7, "{:?}", names());
    let commented = |table: &str| table.lines().any(|line| line.contains('#'));
    for job in sample.split("\n\n").filter(|paragraph| paragraph.contains("[jobs.")) {
        assert!(commented(job), "nothing is taught by:\n{job}");
    }
}

#[test]
fn every_job_of_the_sample_ends_as_it_says() {
    let server = start();
    let names = names();
    for name in ["count", "fails", "stubborn", "burst", "order", "number"] {
        assert!(names.iter().any(|known| known == name), "no job {name} in {names:?}");
    }
    thread::scope(|scope| {
        for name in &names {
            scope.spawn(|| try_job(&server, name));
        }
    });
}

/// Where a job is started, with all that it has to be told.
fn address(name: &str) -> String {
    match name {
        "order" => "/jobs/order?size=large&copies=3&note=well%20done&token=hunter2".to_owned(),
        name => format!("/jobs/{name}"),
    }
}

fn try_job(server: &Server, name: &str) {
    let objects = server.ndjson(&address(name));
    let (end, stdout, stderr) = (objects.last().unwrap(), lines(&objects, "stdout"), lines(&objects, "stderr"));
    let (state, code) = match name {
        "fails" => ("failed", Value::from(3)),
        "stubborn" => ("timed_out", Value::Null),
        _ => ("succeeded", Value::from(0)),
    };
    assert_eq!((&end["state"], &end["exit_code"]), (&Value::from(state), &code), "{name}: {end}");
    assert!(!stdout.is_empty() || !stderr.is_empty(), "{name} prints something");
    match name {
        "count" => {
            let tasks: Vec<_> = (1..=10).map(|task| format!("Task #{task}")).chain(["Done".to_owned()]).collect();
            assert_eq!(stdout, tasks);
        }
        "burst" => assert_eq!(stdout.len(), 100_000),
        "order" => assert_eq!(stdout, ["size: large", "copies: 3", "note: well done", "token: ••••"]),
        "number" => assert_eq!(stdout, ["end of the input"]),
        "stubborn" => assert_eq!(end["signal"], 9),
        _ => {}
    }
}

#[test]
fn the_sample_says_what_it_may_be_told() {
    let server = start();
    let refused = server.get("/jobs/order?copies=12&token=hunter2").expect(400).text();
    assert!(refused.contains("a whole number from 1 to 9") && !refused.contains("hunter2"), "{refused}");
    let text = |target: &str, body: &str| {
        let request = server.request("POST", target).accept("*/*").body("application/octet-stream", body);
        request.send().expect(200).text()
    };
    assert_eq!(text("/jobs/number", "a\n\nb\n"), "     1\ta\n     2\t\n     3\tb\nend of the input\n");
}

#[test]
fn the_sample_has_both_streams_colours_a_progress_bar_and_a_terminal() {
    let server = start();
    let sample: toml::Table = fs::read_to_string(SAMPLE).unwrap().parse().unwrap();
    let quick = names().into_iter().filter(|name| !["count", "stubborn", "burst"].contains(&name.as_str()));
    let outputs: Vec<Vec<Value>> = quick.map(|name| server.ndjson(&address(&name))).collect();
    let some =
        |what: &str, is_so: &dyn Fn(&Vec<Value>) -> bool| assert!(outputs.iter().any(is_so), "no job with {what}");
    some("both streams", &|output| !lines(output, "stdout").is_empty() && !lines(output, "stderr").is_empty());
    some("colours", &|output| lines(output, "stdout").concat().contains("\u{1b}["));
    some("a progress bar", &|output| {
        lines(output, "stdout").iter().any(|line| line.trim_end_matches('\r').contains('\r'))
    });
    let jobs = sample["jobs"].as_table().unwrap();
    assert!(jobs.values().any(|job| job.get("pty").and_then(toml::Value::as_bool) == Some(true)), "no job with pty");
}
