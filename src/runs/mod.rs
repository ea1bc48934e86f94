//! One run = one source into one journal: starting, waiting for a turn, cancelling, finding; and the history of all.

mod folder;
mod history;
mod left_behind;
mod record;
mod run;
mod task;

use std::collections::HashMap;
use std::fs::File;
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Instant;

use anyhow::Context as _;
use jiff::Timestamp;
use tokio::sync::{Semaphore, watch};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

pub use history::Filter;
pub use record::{Receipt, RunRecord};
pub use run::Run;

use crate::config::Job;
use crate::journal::{Journal, Origin, Writer};
use crate::parameters::Values;
use crate::record::{RunId, State};
use crate::sources::process::Input;
use folder::{lock, make_private, make_shelves};
use history::History;
use record::shown;
use task::Task;

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
        let (writer, journal) = Journal::create(self.folder(id), origin, job.max_output);
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
        Journal::open(self.folder(record.id), record.end())
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

    /// Where a run's journal is: on one of 256 shelves, by the last two digits of its name, which are random.
    fn folder(&self, id: RunId) -> PathBuf {
        let [.., last] = id.as_bytes();
        self.settings.state_dir.join("runs").join(format!("{last:02x}")).join(id.to_string())
    }

    fn live(&self) -> MutexGuard<'_, Live> {
        self.live.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
