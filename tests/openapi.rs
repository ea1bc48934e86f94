//! `/openapi.json`: it has every URL, it is a document of OpenAPI 3.1, and schemathesis finds no fault in it nor in the
//! server that it describes.
//!
//! Both judges come from PyPI, in the versions that `tests/openapi/requirements.txt` names. Without them these tests fail:
//! nothing is skipped.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod harness;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use harness::{Server, run_to_end, wait_for};
use serde_json::{Value, json};

/// Jobs with parameters of every kind. None takes long, and none fails.
const JOBS: &str = r#"
[jobs.plain]
description = "Says one line"
command = "echo one"

[jobs.told]
command = ["printf", "%s\n", "target {target}", "count {count}", "name {name}", "{first}"]
params.target = { choices = ["daily", "full", "-v"], description = "What to save" }
params.count = { type = "int", min = 1, max = 9, default = 1, description = "How often" }
params.name = { pattern = "[a-z]{1,8}(-[a-z]{1,8})?", default = "a-b" }
params.first = { default = "any" }
params.force = { type = "bool", default = false }
params.token = { type = "secret" }

[jobs.asked]
methods = ["POST"]
command = "echo $PARAM_COUNT"
params.count = { type = "int" }
params.note = { default = "" }
params.sure = { type = "bool" }

[jobs.offers]
command = ["echo", "{branch}"]
params.branch = { choices_from = ["printf", "main\nnext\n"] }

[jobs.fed]
command = "wc -c"
methods = ["POST"]
stdin = "body"
max_body = "1KiB"
params.when = { default = "now" }

[jobs."with.dot"]
overlap = "refuse"
methods = ["GET"]
command = "printf '\\377 one\\n'; echo two >&2"
"#;

/// A program of the judges'.
fn judge(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/openapi/.venv");
    let program = folder.join("bin").join(name);
    assert!(
        program.exists(),
        "{} is not there; install it with: python3 -m venv tests/openapi/.venv && \
         tests/openapi/.venv/bin/pip install -r tests/openapi/requirements.txt",
        program.display()
    );
    program
}

fn document(server: &Server, base: &str) -> Value {
    let response = server.get(&format!("{base}/openapi.json")).expect(200);
    assert_eq!(response.header("content-type"), Some("application/json"));
    response.json()
}

fn paths(document: &Value) -> BTreeSet<String> {
    document["paths"].as_object().unwrap().keys().cloned().collect()
}

/// What is wrong with a document as one of OpenAPI 3.1.
fn mistakes(document: &Value) -> Option<String> {
    let file = tempfile::Builder::new().suffix(".json").tempfile().unwrap();
    fs::write(file.path(), document.to_string()).unwrap();
    let ended = run_to_end(Command::new(judge("openapi-spec-validator")).args(["--schema", "3.1"]).arg(file.path()));
    (ended.code != Some(0)).then(|| ended.text() + &ended.stderr)
}

#[test]
fn the_document_is_one_of_openapi_3_1() {
    let server = Server::start(JOBS);
    let mut document = document(&server, "");
    assert_eq!(document["openapi"], "3.1.0");
    assert_eq!(mistakes(&document), None);
    document["paths"]["/runs"]["get"]["responses"]["200"]["description"] = Value::Null;
    assert!(mistakes(&document).is_some(), "mistakes are found where there are some");
}

/// The URLs of the README's table.
fn promised() -> BTreeSet<String> {
    let readme = include_str!("../README.md");
    let (_, section) = readme.split_once("\n## URLs\n").unwrap();
    let (table, _) = section.split_once("\n\n| parameter |").unwrap();
    let urls = table.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next());
    // `GET` or `POST /jobs/{job}`
    let urls = urls.map(|words| if words == "GET" { "/jobs/{job}" } else { words.split(' ').next_back().unwrap() });
    urls.map(|url| url.split('?').next().unwrap().to_owned()).collect()
}

#[test]
fn every_url_is_described_and_nothing_else() {
    let server = Server::start("");
    let described = paths(&document(&server, ""));
    let mut promised = promised();
    promised.extend(["/assets/{name}".to_owned()]);
    assert_eq!(described, promised);
    for path in described {
        let target = path.replace("{job}", "nope").replace("{id}", "nope").replace("{name}", "nope");
        let answer = server.request("DELETE", &target).send();
        assert!([404, 405].contains(&answer.status), "{path}");
        assert!(!answer.text().starts_with("there is nothing at"), "{path}");
    }
}

