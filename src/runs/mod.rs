//! One run = one source into one journal: starting, waiting for a turn, cancelling, finding; and the history of all.

mod history;
mod record;
mod run;

use std::collections::HashMap;
use std::fs::{self, DirBuilder, File, OpenOptions, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use jiff::Timestamp;
use rustix::fs::{FlockOperation, IFlags, flock, ioctl_getflags, ioctl_setflags};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::{info, warn};

pub use history::Filter;
pub use record::{Receipt, RunRecord};
pub use run::Run;

use crate::config::Job;
use crate::journal::{self, Child, Journal, Origin, Recovered, Writer, recover};
use crate::parameters::Values;
use crate::record::{Outcome, RunId, State};
use crate::sources::process::{Ended, Input, Launch, Process, StartError, end_orphans};
use history::History;
use record::shown;

/// What is left of a killed server's run gets so long between SIGTERM and SIGKILL: its job may be gone from `jobs.toml`.
const ORPHANS_GRACE: Duration = Duration::from_secs(10);

/// How many runs there may be, and where they are kept.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Settings {
    /// Where journals and history are.
    pub state_dir: PathBuf,
    /// Runs at once.
    pub max_running: usize,
    /// Runs that may wait for their turn.
    pub max_queued: usize,
    /// What `JOBLINES_URL` begins with.
    pub url: String,
}

/// What a run is asked for with.
#[derive(Default)]
pub struct Order {
    /// The values of the job's parameters.
    pub values: Values,
    /// Who asks, and how.
    pub trigger: String,
    /// What its standard input reads.
    pub input: Option<Input>,
}

/// What an order came to.
pub struct Started {
    /// The run.
    pub run: Arc<Run>,
    /// It was on already (`overlap = "attach"`).
    pub joined: bool,
}

/// Where a queued run stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Place {
    /// Its turn comes after so many others that wait.
    pub ahead: usize,
    /// So many wait in all.
    pub waiting: usize,
}

/// Why a run was not begun.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Refused {
    /// As many as may wait are waiting.
    #[error("{0} runs are waiting for their turn, as many as max_queued allows")]
    Full(usize),
    /// The server is going down.
    #[error("the server is shutting down")]
    ShuttingDown,
    /// A run of the job is on, and it allows no other (`overlap = "refuse"`).
    #[error("run {0} of it is on, and it allows no other meanwhile")]
    InProgress(RunId),
}

/// The runs that have not ended, or whose end is not in the history yet.
#[derive(Default)]
struct Live {
    runs: HashMap<RunId, Arc<Run>>,
    queued: usize,
    /// No run is begun any more.
    closed: bool,
}

/// All runs: those that go on, and the history.
pub struct Runs {
    settings: Settings,
    live: Arc<Mutex<Live>>,
    history: History,
    turns: Arc<Semaphore>,
    tasks: TaskTracker,
    /// Held open for its lock: one server to a state directory.
    _lock: File,
}

impl Runs {
    /// Takes the state directory, and settles what the last server left there: its unended runs are lost, with every
    /// line they had, and what is left of their processes is ended.
    ///
    /// # Errors
    /// Where the directory cannot be made, read or written, or another server has it.
    pub async fn open(settings: Settings) -> anyhow::Result<Arc<Runs>> {
        let folder = &settings.state_dir;
        make_private(folder).with_context(|| format!("cannot make the state directory {}", folder.display()))?;
        let lock = lock(folder)?;
        let inside = |name: &str| folder.join(name);
        make_shelves(&inside("runs")).with_context(|| format!("cannot make {}", inside("runs").display()))?;
        let live: Arc<Mutex<Live>> = Arc::default();
        let forget = {
            let live = Arc::clone(&live);
            move |id| drop(live.lock().unwrap_or_else(PoisonError::into_inner).runs.remove(&id))
        };
        let history = History::open(&inside("history.db"), forget)
            .with_context(|| format!("cannot open the history {}", inside("history.db").display()))?;
        let runs = Arc::new(Runs {
            live,
            history,
            turns: Arc::new(Semaphore::new(settings.max_running)),
            tasks: TaskTracker::new(),
            _lock: lock,
            settings,
        });
        for record in runs.left_behind().await? {
            runs.settle(record).await;
        }
        Ok(runs)
    }

