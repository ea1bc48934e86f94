//! The system calls that no safe library of ours offers. The only unsafe code of the program; it decides nothing.
#![expect(
    unsafe_code,
    reason = "waitid(2) with its rusage, getrusage(2), close_range(2), signal(2), sigaction(2), and tokio's registration of a descriptor"
)]

use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsRawFd, OwnedFd};
use std::time::Duration;

use rustix::process::{Pid, PidfdFlags, pidfd_open};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

use crate::record::{Outcome, Usage};

/// Signals that programs are started with ignored: by nohup(1), or by a shell that has put them in the background.
const IGNORED: [libc::c_int; 6] =
    [libc::SIGHUP, libc::SIGINT, libc::SIGQUIT, libc::SIGTERM, libc::SIGUSR1, libc::SIGUSR2];

/// Undoes what this program may have been started with and its children should not feel: descriptors besides stdin,
/// stdout and stderr are marked close-on-exec; SIGCHLD, which makes exits unseen when it is ignored, is not; and what else
/// is ignored is caught instead, for nothing: a handler, unlike that, does not outlive execve(2).
///
/// # Errors
/// As close_range(2).
pub fn shed_inheritance() -> io::Result<()> {
    // SAFETY: the default action is no handler of ours; the program has one thread when this is called.
    unsafe { libc::signal(libc::SIGCHLD, libc::SIG_DFL) };
    for signal in IGNORED {
        let mut old = MaybeUninit::<libc::sigaction>::zeroed();
        // SAFETY: the pointers are null, or to writable memory of the right type, which is valid when all zero too. The
        // handler does nothing, which is safe at any moment, and is there as long as the program.
        unsafe {
            libc::sigaction(signal, std::ptr::null(), old.as_mut_ptr());
            if old.assume_init().sa_sigaction == libc::SIG_IGN {
                let handler: extern "C" fn(libc::c_int) = pass_over;
                libc::signal(signal, handler as libc::sighandler_t);
            }
        }
    }
    // SAFETY: with CLOSE_RANGE_CLOEXEC the call closes nothing and touches no memory of ours; it only sets a flag that
    // every descriptor opened by Rust's library has already.
    let done = unsafe { libc::close_range(3, libc::c_uint::MAX, libc::CLOSE_RANGE_CLOEXEC as libc::c_int) };
    if done == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

extern "C" fn pass_over(_: libc::c_int) {}

/// Sees the exit of a child without reaping it: its pid, and so its group's, cannot be given to another until it is.
#[derive(Debug)]
pub(super) struct ExitWatch {
    pidfd: AsyncFd<OwnedFd>,
    /// The server's own peak when the child was started, in bytes: see [`Usage::max_rss`].
    own_peak: u64,
}

impl ExitWatch {
    pub(super) fn new(pid: Pid) -> io::Result<ExitWatch> {
        let pidfd = pidfd_open(pid, PidfdFlags::NONBLOCK)?;
        // SAFETY: registration asks that the descriptor stay open and the same while registered. The `OwnedFd` is moved
        // into the `AsyncFd`, is never taken out or replaced, and is closed only after its deregistration.
        let pidfd = unsafe { AsyncFd::register_with_interest(pidfd, Interest::READABLE)? };
        Ok(ExitWatch { pidfd, own_peak: own_peak() })
    }

    /// Waits until the child has exited: how, and what it cost. May be asked again.
    pub(super) async fn exited(&self) -> io::Result<(Outcome, Usage)> {
        loop {
            let mut guard = self.pidfd.readable().await?;
            if let Some((outcome, mut usage)) = look(self.pidfd.get_ref())? {
                usage.max_rss = usage.max_rss.filter(|peak| *peak > self.own_peak);
                return Ok((outcome, usage));
            }
            guard.clear_ready();
        }
    }
}

/// waitid(2), the system call with its fifth argument: leaves the child waitable.
fn look(pidfd: &OwnedFd) -> io::Result<Option<(Outcome, Usage)>> {
    let mut info = MaybeUninit::<libc::siginfo_t>::zeroed();
    let mut usage = MaybeUninit::<libc::rusage>::zeroed();
    // SAFETY: both pointers are to writable memory of the right type and outlive the call; the kernel writes nothing
    // else. All zeroes is a valid value of both types, so they are initialised whatever the call does.
    let (done, info, usage) = unsafe {
        let done = libc::syscall(
            libc::SYS_waitid,
            libc::P_PIDFD,
            pidfd.as_raw_fd(),
            info.as_mut_ptr(),
            libc::WEXITED | libc::WNOWAIT | libc::WNOHANG,
            usage.as_mut_ptr(),
        );
        (done, info.assume_init(), usage.assume_init())
    };
    if done != 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: waitid fills exactly the fields that these two read; where no child has exited they are zero.
    let (pid, status) = unsafe { (info.si_pid(), info.si_status()) };
    if pid == 0 {
        return Ok(None);
    }
    let outcome = if info.si_code == libc::CLD_EXITED { Outcome::Exited(status) } else { Outcome::Signalled(status) };
    let usage = Usage {
        cpu_user: duration(usage.ru_utime),
        cpu_system: duration(usage.ru_stime),
        max_rss: Some(bytes(usage.ru_maxrss)),
    };
    Ok(Some((outcome, usage)))
}

/// getrusage(2) of this process: its largest resident set so far, in bytes.
fn own_peak() -> u64 {
    let mut usage = MaybeUninit::<libc::rusage>::zeroed();
    // SAFETY: the pointer is to writable memory of the right type, which is valid when all zero too.
    let usage = unsafe {
        libc::getrusage(libc::RUSAGE_SELF, usage.as_mut_ptr());
        usage.assume_init()
    };
    bytes(usage.ru_maxrss)
}

fn bytes(kibibytes: libc::c_long) -> u64 {
    u64::try_from(kibibytes).unwrap_or(0) * 1024
}

fn duration(time: libc::timeval) -> Duration {
    let micros = time.tv_sec.saturating_mul(1_000_000).saturating_add(time.tv_usec);
    Duration::from_micros(u64::try_from(micros).unwrap_or(0))
}
