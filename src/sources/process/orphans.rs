//! Ends what is left of a run whose server was killed: the processes of its group that carry its name.

use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use tokio::time::{Instant, sleep};

use super::{LOOK, proc};

/// The variable that tells a process which run it belongs to.
const RUN: &str = "JOBLINES_RUN";

/// SIGTERM to what is left of the group `group` of run `run`, SIGKILL after `grace`; how many there were.
///
/// A number may have been given to a stranger since: only processes that were started with the run's id in their
/// variables are taken for its own.
pub async fn end_orphans(group: i32, run: &str, grace: Duration) -> usize {
    let orphans = || {
        let own = |pid: &i32| proc::has_variable(*pid, RUN, run);
        proc::members(group).into_iter().filter(own).collect::<Vec<_>>()
    };
    let found = orphans();
    signal(&found, Signal::TERM);
    let deadline = Instant::now() + grace;
    let mut left = found.clone();
    while !left.is_empty() {
        if Instant::now() >= deadline {
            signal(&left, Signal::KILL);
        }
        sleep(LOOK).await;
        left = orphans();
    }
    found.len()
}

fn signal(processes: &[i32], signal: Signal) {
    for pid in processes.iter().filter_map(|pid| Pid::from_raw(*pid)) {
        let _ = kill_process(pid, signal);
    }
}
