//! What the verbs show on a real terminal, and nowhere else: a clock while one waits, colours, tables that fit.

use std::io::Read;
use std::process::{Child, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread;

use pty_process::Size;
use pty_process::blocking::{Command, open};

use rustix::process::Signal;

use crate::ask;
use crate::harness::{DEADLINE, Server, joblines, processes, run_to_end};

/// A verb on a terminal of its own, and what that shows.
struct Screen {
    child: Child,
    output: Receiver<Vec<u8>>,
    shown: String,
}

impl Screen {
    /// Starts `args` on a terminal of `columns`, with these variables more.
    fn start(server: &Server, args: &[&str], columns: u16, env: &[(&str, &str)]) -> Screen {
        let (terminal, end) = open().unwrap();
        terminal.resize(Size::new(24, columns)).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_joblines")).args(args);
        for name in ["NO_COLOR", "CLICOLOR_FORCE", "CLICOLOR", "CI"] {
            command = command.env_remove(name);
        }
        command = command.env("JOBLINES_SERVER", server.url("")).env("TERM", "xterm").env("LC_ALL", "C.UTF-8");
        for (name, value) in env {
            command = command.env(name, value);
        }
        let child = command.spawn(end).unwrap();
        let (tell, output) = mpsc::channel();
        thread::spawn(move || {
            let (mut terminal, mut block) = (terminal, [0; 4096]);
            // a terminal whose other side is gone is an error, not an end of file
            while let Ok(count @ 1..) = terminal.read(&mut block) {
                if tell.send(block[..count].to_vec()).is_err() {
                    return;
                }
            }
        });
        Screen { child, output, shown: String::new() }
    }

    /// Waits until `text` has been shown.
    fn wait_for(&mut self, text: &str) {
        while !self.shown.contains(text) {
            let bytes = self.output.recv_timeout(DEADLINE);
            let bytes = bytes.unwrap_or_else(|_| panic!("{text:?} was not shown: {:?}", self.shown));
            self.shown += &String::from_utf8_lossy(&bytes);
        }
    }

    /// All that was shown, and the exit code.
    fn end(mut self) -> (String, Option<i32>) {
        while let Ok(bytes) = self.output.recv_timeout(DEADLINE) {
            self.shown += &String::from_utf8_lossy(&bytes);
        }
        (self.shown, self.child.wait().unwrap().code())
    }
}

/// Clears the line.
const ERASE: &str = "\r\x1b[K";

#[test]
fn a_silent_run_is_waited_for_with_a_clock_that_is_gone_before_its_output() {
    let server = Server::with_job("read _ < gate; echo done; read _ < gate; exit 3");
    let gate = server.gate("gate");
    let mut screen = Screen::start(&server, &["run", "job"], 80, &[]);
    screen.wait_for("job: running, 1 s");
    screen.wait_for("job: running, 2 s");
    gate.pass();
    screen.wait_for("done\r\n");
    assert!(screen.shown.contains(&format!("{ERASE}done\r\n")), "{:?}", screen.shown);
    let before = screen.shown.len();
    screen.wait_for("job: running, 3 s");
    assert!(screen.shown.len() > before, "the clock comes back");
    gate.pass();
    let (shown, code) = screen.end();
    assert_eq!(code, Some(3));
    assert!(shown.ends_with(ERASE), "{shown:?}");
}

#[test]
fn a_queued_run_tells_its_place() {
    let jobs = "[jobs.first]\ncommand = 'echo up; read _ < gate'\n[jobs.second]\ncommand = 'echo done'\n";
    let server = Server::with(jobs).server("max_running = 1").start();
    let gate = server.gate("gate");
    let mut first = server.get("/jobs/first");
    first.line();
    let mut screen = Screen::start(&server, &["run", "second"], 80, &[]);
    screen.wait_for("second: queued, next in turn");
    gate.pass();
    let (shown, code) = screen.end();
    assert_eq!(code, Some(0));
    assert!(shown.ends_with(&format!("{ERASE}done\r\n")), "{shown:?}");
}

#[test]
fn ctrl_c_takes_the_clock_away() {
    let server = Server::with_job("exec 2>/dev/null; trap '' TERM; while :; do sleep 0.05; done");
    let mut screen = Screen::start(&server, &["run", "job"], 80, &[]);
    screen.wait_for("running, 1 s");
    processes::send(screen.child.id(), Signal::INT);
    screen.wait_for(&format!("{ERASE}joblines: cancelled: its processes get SIGTERM\r\n"));
    screen.shown.clear();
    // it is waited for, and then no longer
    screen.wait_for("job: running");
    processes::send(screen.child.id(), Signal::INT);
    let (shown, code) = screen.end();
    assert_eq!(code, Some(130));
    assert!(shown.ends_with(ERASE), "{shown:?}");
}

#[test]
fn no_clock_in_a_pipe_nor_on_a_dumb_terminal() {
    let server = Server::with_job("sleep 2; echo done");
    let dumb = Screen::start(&server, &["run", "job"], 80, &[("TERM", "dumb")]);
    let piped = ask(&server, &["run", "job"]);
    assert_eq!((piped.text().as_str(), piped.stderr.as_str()), ("done\n", ""));
    assert_eq!(dumb.end(), ("done\r\n".to_owned(), Some(0)));
}

#[test]
fn a_pipe_gets_the_output_while_the_clock_is_on_the_terminal() {
    let server = Server::with_job("read _ < gate; printf 'bytes\\n'");
    let gate = server.gate("gate");
    let (terminal, end) = open().unwrap();
    let command = Command::new(env!("CARGO_BIN_EXE_joblines")).args(["run", "job"]);
    let command = command.env("JOBLINES_SERVER", server.url("")).env("TERM", "xterm").env("LC_ALL", "C");
    let child = command.stdout(Stdio::piped()).spawn(end).unwrap();
    let (tell, told) = mpsc::channel();
    thread::spawn(move || {
        let (mut terminal, mut block) = (terminal, [0; 4096]);
        while let Ok(count @ 1..) = terminal.read(&mut block) {
            let _ = tell.send(block[..count].to_vec());
        }
    });
    let first = told.recv_timeout(DEADLINE).unwrap();
    assert!(first.starts_with(b"\r\x1b[K"), "{first:?}");
    gate.pass();
    assert_eq!(child.wait_with_output().unwrap().stdout, b"bytes\n");
}

const JOBS: &str = r#"
[jobs.good]
description = "A job with a description that is longer than a narrow terminal is wide, and tells it twice"
command = 'true'
[jobs.bad]
command = 'exit 3'
"#;

#[test]
fn tables_fit_the_terminal_and_have_its_colours() {
    let server = Server::start(JOBS);
    server.ended(&server.detach("bad"));
    let (shown, code) = Screen::start(&server, &["list"], 60, &[]).end();
    assert_eq!(code, Some(0));
    assert!(shown.contains("\x1b[31mfailed\x1b[0m") && shown.contains("\x1b[1mJOB"), "{shown:?}");
    assert!(shown.contains('…'), "{shown:?}");
    let (plain, _) = Screen::start(&server, &["list"], 60, &[("NO_COLOR", "1")]).end();
    assert!(!plain.contains('\x1b'), "{plain:?}");
    for line in plain.lines() {
        assert!(line.chars().count() <= 60, "{line:?}");
    }
    let (dumb, _) = Screen::start(&server, &["runs"], 60, &[("TERM", "dumb")]).end();
    assert!(!dumb.contains('\x1b') && dumb.contains("RUN       STATE"), "{dumb:?}");
}

#[test]
fn colours_come_into_a_pipe_only_where_they_are_forced() {
    let server = Server::start(JOBS);
    server.ended(&server.detach("bad"));
    assert!(!ask(&server, &["list"]).text().contains('\x1b'));
    let mut forced = joblines(["list"]);
    forced.env("JOBLINES_SERVER", server.url("")).env_remove("NO_COLOR").env("CLICOLOR_FORCE", "1");
    let text = run_to_end(&mut forced).text();
    assert!(text.contains("bad\t\x1b[31mfailed\x1b[0m\t"), "{text:?}");
}
