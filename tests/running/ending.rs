//! How runs end: by themselves, by a signal, in time or not.

use serde_json::Value;

use crate::harness::{Server, processes};
use crate::{end, objects, server_with};

/// State, exit code and signal.
fn outcome(end: &Value) -> (&str, Option<i64>, Option<i64>) {
    (end["state"].as_str().unwrap(), end["exit_code"].as_i64(), end["signal"].as_i64())
}

#[test]
fn the_exit_code_decides() {
    assert_eq!(outcome(&end(&Server::with_job("true"))), ("succeeded", Some(0), None));
    assert_eq!(outcome(&end(&Server::with_job("exit 3"))), ("failed", Some(3), None));
}

#[test]
fn success_codes_say_which() {
    let codes = |command: &str| server_with(&format!("command = '{command}'\nsuccess_codes = [3, 4]"));
    assert_eq!(outcome(&end(&codes("exit 4"))), ("succeeded", Some(4), None));
    assert_eq!(outcome(&end(&codes("exit 0"))), ("failed", Some(0), None));
}

#[test]
fn a_signal_from_elsewhere_is_a_failure_with_its_name() {
    let server = Server::with_job("kill -SEGV $$");
    let run = server.detach("job");
    let record = server.ended(&run);
    assert_eq!(outcome(&record), ("failed", None, Some(11)));
    assert_eq!(record["signal_name"], "SIGSEGV");
}

#[test]
fn a_command_that_takes_too_long_is_timed_out_with_its_group() {
    let server = server_with("command = 'sleep 1000 & echo $!; wait'\ntimeout = '300ms'");
    let objects = objects(&server);
    assert_eq!(outcome(objects.last().unwrap()), ("timed_out", None, Some(15)));
    let sleeper = objects[1]["text"].as_str().unwrap().parse().unwrap();
    assert!(!processes::is_alive(sleeper));
}

#[test]
fn a_command_that_ignores_sigterm_under_a_timeout_is_killed_after_grace() {
    let server = server_with(
        "command = \"trap '' TERM; echo $$; while :; do sleep 0.05; done\"\ntimeout = '300ms'\ngrace = '200ms'",
    );
    let objects = objects(&server);
    assert_eq!(outcome(objects.last().unwrap()), ("timed_out", None, Some(9)));
    let pid = objects[1]["text"].as_str().unwrap().parse().unwrap();
    assert!(processes::group(pid).is_empty());
}

#[test]
fn a_command_that_leaves_at_sigterm_is_timed_out_whatever_its_exit_code() {
    let server =
        server_with("command = \"trap 'echo bye; exit 0' TERM; while :; do sleep 0.05; done\"\ntimeout = '300ms'");
    let objects = objects(&server);
    assert_eq!(outcome(objects.last().unwrap()), ("timed_out", Some(0), None));
    assert!(objects.iter().any(|object| object["text"] == "bye"), "what it says at the end is kept");
}

#[test]
fn a_command_that_falls_silent_is_timed_out_and_one_that_talks_is_not() {
    let silent = server_with("command = 'echo a; sleep 1000'\nidle_timeout = '300ms'");
    assert_eq!(outcome(&end(&silent)), ("timed_out", None, Some(15)));
    let talks = server_with("command = 'for i in 1 2 3 4 5 6; do echo $i; sleep 0.5; done'\nidle_timeout = '2s'");
    assert_eq!(outcome(&end(&talks)), ("succeeded", Some(0), None));
}

#[test]
fn a_run_goes_on_when_the_client_that_started_it_leaves() {
    let server = Server::with_job("echo one; read _ < gate; echo two");
    let gate = server.gate("gate");
    let mut text = server.get("/jobs/job");
    text.line();
    let run = text.run();
    drop(text);
    gate.pass();
    assert_eq!(server.ended(&run)["state"], "succeeded");
    assert_eq!(server.get(&format!("/runs/{run}")).text(), "one\ntwo\n");
}

#[test]
fn a_run_may_be_cancelled_when_the_client_that_started_it_leaves() {
    let server = server_with("command = 'echo one; sleep 1000'\non_disconnect = 'cancel'");
    let mut starter = server.get("/jobs/job");
    starter.line();
    let run = starter.run();
    let mut viewer = server.get(&format!("/runs/{run}"));
    viewer.line();
    drop(viewer);
    assert_eq!(server.json(&format!("/runs/{run}"))["state"], "running", "a mere viewer may leave");
    drop(starter);
    assert_eq!(server.ended(&run)["state"], "cancelled");
}

#[test]
fn the_receipt_tells_what_the_run_cost() {
    let server = Server::with_job(
        "head -c 60000000 /dev/zero | tail -c 60000000 | wc -c > /dev/null; i=0; while [ $i -lt 99999 ]; do i=$((i+1)); done; echo done",
    );
    let run = server.detach("job");
    let record = server.ended(&run);
    let number = |field: &str| record[field].as_u64().unwrap_or_else(|| panic!("{field} in {record}"));
    assert!(number("cpu_user_ms") + number("cpu_system_ms") > 0, "{record}");
    assert!(number("max_rss_bytes") > 60_000_000, "{record}");
    assert!(number("duration_ms") > 0, "{record}");
    assert_eq!((number("lines"), number("bytes"), number("bytes_not_kept")), (1, 5, 0));
}
