//! The tables of the history, and the way from each earlier version of them to the present one. It never loses a row.

use rusqlite::Connection;

/// What makes each version out of the one before it; the first, out of nothing.
const STEPS: [&str; 2] = [
    "CREATE TABLE IF NOT EXISTS runs (
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
    CREATE INDEX IF NOT EXISTS runs_not_ended ON runs (state) WHERE state IN ('queued', 'running');",
    // the shown parameters, as a JSON object in the job's order; the size of the journal's index, of which older runs
    // count the least that there is; and an index for each way in which runs are listed
    "ALTER TABLE runs ADD COLUMN params TEXT NOT NULL DEFAULT '{}';
    ALTER TABLE runs ADD COLUMN index_bytes INTEGER NOT NULL DEFAULT 320;
    CREATE INDEX runs_of_job_in_state ON runs (job, state, id);
    CREATE INDEX runs_in_state ON runs (state, id);
    CREATE INDEX runs_by_end ON runs (ended) WHERE ended IS NOT NULL;
    DROP INDEX runs_not_ended;",
];

/// Makes the tables, or makes the present ones out of older ones: wholly or not at all.
pub(super) fn update(connection: &mut Connection) -> anyhow::Result<()> {
    let version: i64 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    let steps = usize::try_from(version).ok().and_then(|version| STEPS.get(version..));
    let Some(steps) = steps else {
        anyhow::bail!("the history was written by a newer joblines (version {version} of its format): run that one")
    };
    let transaction = connection.transaction()?;
    steps.iter().try_for_each(|step| transaction.execute_batch(step))?;
    transaction.pragma_update(None, "user_version", STEPS.len() as i64)?;
    Ok(transaction.commit()?)
}
