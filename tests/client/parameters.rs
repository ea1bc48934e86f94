//! `joblines run JOB NAME=VALUE`: what a job is told, what it reads, and `-d`.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Write};
use std::process::Stdio;

use serde_json::Value;

use crate::harness::{Ended, Server, joblines, wait_for};
use crate::{ask, ask_with_input};

const JOBS: &str = r#"
[jobs.greet]
command = 'printf "%s|%s" "$PARAM_WHO" "$PARAM_COUNT"'
params.who = { default = "nobody" }
params.count = { type = "int", min = 1, max = 9, default = 1 }
[jobs.reads]
command = 'printf "<%s>" "$PARAM_WHO"; cat'
stdin = "body"
params.who = { default = "nobody" }
"#;

#[test]
fn values_reach_the_job_whatever_they_hold() {
    let server = Server::start(JOBS);
    let nasty = "$(id); 'x' \"y\" \\ é -- @ = & %20";
    let ended = ask(&server, &["run", "greet", &format!("who={nasty}"), "count=3"]);
    assert_eq!((ended.code, ended.text()), (Some(0), format!("{nasty}|3")), "{}", ended.stderr);
    assert_eq!(ask(&server, &["run", "greet", "who="]).text(), "|1");
    assert_eq!(ask(&server, &["run", "greet", "who=@@home"]).text(), "@home|1");
}

#[test]
fn values_come_out_of_files_and_standard_input() {
    let server = Server::start(JOBS);
    let file = server.path("who");
    fs::write(&file, "from a file\n").unwrap();
    let ended = ask(&server, &["run", "greet", &format!("who=@{}", file.display())]);
    assert_eq!(ended.text(), "from a file|1", "{}", ended.stderr);
    assert_eq!(ask_with_input(&server, &["run", "greet", "who=@-"], b"from a pipe\n").text(), "from a pipe|1");
    let missing = ask(&server, &["run", "greet", "who=@/no/such/file"]);
    assert_eq!(missing.code, Some(2));
    assert!(missing.one_line().contains("`who`: cannot open /no/such/file"), "{}", missing.stderr);
}

#[test]
fn every_wrong_value_has_its_line_and_nothing_is_started() {
    let server = Server::start(JOBS);
    let ended = ask(&server, &["run", "greet", "count=12", "whoo=x"]);
    let lines: Vec<_> = ended.stderr.lines().collect();
    assert_eq!((ended.code, lines.len()), (Some(2), 2), "{}", ended.stderr);
    assert!(lines.iter().any(|line| line.starts_with("joblines: ") && line.contains("`count` cannot be `12`")));
    assert!(lines.iter().any(|line| line.starts_with("joblines: ") && line.contains("whoo")), "{}", ended.stderr);
    assert_eq!(server.runs("greet").len(), 0);
    for args in [&["run", "greet", "who"][..], &["run", "greet", "who=a", "who=b"]] {
        assert_eq!(ask(&server, args).code, Some(2), "{args:?}");
    }
}

#[test]
fn a_job_reads_what_comes_in_byte_for_byte() {
    let server = Server::start(JOBS);
    let input: Vec<u8> = (0..=255).cycle().take(1_000_000).collect();
    let ended = ask_with_input(&server, &["run", "reads", "-i", "who=Ann & Bob"], &input);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let output = ended.stdout.strip_prefix(b"<Ann & Bob>").unwrap();
    assert!(output == input, "{} of {} bytes", output.len(), input.len());
}

#[test]
fn parameters_alone_are_not_mistaken_for_the_input_of_a_job_that_reads() {
    let server = Server::start(JOBS);
    let ended = ask(&server, &["run", "reads", "who=Ann"]);
    assert_eq!((ended.code, ended.text().as_str()), (Some(0), "<Ann>"), "{}", ended.stderr);
}

#[test]
fn input_for_a_job_that_reads_none_is_refused() {
    let server = Server::start(JOBS);
    let ended = ask_with_input(&server, &["run", "greet", "-i"], b"something");
    assert_eq!(ended.code, Some(2), "{ended:?}");
    ended.one_line();
}

#[test]
fn a_detached_run_is_named_and_goes_on() {
    let server = Server::with_job("read _ < gate; echo done");
    let gate = server.gate("gate");
    let ended = ask(&server, &["run", "job", "-d"]);
    let run = server.runs("job")[0]["run"].as_str().unwrap().to_owned();
    assert_eq!((ended.code, ended.text()), (Some(0), format!("{run}\n")));
    assert_eq!(ended.one_line(), format!("joblines: started {}", server.url(&format!("/runs/{run}"))));
    wait_for("it to run", || server.json(&format!("/runs/{run}"))["state"] == "running");
    gate.pass();
    assert_eq!(server.ended(&run)["state"], "succeeded");
    assert_eq!(ask(&server, &["run", "nope", "-d"]).code, Some(2));
}

