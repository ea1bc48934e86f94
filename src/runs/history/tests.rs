//! The history on its own: a file of an earlier version, and the ways in which it finds what it is asked for.

use rusqlite::params;

use super::*;
use crate::record::Outcome;

/// Version 1, word for word as the program wrote it that made it.
const VERSION_1: &str = "
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

fn open(folder: &tempfile::TempDir) -> History {
    History::open(&folder.path().join("history.db"), |_| {}).unwrap()
}

fn record(job: &str, state: State) -> RunRecord {
    let at = Timestamp::from_second(1_700_000_000).unwrap();
    let receipt = Receipt {
        at,
        outcome: Outcome::Exited(0),
        duration: Duration::from_secs(3),
        usage: None,
        bytes_not_kept: Some(0),
    };
    RunRecord {
        id: RunId::new(),
        job: job.to_owned(),
        state,
        started: at,
        trigger: "a test".to_owned(),
        params: vec![("zone".to_owned(), "é \"1\"".to_owned()), ("amount".to_owned(), String::new())],
        ended: state.is_final().then_some(receipt),
        lines: 3,
        bytes: 12,
        index_bytes: 384,
    }
}

#[tokio::test]
async fn a_record_comes_back_as_it_was_saved() {
    let folder = tempfile::tempdir().unwrap();
    let history = open(&folder);
    for state in State::ALL {
        let saved = record("job", state);
        history.save(saved.clone());
        assert_eq!(history.find(saved.id).await.unwrap(), Some(saved));
    }
}

#[tokio::test]
async fn a_file_of_version_1_is_brought_up_to_date_in_place() {
    let folder = tempfile::tempdir().unwrap();
    let old = Connection::open(folder.path().join("history.db")).unwrap();
    old.execute_batch(VERSION_1).unwrap();
    let (done, running) = (RunId::new(), RunId::new());
    let insert = "INSERT INTO runs (id, job, state, started, trigger, ended, exit_code, duration, lines, bytes, \
                  bytes_not_kept) VALUES (?1, 'old', ?2, 5, 'GET', ?3, 7, 9000, 2, 20, 0)";
    old.execute(insert, params![done.as_bytes(), "failed", 14]).unwrap();
    old.execute(insert, params![running.as_bytes(), "running", None::<i64>]).unwrap();
    drop(old);

    for _ in 0..2 {
        let history = open(&folder);
        let found = history.find(done).await.unwrap().unwrap();
        assert_eq!((found.job.as_str(), found.state, found.lines, found.bytes), ("old", State::Failed, 2, 20));
        assert_eq!(found.ended.unwrap().outcome, Outcome::Exited(7));
        assert_eq!((found.params, found.index_bytes), (Vec::new(), 320));
        let unended: Vec<_> = history.unended().await.unwrap().into_iter().map(|record| record.id).collect();
        assert_eq!(unended, [running]);
        let newer = record("new", State::Succeeded);
        history.save(newer.clone());
        assert_eq!(history.find(newer.id).await.unwrap(), Some(newer));
    }
    let plain = Connection::open(folder.path().join("history.db")).unwrap();
    assert_eq!(plain.pragma_query_value(None, "user_version", |row| row.get::<_, i64>(0)).unwrap(), 2);
    let value = "SELECT params->>'zone' FROM runs WHERE job = 'new' LIMIT 1";
    assert_eq!(plain.query_row(value, [], |row| row.get::<_, String>(0)).unwrap(), "é \"1\"", "others can ask for it");
}

#[test]
fn a_file_of_a_newer_version_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    drop(open(&folder));
    let path = folder.path().join("history.db");
    Connection::open(&path).unwrap().pragma_update(None, "user_version", 3).unwrap();
    let refused = History::open(&path, |_| {}).err().unwrap().to_string();
    assert!(refused.contains("newer joblines") && refused.contains('3'), "{refused}");
}

/// How SQLite would go about `query`.
fn plan(connection: &Connection, query: &str) -> String {
    let mut statement = connection.prepare(&format!("EXPLAIN QUERY PLAN {query}")).unwrap();
    let values = vec![rusqlite::types::Value::Null; statement.parameter_count()];
    let steps = statement.query_map(rusqlite::params_from_iter(values), |row| row.get::<_, String>("detail"));
    steps.unwrap().collect::<Result<Vec<_>, _>>().unwrap().join("; ")
}

