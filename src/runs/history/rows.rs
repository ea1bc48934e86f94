//! Records as rows of the history, both ways, and the queries that find them. Every query goes by an index.

use std::collections::HashMap;
use std::time::Duration;

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, ToSql, params};

use super::{Filter, Kept, Receipt, RunRecord, Surplus, params_from_json, params_to_json};
use crate::record::{Outcome, RunId, State, Usage};

/// A job's usual duration is the median of so many of its last successful runs.
const USUAL: usize = 20;

/// Enters the records, all or none.
pub(super) fn write<'a>(
    connection: &mut Connection,
    records: impl Iterator<Item = &'a RunRecord>,
) -> rusqlite::Result<()> {
    let transaction = connection.transaction()?;
    for record in records {
        let receipt = record.ended.as_ref();
        let usage = receipt.and_then(|receipt| receipt.usage);
        let outcome = receipt.map_or(Outcome::Unknown, |receipt| receipt.outcome);
        let mut statement = transaction.prepare_cached(
            "INSERT INTO runs (id, job, state, started, trigger, ended, exit_code, signal, duration, cpu_user, \
             cpu_system, max_rss, lines, bytes, bytes_not_kept, params, index_bytes) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17) \
             ON CONFLICT (id) DO UPDATE SET state = ?3, ended = ?6, exit_code = ?7, signal = ?8, duration = ?9, \
             cpu_user = ?10, cpu_system = ?11, max_rss = ?12, lines = ?13, bytes = ?14, bytes_not_kept = ?15, \
             index_bytes = ?17",
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
            params_to_json(&record.params),
            record.index_bytes.cast_signed(),
        ])?;
    }
    transaction.commit()
}

/// The record of one run.
pub(super) fn find(connection: &Connection, id: RunId) -> rusqlite::Result<Option<RunRecord>> {
    let mut statement = connection.prepare_cached("SELECT * FROM runs WHERE id = ?1")?;
    statement.query_row([id.as_bytes()], read_record).optional()
}

/// The query for what `filter` asks for; its values are the job, the state and the run before which, as far as they are
/// asked for.
pub(super) fn listing(filter: &Filter) -> String {
    format!("SELECT * FROM runs WHERE {} ORDER BY id DESC LIMIT ?", conditions(filter, "id < ?"))
}

/// The query for the run behind as many as `filter` asks for that come before its page; with the same values.
pub(super) fn turning_back(filter: &Filter) -> String {
    format!("SELECT id FROM runs WHERE {} ORDER BY id LIMIT 1 OFFSET ?", conditions(filter, "id >= ?"))
}

fn conditions(filter: &Filter, before: &'static str) -> String {
    let conditions =
        [filter.job.as_ref().map(|_| "job = ?"), filter.state.map(|_| "state = ?"), filter.before.map(|_| before)];
    let conditions: Vec<_> = conditions.into_iter().flatten().collect();
    if conditions.is_empty() { "true".to_owned() } else { conditions.join(" AND ") }
}

/// The records that `filter` asks for, newest first.
pub(super) fn list(connection: &Connection, filter: &Filter) -> rusqlite::Result<Vec<RunRecord>> {
    with_values(filter, |values| connection.prepare_cached(&listing(filter))?.query_map(values, read_record)?.collect())
}

/// The run before which the page that comes before that of `filter` begins; `None` where that is the first page.
pub(super) fn newer(connection: &Connection, filter: &Filter) -> rusqlite::Result<Option<RunId>> {
    with_values(filter, |values| {
        let mut statement = connection.prepare_cached(&turning_back(filter))?;
        statement.query_row(values, |row| row.get(0).map(RunId::from_bytes)).optional()
    })
}

fn with_values<T>(filter: &Filter, read: impl FnOnce(&[&dyn ToSql]) -> rusqlite::Result<T>) -> rusqlite::Result<T> {
    let (state, before) = (filter.state.map(State::name), filter.before.map(|id| id.as_bytes().to_vec()));
    let limit = i64::try_from(filter.limit).unwrap_or(i64::MAX);
    let mut values: Vec<&dyn ToSql> = Vec::with_capacity(4);
    values.extend(filter.job.as_ref().map(|job| job as &dyn ToSql));
    values.extend(state.as_ref().map(|state| state as &dyn ToSql));
    values.extend(before.as_ref().map(|before| before as &dyn ToSql));
    values.push(&limit);
    read(&values)
}

/// The newest run of each of `jobs`.
pub(super) fn last_of(connection: &Connection, jobs: &[String]) -> rusqlite::Result<Vec<RunRecord>> {
    let mut newest = connection.prepare_cached(NEWEST)?;
    let records = jobs.iter().map(|job| newest.query_row([job], read_record).optional());
    records.filter_map(Result::transpose).collect()
}