    /// Begins a run of `job`; it goes on whether or not anybody watches.
    ///
    /// # Errors
    /// Where too many wait already, or the server is going down.
    pub fn start(self: &Arc<Self>, job: &Arc<Job>, order: Order) -> Result<Started, Refused> {
        // held until the run's task is counted: a shutdown either sees the run or lets none begin
        let mut live = self.live();
        if live.closed {
            return Err(Refused::ShuttingDown);
        }
        let turn = Arc::clone(&self.turns).try_acquire_owned().ok();
        if turn.is_none() {
            if live.queued >= self.settings.max_queued {
                return Err(Refused::Full(self.settings.max_queued));
            }
            live.queued += 1;
        }
        let Order { values, trigger, input } = order;
        let (run, writer) = self.make(job, values, trigger, turn.is_none());
        live.runs.insert(run.id, Arc::clone(&run));
        let task = Task { runs: Arc::clone(self), run: Arc::clone(&run), asked: Instant::now() };
        self.tasks.spawn(task.run(writer, turn, input));
        Ok(Started { run, joined: false })
    }

    fn make(&self, job: &Arc<Job>, values: Values, trigger: String, queued: bool) -> (Arc<Run>, Writer) {
        let (id, started) = (RunId::new(), Timestamp::now());
        let origin = Origin { run: id, job: job.name.clone(), trigger: trigger.clone(), started, child: None };
        let (writer, journal) = Journal::create(self.base(id), origin, job.max_output);
        let run = Run {
            id,
            job: Arc::clone(job),
            started,
            trigger,
            values,
            place: watch::Sender::new(None),
            journal,
            begun: watch::Sender::new(queued.then_some(State::Queued)),
            cannot_start: OnceLock::new(),
            cancel: CancellationToken::new(),
        };
        (Arc::new(run), writer)
    }

    /// The run, where it has not ended (or its end is not in the history yet).
    pub fn live_run(&self, id: RunId) -> Option<Arc<Run>> {
        self.live().runs.get(&id).cloned()
    }

    /// The record of a run, live or not.
    ///
    /// # Errors
    /// Where the history cannot be read.
    pub async fn find(&self, id: RunId) -> anyhow::Result<Option<RunRecord>> {
        match self.live_run(id) {
            Some(run) => Ok(Some(run.record())),
            None => self.history.find(id).await,
        }
    }

    /// The records that `filter` asks for, newest first.
    ///
    /// # Errors
    /// Where the history cannot be read.
    pub async fn list(&self, filter: Filter) -> anyhow::Result<Vec<RunRecord>> {
        let limit = filter.limit;
        let live: Vec<_> = self.live().runs.values().cloned().collect();
        let mut records: HashMap<RunId, RunRecord> =
            self.history.list(filter.clone()).await?.into_iter().map(|record| (record.id, record)).collect();
        for record in live.iter().map(|run| run.record()) {
            records.remove(&record.id);
            if filter.takes(&record) {
                records.insert(record.id, record);
            }
        }
        let mut records: Vec<_> = records.into_values().collect();
        records.sort_by_key(|record| std::cmp::Reverse(record.id));
        records.truncate(limit);
        Ok(records)
    }

    /// The journal of a run that has ended.
    ///
    /// # Errors
    /// Where its files cannot be read.
    pub fn journal(&self, record: &RunRecord) -> io::Result<Arc<Journal>> {
        Journal::open(self.base(record.id), record.end())
    }

