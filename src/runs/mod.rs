//! One run = one source into one journal: starting, waiting for a turn, cancelling, finding; and the history of all.

mod folder;
mod history;
mod holds;
mod left_behind;
mod live;
mod queue;
mod record;
mod retention;
mod run;
mod task;

#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use jiff::Timestamp;
use tokio::sync::{Notify, watch};
use tokio_util::sync::{CancellationToken, DropGuard};
use tokio_util::task::TaskTracker;
use tracing::info;

pub use history::Filter;
pub use holds::Reading;
pub use record::{Receipt, RunRecord};
pub use retention::Keep;
pub use run::Run;

use crate::config::Job;
use crate::journal::{Journal, Origin, Writer};
use crate::parameters::Values;
use crate::record::{RunId, State};
use crate::sources::process::Input;
use folder::{lock, make_private, make_shelves};
use history::{History, Kept, Surplus};
use holds::{Hold, Holds};
use live::{Live, lock as lock_live, tell_places};
use queue::{Entered, Queue, Rule};
use record::{params_from_json, params_to_json, shown};
use retention::{Retention, Sweeper};
use task::Task;

/// How runs are kept and how many there may be.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Settings {
    /// Where journals and history are.
    pub state_dir: PathBuf,
    /// What may be changed later, by [`Runs::apply`].
    pub limits: Limits,
    /// What `JOBLINES_URL` begins with.
    pub url: String,
}

/// How many runs there may be.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Limits {
    /// Runs at once, over all jobs.
    pub max_running: usize,
    /// Runs that may wait for their turn.
    pub max_queued: usize,
    /// What is kept of those that have ended.
    pub keep: Keep,
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
    #[error("{} as many as max_queued allows", match .0 {
        1 => "1 run is waiting for its turn,".to_owned(),
        waiting => format!("{waiting} runs are waiting for their turn,"),
    })]
    Full(usize),
    /// The server is going down.
    #[error("the server is shutting down")]
    ShuttingDown,
    /// A run of the job is on, and it allows no other (`overlap = "refuse"`).
    #[error("run {0} of it is on, and it allows no other meanwhile")]
    InProgress(RunId),
}

