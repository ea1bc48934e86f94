//! A run's input is its command's standard input, and nobody takes a part of it for the whole.

use std::fs;
use std::io::{self, Cursor};
use std::time::Duration;

use joblines::record::{Outcome, State};
use joblines::sources::process::Launch;
use sha2::{Digest, Sha256};

use crate::harness::{Gate, processes, wait_for};
use crate::{Job, input};

const TEN_MIB: usize = 10 << 20;

/// Bytes of every value, the same each time.
fn bytes(count: usize) -> Vec<u8> {
    (0..count as u32).map(|at| (at.wrapping_mul(2_654_435_761) >> 13) as u8).collect()
}

/// All at once.
fn at_once(bytes: Vec<u8>) -> Launch {
    Launch { input: Some(Box::pin(Cursor::new(bytes))), ..Launch::default() }
}

fn broken() -> io::Error {
    io::Error::other("the client is gone")
}

#[tokio::test(flavor = "multi_thread")]
async fn every_byte_arrives() {
    let bytes = bytes(TEN_MIB);
    let digest: String = Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect();
    let ran = Job::list(&["sha256sum"]).run(at_once(bytes)).await;
    assert_eq!(ran.stdout(), format!("{digest}  -\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn it_arrives_while_it_is_sent_and_output_flows_meanwhile() {
    let job = Job::shell("while read line; do echo \"got $line\"; done; echo over");
    let (sender, launch) = input();
    let mut running = job.start(launch).await;
    for word in ["one", "two", "three"] {
        sender.send(Ok(format!("{word}\n").into_bytes())).await.unwrap();
        running.until(&format!("got {word}\n")).await;
    }
    drop(sender);
    assert_eq!(running.end().await.stdout(), "got one\ngot two\ngot three\nover\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_with_more_output_than_a_pipe_holds_does_not_wait_for_itself() {
    let bytes = "0123456789abcde\n".repeat(TEN_MIB / 16);
    let ran = Job::list(&["cat"]).run(at_once(bytes.clone().into_bytes())).await;
    assert!(ran.stdout() == bytes, "it differs");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_that_never_reads_is_not_harmed() {
    let ran = Job::list(&["seq", "1", "200000"]).run(at_once(bytes(TEN_MIB))).await;
    assert_eq!((ran.ended.state, ran.stdout().lines().count()), (State::Succeeded, 200_000));
    let ran = Job::list(&["true"]).run(at_once(bytes(TEN_MIB))).await;
    assert_eq!((ran.ended.state, ran.system().as_str()), (State::Succeeded, ""));
    let ran = Job::list(&["head", "-c", "3"]).run(at_once(b"abcdef".repeat(1 << 20))).await;
    assert_eq!((ran.ended.state, ran.stdout().as_str()), (State::Succeeded, "abc"));
}

#[tokio::test(flavor = "multi_thread")]
async fn once_the_command_has_closed_its_input_the_rest_is_thrown_away_and_may_break_off() {
    let job = Job::shell("exec <&-; echo closed; read _ < gate");
    let gate = Gate::new(&job.work().join("gate"));
    let (sender, launch) = input();
    let mut running = job.start(launch).await;
    running.until("closed").await;
    for _ in 0..100 {
        sender.send(Ok(bytes(100_000))).await.unwrap();
    }
    sender.send(Err(broken())).await.unwrap();
    sender.closed().await;
    gate.pass();
    let ran = running.end().await;
    assert_eq!((ran.ended.state, ran.system().as_str()), (State::Succeeded, ""));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_input_that_breaks_off_ends_the_run_and_is_not_acted_upon() {
    let job = Job::shell("cat >half && touch acted");
    let (sender, launch) = input();
    let running = job.start(launch).await;
    sender.send(Ok(b"half".to_vec())).await.unwrap();
    let half = job.work().join("half");
    wait_for("the first half", || fs::read(&half).is_ok_and(|read| read == b"half"));
    sender.send(Err(broken())).await.unwrap();
    let ran = running.end().await;
    assert_eq!(ran.system(), "the input broke off (the client is gone): its processes get SIGTERM\n");
    assert_eq!((ran.ended.state, ran.ended.outcome), (State::Failed, Outcome::Signalled(15)));
    assert!(!job.work().join("acted").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_that_ignores_sigterm_does_not_see_the_end_of_a_broken_input_either() {
    let job = Job::shell("trap '' TERM; echo on; cat >half; touch acted")
        .set(|settings| settings.grace = Duration::from_millis(300));
    let (sender, launch) = input();
    let mut running = job.start(launch).await;
    running.until("on").await;
    sender.send(Err(broken())).await.unwrap();
    let ran = running.end().await;
    assert_eq!((ran.ended.state, ran.ended.outcome), (State::Failed, Outcome::Signalled(9)));
    assert!(!job.work().join("acted").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_is_given_up_does_not_see_the_end_of_its_input() {
    let job = Job::shell("echo $$; cat >half; touch acted");
    let (sender, launch) = input();
    let mut running = job.start(launch).await;
    running.until("\n").await;
    let child: u32 = running.text().trim().parse().unwrap();
    running.following.abort();
    wait_for("the end of its processes", || processes::group(child).is_empty());
    assert!(sender.is_closed() && !job.work().join("acted").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn on_a_terminal_the_input_is_a_pipe_still() {
    let job = Job::shell("test -t 1 && ! test -t 0 && cat; read _ </dev/tty || echo over")
        .set(|settings| settings.pty = true);
    assert_eq!(job.run(at_once(b"a\x04b".to_vec())).await.stdout(), "a\x04bover\r\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broken_pipe_ends_the_command_as_it_does_in_a_shell() {
    let ran = Job::shell("kill -PIPE $$; echo survived").run(at_once(Vec::new())).await;
    assert_eq!((ran.ended.outcome, ran.stdout().as_str()), (Outcome::Signalled(13), ""));
}

#[tokio::test(flavor = "multi_thread")]
async fn without_an_input_there_is_nothing_to_read() {
    let ran = Job::list(&["cat"]).run(Launch::default()).await;
    assert_eq!((ran.ended.state, ran.stdout().as_str()), (State::Succeeded, ""));
}