#[test]
fn a_detached_run_is_named_at_once_and_gets_its_input_to_the_end() {
    let server = Server::start(JOBS);
    let mut command = joblines(["run", "-i", "-d", "reads", "who="]);
    command.env("JOBLINES_SERVER", server.url("")).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut client = command.spawn().unwrap();
    let mut stdin = client.stdin.take().unwrap();
    let mut run = String::new();
    BufReader::new(client.stdout.take().unwrap()).read_line(&mut run).unwrap();
    let run = run.trim_end();
    server.wait_for_state(run, "running");
    stdin.write_all(&b"late\n".repeat(100_000)).unwrap();
    drop(stdin);
    let ended = Ended::from(client.wait_with_output().unwrap());
    assert_eq!((ended.code, ended.stderr.lines().count()), (Some(0), 1), "{}", ended.stderr);
    let record = server.ended(run);
    assert_eq!((&record["state"], &record["lines"]), (&"succeeded".into(), &100_000.into()));
    assert_eq!(server.get(&format!("/runs/{run}")).text(), format!("<>{}", "late\n".repeat(100_000)));
}

#[test]
fn a_detached_run_whose_input_is_not_taken_to_its_end_is_a_failure() {
    let server = Server::start("[jobs.reads]\ncommand = 'cat'\nstdin = 'body'\nmax_body = '1kB'\n");
    let ended = ask_with_input(&server, &["run", "-i", "-d", "reads"], &[b'x'; 10_000_000]);
    assert_eq!(ended.code, Some(1), "{}", ended.stderr);
    let last = ended.stderr.lines().last().unwrap();
    assert!(last.starts_with("joblines: the server did not take the input to its end"), "{last}");
    assert_eq!(server.ended(ended.text().trim_end())["state"], "failed");
}

#[test]
fn a_standard_input_that_cannot_be_read_is_not_blamed_on_the_server() {
    let server = Server::start(JOBS);
    for detach in [&[][..], &["-d"]] {
        let mut command = joblines(["run", "-i", "reads"]);
        command.args(detach).env("JOBLINES_SERVER", server.url("")).stdin(File::open("/").unwrap());
        let ended = Ended::from(command.output().unwrap());
        assert!(ended.code.is_some_and(|code| code != 0), "{}", ended.stderr);
        assert!(ended.stderr.contains("joblines: standard input cannot be read (Is a directory"), "{}", ended.stderr);
        assert!(!ended.stderr.contains("gave no answer"), "{}", ended.stderr);
    }
}

/// All that a run printed, as its text says and as it does in ndjson.
fn printed(objects: &[Value]) -> String {
    let lines = objects.iter().filter(|object| object["type"] == "line" && object["stream"] == "stdout");
    let text = |line: &Value| {
        let newline = if line.get("partial").is_some() { "" } else { "\n" };
        line["text"].as_str().unwrap().to_owned() + newline
    };
    lines.map(text).collect()
}

#[test]
fn a_run_whose_input_is_too_long_is_shown_to_its_end_all_the_same() {
    let server = Server::start("[jobs.reads]\ncommand = 'printf one; cat'\nstdin = 'body'\nmax_body = '1MB'\n");
    for input in [vec![b'a'; 10_000_000], b"line\n".repeat(2_000_000)] {
        let ended = ask_with_input(&server, &["run", "-i", "reads"], &input);
        assert_eq!(ended.code, Some(128 + 15), "{}", ended.stderr);
        assert!(ended.one_line().contains("it has more than 1000000 bytes, its max_body"), "{}", ended.stderr);
        let run = server.runs("reads")[0]["run"].as_str().unwrap().to_owned();
        let text = server.get(&format!("/runs/{run}")).text();
        assert!(ended.text() == text, "{} of {} bytes", ended.stdout.len(), text.len());
        let ended = ask_with_input(&server, &["run", "-i", "reads", "--json"], &input);
        assert_eq!((ended.code, ended.stderr.as_str()), (Some(128 + 15), ""));
        let objects: Vec<Value> = ended.text().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let run = objects[0]["run"].as_str().unwrap();
        let all = server.ndjson(&format!("/runs/{run}?format=ndjson"));
        assert!(printed(&objects) == printed(&all), "{} of {} objects", objects.len(), all.len());
        assert_eq!(objects.last(), all.last());
        assert_eq!(objects.iter().filter(|object| object["type"] == "run").count(), 1);
    }
}

#[test]
fn json_is_what_the_server_says() {
    let server = Server::with_job("echo out; exit 3");
    let ended = ask(&server, &["run", "job", "--json"]);
    let objects: Vec<serde_json::Value> =
        ended.text().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(ended.code, Some(3));
    assert_eq!((&objects[0]["type"], &objects[1]["text"]), (&"run".into(), &"out".into()));
    assert_eq!(objects.last().unwrap()["exit_code"], 3);
    let detached = ask(&server, &["run", "job", "-d", "--json"]).text();
    assert_eq!(serde_json::from_str::<serde_json::Value>(&detached).unwrap()["job"], "job");
    assert_eq!(detached.lines().count(), 1);
}