    /// Ends every run, waits until all have ended, and closes the history. No run is begun from here on.
    pub async fn shut_down(&self) {
        self.close();
        self.tasks.close();
        self.tasks.wait().await;
        self.history.close();
    }

    /// From here on no run begins, and every one is asked to end.
    fn close(&self) {
        let mut live = self.live();
        live.closed = true;
        for run in live.runs.values() {
            run.cancel();
        }
    }

    /// Where a run's journal is, its files' names begun: on one of 256 shelves, by the last two digits of the run's name,
    /// which are random.
    fn base(&self, id: RunId) -> PathBuf {
        let [.., last] = id.as_bytes();
        self.settings.state_dir.join("runs").join(format!("{last:02x}")).join(id.to_string())
    }

    fn live(&self) -> MutexGuard<'_, Live> {
        self.live.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The runs that the last server left without an end, and those that it had no time to enter into the history.
    async fn left_behind(&self) -> anyhow::Result<Vec<RunRecord>> {
        let mut left = self.history.unended().await?;
        let known = self.history.ids().await?;
        let folder = self.settings.state_dir.join("runs");
        let shelves = fs::read_dir(&folder).with_context(|| format!("cannot read {}", folder.display()))?.flatten();
        let names = shelves.filter_map(|shelf| fs::read_dir(shelf.path()).ok()).flatten().flatten();
        let ids = names.filter_map(|name| name.file_name().to_str()?.strip_suffix(".index")?.parse::<RunId>().ok());
        left.extend(ids.filter(|id| !known.contains(id)).map(RunRecord::of_unknown));
        Ok(left)
    }

    /// Settles a run that the last server left behind.
    async fn settle(self: &Arc<Self>, mut record: RunRecord) {
        let (base, started) = (self.base(record.id), record.started);
        let recovered = tokio::task::spawn_blocking(move || recover(&base, started)).await;
        let Recovered { origin, end, cut } = match recovered.map_err(io::Error::other).and_then(|recovered| recovered) {
            Ok(recovered) => recovered,
            Err(error) => return warn!(run = %record.id, %error, "the journal of a lost run cannot be read"),
        };
        let child = origin.as_ref().and_then(|origin| origin.child);
        match origin {
            Some(origin) => (record.job, record.trigger, record.started) = (origin.job, origin.trigger, origin.started),
            // files that were made and not yet written to: there was no run
            None if record.job.is_empty() => return drop(journal::remove(&self.base(record.id))),
            None => {}
        }
        (record.state, record.lines, record.bytes) = (end.state, end.lines, end.bytes);
        record.ended = Some(Receipt::from(&end));
        let (id, lines, state) = (record.id, end.lines, end.state);
        info!(run = %id, job = record.job, state = state.name(), lines, cut, "settled a run of the last server");
        self.history.save(record);
        // what a run that came to its end left behind, it left on purpose
        if let Some(child) = child.filter(|_| state == State::Lost) {
            self.tasks.spawn(async move {
                let ended = end_orphans(child.pid, child.started.into(), &id.to_string(), ORPHANS_GRACE).await;
                if ended > 0 {
                    info!(run = %id, processes = ended, "ended what was left of a lost run");
                }
            });
        }
    }
}

/// The task of one run.
struct Task {
    runs: Arc<Runs>,
    run: Arc<Run>,
    asked: Instant,
}

impl Task {
    async fn run(self, writer: Writer, turn: Option<OwnedSemaphorePermit>, input: Option<Input>) {
        let turn = match turn {
            Some(turn) => Some(turn),
            None => self.wait_for_turn().await,
        };
        let (ended, writer) = match turn {
            Some(_) => self.execute(writer, input).await,
            None => (Ended { state: State::Cancelled, outcome: Outcome::Unknown, usage: None }, writer),
        };
        writer.end(ended.state, ended.outcome, ended.usage, self.asked.elapsed());
        // those who watch get the end before the log and the history do
        tokio::task::yield_now().await;
    }

