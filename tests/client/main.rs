//! The verbs of the command line that ask a server, and `share`, which is one: the built program against real servers.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

#[path = "../harness/mod.rs"]
mod harness;

mod definition;
mod history;
mod parameters;
mod run;
mod share;
mod terminal;

use std::fs::File;
use std::io::Write;
use std::process::Stdio;

use harness::{Ended, Server, joblines, run_to_end};

/// A verb of the client at this server, to its end.
fn ask(server: &Server, args: &[&str]) -> Ended {
    run_to_end(joblines(args).env("JOBLINES_SERVER", server.url("")))
}

/// The same, with something to read.
fn ask_with_input(server: &Server, args: &[&str], input: &[u8]) -> Ended {
    let mut command = joblines(args);
    command.env("JOBLINES_SERVER", server.url("")).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let (mut stdin, input) = (child.stdin.take().unwrap(), input.to_vec());
    let writing = std::thread::spawn(move || stdin.write_all(&input));
    let ended = child.wait_with_output().unwrap().into();
    // whoever does not read it harms nobody
    let _ = writing.join().unwrap();
    ended
}

/// An output that takes nothing.
fn full() -> File {
    File::options().write(true).open("/dev/full").unwrap()
}
