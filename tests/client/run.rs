//! `joblines run JOB --server URL`: the job's streams, its bytes and its exit code, as if it ran here.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, Command, ExitStatus, Stdio};

use rustix::process::Signal;

use crate::full;
use crate::harness::{Ended, Server, joblines, processes, run_to_end, wait_for};

/// `joblines run job` at this server, to its end.
fn run(server: &Server) -> Ended {
    run_to_end(&mut joblines(["run", "job", "--server", &server.url("")]))
}

/// The same, not awaited.
fn start(server: &Server) -> Child {
    let mut command = joblines(["run", "job", "--server", &server.url("")]);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

/// How it ended, without waiting for ever.
fn end_of(client: &mut Child) -> ExitStatus {
    let mut status = None;
    wait_for("the client to end", || {
        status = client.try_wait().unwrap();
        status.is_some()
    });
    status.unwrap()
}

/// Waits for its end: its exit code and all that it said on stderr.
fn wait(mut client: Child) -> (Option<i32>, String) {
    let mut said = String::new();
    client.stderr.take().unwrap().read_to_string(&mut said).unwrap();
    (client.wait().unwrap().code(), said)
}

#[test]
fn both_streams_and_the_exit_code_come_through() {
    let ended = run(&Server::with_job("echo out; echo err >&2; exit 3"));
    assert_eq!((ended.code, ended.text().as_str()), (Some(3), "out\n"));
    assert_eq!(ended.stderr.lines().next(), Some("err"));
}

#[test]
fn success_is_0_with_nothing_added() {
    let ended = run(&Server::with_job("echo out; echo err >&2"));
    assert_eq!((ended.code, ended.text().as_str(), ended.stderr.as_str()), (Some(0), "out\n", "err\n"));
}

#[test]
fn bytes_are_kept_as_they_are() {
    let ended = run(&Server::with_job(r"printf 'nul \000 invalid \377 crlf\r\n\033[31m no newline'"));
    assert_eq!((ended.code, &ended.stdout[..]), (Some(0), &b"nul \0 invalid \xff crlf\r\n\x1b[31m no newline"[..]));
    let long = run(&Server::with_job("head -c 1000000 /dev/zero | tr '\\0' x; seq 1 100000"));
    let wanted = "x".repeat(1_000_000) + &(1..=100_000).map(|n| format!("{n}\n")).collect::<String>();
    assert!(long.text() == wanted, "{} of {} bytes", long.stdout.len(), wanted.len());
}

#[test]
fn lines_are_shown_as_they_come() {
    let server = Server::with_job("printf 'name? '; read _ < gate; echo Ann");
    let gate = server.gate("gate");
    let mut client = start(&server);
    let mut stdout = client.stdout.take().unwrap();
    let mut prompt = [0; 6];
    stdout.read_exact(&mut prompt).unwrap();
    assert_eq!(&prompt, b"name? ");
    gate.pass();
    let mut rest = String::new();
    stdout.read_to_string(&mut rest).unwrap();
    assert_eq!((rest.as_str(), wait(client).0), ("Ann\n", Some(0)));
}

#[test]
fn a_timeout_is_124() {
    let server = Server::start("[jobs.job]\ncommand = 'echo out; sleep 1000'\ntimeout = '300ms'\n");
    let ended = run(&server);
    assert_eq!((ended.code, ended.text().as_str()), (Some(124), "out\n"));
}

#[test]
fn a_signal_is_128_and_its_number() {
    assert_eq!(run(&Server::with_job("kill -TERM $$")).code, Some(128 + 15));
    assert_eq!(run(&Server::with_job("kill -KILL $$")).code, Some(128 + 9));
}

#[test]
fn a_code_that_counts_as_success_is_passed_on_as_it_is() {
    let server = Server::start("[jobs.job]\ncommand = 'exit 4'\nsuccess_codes = [4]\n");
    assert_eq!(run(&server).code, Some(4));
}

#[test]
fn an_unknown_job_is_2_and_one_clear_line() {
    let server = Server::start("[jobs.other]\ncommand = 'true'\n");
    let ended = run(&server);
    assert_eq!((ended.code, ended.text().as_str()), (Some(2), ""));
    assert!(ended.one_line().contains("job"), "{}", ended.stderr);
}

#[test]
fn a_server_that_is_not_there_is_a_failure_and_one_clear_line() {
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", free.local_addr().unwrap());
    drop(free);
    let ended = run_to_end(&mut joblines(["run", "job", "--server", &url]));
    assert!(matches!(ended.code, Some(1 | 2)), "{ended:?}");
    assert!(ended.one_line().contains(url.trim_start_matches("http://")), "{}", ended.stderr);
}

#[test]
fn a_server_that_is_lost_is_1_and_says_so() {
    let mut server = Server::with_job("echo out; sleep 1000");
    let mut client = start(&server);
    let mut line = String::new();
    let mut stdout = BufReader::new(client.stdout.take().unwrap());
    stdout.read_line(&mut line).unwrap();
    server.kill();
    let (code, said) = wait(client);
    assert_eq!((code, line.as_str()), (Some(1), "out\n"));
    assert_eq!(said.lines().count(), 1, "{said}");
}

#[test]
fn ctrl_c_cancels_the_run() {
    let server = Server::with_job("echo $$; sleep 1000");
    let mut client = start(&server);
    let mut line = String::new();
    BufReader::new(client.stdout.take().unwrap()).read_line(&mut line).unwrap();
    processes::send(client.id(), Signal::INT);
    assert_eq!(wait(client).0, Some(128 + 15));
    assert_eq!(server.runs("job")[0]["state"], "cancelled");
    let pid = line.trim().parse().unwrap();
    wait_for("the job to be gone", || !processes::is_alive(pid));
}

/// `joblines` with these arguments, to which a signal does what it usually does, however the tests were started: in the
/// background of a shell, an interrupt does nothing.
fn interruptible(args: &[&str]) -> Command {
    let mut command = Command::new("env");
    command.args(["--default-signal=INT,TERM", env!("CARGO_BIN_EXE_joblines")]).args(args);
    command
}

#[test]
fn before_anything_is_started_a_signal_ends_it_as_any_program() {
    let server = Server::start("[jobs.job]\ncommand = 'true'\nparams.token = { type = 'secret' }\n");
    for signal in [Signal::INT, Signal::TERM] {
        let mut command = interruptible(&["run", "job", "token=@-", "--server", &server.url("")]);
        let mut client = command.stdin(Stdio::piped()).spawn().unwrap();
        let mut stdin = client.stdin.take().unwrap();
        stdin.write_all(b"half").unwrap();
        wait_for("the half to be read", || rustix::io::ioctl_fionread(&stdin).unwrap() == 0);
        processes::send(client.id(), signal);
        assert_eq!(end_of(&mut client).signal(), Some(signal.as_raw()));
    }
    assert_eq!(server.runs("job").len(), 0);
}

#[test]
fn where_no_run_is_waited_for_a_silent_server_is_left_at_a_signal() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", silent.local_addr().unwrap());
    for args in [&["run", "job", "a=b"][..], &["run", "-d", "job"]] {
        let mut client = interruptible(args).env("JOBLINES_SERVER", &url).spawn().unwrap();
        let (mut connection, _) = silent.accept().unwrap();
        // it asks, and waits for the answer from here on
        connection.read_exact(&mut [0; 5]).unwrap();
        processes::send(client.id(), Signal::INT);
        assert_eq!(end_of(&mut client).signal(), Some(Signal::INT.as_raw()), "{args:?}");
    }
}

