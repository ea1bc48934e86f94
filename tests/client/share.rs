//! `joblines share`: one command, or standard input, at a URL of its own.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, ChildStderr, ChildStdout, Stdio};

use rustix::process::Signal;
use tempfile::TempDir;

use crate::full;
use crate::harness::{Address, Ended, Gate, Request, html, joblines, processes, run_to_end, wait_for};

/// A `share` that runs, in a folder of its own, where its temporary files are too.
struct Shared {
    child: Child,
    folder: TempDir,
    address: Address,
    path: String,
    stderr: BufReader<ChildStderr>,
    stdout: Option<BufReader<ChildStdout>>,
}

impl Shared {
    fn start(args: &[&str]) -> Shared {
        let folder = tempfile::tempdir().unwrap();
        let mut command = joblines(["share"]);
        command.args(args).current_dir(&folder).env("TMPDIR", folder.path());
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut stderr = BufReader::new(child.stderr.take().unwrap());
        let mut said = String::new();
        stderr.read_line(&mut said).unwrap();
        let (_, url) = said.trim_end().split_once(" at http://").unwrap_or_else(|| panic!("no address in {said:?}"));
        let (host, path) = url.split_once('/').unwrap();
        let (address, path) = (Address::Tcp(host.parse().unwrap()), format!("/{path}"));
        let stdout = Some(BufReader::new(child.stdout.take().unwrap()));
        Shared { child, folder, address, path, stderr, stdout }
    }

    fn get(&self, target: &str) -> Request {
        self.address.request("GET", target)
    }

    fn gate(&self) -> Gate {
        Gate::new(&self.folder.path().join("gate"))
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.stdout.as_mut().unwrap().read_line(&mut line).unwrap();
        line
    }

    /// The next line on stderr.
    fn said(&mut self) -> String {
        let mut line = String::new();
        self.stderr.read_line(&mut line).unwrap();
        line
    }

    fn signal(&self, signal: Signal) {
        processes::send(self.child.id(), signal);
    }

    /// What it still printed on both streams, and its exit code. It leaves nothing behind.
    fn end(mut self) -> (Vec<u8>, String, Option<i32>) {
        let (mut out, mut err) = (Vec::new(), String::new());
        if let Some(stdout) = &mut self.stdout {
            stdout.read_to_end(&mut out).unwrap();
        }
        self.stderr.read_to_string(&mut err).unwrap();
        let code = self.child.wait().unwrap().code();
        let left: Vec<_> = fs::read_dir(&self.folder).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert!(left.iter().all(|name| name == "gate"), "{left:?}");
        (out, err, code)
    }
}

impl Drop for Shared {
    /// Ends what a failed test left running.
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        processes::end_all_around(self.folder.path());
    }
}

#[test]
fn a_command_is_at_its_url_and_here_and_starts_once() {
    let mut shared = Shared::start(&[
        "--",
        "sh",
        "-c",
        "echo out; while [ ! -p gate ]; do sleep 0.05; done; read _ < gate; echo err >&2; exit 3",
    ]);
    assert_eq!(shared.path, "/jobs/sh");
    let gate = shared.gate();
    assert_eq!(shared.line(), "out\n");
    let run = shared.get("/").accept("text/html").send();
    let page = run.header("location").unwrap().to_owned();
    assert!(run.status == 302 && page.starts_with("/runs/"), "{page}");
    for path in ["/jobs/sh", "/jobs/sh/form"] {
        assert_eq!(shared.get(path).accept("text/html").send().header("location"), Some(page.as_str()), "{path}");
    }
    let tail = shared.get("/jobs/sh?tail=1&q=o%26").accept("text/html").send();
    assert_eq!(tail.header("location"), Some(format!("{page}?tail=1&q=o%26").as_str()));
    assert_eq!(shared.address.request("POST", "/jobs/sh").send().status, 405);
    let mut text = shared.get("/jobs/sh").send();
    assert_eq!(text.line(), "out");
    gate.pass();
    assert_eq!(text.text(), "err\n");
    assert_eq!(shared.said(), "err\n");
    let said = shared.said();
    assert!(said.starts_with("joblines: ended with exit code 3; http://") && said.contains("Ctrl-C"), "{said}");
    let whole = shared.get(&page).accept("text/html").send().text();
    html::assert_whole(&whole);
    assert_eq!(html::attribute_of(&whole, "end", "data-exit-code").as_deref(), Some("3"));
    assert!(!whole.to_lowercase().contains("run again"), "nothing starts it again");
    let runs = shared.get("/runs").accept("application/json").send().json();
    assert_eq!(runs["runs"].as_array().unwrap().len(), 1, "no visit has started it anew");
    shared.signal(Signal::INT);
    let (out, err, code) = shared.end();
    assert_eq!((out.len(), err.as_str(), code), (0, "", Some(3)));
}

