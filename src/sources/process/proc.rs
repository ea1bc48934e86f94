//! What /proc (proc(5)) says about processes: who is in a group, who holds a pipe, who they are. It signals nobody.

use std::collections::HashSet;
use std::fs;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

/// A process, as people know it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Known {
    pub(super) pid: i32,
    /// All of its arguments.
    pub(super) command: String,
}

/// The processes in group `group` that have not exited.
pub(super) fn members(group: i32) -> Vec<i32> {
    pids().filter(|pid| group_of(*pid) == Some(group)).collect()
}

/// The processes other than this one that have one of `targets` open (as `readlink /proc/PID/fd/N` names it).
pub(super) fn holders(targets: &[PathBuf]) -> Vec<Known> {
    let targets: HashSet<_> = targets.iter().collect();
    let own = std::process::id().cast_signed();
    let holds = |pid: &i32| {
        let descriptors = fs::read_dir(format!("/proc/{pid}/fd")).into_iter().flatten().flatten();
        descriptors.filter_map(|entry| fs::read_link(entry.path()).ok()).any(|target| targets.contains(&target))
    };
    pids().filter(|pid| *pid != own).filter(holds).map(|pid| Known { pid, command: command(pid) }).collect()
}

/// The value that the variable `name` had when the process was started.
pub(super) fn variable(pid: i32, name: &str) -> Option<String> {
    let variables = fs::read(format!("/proc/{pid}/environ")).ok()?;
    let value = |variable: &[u8]| variable.strip_prefix(name.as_bytes())?.strip_prefix(b"=").map(<[u8]>::to_vec);
    String::from_utf8(variables.split(|byte| *byte == 0).find_map(value)?).ok()
}

/// Of all processes.
pub(super) fn pids() -> impl Iterator<Item = i32> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok())
}

/// The process group, unless it has exited.
pub(super) fn group_of(pid: i32) -> Option<i32> {
    let stat = stat(pid)?;
    let mut fields = stat.split_ascii_whitespace();
    let state = fields.next()?;
    let group = fields.nth(1)?.parse().ok()?;
    (!matches!(state, "Z" | "X")).then_some(group)
}

/// When the process was started.
pub(super) fn start_time(pid: i32) -> Option<SystemTime> {
    let ticks: u64 = stat(pid)?.split_ascii_whitespace().nth(19)?.parse().ok()?;
    let stat = fs::read_to_string("/proc/stat").ok()?;
    let boot: u64 = stat.lines().find_map(|line| line.strip_prefix("btime "))?.parse().ok()?;
    let since = Duration::from_millis(ticks.saturating_mul(1000) / rustix::param::clock_ticks_per_second());
    Some(SystemTime::UNIX_EPOCH + Duration::from_secs(boot) + since)
}

/// The fields of /proc/PID/stat from the third, the state, on: the second, the command, stands in parentheses and may
/// hold any character.
fn stat(pid: i32) -> Option<String> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    stat.get(stat.rfind(')')? + 1..).map(str::to_owned)
}

fn command(pid: i32) -> String {
    let line = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    let words: Vec<_> = line.split(|byte| *byte == 0).map(String::from_utf8_lossy).collect();
    let command = words.join(" ").trim_end().to_owned();
    if command.is_empty() { "?".to_owned() } else { command }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_is_in_its_group_and_known_by_its_command() {
        let own = std::process::id().cast_signed();
        let group = group_of(own).unwrap();
        assert!(members(group).contains(&own));
        assert!(command(own).contains("joblines"));
        let age = SystemTime::now().duration_since(start_time(own).unwrap() - Duration::from_secs(2)).unwrap();
        assert!(age < Duration::from_secs(3600), "{age:?}");
    }

    #[test]
    fn a_pid_that_nobody_has_is_nobody() {
        assert_eq!(group_of(i32::MAX), None);
        assert_eq!(command(i32::MAX), "?");
        assert_eq!(variable(i32::MAX, "A"), None);
    }
}
