//! One run = one source into one journal: starting, waiting for a turn, cancelling, finding; and the history of all.

mod history;
mod record;
mod run;

use std::collections::HashMap;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
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
use crate::journal::{Journal, Origin, Writer, recover};
use crate::record::{Outcome, RunId, State};
use crate::sources::process::{Ended, Process, end_orphans};
use history::{History, Unended};

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

/// Why a run was not begun.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Refused {
    /// As many as may wait are waiting.
    #[error("{0} runs are waiting for their turn, as many as max_queued allows")]
    Full(usize),
    /// The server is going down.
    #[error("the server is shutting down")]
    ShuttingDown,
}

/// All runs: those that go on, and the history.
pub struct Runs {
    settings: Settings,
    live: Arc<Mutex<HashMap<RunId, Arc<Run>>>>,
    history: History,
    turns: Arc<Semaphore>,
    queued: AtomicUsize,
    closed: AtomicBool,
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
        spread(folder);
        make_private(&inside("runs")).with_context(|| format!("cannot make {}", inside("runs").display()))?;
        let live: Arc<Mutex<HashMap<RunId, Arc<Run>>>> = Arc::default();
        let forget = {
            let live = Arc::clone(&live);
            move |id| drop(live.lock().unwrap_or_else(PoisonError::into_inner).remove(&id))
        };
        let history = History::open(&inside("history.db"), forget)
            .with_context(|| format!("cannot open the history {}", inside("history.db").display()))?;
        let runs = Arc::new(Runs {
            live,
            history,
            turns: Arc::new(Semaphore::new(settings.max_running)),
            queued: AtomicUsize::new(0),
            closed: AtomicBool::new(false),
            tasks: TaskTracker::new(),
            _lock: lock,
            settings,
        });
        for unended in runs.left_behind().await? {
            runs.lose(unended).await;
        }
        Ok(runs)
    }

    /// Begins a run of `job`; it goes on whether or not anybody watches.
    ///
    /// # Errors
    /// Where too many wait already, or the server is going down.
    pub fn start(self: &Arc<Self>, job: &Arc<Job>, trigger: String) -> Result<Arc<Run>, Refused> {
        if self.closed.load(Ordering::Acquire) {
            return Err(Refused::ShuttingDown);
        }
        let turn = Arc::clone(&self.turns).try_acquire_owned().ok();
        if turn.is_none() && self.queued.load(Ordering::Acquire) >= self.settings.max_queued {
            return Err(Refused::Full(self.settings.max_queued));
        }
        let (id, started) = (RunId::new(), Timestamp::now());
        let origin = Origin { run: id, job: job.name.clone(), trigger: trigger.clone(), started, pid: None };
        let (writer, journal) = Journal::create(self.folder(id), origin, job.max_output);
        let run = Arc::new(Run {
            id,
            job: Arc::clone(job),
            started,
            trigger,
            journal,
            state: watch::Sender::new(None),
            cannot_start: OnceLock::new(),
            cancel: CancellationToken::new(),
        });
        self.live().insert(id, Arc::clone(&run));
        let task = Task { runs: Arc::clone(self), run: Arc::clone(&run), begun: Instant::now() };
        self.tasks.spawn(task.run(writer, turn));
        Ok(run)
    }

    /// The run, where it has not ended (or its end is not in the history yet).
    pub fn live_run(&self, id: RunId) -> Option<Arc<Run>> {
        self.live().get(&id).cloned()
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
        let live: Vec<_> = self.live().values().cloned().collect();
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
    pub fn journal(&self, id: RunId) -> io::Result<Arc<Journal>> {
        Journal::open(self.folder(id))
    }

    /// Ends every run, waits until all have ended, and closes the history. No run is begun from here on.
    pub async fn shut_down(&self) {
        self.closed.store(true, Ordering::Release);
        for run in self.live().values() {
            run.cancel();
        }
        self.tasks.close();
        self.tasks.wait().await;
        self.history.close();
    }

    fn folder(&self, id: RunId) -> PathBuf {
        self.settings.state_dir.join("runs").join(id.to_string())
    }

    fn live(&self) -> MutexGuard<'_, HashMap<RunId, Arc<Run>>> {
        self.live.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The runs that the last server left without an end, and those that it had no time to enter into the history.
    async fn left_behind(&self) -> anyhow::Result<Vec<Unended>> {
        let mut left = self.history.unended().await?;
        let known = self.history.ids().await?;
        let folder = self.settings.state_dir.join("runs");
        let names = fs::read_dir(&folder).with_context(|| format!("cannot read {}", folder.display()))?.flatten();
        let ids = names.filter_map(|name| name.file_name().to_str()?.parse::<RunId>().ok());
        left.extend(ids.filter(|id| !known.contains(id)).map(Unended::unknown));
        Ok(left)
    }

    /// Settles a run that the last server left behind.
    async fn lose(self: &Arc<Self>, Unended { mut record, mut pid }: Unended) {
        let (folder, started) = (self.folder(record.id), record.started);
        let recovered = tokio::task::spawn_blocking(move || recover(&folder, started)).await;
        record.state = State::Lost;
        match recovered.map_err(io::Error::other).and_then(|recovered| recovered) {
            Ok(recovered) => {
                let end = &recovered.end;
                (record.state, record.lines, record.bytes) = (end.state, end.lines, end.bytes);
                record.ended = Some(Receipt::from(end));
                if let Some(origin) = recovered.origin {
                    (record.job, record.trigger, record.started) = (origin.job, origin.trigger, origin.started);
                    pid = pid.or(origin.pid);
                }
                let (state, lines, cut) = (end.state.name(), end.lines, recovered.cut);
                info!(run = %record.id, job = record.job, state, lines, cut, "settled a run of the last server");
            }
            Err(error) => warn!(run = %record.id, %error, "the journal of a lost run cannot be read"),
        }
        let id = record.id;
        self.history.save(record, None);
        if let Some(group) = pid {
            self.tasks.spawn(async move {
                let ended = end_orphans(group, &id.to_string(), ORPHANS_GRACE).await;
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
    begun: Instant,
}

impl Task {
    async fn run(self, writer: Writer, turn: Option<OwnedSemaphorePermit>) {
        let turn = match turn {
            Some(turn) => Some(turn),
            None => self.wait_for_turn().await,
        };
        let (ended, writer) = match turn {
            Some(_) => self.execute(writer).await,
            None => (Ended { state: State::Cancelled, outcome: Outcome::Unknown, usage: None }, writer),
        };
        let end = writer.end(ended.state, ended.outcome, ended.usage, self.begun.elapsed());
        self.run.state.send_replace(Some(end.state));
        self.runs.history.save(self.run.record(), None);
        info!(run = %self.run.id, job = self.run.job.name, state = end.state.name(), lines = end.lines, "run ended");
    }

    /// `None` where it was cancelled before its turn came.
    async fn wait_for_turn(&self) -> Option<OwnedSemaphorePermit> {
        self.runs.queued.fetch_add(1, Ordering::AcqRel);
        self.run.state.send_replace(Some(State::Queued));
        self.runs.history.save(self.run.record(), None);
        let turn = tokio::select! {
            biased;
            () = self.run.cancel.cancelled() => None,
            turn = Arc::clone(&self.runs.turns).acquire_owned() => turn.ok(),
        };
        self.runs.queued.fetch_sub(1, Ordering::AcqRel);
        turn
    }

    async fn execute(&self, mut writer: Writer) -> (Ended, Writer) {
        let run = &self.run;
        let identity = [
            ("JOBLINES_JOB", run.job.name.clone()),
            ("JOBLINES_RUN", run.id.to_string()),
            ("JOBLINES_URL", format!("{}/runs/{}", self.runs.settings.url, run.id)),
        ];
        let process = match Process::start(&run.job.process, &identity) {
            Ok(process) => process,
            Err(error) => {
                writer.say(&error.to_string());
                let _ = run.cannot_start.set(error.to_string());
                return (Ended { state: State::Failed, outcome: Outcome::Unknown, usage: None }, writer);
            }
        };
        run.state.send_replace(Some(State::Running));
        self.runs.history.save(run.record(), Some(process.id()));
        info!(run = %run.id, job = run.job.name, pid = process.id(), trigger = run.trigger, "run started");
        // in the shadow of the child's own start
        writer.begin(process.id());
        process.follow(writer, &run.cancel).await
    }
}

fn make_private(folder: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(folder)
}

/// Tells ext4 that what is in `folder` is unrelated to what lies beside it (chattr(1) +T), so that the folder of the runs
/// gets a block group of its own. Without a journal, ext4 looks at every inode deleted near by in the last minutes before
/// it makes a file: next to a busy /tmp the files of a run took 130 µs, and take 18 µs so. Other file systems decline.
fn spread(folder: &Path) {
    if let Ok(folder) = File::open(folder)
        && let Ok(flags) = ioctl_getflags(&folder)
    {
        let _ = ioctl_setflags(&folder, flags | IFlags::TOPDIR);
    }
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