#[test]
fn bytes_pass_unchanged_on_both_streams() {
    let folder = tempfile::tempdir().unwrap();
    let copy = folder.path().join("copy");
    let script =
        format!("head -c 3000000 /dev/urandom | tee {}; printf 'err \\377\\000 no newline' >&2", copy.display());
    let ended = run_to_end(joblines(["share", "--no-wait", "--", "sh", "-c", &script]).env("TMPDIR", folder.path()));
    assert_eq!(ended.code, Some(0));
    assert!(ended.stdout == fs::read(copy).unwrap(), "{} bytes", ended.stdout.len());
    assert!(ended.stderr.ends_with("\nerr \u{fffd}\0 no newline"), "{:?}", ended.stderr);
}

#[test]
fn standard_input_is_shown_as_it_comes_and_passed_on() {
    let mut shared = Shared::start(&["--name", "build", "-"]);
    assert_eq!(shared.path, "/jobs/build");
    let mut stdin = shared.child.stdin.take().unwrap();
    stdin.write_all(b"one\nname? ").unwrap();
    let mut text = shared.get("/jobs/build").send();
    assert_eq!(text.line(), "one");
    assert_eq!(shared.line(), "one\n");
    let mut prompt = [0; 6];
    shared.stdout.as_mut().unwrap().read_exact(&mut prompt).unwrap();
    assert_eq!(&prompt, b"name? ");
    stdin.write_all(b"Ann").unwrap();
    drop(stdin);
    assert_eq!(text.text(), "name? Ann");
    assert!(shared.said().contains("standard input has ended"));
    let record = shared.get("/jobs/build").accept("application/json").send().json();
    assert_eq!((&record["state"], &record["exit_code"]), (&"succeeded".into(), &().into()));
    shared.signal(Signal::TERM);
    assert_eq!(shared.end(), (b"Ann".to_vec(), String::new(), Some(0)));
}

#[test]
fn without_waiting_it_ends_when_every_open_page_has_its_end() {
    let mut shared = Shared::start(&[
        "--no-wait",
        "--",
        "sh",
        "-c",
        "echo out; while [ ! -p gate ]; do sleep 0.05; done; read _ < gate; seq 1 300000; exit 4",
    ]);
    let gate = shared.gate();
    assert_eq!(shared.line(), "out\n");
    let mut page = shared.get("/jobs/sh").send();
    assert_eq!(page.line(), "out");
    gate.pass();
    let mut out = Vec::new();
    shared.stdout.as_mut().unwrap().read_to_end(&mut out).unwrap();
    assert!(out.ends_with(b"300000\n"));
    // it has more to read than the system keeps for it
    assert_eq!(page.text().lines().count(), 300_000);
    assert_eq!(shared.end().2, Some(4));
}

#[test]
fn ctrl_c_cancels_the_command_and_ends_with_it() {
    let mut shared = Shared::start(&[
        "--",
        "sh",
        "-c",
        "exec 2>/dev/null; trap 'echo cleaning up; exit 7' TERM; echo $$; while :; do sleep 0.05; done",
    ]);
    let pid = shared.line().trim().parse().unwrap();
    let mut page = shared.get("/jobs/sh").send();
    page.line();
    shared.signal(Signal::INT);
    assert_eq!(page.text(), "cleaning up\n");
    let (out, err, code) = shared.end();
    assert_eq!((out.as_slice(), code), (&b"cleaning up\n"[..], Some(7)), "{err}");
    assert!(!processes::is_alive(pid));
}

