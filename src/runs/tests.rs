//! Overlap, turns and what is kept, with real commands that wait at a gate for the test's word.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, FileType, Mode, mknodat};
use tempfile::TempDir;

use super::*;
use crate::config::{Overlap, parse};
use crate::journal::{Selection, Step};
use crate::parameters::Value;

const LIMITS: Limits = Limits { max_running: 8, max_queued: 8, keep: Keep { runs: 100, age: None, bytes: None } };

/// Runs in a folder of their own, and the gate that their commands wait at.
struct Bench {
    folder: TempDir,
    gate: File,
    runs: Arc<Runs>,
}

impl Bench {
    async fn new(limits: Limits) -> Bench {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("gate");
        mknodat(CWD, &path, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
        // both directions, so that neither side waits for the other to open it
        let gate = OpenOptions::new().read(true).write(true).open(path).unwrap();
        let runs = open(folder.path(), limits).await;
        Bench { folder, gate, runs }
    }

    fn job(&self, name: &str, overlap: Overlap) -> Arc<Job> {
        self.job_of(name, overlap, "read _ < gate")
    }

    fn job_of(&self, name: &str, overlap: Overlap, command: &str) -> Arc<Job> {
        let text = format!("[jobs.{name}]\ncommand = '{command}'\ngrace = '10s'\n");
        let config = parse(&text, Path::new("jobs.toml"), self.folder.path()).unwrap();
        Arc::new(Job { overlap, ..(*config.jobs[0]).clone() })
    }

    fn start(&self, job: &Arc<Job>) -> Arc<Run> {
        self.runs.start(job, Order::default()).map_err(|refused| refused.to_string()).unwrap().run
    }

    /// Lets one command that waits at the gate, or comes there, go on.
    fn pass(&self) {
        (&self.gate).write_all(b"\n").unwrap();
    }

    /// Runs a command of `job` to its end, and waits until the history has it.
    async fn run_to_end(&self, job: &Arc<Job>) -> RunRecord {
        let run = self.start(job);
        run.ended().await;
        let id = run.id;
        drop(run);
        loop {
            if self.runs.live_run(id).is_none()
                && let Some(record) = self.runs.find(id).await.unwrap()
            {
                return record;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    async fn wait_until_gone(&self, run: RunId) {
        while self.runs.find(run).await.unwrap().is_some() || self.has_files(run) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    fn has_files(&self, run: RunId) -> bool {
        !files_of(&self.runs.base(run)).is_empty()
    }
}

/// What is on the disk of the run whose journal begins with `base`.
fn files_of(base: &Path) -> Vec<PathBuf> {
    let run = base.file_name().unwrap().to_str().unwrap();
    let shelf = std::fs::read_dir(base.parent().unwrap()).unwrap();
    let files = shelf.map(|file| file.unwrap().path());
    files.filter(|file| file.file_name().unwrap().to_str().unwrap().starts_with(run)).collect()
}

async fn open(folder: &Path, limits: Limits) -> Arc<Runs> {
    Runs::open(Settings { state_dir: folder.join("state"), limits, url: String::new() }).await.unwrap()
}

async fn wait_for_state(run: &Run, state: State) {
    while run.state() != state {
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

async fn text_of(reading: &Reading) -> String {
    let mut reader = reading.read(&Selection::default()).unwrap();
    let mut text = Vec::new();
    while let Step::Chunk(chunk) = reader.next().await.unwrap() {
        text.extend_from_slice(&chunk.bytes);
    }
    String::from_utf8(text).unwrap()
}

fn values(secret: &str) -> Values {
    Values::new(vec![Value { name: "key".to_owned(), text: secret.to_owned(), secret: true }])
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_many_orders_at_once_a_job_that_refuses_others_begins_one() {
    let bench = Bench::new(LIMITS).await;
    let job = bench.job("one", Overlap::Refuse);
    let orders: Vec<_> = (0..16)
        .map(|_| {
            let (runs, job) = (Arc::clone(&bench.runs), Arc::clone(&job));
            tokio::spawn(async move { runs.start(&job, Order::default()).map(|started| started.run.id) })
        })
        .collect();
    let (mut begun, mut refused) = (Vec::new(), Vec::new());
    for order in orders {
        match order.await.unwrap() {
            Ok(run) => begun.push(run),
            Err(Refused::InProgress(run)) => refused.push(run),
            Err(other) => panic!("{other}"),
        }
    }
    assert_eq!((begun.len(), refused.len()), (1, 15));
    assert!(refused.iter().all(|run| *run == begun[0]), "they are told which one is on");
    bench.pass();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_has_seen_the_end_of_a_run_may_start_the_next() {
    let bench = Bench::new(Limits { max_running: 1, max_queued: 0, ..LIMITS }).await;
    for overlap in [Overlap::Refuse, Overlap::Queue, Overlap::Replace, Overlap::Allow] {
        let job = bench.job_of("quick", overlap, "true");
        for _ in 0..50 {
            let run = bench.start(&job);
            run.ended().await;
            assert_eq!(run.state(), State::Succeeded);
        }
    }
}

#[tokio::test]
async fn an_order_joins_a_run_with_the_same_values_and_no_other() {
    let bench = Bench::new(LIMITS).await;
    let job = bench.job("shared", Overlap::Attach);
    let order = |secret| bench.runs.start(&job, Order { values: values(secret), ..Order::default() }).ok().unwrap();
    let first = order("a");
    let (same, other) = (order("a"), order("b"));
    assert_eq!((first.joined, same.joined, other.joined), (false, true, false));
    assert!(Arc::ptr_eq(&first.run, &same.run) && first.run.id != other.run.id);
    first.run.cancel();
    let next = order("a");
    assert!(!next.joined, "what is being cancelled is joined by nobody");
    next.run.cancel();
    next.run.ended().await;
    assert!(!bench.runs.start(&job, Order { values: values("z"), ..Order::default() }).ok().unwrap().joined);
    bench.runs.shut_down().await;
}

#[tokio::test]
async fn runs_of_a_job_that_queues_come_one_after_another_in_order() {
    let bench = Bench::new(LIMITS).await;
    let job = bench.job("serial", Overlap::Queue);
    let runs: Vec<_> = (0..4).map(|_| bench.start(&job)).collect();
    let other = bench.start(&bench.job_of("other", Overlap::Allow, "true"));
    other.ended().await;
    assert_eq!(other.state(), State::Succeeded, "other jobs are not held up");
    for (number, run) in runs.iter().enumerate() {
        run.place().wait_for(Option::is_none).await.unwrap();
        wait_for_state(run, State::Running).await;
        for (ahead, later) in runs[number + 1..].iter().enumerate() {
            let waiting = runs.len() - number - 1;
            later.place().wait_for(|place| *place == Some(Place { ahead, waiting })).await.unwrap();
            assert_eq!(later.state(), State::Queued);
        }
        bench.pass();
        run.ended().await;
        assert_eq!(run.state(), State::Succeeded);
    }
}

#[tokio::test]
async fn a_replacement_begins_once_the_run_before_it_has_ended_and_only_the_newest_of_several() {
    let bench = Bench::new(LIMITS).await;
    let slow = "trap \"read _ < gate; echo done; exit\" TERM; echo ready; while :; do sleep 0.01; done";
    let job = bench.job_of("newest", Overlap::Replace, slow);
    let first = bench.start(&job);
    let mut reader = first.read().read(&Selection::default()).unwrap();
    assert!(matches!(reader.next().await.unwrap(), Step::Chunk(_)), "it has set its trap");
    let (second, third, fourth) = (bench.start(&job), bench.start(&job), bench.start(&job));
    for (replaced, by) in [(&second, &third), (&third, &fourth)] {
        replaced.ended().await;
        assert_eq!(replaced.state(), State::Cancelled);
        let said = text_of(&replaced.read()).await;
        assert_eq!(said, format!("replaced by run {} before its turn came\n", by.id));
    }
    assert_eq!((first.state(), fourth.state()), (State::Running, State::Queued), "it waits for the end of the first");
    assert_eq!(*fourth.place().borrow(), Some(Place { ahead: 0, waiting: 1 }));
    bench.pass();
    first.ended().await;
    let said = text_of(&first.read()).await;
    assert!(said.contains("done\n") && said.ends_with(&format!("replaced by run {}\n", second.id)), "{said}");
    wait_for_state(&fourth, State::Running).await;
    fourth.cancel();
    bench.pass();
    fourth.ended().await;
    assert!(!text_of(&fourth.read()).await.contains("replaced"));
}

#[tokio::test]
async fn a_replacement_that_may_not_wait_replaces_nobody() {
    let bench = Bench::new(Limits { max_queued: 0, ..LIMITS }).await;
    let job = bench.job("newest", Overlap::Replace);
    let first = bench.start(&job);
    assert_eq!(bench.runs.start(&job, Order::default()).err(), Some(Refused::Full(0)));
    bench.pass();
    first.ended().await;
    assert_eq!(first.state(), State::Succeeded);
}

#[tokio::test]
async fn a_cancelled_run_is_out_of_the_queue_at_once() {
    let bench = Bench::new(Limits { max_running: 1, max_queued: 1, ..LIMITS }).await;
    let job = bench.job("job", Overlap::Allow);
    let first = bench.start(&job);
    for _ in 0..20 {
        let waiting = bench.start(&job);
        assert_eq!(bench.runs.start(&job, Order::default()).err(), Some(Refused::Full(1)));
        let words = "1 run is waiting for its turn, as many as max_queued allows";
        assert_eq!(Refused::Full(1).to_string(), words);
        assert!(waiting.cancel());
        assert_eq!(*waiting.place().borrow(), None);
        let next = bench.start(&job);
        assert!(next.cancel());
        waiting.ended().await;
        assert_eq!(waiting.state(), State::Cancelled);
        assert!(!waiting.cancel(), "it has ended");
    }
    bench.pass();
    first.ended().await;
    assert_eq!(first.state(), State::Succeeded);
}

#[tokio::test]
async fn other_limits_hold_at_once() {
    let bench = Bench::new(Limits { max_running: 1, ..LIMITS }).await;
    let job = bench.job("job", Overlap::Allow);
    let runs: Vec<_> = (0..4).map(|_| bench.start(&job)).collect();
    bench.runs.apply(Limits { max_running: 3, ..LIMITS });
    for run in &runs[..3] {
        wait_for_state(run, State::Running).await;
    }
    assert_eq!(runs[3].state(), State::Queued);
    bench.runs.apply(Limits { max_running: 1, max_queued: 1, ..LIMITS });
    assert_eq!(bench.runs.start(&job, Order::default()).err(), Some(Refused::Full(1)));
    assert!(runs[..3].iter().all(|run| run.state() == State::Running), "nobody is ended");
    for _ in &runs {
        bench.pass();
    }
    for run in &runs {
        run.ended().await;
        assert_eq!(run.state(), State::Succeeded);
    }
}

#[tokio::test]
async fn a_shutdown_ends_those_that_wait_too() {
    let bench = Bench::new(Limits { max_running: 1, ..LIMITS }).await;
    let job = bench.job("job", Overlap::Allow);
    let runs: Vec<_> = (0..4).map(|_| bench.start(&job)).collect();
    bench.runs.shut_down().await;
    assert!(runs.iter().all(|run| run.state() == State::Cancelled && run.place().borrow().is_none()));
    assert_eq!(bench.runs.start(&job, Order::default()).err(), Some(Refused::ShuttingDown));
}

#[tokio::test]
async fn the_newest_run_of_each_job_is_told_at_once_live_or_not() {
    let bench = Bench::new(LIMITS).await;
    let (quick, slow) = (bench.job_of("quick", Overlap::Allow, "true"), bench.job("slow", Overlap::Allow));
    bench.run_to_end(&quick).await;
    let newest = bench.run_to_end(&quick).await;
    let running = bench.start(&slow);
    let last = bench.runs.last_of(["quick", "slow", "never"]).await.unwrap();
    assert_eq!((last.len(), &last["quick"], last["slow"].id), (2, &newest, running.id));
    assert!(bench.runs.usual_duration("quick").await.unwrap().is_some());
    assert_eq!(bench.runs.usual_duration("slow").await.unwrap(), None);
    bench.runs.shut_down().await;
}

#[tokio::test]
async fn of_each_job_the_newest_runs_are_kept() {
    let bench = Bench::new(Limits { keep: Keep { runs: 2, age: None, bytes: None }, ..LIMITS }).await;
    let (one, other) = (bench.job_of("one", Overlap::Allow, "true"), bench.job_of("other", Overlap::Allow, "true"));
    let lone = bench.run_to_end(&other).await;
    let mut ended = Vec::new();
    for _ in 0..4 {
        ended.push(bench.run_to_end(&one).await);
    }
    for gone in &ended[..2] {
        bench.wait_until_gone(gone.id).await;
        assert!(bench.runs.journal(gone).await.unwrap().is_none(), "nor by a record that somebody still has");
    }
    for kept in [&lone, &ended[2], &ended[3]] {
        assert!(bench.runs.find(kept.id).await.unwrap().is_some() && bench.has_files(kept.id));
    }
}

#[tokio::test]
async fn what_somebody_reads_goes_when_nobody_does() {
    let bench = Bench::new(Limits { keep: Keep { runs: 1, age: None, bytes: None }, ..LIMITS }).await;
    let job = bench.job_of("job", Overlap::Allow, "echo hello");
    let first = bench.start(&job);
    let live = first.read();
    let id = first.id;
    drop(first);
    let second = bench.run_to_end(&job).await;
    let ended = bench.runs.journal(&second).await.unwrap().unwrap();
    let third = bench.run_to_end(&job).await;
    let fourth = bench.run_to_end(&job).await;
    bench.wait_until_gone(third.id).await;
    for (run, reading) in [(id, live), (second.id, ended)] {
        assert!(bench.has_files(run) && bench.runs.find(run).await.unwrap().is_some());
        assert_eq!(text_of(&reading).await, "hello\n");
        drop(reading);
        bench.wait_until_gone(run).await;
    }
    assert!(bench.has_files(fourth.id));
}

#[tokio::test]
async fn the_oldest_go_where_all_together_are_too_large_or_too_old() {
    let bench = Bench::new(LIMITS).await;
    let job = bench.job_of("job", Overlap::Allow, "seq 10000");
    let mut ended = Vec::new();
    for _ in 0..4 {
        ended.push(bench.run_to_end(&job).await);
    }
    let size = ended[0].bytes + ended[0].index_bytes;
    let on_disk = |run: &RunRecord| {
        files_of(&bench.runs.base(run.id)).iter().map(|file| file.metadata().unwrap().len()).sum::<u64>()
    };
    assert_eq!(on_disk(&ended[0]), size, "a run takes what is counted");
    let bytes = on_disk(&ended[2]) + on_disk(&ended[3]) + 10;
    bench.runs.apply(Limits { keep: Keep { bytes: Some(bytes), ..LIMITS.keep }, ..LIMITS });
    bench.wait_until_gone(ended[0].id).await;
    bench.wait_until_gone(ended[1].id).await;
    assert!(bench.has_files(ended[2].id) && bench.has_files(ended[3].id));
    bench.runs.apply(Limits { keep: Keep { age: Some(Duration::ZERO), ..LIMITS.keep }, ..LIMITS });
    bench.wait_until_gone(ended[2].id).await;
    bench.wait_until_gone(ended[3].id).await;
}

#[tokio::test]
async fn what_a_crash_left_half_taken_away_is_gone_after_the_next_start() {
    let bench = Bench::new(LIMITS).await;
    let job = bench.job_of("job", Overlap::Allow, "echo hello");
    let (half, whole) = (bench.run_to_end(&job).await, bench.run_to_end(&job).await);
    let base = bench.runs.base(half.id);
    bench.runs.shut_down().await;
    let Bench { folder: home, runs, gate: _gate } = bench;
    drop(runs);
    std::fs::rename(base.with_extension("index"), base.with_extension("removed")).unwrap();
    let runs = open(home.path(), LIMITS).await;
    assert_eq!(runs.find(half.id).await.unwrap(), None);
    assert!(files_of(&base).is_empty());
    let left = runs.list(Filter { limit: 10, ..Filter::default() }).await.unwrap();
    assert_eq!(left, [whole]);
}
