//! Ends what is left of a run whose server was killed: its process group, where it is certain that the group is its.

use std::time::{Duration, SystemTime};

use rustix::process::{Pid, Signal, kill_process};
use tokio::time::{Instant, sleep};

use super::{KILLING, LOOK, has_variable, members, start_time};

/// The variable that tells a process which run it belongs to.
const RUN: &str = "JOBLINES_RUN";

/// How far a process's start, which the kernel counts in ticks since boot, may lie from the time that was noted.
const BLUR: Duration = Duration::from_secs(2);

/// SIGTERM to what is left of the group that process `leader`, started at `started`, led for run `run`; SIGKILL after
/// `grace`. How many processes there were.
///
/// A number may have been given to a stranger since: the group is the run's where its leader is there and began when the
/// run's did, or where one of its members was started with the run's id in its variables.
pub async fn end_orphans(leader: i32, started: SystemTime, run: &str, grace: Duration) -> usize {
    let found = members(leader);
    let is_leader = start_time(leader).is_some_and(|time| {
        let apart = time.duration_since(started).unwrap_or_else(|before| before.duration());
        apart <= BLUR && found.contains(&leader)
    });
    if !is_leader && !found.iter().any(|pid| has_variable(*pid, RUN, run)) {
        return 0;
    }
    signal(&found, Signal::TERM);
    let deadline = Instant::now() + grace;
    loop {
        let left = members(leader);
        if left.is_empty() || Instant::now() > deadline + KILLING {
            return found.len();
        }
        if Instant::now() >= deadline {
            signal(&left, Signal::KILL);
        }
        sleep(LOOK).await;
    }
}

fn signal(processes: &[i32], signal: Signal) {
    for pid in processes.iter().filter_map(|pid| Pid::from_raw(*pid)) {
        let _ = kill_process(pid, signal);
    }
}