#[test]
fn a_second_ctrl_c_does_not_wait_and_leaves_nothing() {
    let mut shared =
        Shared::start(&["--", "sh", "-c", "exec 2>/dev/null; trap '' TERM; echo $$; while :; do sleep 0.05; done"]);
    let pid: u32 = shared.line().trim().parse().unwrap();
    shared.signal(Signal::INT);
    assert!(shared.said().contains("SIGTERM"));
    shared.signal(Signal::INT);
    let (_, _, code) = shared.end();
    assert_eq!(code, Some(130));
    wait_for("the command to be gone", || !processes::is_alive(pid));
}

#[test]
fn ctrl_c_takes_what_still_comes_from_standard_input() {
    let mut shared = Shared::start(&["-"]);
    let mut stdin = shared.child.stdin.take().unwrap();
    stdin.write_all(b"one\n").unwrap();
    assert_eq!(shared.line(), "one\n");
    shared.signal(Signal::INT);
    assert!(shared.said().contains("cancelled"));
    stdin.write_all(b"interrupted\n").unwrap();
    drop(stdin);
    let (out, _, code) = shared.end();
    assert_eq!((out.as_slice(), code), (&b"interrupted\n"[..], Some(130)));
}

#[test]
fn a_command_that_cannot_be_started_ends_at_once_and_says_why() {
    let ended = run_to_end(&mut joblines(["share", "--", "no-such-program-4711"]));
    assert!(ended.code.is_some_and(|code| code != 0), "{ended:?}");
    assert!(ended.stderr.contains("no-such-program-4711") && !ended.stderr.contains("Ctrl-C"), "{}", ended.stderr);
}

#[test]
fn braces_are_no_parameters_and_the_folder_and_variables_are_ours() {
    let mut command = joblines(["share", "--no-wait", "--", "sh", "-c", "echo {x} \"$FOO\"; pwd"]);
    let ended = run_to_end(command.env("FOO", "bar").current_dir("/usr"));
    assert_eq!((ended.code, ended.text().as_str()), (Some(0), "{x} bar\n/usr\n"), "{}", ended.stderr);
}

#[test]
fn a_terminal_is_there_where_it_is_asked_for() {
    let ended = run_to_end(&mut joblines(["share", "--no-wait", "--pty", "--", "sh", "-c", "test -t 1 && echo yes"]));
    assert_eq!((ended.code, ended.text().as_str()), (Some(0), "yes\r\n"), "{}", ended.stderr);
}

#[test]
fn it_listens_for_this_machine_alone() {
    let ended = run_to_end(&mut joblines(["share", "--listen", "0.0.0.0:0", "--", "true"]));
    assert_eq!((ended.code, ended.text().as_str()), (Some(1), ""));
    assert!(ended.one_line().contains("0.0.0.0"), "{}", ended.stderr);
}

#[test]
fn a_reader_that_leaves_stops_nobody() {
    let mut shared = Shared::start(&[
        "--",
        "sh",
        "-c",
        "echo out; while [ ! -p gate ]; do sleep 0.05; done; read _ < gate; seq 1 100000",
    ]);
    let gate = shared.gate();
    assert_eq!(shared.line(), "out\n");
    shared.stdout = None;
    gate.pass();
    assert_eq!(shared.get("/jobs/sh").send().text().lines().count(), 100_001);
    shared.signal(Signal::INT);
    assert_eq!(shared.end().2, Some(0));
}

#[test]
fn an_output_that_cannot_be_written_is_told_once_and_stops_nobody() {
    let output = joblines(["share", "--no-wait", "--", "sh", "-c", "seq 3; exit 3"]).stdout(full()).output().unwrap();
    let ended = Ended::from(output);
    let lines: Vec<_> = ended.stderr.lines().collect();
    assert_eq!((ended.code, lines.len()), (Some(3), 2), "{}", ended.stderr);
    assert!(lines[0].starts_with("joblines: sharing sh at http://"), "{}", lines[0]);
    assert!(lines[1].starts_with("joblines: the output is not passed on any more (No space left"), "{}", lines[1]);
}

#[test]
fn an_address_that_cannot_be_told_stops_nobody() {
    let mut command = joblines(["share", "--no-wait", "--", "sh", "-c", "echo out; exit 3"]);
    let ended = Ended::from(command.stderr(full()).output().unwrap());
    assert_eq!((ended.code, ended.text().as_str()), (Some(3), "out\n"));
}
