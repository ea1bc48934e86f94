//! Secrets do not get into the journal, whichever way they come out of the command.

use std::time::Duration;

use joblines::record::{State, Stream};
use joblines::sources::process::Settings;

use crate::harness::Gate;
use crate::{Job, with_secrets};

/// Prints the two halves of `hunter2` with a pause between; `TO` is put behind each command that prints.
async fn split(to: &str, change: fn(&mut Settings)) -> String {
    let text = format!("printf 'it is hun' {to}; read _ < gate; printf 'ter2, hun' {to}; echo ting {to}");
    let job = Job::shell(&text).set(change);
    let gate = Gate::new(&job.work().join("gate"));
    let mut running = job.start(with_secrets(&["hunter2"])).await;
    running.until("it is ").await;
    assert_eq!(running.text(), "it is ", "what may begin the secret waits longer than any other text");
    gate.pass();
    let ran = running.end().await;
    let stream =
        if to.is_empty() || job.settings.pty || job.settings.merge_stderr { Stream::Stdout } else { Stream::Stderr };
    assert_eq!(ran.ended.state, State::Succeeded);
    ran.of(stream)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_that_comes_in_two_writes_is_masked_on_every_way_out() {
    assert_eq!(split("", |_| ()).await, "it is ••••, hunting\n");
    assert_eq!(split(">&2", |_| ()).await, "it is ••••, hunting\n");
    assert_eq!(split(">&2", |settings| settings.merge_stderr = true).await, "it is ••••, hunting\n");
    assert_eq!(split("", |settings| settings.pty = true).await, "it is ••••, hunting\r\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_of_several_lines_is_masked_on_a_terminal_too() {
    let key = "-----BEGIN KEY-----\nMIIEpAIBAAKC\nAQEA7bq\n-----END KEY-----\n";
    for (pty, end) in [(false, "\n"), (true, "\r\n")] {
        let job = Job::shell("printf 'key %s' \"$PARAM_A\"; printf '%s' \"$PARAM_A\" | sed -n 2p")
            .set(|settings| settings.pty = pty);
        let ran = job.run(with_secrets(&[key])).await;
        assert_eq!(ran.stdout(), format!("key ••••{end}••••{end}"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn secrets_are_masked_wherever_reads_and_lines_that_are_too_long_are_cut() {
    // no newline at all: a piece goes out at 64 KiB, and the secret lies across it at another place each time
    let text = "i=0; while [ $i -lt 40 ]; do head -c $((65536 - i)) /dev/zero | tr '\\0' x; printf %s \"$PARAM_A$PARAM_B\"; i=$((i + 1)); done";
    let ran = Job::shell(text).run(with_secrets(&["x-hunter2-x", "swordfish"])).await;
    let wanted: String = (0..40).map(|i| "x".repeat(65536 - i) + "••••••••").collect();
    assert!(ran.stdout() == wanted, "it differs");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_only_begins_like_a_secret_is_let_go_at_the_end() {
    let ran = Job::shell("printf 'hunter2 hunter'").run(with_secrets(&["hunter2"])).await;
    assert_eq!(ran.stdout(), "•••• hunter");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_read_last_from_an_output_that_is_held_open_is_masked() {
    let job = Job::shell("(read _ < gate) & printf 'hunter2 hunter'")
        .set(|settings| settings.drain = Duration::from_millis(50));
    let gate = Gate::new(&job.work().join("gate"));
    let ran = job.run(with_secrets(&["hunter2"])).await;
    gate.pass();
    assert_eq!(ran.stdout(), "•••• hunter");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_joblines_says_is_masked_before_it_is_shortened() {
    for length in 60..80 {
        let pad = "p".repeat(length - "sh -c read _ < gate ".len());
        let job = Job::shell(&format!("sh -c 'read _ < gate' {pad} $PARAM_A & true"))
            .set(|settings| settings.drain = Duration::from_millis(20));
        let gate = Gate::new(&job.work().join("gate"));
        let ran = job.run(with_secrets(&["hunter2-hunter2-hunter2"])).await;
        gate.pass();
        assert!(ran.system().contains(&pad) && !ran.system().contains("hunt"), "{}", ran.system());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn why_a_command_cannot_be_started_is_told_without_secrets() {
    let job = Job::shell("true").set(|settings| settings.cwd = "/nowhere/hunter2".into());
    let error = job.try_start(with_secrets(&["hunter2"])).await.err().unwrap().to_string();
    assert!(error.starts_with("cannot run in cwd /nowhere/••••: "), "{error}");
}