/// All runs: those that go on, and the history.
pub struct Runs {
    settings: Settings,
    live: Arc<Mutex<Live>>,
    history: Arc<History>,
    retention: Arc<Retention>,
    holds: Arc<Holds>,
    tasks: TaskTracker,
    /// What goes on beside the runs: telling places, taking old runs away.
    background: TaskTracker,
    /// Ends the background.
    closing: CancellationToken,
    /// … also where nobody has shut it down.
    _closing: DropGuard,
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
        let live = Arc::new(Mutex::new(Live::new(&settings.limits)));
        let retention = Arc::new(Retention::new(settings.limits.keep));
        let saved = {
            let (live, retention) = (Arc::clone(&live), Arc::clone(&retention));
            move |record: &RunRecord| {
                if record.state.is_final() {
                    drop(lock_live(&live).forget(record.id));
                    retention.count(record);
                } else if record.state == State::Running {
                    // a short run has one line in the log, at its end: of many of them that is no small part of the cost
                    info!(run = %record.id, job = record.job, trigger = record.trigger, "run started");
                }
            }
        };
        let history = History::open(&inside("history.db"), saved)
            .with_context(|| format!("cannot open the history {}", inside("history.db").display()))?;
        let closing = CancellationToken::new();
        let runs = Arc::new(Runs {
            live,
            history: Arc::new(history),
            retention,
            holds: Arc::default(),
            tasks: TaskTracker::new(),
            background: TaskTracker::new(),
            _closing: closing.clone().drop_guard(),
            closing,
            _lock: lock,
            settings,
        });
        runs.sweeper().clear_remains().await;
        let left = runs.left_behind().await?;
        runs.settle_all(left).await;
        runs.in_background(tell_places(Arc::clone(&runs.live)));
        runs.in_background(runs.sweeper().work());
        Ok(runs)
    }

    fn sweeper(&self) -> Sweeper {
        Sweeper {
            retention: Arc::clone(&self.retention),
            history: Arc::clone(&self.history),
            holds: Arc::clone(&self.holds),
            folder: self.settings.state_dir.join("runs"),
        }
    }

    /// Has `work` done until the end of all runs; it may be dropped at any time.
    fn in_background(&self, work: impl Future<Output = ()> + Send + 'static) {
        let closing = self.closing.clone();
        self.background.spawn(async move {
            tokio::select! {
                () = closing.cancelled() => {}
                () = work => {}
            }
        });
    }

    /// Begins a run of `job`, has it wait for its turn, or joins one that is on, as the job's `overlap` says. It goes on
    /// whether or not anybody watches.
    ///
    /// # Errors
    /// Where too many wait already, the job allows no other run beside the one that is on, or the server is going down.
    pub fn start(self: &Arc<Self>, job: &Arc<Job>, order: Order) -> Result<Started, Refused> {
        // held until the run's task is counted: a shutdown either sees the run or lets none begin, and of two orders at
        // once the second sees the first
        let mut live = self.live();
        if let Some(run) = live.look_for(job, &order.values)? {
            return Ok(Started { run, joined: true });
        }
        let id = RunId::new();
        let place = match live.enter(job, id)? {
            Entered::Begins => None,
            Entered::Waits(place) => Some(place),
        };
        let Order { values, trigger, input } = order;
        let (run, writer) = self.make(id, job, (values, trigger), place);
        live.add(Arc::clone(&run));
        if place.is_some() {
            // it may be long until its journal tells of it
            self.history.save(run.record());
        }
        let task = Task { runs: Arc::clone(self), run: Arc::clone(&run), asked: Instant::now() };
        self.tasks.spawn(task.run(writer, place.is_some(), input));
        Ok(Started { run, joined: false })
    }

    fn make(
        &self,
        id: RunId,
        job: &Arc<Job>,
        (values, trigger): (Values, String),
        place: Option<Place>,
    ) -> (Arc<Run>, Writer) {
        let started = Timestamp::now();
        let origin = Origin { run: id, job: job.name.clone(), trigger: trigger.clone(), started, child: None };
        let (writer, journal) = Journal::create(self.base(id), origin, job.max_output);
        let run = Run {
            id,
            job: Arc::clone(job),
            started,
            trigger,
            values,
            place: watch::Sender::new(place),
            turn: Notify::new(),
            replaced_by: OnceLock::new(),
            journal,
            hold: self.holds.hold(id).expect("nobody takes away what is made just now"),
            begun: watch::Sender::new(place.map(|_| State::Queued)),
            cannot_start: OnceLock::new(),
            cancel: CancellationToken::new(),
            live: Arc::downgrade(&self.live),
        };
        (Arc::new(run), writer)
    }

    /// Other limits, at once: where there are more turns, those that wait begin; where there are fewer, nobody is ended.
    pub fn apply(&self, limits: Limits) {
        self.live().limit(&limits);
        self.retention.keep(limits.keep);
    }

    /// The run, where it has not ended (or its end is not in the history yet).
    pub fn live_run(&self, id: RunId) -> Option<Arc<Run>> {
        self.live().run(id)
    }

    /// The record of a run, live or not.
    ///
    /// # Errors
    /// Where the history cannot be read.
    pub async fn find(&self, id: RunId) -> anyhow::Result<Option<RunRecord>> {
        match self.live_run(id) {
            Some(run) => Ok(Some(run.record())),
            None if self.holds.is_doomed(id) => Ok(None),
            None => self.history.find(id).await,
        }
    }

    /// The records that `filter` asks for, newest first.
    ///
    /// # Errors
    /// Where the history cannot be read.
    pub async fn list(&self, filter: Filter) -> anyhow::Result<Vec<RunRecord>> {
        let limit = filter.limit;
        let live = self.live().runs();
        // a live run may have left the state in which the history still has it: a page is full all the same
        let stale = if filter.state.is_some() { live.len() } else { 0 };
        let asked = Filter { limit: limit + stale, ..filter.clone() };
        let mut records: HashMap<RunId, RunRecord> =
            self.history.list(asked).await?.into_iter().map(|record| (record.id, record)).collect();
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

    /// The run before which the page of newer runs begins, where [`Runs::list`] of `filter` is one of several pages;
    /// `None` where that page is the first.
    ///
    /// # Errors
    /// Where the history cannot be read.
    pub async fn newer(&self, filter: Filter) -> anyhow::Result<Option<RunId>> {
        self.history.newer(filter).await
    }

    /// The newest run of each of these jobs that has run.
    ///
    /// # Errors
    /// Where the history cannot be read.
    pub async fn last_of(&self, jobs: impl IntoIterator<Item = &str>) -> anyhow::Result<HashMap<String, RunRecord>> {
        let jobs: Vec<_> = jobs.into_iter().map(str::to_owned).collect();
        let live = self.live().runs();
        let live = live.iter().filter(|run| jobs.contains(&run.job.name)).map(|run| run.record()).collect::<Vec<_>>();
        let mut last = HashMap::with_capacity(jobs.len());
        for record in self.history.last_of(jobs).await?.into_iter().chain(live) {
            let is_newest = last.get(&record.job).is_none_or(|other: &RunRecord| other.id <= record.id);
            if is_newest {
                last.insert(record.job.clone(), record);
            }
        }
        Ok(last)
    }

    /// How long a run of this job usually takes: the median of its last twenty successful runs. `None` where it never
    /// succeeded.
    ///
    /// # Errors
    /// Where the history cannot be read.
    pub async fn usual_duration(&self, job: &str) -> anyhow::Result<Option<Duration>> {
        Ok(self.usual_durations([job]).await?.remove(job))
    }

    /// How long runs of each of these jobs usually take, all asked at once; see [`Runs::usual_duration`].
    ///
    /// # Errors
    /// Where the history cannot be read.
    pub async fn usual_durations(
        &self,
        jobs: impl IntoIterator<Item = &str>,
    ) -> anyhow::Result<HashMap<String, Duration>> {
        self.history.usual_durations(jobs.into_iter().map(str::to_owned).collect()).await
    }

    /// The journal of a run that has ended, which stays for as long as the answer is held; `None` where it has been taken
    /// away meanwhile.
    ///
    /// # Errors
    /// Where its files cannot be read.
    pub async fn journal(&self, record: &RunRecord) -> anyhow::Result<Option<Reading>> {
        let Some(hold) = self.holds.hold(record.id) else { return Ok(None) };
        let (base, end) = (self.base(record.id), record.end());
        let journal = tokio::task::spawn_blocking(move || Journal::open(base, end)).await??;
        // a run that was taken away between the asking for its record and this has no files and no record
        if journal.totals().bytes == 0 && self.history.find(record.id).await?.is_none() {
            return Ok(None);
        }
        Ok(Some(Reading::new(journal, hold)))
    }

    /// Ends every run, waits until all have ended, and closes the history. No run is begun from here on.
    pub async fn shut_down(&self) {
        self.live().close();
        self.tasks.close();
        self.tasks.wait().await;
        self.closing.cancel();
        self.background.close();
        self.background.wait().await;
        self.history.close();
    }

    /// Where a run's journal is.
    fn base(&self, id: RunId) -> PathBuf {
        base_of(&self.settings.state_dir.join("runs"), id)
    }

    fn live(&self) -> MutexGuard<'_, Live> {
        lock_live(&self.live)
    }
}

/// Where a run's journal is: on one of 256 shelves, by the last two digits of its name, which are random.
fn base_of(runs: &Path, id: RunId) -> PathBuf {
    let [.., last] = id.as_bytes();
    runs.join(format!("{last:02x}")).join(id.to_string())
}
