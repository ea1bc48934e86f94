//! The history: every run's record in an embedded database (SQLite), which other programs may read while the server
//! runs. One thread does all reading and writing; it saves what was handed in before it reads, so a record is found as
//! soon as it was handed in. No run waits for it, and nothing is fsync'ed on the way of a line (WAL, `synchronous =
//! NORMAL`).

use std::collections::{HashMap, HashSet};
use std::fs::OpenOptions;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, ToSql, params};
use tokio::sync::oneshot;
use tracing::{error, info};

use super::{Receipt, RunRecord};
use crate::record::{Outcome, RunId, State, Usage};

/// A record is saved so much later, unless somebody asks for records before: a short run is saved once, and a burst of
/// runs in one transaction. Until then its journal speaks for it.
const DELAY: Duration = Duration::from_millis(50);

/// How often records that could not be saved (full disk) are tried again.
const RETRY: Duration = Duration::from_secs(1);

/// So long the thread sleeps when nothing is asked of it.
const IDLE: Duration = Duration::from_secs(3600);

const SCHEMA: &str = "
    CREATE TABLE IF NOT EXISTS runs (
        id BLOB PRIMARY KEY,
        job TEXT NOT NULL,
        state TEXT NOT NULL,
        started INTEGER NOT NULL,
        trigger TEXT NOT NULL,
        ended INTEGER,
        exit_code INTEGER,
        signal INTEGER,
        duration INTEGER,
        cpu_user INTEGER,
        cpu_system INTEGER,
        max_rss INTEGER,
        lines INTEGER NOT NULL DEFAULT 0,
        bytes INTEGER NOT NULL DEFAULT 0,
        bytes_not_kept INTEGER
    ) WITHOUT ROWID;
    CREATE INDEX IF NOT EXISTS runs_of_job ON runs (job, id);
    CREATE INDEX IF NOT EXISTS runs_not_ended ON runs (state) WHERE state IN ('queued', 'running');
    PRAGMA user_version = 1;";

const COLUMNS: &str = "id, job, state, started, trigger, ended, exit_code, signal, duration, cpu_user, cpu_system, \
                       max_rss, lines, bytes, bytes_not_kept";

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
    /// Opens or makes the database at `path`. `saved` is called with each ended run once its record is safe.
    pub(super) fn open(path: &Path, saved: impl Fn(RunId) + Send + 'static) -> anyhow::Result<History> {
        // made by us first, so that it, and the files that SQLite puts beside it, are nobody else's to read
        OpenOptions::new().create(true).append(true).mode(0o600).open(path)?;
        let connection = Connection::open(path)?;
        connection.busy_timeout(Duration::from_secs(5))?;
        connection.pragma_update(None, "journal_mode", "WAL")?;
        connection.pragma_update(None, "synchronous", "NORMAL")?;
        let version: i64 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
        anyhow::ensure!(version <= 1, "the history was written by a newer joblines (version {version} of its format)");
        connection.execute_batch(SCHEMA)?;
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
        self.read(move |connection| {
            let query = format!("SELECT {COLUMNS} FROM runs WHERE id = ?1");
            connection.prepare_cached(&query)?.query_row([id.as_bytes()], read_record).optional()
        })
        .await
    }

    /// The records that `filter` asks for, newest first.
    pub(super) async fn list(&self, filter: Filter) -> anyhow::Result<Vec<RunRecord>> {
        self.read(move |connection| select(connection, &filter)).await
    }

    /// The runs without an end.
    pub(super) async fn unended(&self) -> anyhow::Result<Vec<RunRecord>> {
        self.read(|connection| {
            let query = format!("SELECT {COLUMNS} FROM runs WHERE state IN ('queued', 'running')");
            connection.prepare(&query)?.query_map([], read_record)?.collect()
        })
        .await
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

impl<S: Fn(RunId)> Worker<S> {
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
        if let Err(error) = write(&mut self.connection, records.values()) {
            error!(%error, runs = records.len(), "the history cannot be written; it is tried again");
            return self.put_back(records, closed);
        }
        let ended = records.into_iter().filter(|(_, record)| record.state.is_final());
        ended.for_each(|(id, _)| (self.saved)(id));
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

fn micros(duration: Duration) -> i64 {
    i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)
}

fn write<'a>(connection: &mut Connection, records: impl Iterator<Item = &'a RunRecord>) -> rusqlite::Result<()> {
    let transaction = connection.transaction()?;
    for record in records {
        let receipt = record.ended.as_ref();
        let usage = receipt.and_then(|receipt| receipt.usage);
        let outcome = receipt.map_or(Outcome::Unknown, |receipt| receipt.outcome);
        let mut statement = transaction.prepare_cached(
            "INSERT INTO runs (id, job, state, started, trigger, ended, exit_code, signal, duration, cpu_user, \
             cpu_system, max_rss, lines, bytes, bytes_not_kept) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15) \
             ON CONFLICT (id) DO UPDATE SET state = ?3, ended = ?6, exit_code = ?7, signal = ?8, duration = ?9, \
             cpu_user = ?10, cpu_system = ?11, max_rss = ?12, lines = ?13, bytes = ?14, bytes_not_kept = ?15",
        )?;
        statement.execute(params![
            record.id.as_bytes(),
            record.job,
            record.state.name(),
            record.started.as_microsecond(),
            record.trigger,
            receipt.map(|receipt| receipt.at.as_microsecond()),
            outcome.exit_code(),
            outcome.signal(),
            receipt.map(|receipt| micros(receipt.duration)),
            usage.map(|usage| micros(usage.cpu_user)),
            usage.map(|usage| micros(usage.cpu_system)),
            usage.and_then(|usage| usage.max_rss).map(u64::cast_signed),
            record.lines.cast_signed(),
            record.bytes.cast_signed(),
            receipt.and_then(|receipt| receipt.bytes_not_kept).map(u64::cast_signed),
        ])?;
    }
    transaction.commit()
}

