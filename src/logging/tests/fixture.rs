use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value as Json};

/// One case: the bytes that were sent, and what Python makes of them.
pub(super) struct Fixture {
    pub(super) name: String,
    pub(super) bytes: Vec<u8>,
    pub(super) told: Json,
    text: String,
}

impl Fixture {
    /// When its records were made, digit by digit: serde_json's own floats are not exact.
    pub(super) fn times(&self) -> impl Iterator<Item = f64> {
        let times = self.text.split("\"created\": ").skip(1);
        times.map(|rest| rest.split([',', '\n']).next().unwrap().parse().unwrap())
    }

    /// The dicts that Python's pickle reads.
    pub(super) fn records(&self) -> impl Iterator<Item = &Map<String, Json>> {
        self.told["frames"].as_array().into_iter().flatten().map(|frame| frame["record"].as_object().unwrap())
    }
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/python-logging")
}

/// The bytes of one case.
pub(super) fn bytes_of(name: &str) -> Vec<u8> {
    fs::read(root().join(name)).unwrap()
}

/// All cases of a folder, in the order of their names.
pub(super) fn folder(folder: &str) -> Vec<Fixture> {
    let mut fixtures = Vec::new();
    for entry in fs::read_dir(root().join(folder)).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "bin") {
            let text = fs::read_to_string(path.with_extension("json")).unwrap();
            fixtures.push(Fixture {
                name: format!("{folder}/{}", path.file_stem().unwrap().to_string_lossy()),
                bytes: fs::read(&path).unwrap(),
                told: serde_json::from_str(&text).unwrap(),
                text,
            });
        }
    }
    assert!(!fixtures.is_empty(), "{folder} is there");
    fixtures.sort_by(|a, b| a.name.cmp(&b.name));
    fixtures
}

/// Every folder of what SocketHandler sent.
pub(super) const SOCKET: [&str; 12] = [
    "py2.7/socket",
    "py2.7/socket-proto0",
    "py2.7/socket-proto2",
    "py3.6/socket",
    "py3.11/socket",
    "py3.11/socket-proto0",
    "py3.11/socket-proto1",
    "py3.11/socket-proto2",
    "py3.11/socket-proto3",
    "py3.11/socket-proto4",
    "py3.11/socket-proto5",
    "py3.13/socket",
];

/// All cases of all of them.
pub(super) fn sockets() -> Vec<Fixture> {
    SOCKET.iter().flat_map(|name| folder(name)).collect()
}