#[test]
fn a_run_cancelled_by_somebody_else_ends_the_client_too() {
    let server = Server::with_job("echo out; sleep 1000");
    let mut client = start(&server);
    let mut line = String::new();
    BufReader::new(client.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let run = server.runs("job")[0]["run"].as_str().unwrap().to_owned();
    server.post(&format!("/runs/{run}/cancel")).expect(202);
    assert_eq!(wait(client).0, Some(128 + 15));
}

#[test]
fn a_server_below_another_path_is_reached() {
    let server = Server::with("[jobs.job]\ncommand = 'echo out'\n").server("base_path = '/below'").start();
    let ended = run_to_end(&mut joblines(["run", "job", "--server", &server.url("/below")]));
    assert_eq!((ended.code, ended.text().as_str()), (Some(0), "out\n"), "{}", ended.stderr);
}

#[test]
fn a_command_that_cannot_be_started_is_a_failure_that_says_why() {
    let server = Server::start("[jobs.job]\ncommand = ['no-such-program-4711']\n");
    let ended = run(&server);
    assert!(ended.code.is_some_and(|code| code != 0), "{ended:?}");
    assert!(ended.stderr.contains("no-such-program-4711"), "{}", ended.stderr);
}

#[test]
fn a_reader_that_leaves_ends_the_client_quietly() {
    let server = Server::with_job("seq 1 1000000");
    let client = format!("{} run job --server {} | head -n 1", env!("CARGO_BIN_EXE_joblines"), server.url(""));
    let ended = run_to_end(std::process::Command::new("sh").args(["-c", &client]));
    assert_eq!((ended.text().as_str(), ended.stderr.contains("panick")), ("1\n", false), "{}", ended.stderr);
}

#[test]
fn an_output_that_cannot_be_written_is_told_with_where_the_run_goes_on() {
    let server = Server::with_job("echo hi; exit 3");
    let mut command = joblines(["run", "job"]);
    let output = command.env("JOBLINES_SERVER", server.url("")).stdout(full()).output().unwrap();
    let run = server.runs("job")[0]["run"].as_str().unwrap().to_owned();
    let ended = Ended::from(output);
    assert_eq!(ended.code, Some(1));
    let said = ended.one_line();
    assert!(said.starts_with("joblines: cannot write the output (No space left on device"), "{said}");
    assert!(said.ends_with(&format!("; the run may go on: {}", server.url(&format!("/runs/{run}")))), "{said}");
}
