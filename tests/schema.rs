//! `joblines schema`: what it prints is a schema that takes the sample, and refuses what `joblines check` refuses.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod harness;

use std::fs;

use harness::{Ended, joblines, run_to_end};
use serde_json::Value;

const SAMPLE: &str = include_str!("../jobs.toml");

fn schema() -> Value {
    let ended = run_to_end(&mut joblines(["schema"]));
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""));
    serde_json::from_str(&ended.text()).unwrap()
}

/// Whether `joblines check` takes the file.
fn is_taken(text: &str) -> bool {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("jobs.toml"), text).unwrap();
    let Ended { code, .. } = run_to_end(joblines(["check"]).current_dir(folder.path()));
    code == Some(0)
}

#[test]
fn an_editor_and_the_check_agree() {
    let validator = jsonschema::draft202012::new(&schema()).unwrap();
    let misspelt = SAMPLE.replacen("\ncommand", "\ncomand", 1);
    let unbounded = SAMPLE.replacen("timeout = \"3s\"", "timeout = 3", 1);
    let wordless = SAMPLE.replacen("overlap = \"queue\"", "overlap = \"line up\"", 1);
    let open = SAMPLE.replacen("type = \"secret\"", "type = \"secret\", default = \"x\"", 1);
    for (text, good) in [(SAMPLE, true), (&misspelt, false), (&unbounded, false), (&wordless, false), (&open, false)] {
        assert!(good || text != SAMPLE);
        let document: Value = toml::from_str(text).unwrap();
        assert_eq!((validator.is_valid(&document), is_taken(text)), (good, good), "{text}");
    }
}

#[test]
fn an_editor_and_the_check_agree_about_feeds() {
    let validator = jsonschema::draft202012::new(&schema()).unwrap();
    let good = "[feeds.a]\nredis = 'redis://127.0.0.1'\nchannel = 'x'\n[feeds.b]\nsyslog = { udp = '127.0.0.1:0' }\n\
                [feeds.c]\nmerge = ['a', 'b']\n";
    for (from, to) in [
        ("", ""),
        ("redis =", "radis ="),
        ("udp", "http"),
        ("channel", "push"),
        ("['a', 'b']", "[]"),
        ("[feeds.c]", "[feeds.'/']"),
    ] {
        let text = good.replacen(from, to, 1);
        let document: Value = toml::from_str(&text).unwrap();
        let expected = from == to;
        assert_eq!((validator.is_valid(&document), is_taken(&text)), (expected, expected), "{text}");
    }
}

#[test]
fn it_needs_no_jobs_toml_and_says_when_nobody_can_have_it() {
    let folder = tempfile::tempdir().unwrap();
    let ended = run_to_end(joblines(["schema"]).current_dir(folder.path()));
    assert_eq!(ended.code, Some(0));
    let full = fs::File::options().write(true).open("/dev/full").unwrap();
    let output = joblines(["schema"]).stdout(full).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8(output.stderr).unwrap().starts_with("joblines: cannot write the schema"));
}