#[test]
fn every_list_is_read_along_an_index_and_sorted_by_nobody() {
    let folder = tempfile::tempdir().unwrap();
    drop(open(&folder));
    let connection = Connection::open(folder.path().join("history.db")).unwrap();
    for choice in 1..8 {
        let filter = Filter {
            job: (choice & 1 > 0).then(|| "job".to_owned()),
            state: (choice & 2 > 0).then_some(State::Failed),
            before: (choice & 4 > 0).then(RunId::new),
            limit: 51,
        };
        let plan = plan(&connection, &rows::listing(&filter));
        assert!(plan.starts_with("SEARCH") && !plan.contains("TEMP B-TREE"), "{filter:?}: {plan}");
        let wanted = match (&filter.job, filter.state) {
            (Some(_), Some(_)) => "runs_of_job_in_state (job=? AND state=?",
            (Some(_), None) => "runs_of_job (job=?",
            (None, Some(_)) => "runs_in_state (state=?",
            (None, None) => "PRIMARY KEY (id<?",
        };
        assert!(plan.contains(wanted), "{filter:?}: {plan}");
        assert!(filter.before.is_none() || plan.contains("id<?"), "{filter:?}: {plan}");
        let plan = self::plan(&connection, &rows::turning_back(&filter));
        assert!(plan.starts_with("SEARCH") && !plan.contains("TEMP B-TREE"), "{filter:?}: {plan}");
        assert!(filter.before.is_none() || plan.contains("id>?"), "{filter:?}: {plan}");
    }
    let all = plan(&connection, &rows::listing(&Filter::default()));
    assert!(!all.contains("TEMP B-TREE"), "the newest of all are the last of the table: {all}");
    let job = Surplus::OfJob("job".to_owned());
    for query in [rows::NEWEST, rows::LAST_SUCCESSES, job.query(), Surplus::OfAll.query()] {
        let plan = plan(&connection, query);
        assert!(plan.starts_with("SEARCH") && !plan.contains("TEMP B-TREE"), "{query}: {plan}");
    }
    let by_age = plan(&connection, Surplus::EndedBefore(Timestamp::UNIX_EPOCH).query());
    assert!(by_age.contains("runs_by_end") && !by_age.contains("TEMP B-TREE"), "{by_age}");
}

#[tokio::test]
async fn the_usual_duration_is_the_median_of_the_last_twenty_successes() {
    let folder = tempfile::tempdir().unwrap();
    let history = open(&folder);
    let save = |state, seconds| {
        let mut record = record("job", state);
        record.ended.as_mut().unwrap().duration = Duration::from_secs(seconds);
        history.save(record);
    };
    let usual = async || history.usual_durations(vec!["job".to_owned(), "other".to_owned()]).await.unwrap();
    save(State::Failed, 500);
    assert!(usual().await.is_empty());
    (0..50).for_each(|_| save(State::Succeeded, 1000));
    [10, 30, 20].into_iter().for_each(|seconds| save(State::Succeeded, seconds));
    assert_eq!(usual().await["job"], Duration::from_secs(1000));
    (1..=17).for_each(|seconds| save(State::Succeeded, seconds));
    save(State::Failed, 1);
    assert_eq!(usual().await["job"], Duration::from_secs(10), "of 1 to 17, 10, 20 and 30");
}

#[tokio::test]
async fn what_is_too_much_comes_oldest_first_and_goes_on_behind_what_was_told() {
    let folder = tempfile::tempdir().unwrap();
    let history = open(&folder);
    let mut ids = Vec::new();
    for number in 0..6 {
        let mut record = record(["a", "b"][number % 2], State::Succeeded);
        // the later one was asked for, the sooner it ended
        record.ended.as_mut().unwrap().at = Timestamp::from_second(100 - number as i64).unwrap();
        ids.push(record.id);
        history.save(record);
    }
    history.save(record("a", State::Running));
    let told = async |surplus: Surplus| {
        let (mut told, mut after) = (Vec::new(), None);
        loop {
            let batch = history.surplus(surplus.clone(), after, 2).await.unwrap();
            let Some(last) = batch.last() else { return told };
            after = Some(last.clone());
            told.extend(batch.iter().map(|record| record.id));
        }
    };
    assert_eq!(told(Surplus::OfAll).await, ids);
    assert_eq!(told(Surplus::OfJob("b".to_owned())).await, [ids[1], ids[3], ids[5]]);
    assert_eq!(told(Surplus::EndedBefore(Timestamp::from_second(98).unwrap())).await, [ids[5], ids[4], ids[3]]);
    history.remove(vec![ids[0], ids[3]]).await.unwrap();
    assert_eq!(told(Surplus::OfAll).await, [ids[1], ids[2], ids[4], ids[5]]);
    let (tell, told) = std::sync::mpsc::channel();
    history.kept(move |kept| tell.send(kept).unwrap()).await.unwrap();
    let runs = HashMap::from([("a".to_owned(), 2), ("b".to_owned(), 2)]);
    assert_eq!(told.recv().unwrap(), Kept { runs, bytes: 4 * (12 + 384) });
}