pub(super) const NEWEST: &str = "SELECT * FROM runs WHERE job = ?1 ORDER BY id DESC LIMIT 1";

/// The usual duration of each of `jobs` that has succeeded before.
pub(super) fn usual_durations(connection: &Connection, jobs: &[String]) -> rusqlite::Result<HashMap<String, Duration>> {
    let mut last = connection.prepare_cached(LAST_SUCCESSES)?;
    let mut usual = HashMap::new();
    for job in jobs {
        let durations = last.query_map(params![job, USUAL as i64], |row| row.get::<_, Option<i64>>(0))?;
        let mut durations = durations.filter_map(Result::transpose).collect::<Result<Vec<_>, _>>()?;
        durations.sort_unstable();
        if let Some(median) = durations.get(durations.len() / 2) {
            usual.insert(job.clone(), Duration::from_micros(count(*median)));
        }
    }
    Ok(usual)
}

pub(super) const LAST_SUCCESSES: &str =
    "SELECT duration FROM runs WHERE job = ?1 AND state = 'succeeded' ORDER BY id DESC LIMIT ?2";

/// The runs without an end.
pub(super) fn unended(connection: &Connection) -> rusqlite::Result<Vec<RunRecord>> {
    let mut statement = connection.prepare("SELECT * FROM runs WHERE state IN ('queued', 'running')")?;
    statement.query_map([], read_record)?.collect()
}

/// How many ended runs there are of each job, and what all of them take.
pub(super) fn kept(connection: &Connection) -> rusqlite::Result<Kept> {
    let mut kept = Kept::default();
    let query = "SELECT job, count(*), sum(bytes + index_bytes) FROM runs WHERE ended IS NOT NULL GROUP BY job";
    let mut statement = connection.prepare(query)?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        kept.runs.insert(row.get(0)?, usize::try_from(row.get::<_, i64>(1)?).unwrap_or(0));
        kept.bytes += count(row.get(2)?);
    }
    Ok(kept)
}

/// The next of what is too much, the oldest first: ended runs behind `after`, at most `limit`.
pub(super) fn surplus(
    connection: &Connection,
    of: &Surplus,
    after: Option<&RunRecord>,
    limit: usize,
) -> rusqlite::Result<Vec<RunRecord>> {
    let id = after.map_or([0; 16], |record| *record.id.as_bytes());
    let ended = after.and_then(|record| record.ended.as_ref()).map_or(i64::MIN, |receipt| receipt.at.as_microsecond());
    let limit = limit as i64;
    let mut statement = connection.prepare_cached(of.query())?;
    match of {
        Surplus::OfJob(job) => statement.query_map(params![id, limit, job], read_record)?.collect(),
        Surplus::EndedBefore(time) => {
            statement.query_map(params![id, limit, time.as_microsecond(), ended], read_record)?.collect()
        }
        Surplus::OfAll => statement.query_map(params![id, limit], read_record)?.collect(),
    }
}

impl Surplus {
    pub(super) fn query(&self) -> &'static str {
        match self {
            Surplus::OfJob(_) => {
                "SELECT * FROM runs WHERE job = ?3 AND ended IS NOT NULL AND id > ?1 ORDER BY id LIMIT ?2"
            }
            Surplus::EndedBefore(_) => {
                "SELECT * FROM runs WHERE ended < ?3 AND (ended, id) > (?4, ?1) ORDER BY ended, id LIMIT ?2"
            }
            Surplus::OfAll => "SELECT * FROM runs WHERE ended IS NOT NULL AND id > ?1 ORDER BY id LIMIT ?2",
        }
    }
}

/// Takes the records of these runs out, all or none.
pub(super) fn remove(connection: &Connection, runs: &[RunId]) -> rusqlite::Result<()> {
    let transaction = connection.unchecked_transaction()?;
    for run in runs {
        transaction.prepare_cached("DELETE FROM runs WHERE id = ?1")?.execute([run.as_bytes()])?;
    }
    transaction.commit()
}

fn micros(duration: Duration) -> i64 {
    i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)
}

fn read_record(row: &Row<'_>) -> rusqlite::Result<RunRecord> {
    let ended: Option<i64> = row.get("ended")?;
    let state: String = row.get("state")?;
    let params: String = row.get("params")?;
    Ok(RunRecord {
        id: RunId::from_bytes(row.get("id")?),
        job: row.get("job")?,
        state: state.parse().unwrap_or(State::Lost),
        started: time(row.get("started")?),
        trigger: row.get("trigger")?,
        params: params_from_json(&params),
        ended: ended.map(|at| read_receipt(row, time(at))).transpose()?,
        lines: count(row.get("lines")?),
        bytes: count(row.get("bytes")?),
        index_bytes: count(row.get("index_bytes")?),
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
