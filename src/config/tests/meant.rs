//! Right files: what they mean.

use std::time::Duration;

use super::*;
use crate::parameters::{Kind, Pattern};
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
        assert_eq!(config(text), Config { server: server.clone(), jobs: vec![], feeds: vec![] });
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
        group = " Backups "
        stdin = "none"
        overlap = "replace"
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
    assert_eq!(found.group.as_deref(), Some("Backups"));
    assert_eq!((found.stdin, found.overlap), (Stdin::None, Overlap::Replace));
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
        keep_runs = 1
        keep_for = "30d"
        keep_bytes = "10GiB"
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
        keep_runs: 1,
        keep_for: Some(Duration::from_secs(30 * 86_400)),
        keep_bytes: Some(10 << 30),
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

/// The parameters of a job with these, and this command.
fn parameters(command: &str, params: &str) -> Vec<Parameter> {
    job(&format!("command = {command}\n[jobs.x.params]\n{params}")).parameters
}

/// The kind and the default of a parameter.
fn parameter(keys: &str) -> (Kind, Option<String>) {
    let mut found = parameters("'x'", &format!("p = {{ {keys} }}"));
    assert_eq!(found.len(), 1);
    found.pop().map(|parameter| (parameter.kind, parameter.default)).expect("one parameter")
}

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| word.to_string()).collect()
}

#[test]
fn parameters_stay_in_the_order_of_the_file_with_all_that_is_said_of_them() {
    let found = parameters(
        "['./backup.sh', '{target}', '--count={count}']",
        "target = { choices = ['daily', 'full'], default = 'daily', description = 'What to save' }\n\
         count = { type = 'int', min = 1, max = 9, default = 1 }\nA_9.type = 'bool'",
    );
    let expected = [
        Parameter {
            name: "target".into(),
            description: Some("What to save".into()),
            kind: Kind::Choices(words(&["daily", "full"])),
            default: Some("daily".into()),
            leads_argument: true,
        },
        Parameter {
            name: "count".into(),
            description: None,
            kind: Kind::Int { min: Some(1), max: Some(9) },
            default: Some("1".into()),
            leads_argument: false,
        },
        Parameter { name: "A_9".into(), description: None, kind: Kind::Bool, default: None, leads_argument: false },
    ];
    assert_eq!(found, expected);
    let dotted = config("[jobs.'a.b']\ncommand = 'x'\nparams.z = {}\nparams.a = {}");
    let names: Vec<_> = dotted.jobs[0].parameters.iter().map(|parameter| parameter.name.as_str()).collect();
    assert_eq!(names, ["z", "a"]);
}

#[test]
fn the_keys_of_a_parameter_say_what_it_may_be() {
    let pattern = Pattern::new("[a-z]+").ok();
    let some = |text: &str| Some(text.to_owned());
    for (keys, kind, default) in [
        ("", Kind::Text { pattern: None }, None),
        ("type = 'text', default = ''", Kind::Text { pattern: None }, some("")),
        ("pattern = '[a-z]+', default = 'x'", Kind::Text { pattern: pattern.clone() }, some("x")),
        ("type = 'secret'", Kind::Secret { pattern: None }, None),
        ("type = 'secret', pattern = '[a-z]+'", Kind::Secret { pattern }, None),
        ("type = 'int'", Kind::Int { min: None, max: None }, None),
        ("type = 'int', min = -0x8, default = 1_000", Kind::Int { min: Some(-8), max: None }, some("1000")),
        ("type = 'int', max = 9, default = '-9'", Kind::Int { min: None, max: Some(9) }, some("-9")),
        ("type = 'int', choices = [1, '2', 0x10], default = 16", Kind::Choices(words(&["1", "2", "16"])), some("16")),
        ("type = 'bool', default = true", Kind::Bool, some("true")),
        ("type = 'bool', default = 'on'", Kind::Bool, some("true")),
        ("type = 'text', choices = ['', '1']", Kind::Choices(words(&["", "1"])), None),
        (
            "choices_from = ['git', 'branch', '{p}'], default = 'main'",
            Kind::ChoicesFrom(words(&["git", "branch", "{p}"])),
            some("main"),
        ),
    ] {
        // the sign of a hexadecimal number is no TOML
        let keys = keys.replace("-0x8", "-8");
        assert_eq!(parameter(&keys), (kind, default), "{keys}");
    }
}

#[test]
fn a_parameter_leads_an_argument_where_a_program_looks_for_options() {
    for (command, leads) in [
        ("['x', '{p}']", true),
        ("['x', 'a', '{p}.tar', '--']", true),
        ("['x', '{q_}{p}']", true),
        ("['x', '--', '{p}']", false),
        ("['x', '--to={p}']", false),
        ("['x', '{{p}}']", false),
        ("['x']", false),
        ("'x'", false),
    ] {
        assert_eq!(parameters(command, "p = {}\nq_ = {}")[0].leads_argument, leads, "{command}");
    }
}

#[test]
fn braces_that_name_no_parameter_stay() {
    for command in [
        "['awk', '{print $1}']",
        "['awk', '{print}{x}']",
        "['git', 'log', '@{u}', '@{push}']",
        "['sh', '-c', 'echo ${x} $PARAM_TARGET', '--', '{target}']",
        "['sh', '-x', '{target}']",
        "['ssh', '-C', 'host', '{target}']",
        "'echo ${target}'",
        "'awk {print}'",
    ] {
        assert_eq!(parameters(command, "target = {}\nn = {}").len(), 2, "{command}");
    }
    assert_eq!(job("command = ['x', '{target}', '{']").parameters, []);
}

#[test]
fn the_body_of_a_request_has_a_bound() {
    assert_eq!(job("command = 'x'\nstdin = 'body'").stdin, Stdin::Body { max: 16 << 20 });
    assert_eq!(job("command = 'x'\nstdin = 'body'\nmax_body = '1kB'").stdin, Stdin::Body { max: 1000 });
}

#[test]
fn overlap_has_five_words() {
    for (word, overlap) in [
        ("allow", Overlap::Allow),
        ("attach", Overlap::Attach),
        ("queue", Overlap::Queue),
        ("refuse", Overlap::Refuse),
        ("replace", Overlap::Replace),
    ] {
        assert_eq!(job(&format!("command = 'x'\noverlap = '{word}'")).overlap, overlap);
    }
}

#[test]
fn the_sample_is_right() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("jobs.toml");
    let found = load(&path).unwrap_or_else(|mistakes| panic!("{mistakes}"));
    let names: Vec<_> = found.jobs.iter().map(|job| job.name.as_str()).collect();
    assert_eq!(
        names,
        ["count", "both-streams", "colours", "fails", "terminal", "burst", "stubborn", "order", "number"]
    );
    assert_eq!(found.server.state_dir.as_deref(), path.parent().map(|folder| folder.join("state")).as_deref());
}
