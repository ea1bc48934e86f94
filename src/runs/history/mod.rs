//! The history: every run's record in an embedded database (SQLite), which other programs may read while the server
//! runs. One thread does all reading and writing; it saves what was handed in before it reads, so a record is found as
//! soon as it was handed in. No run waits for it, and nothing is fsync'ed on the way of a line (WAL, `synchronous =
//! NORMAL`).

mod rows;
mod schema;

#[cfg(test)]
mod tests;

use std::collections::{HashMap, HashSet};
use std::fs::OpenOptions;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use rusqlite::Connection;
use tokio::sync::oneshot;
use tracing::{error, info};

use super::{Receipt, RunRecord, params_from_json, params_to_json};
use crate::record::{RunId, State};

/// A record is saved so much later, unless somebody asks for records before: a short run is saved once, and a burst of
/// runs in one transaction. Until then its journal speaks for it.
const DELAY: Duration = Duration::from_millis(50);

/// How often records that could not be saved (full disk) are tried again.
const RETRY: Duration = Duration::from_secs(1);

/// So long the thread sleeps when nothing is asked of it.
const IDLE: Duration = Duration::from_secs(3600);

/// Which runs a listing shows, newest first.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Filter {
    /// Only this job's.
    pub job: Option<String>,
    /// Only those in this state.
    pub state: Option<State>,
    /// Only those started before this one.
    pub before: Option<RunId>,
    /// At most so many.
    pub limit: usize,
}

impl Filter {
    /// Whether `record` is one that it asks for.
    pub(super) fn takes(&self, record: &RunRecord) -> bool {
        self.job.as_ref().is_none_or(|job| *job == record.job)
            && self.state.is_none_or(|state| state == record.state)
            && self.before.is_none_or(|before| record.id < before)
    }
}

/// What there is of ended runs.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub(super) struct Kept {
    /// How many of each job.
    pub(super) runs: HashMap<String, usize>,
    /// What all their journals take on the disk.
    pub(super) bytes: u64,
}

/// Of what there is too much.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Surplus {
    /// The ended runs of this job.
    OfJob(String),
    /// Those that ended before this time.
    EndedBefore(Timestamp),
    /// All ended runs.
    OfAll,
}

type Records = HashMap<RunId, RunRecord>;

type Read = Box<dyn FnOnce(&Connection) + Send>;

/// What the thread is asked for.
#[derive(Default)]
struct Orders {
    /// The latest record of each run that is not saved yet: as many as there are runs, however often they are handed in.
    unsaved: Records,
    /// When they are to be saved.
    due: Option<Instant>,
    reads: Vec<Read>,
    closed: bool,
}

/// The orders, and how the thread hears of them.
#[derive(Default)]
struct Desk {
    orders: Mutex<Orders>,
    news: Condvar,
}

