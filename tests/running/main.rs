//! How commands are run, seen from outside: what they print, how they end, what they are given, what is left of them.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

#[path = "../harness/mod.rs"]
mod harness;

mod ending;
mod environment;
mod many;
mod output;
mod processes;
mod refused;
mod terminal;

use harness::Server;
use serde_json::Value;

/// All that a run of the one job, `job`, said in NDJSON, with its end last.
fn objects(server: &Server) -> Vec<Value> {
    let objects = server.ndjson("/jobs/job");
    assert_eq!(objects.last().unwrap()["type"], "end");
    objects
}

/// How a run of the one job, `job`, ended.
fn end(server: &Server) -> Value {
    objects(server).pop().unwrap()
}

/// The texts of joblines' own lines.
fn system_lines(objects: &[Value]) -> Vec<&str> {
    let lines = objects.iter().filter(|object| object["stream"] == "system");
    lines.map(|line| line["text"].as_str().unwrap()).collect()
}

/// A server whose one job is this table.
fn server_with(job: &str) -> Server {
    Server::start(&format!("[jobs.job]\n{job}\n"))
}
