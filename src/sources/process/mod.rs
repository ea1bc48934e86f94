//! The processes of jobs.

use std::path::PathBuf;
use std::time::Duration;

/// How a job's command is run: the part of a `[jobs.*]` table that this source needs, checked and complete.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Settings {
    /// What is executed.
    pub command: Command,
    /// The folder it runs in (absolute).
    pub cwd: PathBuf,
    /// Variables set for it, `env_file`'s first, then `env`'s: a later one wins.
    pub env: Vec<(String, String)>,
    /// Which of the server's own variables it gets as well. `PATH` is always among them.
    pub inherit_env: Inherit,
    /// Run it in a session and on a terminal of its own.
    pub pty: bool,
    /// Give stdout and stderr one pipe: exact order, one stream.
    pub merge_stderr: bool,
    /// End it after this long.
    pub timeout: Option<Duration>,
    /// End it after no output for this long.
    pub idle_timeout: Option<Duration>,
    /// How long its group has between SIGTERM and SIGKILL.
    pub grace: Duration,
    /// How long a process that it left behind may hold its output open.
    pub drain: Duration,
    /// The exit codes that count as success. Never empty.
    pub success_codes: Vec<i32>,
}

/// A command as `jobs.toml` gives it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Command {
    /// Executed as it is: the program, then its arguments. Never empty.
    List(Vec<String>),
    /// Given to `sh -c`.
    Shell(String),
}

/// Which variables of the server's environment a command gets.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Inherit {
    /// All of them.
    All,
    /// None but `PATH`.
    None,
    /// These, and `PATH`.
    Only(Vec<String>),
}