impl Desk {
    fn lock(&self) -> MutexGuard<'_, Orders> {
        self.orders.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The handle on the thread that has the database.
pub(super) struct History {
    desk: Arc<Desk>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl History {
    /// Opens or makes the database at `path`. `saved` is called with each record once it is safe: with one of every run
    /// that has ended, and with one more of those that took longer than a moment.
    pub(super) fn open(path: &Path, saved: impl Fn(&RunRecord) + Send + 'static) -> anyhow::Result<History> {
        // made by us first, so that it, and the files that SQLite puts beside it, are nobody else's to read
        OpenOptions::new().create(true).append(true).mode(0o600).open(path)?;
        let mut connection = Connection::open(path)?;
        connection.busy_timeout(Duration::from_secs(5))?;
        connection.pragma_update(None, "journal_mode", "WAL")?;
        connection.pragma_update(None, "synchronous", "NORMAL")?;
        schema::update(&mut connection)?;
        let desk = Arc::<Desk>::default();
        let worker = Worker { connection, desk: Arc::clone(&desk), saved };
        let thread = std::thread::Builder::new().name("history".into()).spawn(move || worker.work())?;
        Ok(History { desk, thread: Mutex::new(Some(thread)) })
    }

    /// Hands in the present record of a run.
    pub(super) fn save(&self, record: RunRecord) {
        let mut orders = self.desk.lock();
        orders.unsaved.insert(record.id, record);
        if orders.due.is_none() {
            orders.due = Some(Instant::now() + DELAY);
            self.desk.news.notify_one();
        }
    }

    /// The record of one run.
    pub(super) async fn find(&self, id: RunId) -> anyhow::Result<Option<RunRecord>> {
        self.read(move |connection| rows::find(connection, id)).await
    }

    /// The records that `filter` asks for, newest first.
    pub(super) async fn list(&self, filter: Filter) -> anyhow::Result<Vec<RunRecord>> {
        self.read(move |connection| rows::list(connection, &filter)).await
    }

    /// The run before which the page that comes before that of `filter` begins; `None` where that is the first page.
    pub(super) async fn newer(&self, filter: Filter) -> anyhow::Result<Option<RunId>> {
        self.read(move |connection| rows::newer(connection, &filter)).await
    }

    /// The newest run of each of `jobs` that has run.
    pub(super) async fn last_of(&self, jobs: Vec<String>) -> anyhow::Result<Vec<RunRecord>> {
        self.read(move |connection| rows::last_of(connection, &jobs)).await
    }

    /// The usual duration of each of `jobs` that has succeeded.
    pub(super) async fn usual_durations(&self, jobs: Vec<String>) -> anyhow::Result<HashMap<String, Duration>> {
        self.read(move |connection| rows::usual_durations(connection, &jobs)).await
    }

    /// The runs without an end.
    pub(super) async fn unended(&self) -> anyhow::Result<Vec<RunRecord>> {
        self.read(rows::unended).await
    }

    /// What there is of ended runs. `told` gets it between the calls of `saved` for those that it counts and for those
    /// that it does not.
    pub(super) async fn kept(&self, told: impl FnOnce(Kept) + Send + 'static) -> anyhow::Result<()> {
        self.read(|connection| rows::kept(connection).map(told)).await
    }

    /// The next of what is too much, the oldest first, behind `after`; at most `limit`.
    pub(super) async fn surplus(
        &self,
        of: Surplus,
        after: Option<RunRecord>,
        limit: usize,
    ) -> anyhow::Result<Vec<RunRecord>> {
        self.read(move |connection| rows::surplus(connection, &of, after.as_ref(), limit)).await
    }

    /// Takes the records of ended runs out.
    pub(super) async fn remove(&self, runs: Vec<RunId>) -> anyhow::Result<()> {
        self.read(move |connection| rows::remove(connection, &runs)).await
    }

    /// Every run there is a record of.
    pub(super) async fn ids(&self) -> anyhow::Result<HashSet<RunId>> {
        self.read(|connection| {
            let mut statement = connection.prepare("SELECT id FROM runs")?;
            statement.query_map([], |row| row.get(0).map(RunId::from_bytes))?.collect()
        })
        .await
    }

    /// Saves what was handed in and ends the thread. What is asked for later is not answered.
    pub(super) fn close(&self) {
        self.desk.lock().closed = true;
        self.desk.news.notify_one();
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if thread.is_some_and(|thread| thread.join().is_err()) {
            error!("the history's thread failed");
        }
    }

    async fn read<T: Send + 'static>(
        &self,
        read: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> anyhow::Result<T> {
        let (answer, answered) = oneshot::channel();
        let read = move |connection: &Connection| {
            // nobody waits for it any more: nothing to do
            let _ = answer.send(read(connection));
        };
        self.order(Box::new(read))?;
        Ok(answered.await??)
    }

    fn order(&self, read: Read) -> anyhow::Result<()> {
        let mut orders = self.desk.lock();
        anyhow::ensure!(!orders.closed, "the server is shutting down");
        orders.reads.push(read);
        self.desk.news.notify_one();
        Ok(())
    }
}

struct Worker<S> {
    connection: Connection,
    desk: Arc<Desk>,
    saved: S,
}

impl<S: Fn(&RunRecord)> Worker<S> {
    fn work(mut self) {
        loop {
            let (records, reads, closed) = self.next();
            self.save(records, closed);
            for read in reads {
                read(&self.connection);
            }
            if closed {
                return;
            }
        }
    }

    /// Waits until there is something to do.
    fn next(&self) -> (Records, Vec<Read>, bool) {
        let mut orders = self.desk.lock();
        loop {
            let wait = orders.due.map(|due| due.saturating_duration_since(Instant::now()));
            if orders.closed || !orders.reads.is_empty() || wait.is_some_and(|wait| wait.is_zero()) {
                orders.due = None;
                let records = std::mem::take(&mut orders.unsaved);
                return (records, std::mem::take(&mut orders.reads), orders.closed);
            }
            let news = self.desk.news.wait_timeout(orders, wait.unwrap_or(IDLE));
            orders = news.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    fn save(&mut self, records: Records, closed: bool) {
        if records.is_empty() {
            return;
        }
        if let Err(error) = rows::write(&mut self.connection, records.values()) {
            error!(%error, runs = records.len(), "the history cannot be written; it is tried again");
            return self.put_back(records, closed);
        }
        records.values().for_each(|record| (self.saved)(record));
    }

    /// Keeps `records` for the next try, unless newer ones have come.
    fn put_back(&self, records: Records, closed: bool) {
        let mut orders = self.desk.lock();
        for (id, old) in records {
            orders.unsaved.entry(id).or_insert(old);
        }
        orders.due = (!closed).then(|| Instant::now() + RETRY);
    }
}

impl Drop for History {
    fn drop(&mut self) {
        self.close();
        info!("the history is closed");
    }
}