#[test]
fn a_job_is_described_with_its_parameters_as_they_are_now() {
    let server = Server::with(JOBS).server("base_path = \"/ci\"").start();
    let before = document(&server, "/ci");
    assert_eq!(before["servers"], json!([{ "url": "/ci" }]));
    let told = &before["paths"]["/jobs/told"];
    let of = |name: &str| {
        let parameters = told["get"]["parameters"].as_array().unwrap();
        parameters.iter().find(|parameter| parameter["name"] == name).unwrap()
    };
    assert_eq!((&of("target")["required"], &of("count")["required"]), (&json!(true), &json!(false)));
    assert_eq!(of("target")["schema"]["enum"], json!(["daily", "full", "-v"]));
    let count = &of("count")["schema"];
    assert_eq!(
        [&count["type"], &count["minimum"], &count["maximum"], &count["default"]],
        [&json!("integer"), &json!(1), &json!(9), &json!(1)]
    );
    let body = &told["post"]["requestBody"]["content"]["application/json"]["schema"];
    assert_eq!(body["required"], json!(["target", "token"]));
    assert_eq!(body["properties"]["token"]["writeOnly"], true);
    assert_eq!(body["properties"]["force"], of("force")["schema"]);
    assert!(before["paths"]["/jobs/fed"]["get"].is_null());

    let text = fs::read_to_string(server.path("jobs.toml")).unwrap().replace("max = 9", "max = 7");
    fs::write(server.path("jobs.toml"), text).unwrap();
    wait_for("the new bound", || {
        let now = document(&server, "/ci");
        now["paths"]["/jobs/told"]["post"]["requestBody"]["content"]["application/json"]["schema"]["properties"]["count"]
            ["maximum"]
            == 7
    });
}

#[test]
fn what_is_streamed_keeps_to_its_schema() {
    let server = Server::start(JOBS);
    let document = document(&server, "");
    let schema = json!({ "$ref": "#/components/schemas/StreamObject", "components": document["components"] });
    let validator = jsonschema::draft202012::new(&schema).unwrap();
    for job in ["plain", "with.dot"] {
        for object in server.get(&format!("/jobs/{job}?format=ndjson")).expect(200).ndjson() {
            let faults: Vec<_> = validator.iter_errors(&object).map(|fault| fault.to_string()).collect();
            assert!(faults.is_empty(), "{object}: {faults:?}");
        }
    }
    assert!(!validator.is_valid(&json!({ "type": "line" })));
}

#[test]
fn what_is_told_of_a_feed_a_folder_and_its_file_keeps_to_its_schema() {
    let builder = Server::with("[feeds.app]\npush = true\n[feeds.logs]\ndirectory = 'logs'\n");
    fs::create_dir(builder.path("logs")).unwrap();
    fs::write(builder.path("logs/a.log"), "one\n").unwrap();
    let server = builder.start();
    let document = document(&server, "");
    for (path, target) in [
        ("/feeds/{feed}", "/feeds/app"),
        ("/feeds/{feed}", "/feeds/logs/"),
        ("/feeds/{feed}/{path}", "/feeds/logs/a.log"),
    ] {
        let mut schema =
            document["paths"][path]["get"]["responses"]["200"]["content"]["application/json"]["schema"].clone();
        schema["components"] = document["components"].clone();
        let validator = jsonschema::draft202012::new(&schema).unwrap();
        let told = server.json(&format!("{target}?format=json"));
        let faults: Vec<_> = validator.iter_errors(&told).map(|fault| fault.to_string()).collect();
        assert!(faults.is_empty(), "{target}: {told}: {faults:?}");
    }
}

#[test]
fn schemathesis_finds_no_fault() {
    let server = Server::with(JOBS).server("keep_runs = 50").start();
    // something to be found by its name
    server.get("/jobs/plain").expect(200).whole();
    let config = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/openapi/schemathesis.toml");
    let mut schemathesis = Command::new(judge("schemathesis"));
    schemathesis.arg("--config-file").arg(config).arg("run").arg(server.url("/openapi.json"));
    schemathesis.args(["--max-examples", "10", "--no-color"]);
    schemathesis.current_dir(server.path("")).env("PYTHONPATH", concat!(env!("CARGO_MANIFEST_DIR"), "/tests/openapi"));
    let ended = run_to_end(&mut schemathesis);
    assert_eq!(ended.code, Some(0), "{}{}", ended.text(), ended.stderr);
}
