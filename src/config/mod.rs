//! `jobs.toml`: as written → jobs as meant; every mistake with its place.

use std::path::PathBuf;
use std::sync::Arc;

use crate::sources::process;

/// A whole `jobs.toml`, checked.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Config {
    /// The `[server]` table.
    pub server: Server,
    /// The jobs, in the order of the file.
    pub jobs: Vec<Arc<Job>>,
}

/// The `[server]` table.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Server {
    /// Where to listen. Never empty.
    pub listen: Vec<Listen>,
    /// Where journals and history are kept, if the file says so (absolute).
    pub state_dir: Option<PathBuf>,
    /// Further Host names to answer to, lower case, without a port.
    pub hosts: Vec<String>,
    /// `""`, or a path such as `/joblines`, without a slash at its end.
    pub base_path: String,
    /// Runs at once over all jobs.
    pub max_running: usize,
    /// Runs that may wait for their turn.
    pub max_queued: usize,
    /// Connections at once.
    pub max_connections: usize,
}

/// An address to listen on.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Listen {
    /// `host:port`; port 0 picks a free one.
    Tcp(String),
    /// `unix:/path`.
    Unix(PathBuf),
}

/// One `[jobs.*]` table.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Job {
    /// Its name: `[A-Za-z0-9][A-Za-z0-9_.-]{0,63}`.
    pub name: String,
    /// What people read about it.
    pub description: Option<String>,
    /// How its command is run.
    pub process: process::Settings,
    /// What happens when the client that started it leaves.
    pub on_disconnect: OnDisconnect,
    /// How many bytes of its output are kept.
    pub max_output: u64,
    /// Whether a GET of its URL starts it.
    pub get: bool,
    /// Whether a POST to its URL starts it.
    pub post: bool,
}

/// What happens to a run when the client that started it leaves.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum OnDisconnect {
    /// It goes on.
    Continue,
    /// It is cancelled.
    Cancel,
}
