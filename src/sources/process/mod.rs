//! A job's command as a source: its processes run in a group of their own, their output goes into the journal, and they
//! are ended and waited for so that nothing is left that should not be.
//!
//! A run is over when its child has exited **and** its output is at end of file, or when a process that the child left
//! behind has held the output open for `drain` longer. The child is not reaped before its group has been dealt with: as
//! long as it is a zombie, nobody else can be given its number, so a signal to the group cannot hit a stranger.

mod kernel;
mod limits;
mod mask;
mod orphans;
mod proc;
mod pump;
mod spawn;

use std::future::pending;
use std::io;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::io::AsyncRead;
use tokio::process::Child;
use tokio::time::{Instant, sleep, sleep_until, timeout};
use tokio_util::sync::CancellationToken;

pub use kernel::shed_inheritance;
pub use limits::raise_open_files;
pub use mask::{Mask, Masker};
pub use orphans::end_orphans;
pub use spawn::StartError;

use crate::journal::Writer;
use crate::parameters::Values;
use crate::record::{Outcome, State, Stream, Usage};
use kernel::ExitWatch;
use proc::{has_variable, holders, members, start_time};
use pump::{Output, Tap, pump};

/// How often a group that was told to end is looked at: its members are not our children, so nothing tells of their end.
const LOOK: Duration = Duration::from_millis(20);

/// A killed process that is not gone after this is the kernel's to end.
const KILLING: Duration = Duration::from_secs(5);

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

/// What one run of a command is given beside its settings.
#[derive(Default)]
pub struct Launch {
    /// Further variables, which nothing else overrides.
    pub identity: Vec<(&'static str, String)>,
    /// The values of the job's parameters.
    pub values: Values,
    /// What its standard input reads; without one it is at end of file.
    pub input: Option<Input>,
}

/// Bytes for a command's standard input, as they come. An error says that the rest will not come: then what was sent is
/// not the whole, and the run is ended.
pub type Input = Pin<Box<dyn AsyncRead + Send>>;

/// A command that runs.
pub struct Process {
    settings: Arc<Settings>,
    child: Child,
    group: Pid,
    exit: ExitWatch,
    taps: Vec<(Stream, Tap)>,
    reaped: bool,
}

/// How a run ended, as far as its process tells.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Ended {
    /// One of `Succeeded`, `Failed`, `TimedOut`, `Cancelled`.
    pub state: State,
    /// How the child itself ended.
    pub outcome: Outcome,
    /// What it cost.
    pub usage: Option<Usage>,
}

impl Process {
    /// Starts the command of `settings` with what `launch` gives it. It keeps its thread waiting until the
    /// program is being executed (vfork(2)), so it is not for a thread that others wait for; it wants a runtime.
    ///
    /// # Errors
    /// Where it cannot be started: what was at fault, with the argument and the path.
    pub fn start(settings: Arc<Settings>, launch: &Launch) -> Result<Process, StartError> {
        let mut spawned = spawn::spawn(&settings, launch)?;
        let pid = spawned.child.id().and_then(|pid| Pid::from_raw(pid.cast_signed()));
        let group = pid.ok_or_else(|| io::Error::other("the child has no process id"))?;
        limits::restore_open_files(group);
        let exit = ExitWatch::new(group).inspect_err(|_| {
            let _ = kill_process_group(group, Signal::KILL);
            let _ = spawned.child.try_wait();
        })?;
        Ok(Process { settings, child: spawned.child, group, exit, taps: spawned.taps, reaped: false })
    }

    /// The process id of the child, which is its group's number too.
    pub fn id(&self) -> i32 {
        self.group.as_raw_nonzero().get()
    }

    /// Moves the output into the journal until the run is over; `cancel` ends it early.
    pub async fn follow(mut self, writer: Writer, cancel: &CancellationToken) -> (Ended, Writer) {
        let output = Output::new(writer);
        let taps = std::mem::take(&mut self.taps);
        let ends = taps.iter().filter_map(|(_, tap)| tap.other_end()).collect();
        let pumps = Pumps { ends, drained: CancellationToken::new(), stop: CancellationToken::new() };
        let (ended, ()) = tokio::join!(
            async {
                let ended = self.supervise(&output, &pumps, cancel).await;
                pumps.stop.cancel();
                ended
            },
            async {
                pump_all(taps, &output, &pumps.stop).await;
                pumps.drained.cancel();
            }
        );
        if let Err(error) = self.child.wait().await {
            tracing::warn!(%error, pid = self.id(), "the child cannot be waited for");
        }
        self.reaped = true;
        (ended, output.into_writer())
    }

    async fn supervise(&self, output: &Output, pumps: &Pumps, cancel: &CancellationToken) -> Ended {
        let mut cause = tokio::select! {
            biased;
            _ = self.exit.exited() => None,
            cause = self.called_off(output, cancel) => Some(cause),
        };
        if cause.is_some() {
            self.terminate(output).await;
        }
        let (outcome, usage) = match self.exit.exited().await {
            Ok((outcome, usage)) => (outcome, Some(usage)),
            Err(_) => (Outcome::Unknown, None),
        };
        tokio::select! {
            biased;
            () = self.drain(output, pumps) => {}
            () = cancel.cancelled(), if cause.is_none() => {
                output.say("cancelled: what it left behind gets SIGTERM");
                cause = Some(State::Cancelled);
                self.terminate(output).await;
                self.drain(output, pumps).await;
            }
        }
        Ended { state: cause.unwrap_or_else(|| self.judge(outcome)), outcome, usage }
    }

    /// Waits until nobody holds the output open any more, for so long as `drain` says; then says who does.
    async fn drain(&self, output: &Output, pumps: &Pumps) {
        let patience = self.settings.drain;
        if timeout(patience, pumps.drained.cancelled()).await.is_ok() {
            return;
        }
        let ends = pumps.ends.clone();
        let holders = tokio::task::spawn_blocking(move || holders(&ends)).await.unwrap_or_default();
        if pumps.drained.is_cancelled() {
            return;
        }
        let names: Vec<_> = holders.iter().map(|known| format!("{} ({})", known.pid, known.command)).collect();
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
    async fn called_off(&self, output: &Output, cancel: &CancellationToken) -> State {
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
        let _ = self.exit.exited().await;
        while !members(self.id()).is_empty() {
            sleep(LOOK).await;
        }
    }

    /// Only while the child is not reaped.
    fn signal(&self, signal: Signal) {
        let _ = kill_process_group(self.group, signal);
    }
}

/// What the one who watches the child and those who read its output tell one another.
struct Pumps {
    /// What the other ends of the output are called.
    ends: Vec<PathBuf>,
    /// The output is at end of file.
    drained: CancellationToken,
    /// It is not waited for any longer.
    stop: CancellationToken,
}

async fn pump_all(taps: Vec<(Stream, Tap)>, output: &Output, stop: &CancellationToken) {
    let mut pumps = taps.into_iter().map(|(stream, tap)| pump(tap, stream, output, stop));
    match (pumps.next(), pumps.next()) {
        (Some(one), Some(other)) => {
            tokio::join!(one, other);
        }
        (Some(one), None) => one.await,
        (None, _) => {}
    }
}

impl Drop for Process {
    /// A run that is given up (its task failed, the server goes down at once) leaves nothing behind.
    fn drop(&mut self) {
        if !self.reaped {
            self.signal(Signal::KILL);
        }
    }
}
