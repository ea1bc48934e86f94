//! Ends what is left of a run whose server was killed: its process group, where it is certain that the group is its; or
//! what has the run's id in its variables, where the server had no time to note the group.

use std::collections::HashSet;
use std::time::{Duration, SystemTime};

use rustix::process::{Pid, Signal, kill_process};
use tokio::time::{Instant, sleep};

use super::{KILLING, LOOK, group_of, members, pids, start_time, variable};

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
    // a job may have started this very server
    let look = || members(leader).into_iter().filter(|pid| *pid != own()).collect::<Vec<_>>();
    let found = look();
    let is_leader = start_time(leader).is_some_and(|time| {
        let apart = time.duration_since(started).unwrap_or_else(|before| before.duration());
        apart <= BLUR && found.contains(&leader)
    });
    if !is_leader && !found.iter().any(|pid| variable(*pid, RUN).as_deref() == Some(run)) {
        return 0;
    }
    end(found, grace, look).await
}

/// The same of every process that was started with the id of one of `runs` in its variables, whatever its group.
pub async fn end_strays(runs: HashSet<String>, grace: Duration) -> usize {
    let is_theirs = |pid: &i32| variable(*pid, RUN).is_some_and(|run| runs.contains(&run)) && group_of(*pid).is_some();
    let look = || pids().filter(|pid| *pid != own()).filter(is_theirs).collect();
    end(look(), grace, look).await
}

/// Ends `found`, and what of it `look` still finds after `grace`.
async fn end(found: Vec<i32>, grace: Duration, look: impl Fn() -> Vec<i32>) -> usize {
    signal(&found, Signal::TERM);
    let deadline = Instant::now() + grace;
    loop {
        let left = look();
        if left.is_empty() || Instant::now() > deadline + KILLING {
            return found.len();
        }
        if Instant::now() >= deadline {
            signal(&left, Signal::KILL);
        }
        sleep(LOOK).await;
    }
}

fn own() -> i32 {
    std::process::id().cast_signed()
}

fn signal(processes: &[i32], signal: Signal) {
    for pid in processes.iter().filter_map(|pid| Pid::from_raw(*pid)) {
        let _ = kill_process(pid, signal);
    }
}
