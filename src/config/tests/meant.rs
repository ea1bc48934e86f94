//! Right files: what they mean.

use std::time::Duration;

use super::*;
use crate::sources::process::{Command, Inherit};

fn config(text: &str) -> Config {
    parsed(text).unwrap_or_else(|mistakes| panic!("{mistakes}"))
}

/// The only job of a file.
fn job(keys: &str) -> Job {
    let config = config(&format!("[jobs.x]\n{keys}"));
    assert_eq!(config.jobs.len(), 1);
    Job::clone(&config.jobs[0])
}

#[test]
fn an_empty_file_is_a_server_without_jobs() {
    let server = Server {
        listen: vec![Listen::Tcp("127.0.0.1:8080".into())],
        state_dir: None,
        hosts: vec![],
        base_path: String::new(),
        max_running: 64,
        max_queued: 1000,
        max_connections: 10_000,
        keep_runs: 200,
        keep_for: None,
        keep_bytes: None,
    };
    for text in ["", "\u{feff}", "# nothing\n", "[server]\n[jobs]\n"] {
        assert_eq!(config(text), Config { server: server.clone(), jobs: vec![] });
    }
}

#[test]
fn a_job_needs_its_command_alone() {
    let expected = Job {
        name: "x".into(),
        description: None,
        group: None,
        parameters: vec![],
        stdin: Stdin::None,
        overlap: Overlap::Allow,
        source: Source::Command,
        process: process::Settings {
            command: Command::Shell("make".into()),
            cwd: "/srv/app".into(),
            env: vec![],
            inherit_env: Inherit::All,
            pty: false,
            merge_stderr: false,
            timeout: None,
            idle_timeout: None,
            grace: Duration::from_secs(10),
            drain: Duration::from_secs(2),
            success_codes: vec![0],
        }
        .into(),
        on_disconnect: OnDisconnect::Continue,
        max_output: 1 << 30,
        get: true,
        post: true,
    };
    assert_eq!(job("command = 'make'"), expected);
}

#[test]
fn every_supported_key_of_a_job_is_read() {
    let found = job(r#"
        description = "Back up"
        command = ["./backup.sh", "{target}", ""]
        cwd = "db/./x"
        env = { Z = "1", A = "2" }
        inherit_env = ["HOME"]
        pty = true
        merge_stderr = true
        timeout = "1h 30m"
        idle_timeout = "2h"
        grace = "0s"
        drain = "0s"
        on_disconnect = "cancel"
        success_codes = [0, 0xff]
        max_output = "10kB"
        methods = ["POST"]
    "#);
    let settings = process::Settings {
        command: Command::List(vec!["./backup.sh".into(), "{target}".into(), String::new()]),
        cwd: "/srv/app/db/x".into(),
        env: vec![("Z".into(), "1".into()), ("A".into(), "2".into())],
        inherit_env: Inherit::Only(vec!["HOME".into()]),
        pty: true,
        merge_stderr: true,
        timeout: Some(Duration::from_secs(5400)),
        idle_timeout: Some(Duration::from_secs(7200)),
        grace: Duration::ZERO,
        drain: Duration::ZERO,
        success_codes: vec![0, 255],
    };
    assert_eq!(*found.process, settings);
    assert_eq!(found.description.as_deref(), Some("Back up"));
    assert_eq!(found.on_disconnect, OnDisconnect::Cancel);
    assert_eq!((found.max_output, found.get, found.post), (10_000, false, true));
}

#[test]
fn every_supported_key_of_the_server_is_read() {
    let found = config(
        r#"[server]
        listen = ["127.0.0.1:0", "127.0.0.1:0", "[::1]:80", "unix:run/x.sock"]
        state_dir = "state"
        hosts = ["Jobs.Example.org", "::1"]
        base_path = "/joblines"
        max_running = 1
        max_queued = 0
        max_connections = 1_000_000
    "#,
    );
    let tcp = |address: &str| Listen::Tcp(address.into());
    let server = Server {
        listen: vec![
            tcp("127.0.0.1:0"),
            tcp("127.0.0.1:0"),
            tcp("[::1]:80"),
            Listen::Unix("/srv/app/run/x.sock".into()),
        ],
        state_dir: Some("/srv/app/state".into()),
        hosts: vec!["jobs.example.org".into(), "[::1]".into()],
        base_path: "/joblines".into(),
        max_running: 1,
        max_queued: 0,
        max_connections: 1_000_000,
        ..Server::default()
    };
    assert_eq!(found.server, server);
}

#[test]
fn jobs_stay_in_the_order_of_the_file() {
    let found =
        config("jobs.c.command = 'x'\n[jobs.b]\ncommand = 'x'\n[jobs.'a.b']\ncommand = 'x'\n[jobs.a]\ncommand='x'");
    let names: Vec<_> = found.jobs.iter().map(|job| job.name.as_str()).collect();
    assert_eq!(names, ["c", "b", "a.b", "a"]);
}

#[test]
fn inherit_env_is_all_none_or_some() {
    let inherit = |value: &str| job(&format!("command = 'x'\ninherit_env = {value}")).process.inherit_env.clone();
    assert_eq!(inherit("true"), Inherit::All);
    assert_eq!(inherit("false"), Inherit::None);
    assert_eq!(inherit("[]"), Inherit::Only(vec![]));
}

#[test]
fn variables_of_env_files_come_before_those_of_env() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("jobs.toml");
    std::fs::write(folder.path().join("a.env"), "A=1\nexport B='2'\n").expect("a file");
    std::fs::write(folder.path().join("b.env"), "B=3\n").expect("a file");
    std::fs::write(&path, "[jobs.x]\ncommand = 'x'\nenv = { A = '4' }\nenv_file = ['a.env', 'b.env']\n[jobs.y]\ncommand = 'y'\nenv_file = 'b.env'")
        .expect("a file");
    let found = load(&path).expect("a right file");
    let env: Vec<_> = found.jobs[0].process.env.iter().map(|(name, value)| format!("{name}={value}")).collect();
    assert_eq!(env, ["A=1", "B=2", "B=3", "A=4"]);
    assert_eq!(found.jobs[1].process.env, [("B".to_owned(), "3".to_owned())]);
    assert_eq!(found.jobs[0].process.cwd, folder.path());
}

#[test]
fn the_sample_is_right() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("jobs.toml");
    let found = load(&path).unwrap_or_else(|mistakes| panic!("{mistakes}"));
    let names: Vec<_> = found.jobs.iter().map(|job| job.name.as_str()).collect();
    assert_eq!(names, ["count", "both-streams", "colours", "fails", "terminal", "burst", "stubborn"]);
    assert_eq!(found.server.state_dir.as_deref(), path.parent().map(|folder| folder.join("state")).as_deref());
}
