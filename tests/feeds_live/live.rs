//! What the tests of all sources share: where a feed listens, what is in it, what was counted, and programs that send.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use serde_json::Value;

use crate::harness::{Server, wait_for};

/// Where `feed` listens by `way`: `tcp` or `udp`.
pub(crate) fn address(server: &Server, feed: &str, way: &str) -> SocketAddr {
    let find = || {
        let (of, what) = (format!("feed{{name=\"{feed}\"}}"), format!("address=\"{way} "));
        let log = server.log();
        let line = log.lines().rev().find(|line| line.contains(&of) && line.contains(&what))?.to_owned();
        let rest = line.split(&what).nth(1)?;
        rest.split(['"', ',']).next()?.parse().ok()
    };
    wait_for(&format!("{feed} to listen by {way}"), || find().is_some());
    find().unwrap()
}

/// Every line of a feed, as its NDJSON has it.
pub(crate) fn lines(server: &Server, feed: &str) -> Vec<Value> {
    let mut objects = server.get(&format!("/feeds/{feed}?format=ndjson&follow=0&from=1")).expect(200).ndjson();
    objects.retain(|object| object["type"] == "line");
    objects
}

/// The texts of the lines that no joblines wrote.
pub(crate) fn texts(server: &Server, feed: &str) -> Vec<String> {
    let lines = lines(server, feed).into_iter().filter(|line| line["stream"] != "system");
    lines.map(|line| line["text"].as_str().unwrap().to_owned()).collect()
}

/// What joblines itself said in a feed.
pub(crate) fn said(server: &Server, feed: &str) -> Vec<String> {
    let lines = lines(server, feed).into_iter().filter(|line| line["stream"] == "system");
    lines.map(|line| line["text"].as_str().unwrap().to_owned()).collect()
}

/// What is told of a feed.
pub(crate) fn record(server: &Server, feed: &str) -> Value {
    server.json(&format!("/feeds/{feed}"))
}

/// Waits until a feed has so many lines, its own words among them.
pub(crate) fn wait_for_lines(server: &Server, feed: &str, number: u64) {
    wait_for(&format!("{number} lines in {feed}"), || record(server, feed)["lines"].as_u64().unwrap() >= number);
}

/// Waits until somebody has brought so many records to a feed.
pub(crate) fn wait_for_records(server: &Server, feed: &str, number: u64) {
    let brought = || record(server, feed)["brought"]["records"].as_u64().unwrap();
    wait_for(&format!("{number} records in {feed}"), || brought() >= number);
}

/// A file of `tests/`.
pub(crate) fn path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests").join(name)
}

/// One case of captured bytes, and what is told of it.
pub(crate) struct Case {
    pub(crate) name: String,
    pub(crate) bytes: Vec<u8>,
    pub(crate) told: Value,
}

/// The cases of a folder of `tests/fixtures/python-logging` for which something was sent.
pub(crate) fn cases(folder: &str) -> Vec<Case> {
    let entries = fs::read_dir(path("fixtures/python-logging").join(folder)).unwrap();
    let mut paths: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|kind| kind == "bin") && fs::metadata(path).unwrap().len() > 0);
    paths.sort();
    let case = |path: PathBuf| Case {
        name: format!("{folder}/{}", path.file_stem().unwrap().to_string_lossy()),
        bytes: fs::read(&path).unwrap(),
        told: serde_json::from_slice(&fs::read(path.with_extension("json")).unwrap()).unwrap(),
    };
    let cases: Vec<_> = paths.into_iter().map(case).collect();
    assert!(!cases.is_empty(), "{folder} is there");
    cases
}

/// The pythons to send with: `python3`, or those that `JOBLINES_TEST_PYTHONS` names, a colon between two.
pub(crate) fn pythons() -> Vec<String> {
    let named = std::env::var("JOBLINES_TEST_PYTHONS").unwrap_or_else(|_| "python3".to_owned());
    named.split(':').map(str::to_owned).collect()
}

/// A program that ends with the test.
pub(crate) struct Running(Child);

impl Running {
    pub(crate) fn start(command: &mut Command) -> Option<Running> {
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().ok().map(Running)
    }

    pub(crate) fn pid(&self) -> u32 {
        self.0.id()
    }

    pub(crate) fn kill(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.kill();
    }
}
