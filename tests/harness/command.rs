//! The built program run to its end, within the deadline.

use std::process::{Command, Output, Stdio};
use std::sync::mpsc;
use std::thread;

use rustix::process::Signal;

use super::{DEADLINE, processes};

/// What a program that has ended left.
#[derive(Debug)]
pub struct Ended {
    /// Its exit code; `None` if a signal ended it.
    pub code: Option<i32>,
    pub stdout: Vec<u8>,
    pub stderr: String,
}

impl Ended {
    /// Its output as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.stdout).into_owned()
    }

    /// The one line that it said on stderr; fails if it said more or less.
    pub fn one_line(&self) -> &str {
        let lines: Vec<_> = self.stderr.lines().collect();
        assert_eq!(lines.len(), 1, "one clear line was promised, not this: {}", self.stderr);
        lines[0]
    }
}

impl From<Output> for Ended {
    fn from(output: Output) -> Self {
        let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
        Ended { code: output.status.code(), stdout: output.stdout, stderr }
    }
}

/// The built program with `args`, not started yet.
pub fn joblines<I: AsRef<std::ffi::OsStr>>(args: impl IntoIterator<Item = I>) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_joblines"));
    command.args(args);
    command
}

/// Runs `command` with nothing to read, and waits for its end.
pub fn run_to_end(command: &mut Command) -> Ended {
    let child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let child = child.unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let pid = child.id();
    let (tell, told) = mpsc::channel();
    thread::spawn(move || tell.send(child.wait_with_output()));
    match told.recv_timeout(DEADLINE) {
        Ok(output) => output.expect("a child can be waited for").into(),
        Err(_) => {
            processes::send(pid, Signal::KILL);
            panic!("{command:?} did not end")
        }
    }
}