    /// `None` where it was cancelled before its turn came.
    async fn wait_for_turn(&self) -> Option<OwnedSemaphorePermit> {
        self.runs.history.save(self.run.record());
        let turn = tokio::select! {
            biased;
            () = self.run.cancel.cancelled() => None,
            turn = Arc::clone(&self.runs.turns).acquire_owned() => turn.ok(),
        };
        self.runs.live().queued -= 1;
        turn
    }

    async fn execute(&self, mut writer: Writer, input: Option<Input>) -> (Ended, Writer) {
        let run = &self.run;
        let identity = vec![
            ("JOBLINES_JOB", run.job.name.clone()),
            ("JOBLINES_RUN", run.id.to_string()),
            ("JOBLINES_URL", format!("{}/runs/{}", self.runs.settings.url, run.id)),
        ];
        let launch = Launch { identity, values: run.values.clone(), input };
        let (settings, started) = (Arc::clone(&run.job.process), Timestamp::now());
        let starting = tokio::task::spawn_blocking(move || Process::start(settings, &launch));
        // in the shadow of the child's own start
        writer.prepare();
        let started_process = starting.await.map_err(|error| StartError::System(io::Error::other(error)));
        let process = match started_process.and_then(|process| process) {
            Ok(process) => process,
            Err(error) => {
                writer.say(&error.to_string());
                let _ = run.cannot_start.set(error.to_string());
                return (Ended { state: State::Failed, outcome: Outcome::Unknown, usage: None }, writer);
            }
        };
        let pid = process.id();
        run.begun.send_replace(Some(State::Running));
        writer.note(Child { pid, started });
        let told = async {
            tokio::task::yield_now().await;
            self.runs.history.save(run.record());
            info!(run = %run.id, job = run.job.name, pid, trigger = run.trigger, "run started");
        };
        let (followed, ()) = tokio::join!(process.follow(writer, &run.cancel), told);
        followed
    }
}

impl Drop for Task {
    /// However the task came to its end, its journal has ended by now, and the history is told.
    fn drop(&mut self) {
        let record = self.run.record();
        info!(run = %record.id, job = record.job, state = record.state.name(), lines = record.lines, "run ended");
        self.runs.history.save(record);
    }
}

/// Makes the folder if it is not there, and closes it to others if it is.
fn make_private(folder: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    match fs::metadata(folder)?.permissions().mode() & 0o077 {
        0 => Ok(()),
        _ => fs::set_permissions(folder, Permissions::from_mode(0o700)),
    }
}

/// Makes the folders that runs are put in. There are many of them, so that none gets large, and so that ext4, which is
/// told (chattr(1) +T) that they have nothing to do with each other, spreads them over the disk: without a journal it
/// looks, before it makes a file, at every inode lately deleted near by. In one folder beside a busy /tmp the files of a
/// run took up to 700 µs so; here they take 20 µs. Other file systems do not mind.
fn make_shelves(runs: &Path) -> io::Result<()> {
    make_private(runs)?;
    let opened = File::open(runs)?;
    if let Ok(flags) = ioctl_getflags(&opened) {
        let _ = ioctl_setflags(&opened, flags | IFlags::TOPDIR);
    }
    (0..=u8::MAX).try_for_each(|shelf| make_private(&runs.join(format!("{shelf:02x}"))))
}

fn lock(folder: &Path) -> anyhow::Result<File> {
    let path = folder.join("lock");
    let file = OpenOptions::new().create(true).append(true).mode(0o600).open(&path);
    let file = file.with_context(|| format!("cannot write in the state directory {}", folder.display()))?;
    flock(&file, FlockOperation::NonBlockingLockExclusive).map_err(|_| {
        anyhow::anyhow!(
            "the state directory {} is used by another joblines: stop it, or choose another with --state-dir",
            folder.display()
        )
    })?;
    Ok(file)
}
