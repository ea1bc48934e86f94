//! A command's child and its group of processes: watched, told to end, and dealt with before the child is reaped. It moves
//! neither what goes in nor what comes out.

use std::future::pending;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::process::Child;
use tokio::sync::SetOnce;
use tokio::time::{Instant, sleep, sleep_until, timeout};
use tokio_util::sync::CancellationToken;

use super::{Ended, ExitWatch, KILLING, Known, LOOK, Output, Settings, holders, members, restore_open_files};
use crate::record::{Outcome, State, Usage};

/// Of the command of a process, so many characters are shown.
const SHOWN: usize = 80;

/// What the one who watches the child and those who move its input and its output tell one another.
#[derive(Default)]
pub(super) struct Signs {
    /// What the other ends of the output are called.
    pub(super) ends: Vec<PathBuf>,
    /// Why the input broke off, once it has.
    pub(super) broke_off: SetOnce<String>,
    /// The output is at end of file.
    pub(super) drained: CancellationToken,
    /// Neither is waited for any longer.
    pub(super) stop: CancellationToken,
}

/// A child that was started, the leader of its group.
pub(super) struct Family {
    settings: Arc<Settings>,
    child: Child,
    group: Pid,
    exit: ExitWatch,
    reaped: bool,
}

impl Family {
    /// Watches over `child` from here on; one that cannot be watched is killed.
    pub(super) fn new(settings: Arc<Settings>, mut child: Child) -> io::Result<Family> {
        let pid = child.id().and_then(|pid| Pid::from_raw(pid.cast_signed()));
        let group = pid.ok_or_else(|| io::Error::other("the child has no process id"))?;
        restore_open_files(group);
        let exit = ExitWatch::new(group).inspect_err(|_| {
            let _ = kill_process_group(group, Signal::KILL);
            let _ = child.try_wait();
        })?;
        Ok(Family { settings, child, group, exit, reaped: false })
    }

    /// The process id of the child, which is its group's number too.
    pub(super) fn id(&self) -> i32 {
        self.group.as_raw_nonzero().get()
    }

    /// Waits until the child has exited: how, and what it cost.
    pub(super) async fn exited(&self) -> (Outcome, Option<Usage>) {
        match self.exit.exited().await {
            Ok((outcome, usage)) => (outcome, Some(usage)),
            Err(_) => (Outcome::Unknown, None),
        }
    }

    /// Takes the child's number back; its group is not signalled any more.
    pub(super) async fn reap(&mut self) {
        if let Err(error) = self.child.wait().await {
            tracing::warn!(%error, pid = self.id(), "the child cannot be waited for");
        }
        self.reaped = true;
    }

    /// Waits until the run is over, ending it where something says so; how it ended.
    pub(super) async fn supervise(&self, output: &Output, signs: &Signs, cancel: &CancellationToken) -> Ended {
        let (mut cause, (outcome, usage)) = tokio::select! {
            biased;
            exited = self.exited() => (None, exited),
            cause = self.called_off(output, signs, cancel) => {
                self.terminate(output).await;
                (Some(cause), self.exited().await)
            }
        };
        tokio::select! {
            biased;
            () = self.drain(output, signs) => {}
            () = cancel.cancelled(), if cause.is_none() => {
                output.say("cancelled: what it left behind gets SIGTERM");
                cause = Some(State::Cancelled);
                self.terminate(output).await;
                self.drain(output, signs).await;
            }
        }
        Ended { state: cause.unwrap_or_else(|| self.judge(outcome)), outcome, usage }
    }

    /// Waits until nobody holds the output open any more, for so long as `drain` says; then says who does.
    async fn drain(&self, output: &Output, signs: &Signs) {
        let patience = self.settings.drain;
        if timeout(patience, signs.drained.cancelled()).await.is_ok() {
            return;
        }
        let ends = signs.ends.clone();
        let holders = tokio::task::spawn_blocking(move || holders(&ends)).await.unwrap_or_default();
        if signs.drained.is_cancelled() {
            return;
        }
        let names: Vec<_> = holders.iter().map(|known| name(known, output)).collect();
        let names = if names.is_empty() { "a process of another user".to_owned() } else { names.join(", ") };
        output.say(&format!(
            "the output is still held open {patience:?} after the exit (drain), and left alone, by: {names}"
        ));
    }

    fn judge(&self, outcome: Outcome) -> State {
        match outcome.exit_code() {
            Some(code) if self.settings.success_codes.contains(&code) => State::Succeeded,
            _ => State::Failed,
        }
    }

    /// Waits until something says that the run must end now, says so in the journal, and returns what it ends as.
    async fn called_off(&self, output: &Output, signs: &Signs, cancel: &CancellationToken) -> State {
        let limit = async {
            match self.settings.timeout {
                Some(limit) => sleep(limit).await,
                None => pending().await,
            }
        };
        tokio::select! {
            biased;
            () = cancel.cancelled() => {
                output.say("cancelled: its processes get SIGTERM");
                State::Cancelled
            }
            reason = signs.broke_off.wait() => {
                output.say(&format!("the input broke off ({reason}): its processes get SIGTERM"));
                State::Failed
            }
            () = limit => {
                let limit = self.settings.timeout.unwrap_or_default();
                output.say(&format!("timed out after {limit:?}: its processes get SIGTERM"));
                State::TimedOut
            }
            limit = self.fell_silent(output) => {
                output.say(&format!("no output for {limit:?} (idle_timeout): its processes get SIGTERM"));
                State::TimedOut
            }
        }
    }

    async fn fell_silent(&self, output: &Output) -> Duration {
        let Some(limit) = self.settings.idle_timeout else { return pending().await };
        loop {
            let deadline = output.last() + limit;
            if deadline <= Instant::now() {
                return limit;
            }
            sleep_until(deadline).await;
        }
    }

    /// SIGTERM to the group, and SIGKILL to what is left of it after `grace`. Nothing of the group is left then.
    async fn terminate(&self, output: &Output) {
        self.signal(Signal::TERM);
        // a stopped process would not see the other signal
        self.signal(Signal::CONT);
        if timeout(self.settings.grace, self.all_gone()).await.is_err() {
            output.say(&format!("still there {:?} after SIGTERM (grace): killed", self.settings.grace));
        }
        self.signal(Signal::KILL);
        // what the kernel cannot end (uninterruptible sleep) is not waited for
        let _ = timeout(KILLING, self.all_gone()).await;
    }

    /// Waits until no process of the group runs.
    async fn all_gone(&self) {
        self.exited().await;
        while !members(self.id()).is_empty() {
            sleep(LOOK).await;
        }
    }

    /// Only while the child is not reaped.
    pub(super) fn signal(&self, signal: Signal) {
        let _ = kill_process_group(self.group, signal);
    }
}

impl Drop for Family {
    /// A run that is given up (its task failed, the server goes down at once) leaves nothing behind.
    fn drop(&mut self) {
        if !self.reaped {
            self.signal(Signal::KILL);
        }
    }
}

/// A process as people know it, its secrets masked before anything is cut off.
fn name(known: &Known, output: &Output) -> String {
    let command = output.hide(&known.command);
    let shown: String = command.chars().take(SHOWN).collect();
    format!("{} ({shown})", known.pid)
}
