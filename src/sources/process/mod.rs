//! A job's command as a source: its processes run in a group of their own, their output goes into the journal, and they
//! are ended and waited for so that nothing is left that should not be.
//!
//! A run is over when its child has exited **and** its output is at end of file, or when a process that the child left
//! behind has held the output open for `drain` longer. The child is not reaped before its group has been dealt with: as
//! long as it is a zombie, nobody else can be given its number, so a signal to the group cannot hit a stranger.

mod choices;
mod family;
mod feed;
mod kernel;
mod limits;
mod mask;
mod orphans;
mod proc;
mod pump;
mod spawn;

use std::io;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::AsyncRead;
use tokio::process::ChildStdin;
use tokio::task::JoinError;
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;

pub use choices::lines_of;
pub use kernel::shed_inheritance;
pub use limits::raise_open_files;
pub use mask::{Mask, Masker};
pub use orphans::{end_orphans, end_strays};
pub use spawn::StartError;

use crate::journal::Writer;
use crate::parameters::Values;
use crate::record::{Outcome, State, Stream, Usage};
use family::{Family, Signs};
use feed::supply;
use kernel::ExitWatch;
use limits::restore_open_files;
use proc::{Known, group_of, holders, members, pids, start_time, variable};
use pump::{Output, Tap, pump_all};
use spawn::{Spawned, spawn};

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
    // the first to be dropped: a child that is given up is killed before its input is at end of file
    family: Family,
    input: Option<Input>,
    stdin: Option<ChildStdin>,
    taps: Vec<(Stream, Tap)>,
    mask: Option<Mask>,
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
    /// Where it cannot be started: what was at fault, with the argument and the path, and no secret.
    pub fn start(settings: Arc<Settings>, launch: Launch) -> Result<Process, StartError> {
        let mask = Mask::of(&launch.values).map_err(io::Error::other)?;
        let Spawned { mut child, taps } = spawn(&settings, &launch).map_err(|error| error.masked(mask.as_ref()))?;
        let stdin = child.stdin.take();
        Ok(Process { input: launch.input, stdin, taps, mask, family: Family::new(settings, child)? })
    }

    /// The process id of the child, which is its group's number too.
    pub fn id(&self) -> i32 {
        self.family.id()
    }

    /// Moves the input to it and its output into the journal until the run is over; `cancel` ends it early. The
    /// child is to be reaped then, which can wait until those who watch have been told.
    ///
    /// # Panics
    /// Where what moves the output did.
    pub async fn follow(self, writer: Writer, cancel: &CancellationToken) -> (Ended, Writer, Unreaped) {
        // the last is dropped first: see there
        let Process { input, mut stdin, taps, mask, family } = self;
        let ends = taps.iter().filter_map(|(_, tap)| tap.other_end()).collect();
        let signs = Signs { ends, ..Signs::default() };
        let output = Arc::new(Output::new(writer, mask));
        let moved = {
            let (output, stop) = (Arc::clone(&output), signs.stop.clone());
            // told however the task ends
            let drained = signs.drained.clone().drop_guard();
            AbortOnDropHandle::new(tokio::spawn(async move {
                let taps = pump_all(taps, output, stop).await;
                drop(drained);
                taps
            }))
        };
        let (ended, ()) = tokio::join!(
            async {
                let ended = family.supervise(&output, &signs, cancel).await;
                signs.stop.cancel();
                ended
            },
            supply(input, &mut stdin, &signs),
        );
        let taps = match moved.await.map_err(JoinError::try_into_panic) {
            Ok(taps) => taps,
            Err(Ok(panic)) => std::panic::resume_unwind(panic),
            Err(Err(_)) => Vec::new(),
        };
        let output = Arc::into_inner(output).expect("what moved the output has ended, and nobody else was given it");
        (ended, output.into_writer(), Unreaped { family, _taps: taps })
    }
}

/// A command whose run is over: its child has exited and was not waited for, and our ends of its pipes are open.
pub struct Unreaped {
    family: Family,
    _taps: Vec<Tap>,
}

impl Unreaped {
    /// Takes the child's number back and closes the pipes.
    pub async fn reap(mut self) {
        self.family.reap().await;
    }
}
