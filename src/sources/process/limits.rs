//! How many files may be open: as many as the system allows for the server, as many as it was started with for its jobs.

use std::sync::OnceLock;

use rustix::process::{Pid, Resource, Rlimit, getrlimit, prlimit, setrlimit};

/// What the server was started with.
static GIVEN: OnceLock<Rlimit> = OnceLock::new();

/// Raises this process's soft limit of open files to its hard one (getrlimit(2)): a run takes six descriptors and a
/// viewer one, and the usual 1,024 are few. Jobs get the limit as it was: programs that use select(2) rely on it.
pub fn raise_open_files() {
    let given = getrlimit(Resource::Nofile);
    let raised = Rlimit { current: given.maximum, maximum: given.maximum };
    if setrlimit(Resource::Nofile, raised).is_ok() {
        let _ = GIVEN.set(given);
    }
}

/// Gives a child that was just started the limit that the server was started with. In its first microseconds it may see
/// the server's own: to set it before would take a fork of the server (no posix_spawn(3)) for each run.
pub(super) fn restore_open_files(child: Pid) {
    if let Some(given) = GIVEN.get() {
        let _ = prlimit(Some(child), Resource::Nofile, *given);
    }
}
