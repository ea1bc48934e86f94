//! The URLs: every request that the server takes, what it does and what it answers.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

#[path = "../harness/mod.rs"]
mod harness;

mod abort;
mod cancel;
mod errors;
mod filters;
mod forms;
mod front;
mod guard;
mod history;
mod input;
mod limits;
mod negotiation;
mod overlap;
mod pace;
mod parameters;
mod queue;
mod reconnect;
mod replay;
mod secrets;
mod start;

/// Jobs that end in every way there is, quickly.
const OUTCOMES: &str = "
[jobs.good]
command = 'echo out; echo err >&2'
[jobs.bad]
command = 'echo out; exit 3'
[jobs.slow]
command = 'echo out; sleep 1000'
timeout = '300ms'
[jobs.waits]
command = 'echo out; read _ < gate; echo more'
";
