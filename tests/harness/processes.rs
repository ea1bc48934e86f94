//! What /proc says about processes.

use std::fs;
use std::path::Path;
use std::time::Instant;

use rustix::process::{Pid, Signal, kill_process};

use super::DEADLINE;

/// The memory of one process, in bytes.
#[derive(Clone, Copy, Debug)]
pub struct Memory {
    /// What is resident now.
    pub now: u64,
    /// The most that was resident since the last [`reset_peak`].
    pub peak: u64,
}

/// A process as /proc/PID/stat shows it.
#[derive(Clone, Debug)]
pub struct Seen {
    pub pid: u32,
    pub state: char,
    pub parent: u32,
    pub group: u32,
}

/// One process, if it is there.
pub fn see(pid: u32) -> Option<Seen> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let mut fields = stat.rsplit_once(") ")?.1.split(' ');
    let state = fields.next()?.chars().next()?;
    Some(Seen { pid, state, parent: fields.next()?.parse().ok()?, group: fields.next()?.parse().ok()? })
}

/// Whether it is there and not merely unburied.
pub fn is_alive(pid: u32) -> bool {
    see(pid).is_some_and(|process| !matches!(process.state, 'Z' | 'X'))
}

/// Every process there is.
pub fn all() -> Vec<Seen> {
    let entries = fs::read_dir("/proc").expect("/proc is there");
    entries.filter_map(|entry| see(entry.ok()?.file_name().to_str()?.parse().ok()?)).collect()
}

/// The children of `pid` that have ended and that it has not waited for.
pub fn zombies_of(pid: u32) -> Vec<Seen> {
    all().into_iter().filter(|process| process.parent == pid && process.state == 'Z').collect()
}

/// The members of a process group, the unburied excepted.
pub fn group(id: u32) -> Vec<Seen> {
    all().into_iter().filter(|process| process.group == id && process.state != 'Z').collect()
}

/// Processes that work in `folder`, or that have it in their environment or arguments.
pub fn around(folder: &Path) -> Vec<u32> {
    let name = folder.as_os_str().as_encoded_bytes();
    let mentions = |file: String| fs::read(file).is_ok_and(|bytes| memchr::memmem::find(&bytes, name).is_some());
    let others = all().into_iter().map(|process| process.pid).filter(|pid| *pid != std::process::id());
    others
        .filter(|pid| {
            fs::read_link(format!("/proc/{pid}/cwd")).is_ok_and(|cwd| cwd.starts_with(folder))
                || mentions(format!("/proc/{pid}/environ"))
                || mentions(format!("/proc/{pid}/cmdline"))
        })
        .collect()
}

/// Ends, each by its id, the processes around a folder of this test, until there are none: one may start another
/// while it is looked for.
pub fn end_all_around(folder: &Path) {
    let start = Instant::now();
    loop {
        let found: Vec<u32> = around(folder).into_iter().filter(|pid| is_alive(*pid)).collect();
        if found.is_empty() || start.elapsed() > DEADLINE {
            return;
        }
        found.into_iter().for_each(|pid| send(pid, Signal::KILL));
    }
}

/// Sends `signal` to `pid`; nothing happens if it is gone.
pub fn send(pid: u32, signal: Signal) {
    if let Some(pid) = i32::try_from(pid).ok().and_then(Pid::from_raw) {
        let _ = kill_process(pid, signal);
    }
}

/// The memory of `pid`.
pub fn memory(pid: u32) -> Memory {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).expect("the process is there");
    let field = |name: &str| {
        let line = status.lines().find(|line| line.starts_with(name)).expect("the kernel tells it");
        line.split_whitespace().nth(1).and_then(|kib| kib.parse::<u64>().ok()).expect("a number of KiB") * 1024
    };
    Memory { now: field("VmRSS:"), peak: field("VmHWM:") }
}

/// Forgets the peak of `pid` (proc(5), clear_refs).
pub fn reset_peak(pid: u32) {
    fs::write(format!("/proc/{pid}/clear_refs"), "5").expect("an own process lets its peak be reset");
}
