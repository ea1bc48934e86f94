//! `list`, `runs`, `logs` and `cancel`: looking at a server and its runs.

use serde_json::Value;

use crate::harness::{Ended, Server, joblines, run_to_end};
use crate::{ask, full};

const JOBS: &str = r#"
[jobs.good]
description = "Says \u001b[2J something"
command = 'echo out; echo err >&2; echo more'
[jobs.bad]
command = 'exit 3'
[jobs.waits]
command = 'echo out; read _ < gate; echo more'
[jobs.stays]
command = 'echo out; sleep 1000'
"#;

fn objects(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// The id of a run that has ended.
fn ended_run(server: &Server, job: &str) -> String {
    let run = server.detach(job);
    server.ended(&run);
    run
}

#[test]
fn list_shows_the_jobs_in_order_with_their_last_run() {
    let server = Server::start(JOBS);
    ended_run(&server, "bad");
    let ended = ask(&server, &["list"]);
    let rows: Vec<Vec<_>> =
        ended.stdout.split(|byte| *byte == b'\n').map(|row| row.split(|b| *b == b'\t').collect()).collect();
    assert_eq!((ended.code, rows.len(), ended.stderr.as_str()), (Some(0), 5, ""));
    assert_eq!((rows[0][0], rows[0][1], rows[0][2]), (&b"good"[..], &b"-"[..], &b"-"[..]));
    assert_eq!((rows[1][0], rows[1][1]), (&b"bad"[..], &b"failed"[..]));
    assert!(!ended.text().contains('\x1b') && ended.text().contains("something"), "{}", ended.text());
    let jobs = objects(&ask(&server, &["list", "--json"]).text());
    assert_eq!((&jobs[1]["name"], &jobs[1]["last"]["exit_code"]), (&"bad".into(), &3.into()));
}

#[test]
fn runs_are_listed_newest_first_and_can_be_narrowed_down() {
    let server = Server::start(JOBS);
    let (first, second, third) = (ended_run(&server, "bad"), ended_run(&server, "good"), ended_run(&server, "bad"));
    let ids = |args: &[&str]| -> Vec<String> {
        let ended = ask(&server, args);
        assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""));
        ended.text().lines().map(|line| line.split('\t').next().unwrap().to_owned()).collect()
    };
    assert_eq!(ids(&["runs"]), [third.clone(), second.clone(), first.clone()]);
    assert_eq!(ids(&["runs", "--job", "bad", "--limit", "1"]), std::slice::from_ref(&third));
    assert_eq!(ids(&["runs", "--state", "succeeded"]), std::slice::from_ref(&second));
    let records = objects(&ask(&server, &["runs", "--json", "--limit", "2"]).text());
    assert_eq!((&records[0]["run"], &records[1]["run"]), (&third.into(), &second.into()));
    assert_eq!(ask(&server, &["runs", "--state", "done"]).code, Some(2));
    assert_eq!(ask(&server, &["runs", "--limit", "0"]).code, Some(2));
}

#[test]
fn logs_finds_a_run_by_its_id_a_part_of_it_or_its_job() {
    let server = Server::start(JOBS);
    let run = ended_run(&server, "good");
    for name in [run.as_str(), &run[run.len() - 8..], &run[..13], &run[..13].to_uppercase(), "good"] {
        let ended = ask(&server, &["logs", name]);
        assert_eq!(
            (ended.code, ended.text().as_str(), ended.stderr.as_str()),
            (Some(0), "out\nmore\n", "err\n"),
            "{name}"
        );
    }
    for name in ["nope", "0000000", "bad", &run[..3], "01890000-0000-7000-8000-000000000000"] {
        let ended = ask(&server, &["logs", name]);
        assert_eq!((ended.code, ended.text().as_str()), (Some(2), ""), "{name}");
        ended.one_line();
    }
    ended_run(&server, "good");
    let several = ask(&server, &["logs", &run[..4]]);
    assert_eq!(several.code, Some(2));
    assert!(several.one_line().contains("ids of 2 runs") && several.stderr.contains(&run), "{}", several.stderr);
}