fn select(connection: &Connection, filter: &Filter) -> rusqlite::Result<Vec<RunRecord>> {
    let state = filter.state.map(State::name);
    let before = filter.before.map(|id| id.as_bytes().to_vec());
    let mut wanted: Vec<(&str, &dyn ToSql)> = Vec::new();
    if let Some(job) = &filter.job {
        wanted.push(("job = ?", job));
    }
    if let Some(state) = &state {
        wanted.push(("state = ?", state));
    }
    if let Some(before) = &before {
        wanted.push(("id < ?", before));
    }
    let conditions: Vec<_> = wanted.iter().map(|(condition, _)| *condition).collect();
    let conditions = if conditions.is_empty() { "true".to_owned() } else { conditions.join(" AND ") };
    let query = format!("SELECT {COLUMNS} FROM runs WHERE {conditions} ORDER BY id DESC LIMIT {}", filter.limit);
    let mut statement = connection.prepare_cached(&query)?;
    let values: Vec<_> = wanted.iter().map(|(_, value)| *value).collect();
    statement.query_map(values.as_slice(), read_record)?.collect()
}

fn read_record(row: &Row<'_>) -> rusqlite::Result<RunRecord> {
    let ended: Option<i64> = row.get("ended")?;
    let state: String = row.get("state")?;
    Ok(RunRecord {
        id: RunId::from_bytes(row.get("id")?),
        job: row.get("job")?,
        state: state.parse().unwrap_or(State::Lost),
        started: time(row.get("started")?),
        trigger: row.get("trigger")?,
        params: Vec::new(),
        ended: ended.map(|at| read_receipt(row, time(at))).transpose()?,
        lines: count(row.get("lines")?),
        bytes: count(row.get("bytes")?),
    })
}

fn read_receipt(row: &Row<'_>, at: Timestamp) -> rusqlite::Result<Receipt> {
    let duration =
        |name| Ok::<_, rusqlite::Error>(Duration::from_micros(count(row.get::<_, Option<i64>>(name)?.unwrap_or(0))));
    let cpu: Option<i64> = row.get("cpu_user")?;
    let usage = match cpu {
        None => None,
        Some(_) => Some(Usage {
            cpu_user: duration("cpu_user")?,
            cpu_system: duration("cpu_system")?,
            max_rss: row.get::<_, Option<i64>>("max_rss")?.map(count),
        }),
    };
    Ok(Receipt {
        at,
        outcome: match (row.get("exit_code")?, row.get("signal")?) {
            (Some(code), _) => Outcome::Exited(code),
            (None, Some(signal)) => Outcome::Signalled(signal),
            (None, None) => Outcome::Unknown,
        },
        duration: duration("duration")?,
        usage,
        bytes_not_kept: row.get::<_, Option<i64>>("bytes_not_kept")?.map(count),
    })
}

fn count(value: i64) -> u64 {
    u64::try_from(value).unwrap_or(0)
}

fn time(micros: i64) -> Timestamp {
    Timestamp::from_microsecond(micros).unwrap_or(Timestamp::UNIX_EPOCH)
}

impl Drop for History {
    fn drop(&mut self) {
        self.close();
        info!("the history is closed");
    }
}