#[test]
fn logs_shows_the_part_that_is_asked_for() {
    let server = Server::start(JOBS);
    ended_run(&server, "good");
    for (args, out, err) in [
        (&["--stream", "stdout"][..], "out\nmore\n", ""),
        (&["--stream", "stderr"], "", "err\n"),
        (&["--stream", "stdout", "--tail", "1"], "more\n", ""),
        (&["--tail", "0"], "", ""),
    ] {
        let ended = ask(&server, &[&["logs", "good"], args].concat());
        assert_eq!((ended.code, ended.text().as_str(), ended.stderr.as_str()), (Some(0), out, err), "{args:?}");
    }
    let lines = objects(&ask(&server, &["logs", "good", "--json"]).text());
    assert_eq!(lines.last().unwrap()["type"], "end");
    assert_eq!(ask(&server, &["logs", "good", "--stream", "stdin"]).code, Some(2));
}

#[test]
fn logs_of_a_run_that_goes_on_stop_here_or_follow_to_the_end() {
    let server = Server::start(JOBS);
    let gate = server.gate("gate");
    server.get("/jobs/waits").line();
    let now = ask(&server, &["logs", "waits"]);
    assert_eq!((now.code, now.text().as_str()), (Some(0), "out\n"));
    gate.pass();
    let whole = ask(&server, &["logs", "-f", "waits"]);
    assert_eq!((whole.code, whole.text().as_str(), whole.stderr.as_str()), (Some(0), "out\nmore\n", ""));
    // how the run ended is not how showing it ended
    ended_run(&server, "bad");
    assert_eq!(ask(&server, &["logs", "-f", "bad"]).code, Some(0));
}

#[test]
fn cancel_is_0_for_what_it_ended_1_for_what_had_ended_and_2_for_what_is_not_there() {
    let server = Server::start(JOBS);
    let run = server.detach("stays");
    let ended = ask(&server, &["cancel", "stays"]);
    assert_eq!((ended.code, ended.text().as_str()), (Some(0), ""), "{}", ended.stderr);
    assert_eq!(ended.one_line(), format!("joblines: run {run} of stays is cancelled"));
    assert_eq!(server.json(&format!("/runs/{run}"))["state"], "cancelled", "it has ended by then");
    let again = ask(&server, &["cancel", &run]);
    assert_eq!(again.code, Some(1));
    assert!(again.one_line().contains("ended already"), "{}", again.stderr);
    assert_eq!(ask(&server, &["cancel", "nope"]).code, Some(2));
    assert_eq!(ask(&server, &["cancel", "01890000-0000-7000-8000-000000000000"]).code, Some(2));
    server.detach("stays");
    let json = ask(&server, &["cancel", "stays", "--json"]);
    assert_eq!((json.code, &objects(&json.text())[0]["state"]), (Some(0), &"cancelled".into()));
}

#[test]
fn a_server_is_named_by_option_by_variable_or_by_its_socket() {
    let server = Server::with(JOBS).arg("--listen").arg("unix:sock").start();
    ended_run(&server, "good");
    let socket = format!("unix:{}", server.path("sock").display());
    for verb in [&["list"][..], &["runs"], &["logs", "good"]] {
        let option =
            run_to_end(joblines(verb).args(["--server", &socket]).env("JOBLINES_SERVER", "http://127.0.0.1:1"));
        let variable = run_to_end(joblines(verb).env("JOBLINES_SERVER", &socket));
        assert_eq!((option.code, option.text()), (Some(0), variable.text()), "{}", option.stderr);
    }
    for verb in [&["list"][..], &["runs"], &["logs", "x"], &["cancel", "x"], &["run", "x"]] {
        let lost = run_to_end(joblines(verb).args(["--server", "http://127.0.0.1:1"]));
        assert_eq!(lost.code, Some(2), "{verb:?}");
        assert!(lost.one_line().contains("cannot connect to http://127.0.0.1:1"), "{}", lost.stderr);
        assert_eq!(run_to_end(joblines(verb).args(["--server", "no server"])).code, Some(2), "{verb:?}");
    }
}

#[test]
fn an_output_that_cannot_be_written_is_told() {
    let server = Server::start(JOBS);
    ended_run(&server, "good");
    let mut command = joblines(["logs", "good", "--stream", "stdout"]);
    let ended = Ended::from(command.env("JOBLINES_SERVER", server.url("")).stdout(full()).output().unwrap());
    assert_eq!(ended.code, Some(1));
    let said = ended.one_line();
    assert!(said.starts_with("joblines: cannot write the output (No space left on device"), "{said}");
}
