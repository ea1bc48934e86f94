//! What is kept of ended runs: `keep_runs`, `keep_for`, `keep_bytes`, and never at the cost of a reader.

use std::collections::BTreeSet;
use std::fs;

use rusqlite::Connection;

use crate::harness::{Server, wait_for};

/// Runs the job to its end and tells its id.
fn run(server: &Server, job: &str) -> String {
    let run = server.detach(job);
    assert_eq!(server.ended(&run)["state"], "succeeded");
    run
}

/// The runs that there are files of, those that are being taken away among them.
fn runs_on_disk(server: &Server) -> BTreeSet<String> {
    let shelves = fs::read_dir(server.path("state/runs")).unwrap().map(|shelf| shelf.unwrap().path());
    let files = shelves.flat_map(|shelf| fs::read_dir(shelf).unwrap().map(|file| file.unwrap().file_name()));
    files.map(|file| file.to_str().unwrap().split('.').next().unwrap().to_owned()).collect()
}

fn has_files(server: &Server, run: &str) -> bool {
    runs_on_disk(server).contains(run)
}

fn wait_until_gone(server: &Server, run: &str) {
    wait_for(&format!("run {run} to be gone"), || {
        server.get(&format!("/runs/{run}")).status == 404 && !has_files(server, run)
    });
}

#[test]
fn the_run_beyond_keep_runs_makes_the_oldest_of_its_job_vanish() {
    let jobs = "[jobs.one]\ncommand = 'echo one'\n[jobs.other]\ncommand = 'echo other'\n";
    let server = Server::with(jobs).server("keep_runs = 3").start();
    let lone = run(&server, "other");
    let runs: Vec<_> = (0..4).map(|_| run(&server, "one")).collect();
    wait_until_gone(&server, &runs[0]);
    let listed: Vec<_> = server.runs("one").iter().map(|record| record["run"].as_str().unwrap().to_owned()).collect();
    assert!(listed.iter().rev().eq(&runs[1..]), "{listed:?}");
    for kept in runs[1..].iter().chain([&lone]) {
        assert_eq!(server.get(&format!("/runs/{kept}")).expect(200).text().lines().count(), 1);
        assert!(has_files(&server, kept));
    }
}

#[test]
fn a_run_is_kept_until_a_stalled_reader_has_read_every_byte() {
    let server = Server::with("[jobs.long]\ncommand = 'seq 3000000'\n").server("keep_runs = 1").start();
    let old = run(&server, "long");
    let mut reader = server.get(&format!("/runs/{old}")).expect(200);
    assert_eq!(reader.line(), "1");
    let next = run(&server, "long");
    run(&server, "long");
    wait_until_gone(&server, &next);
    assert!(has_files(&server, &old), "somebody reads it");
    assert_eq!(server.get(&format!("/runs/{old}?tail=1")).expect(200).text(), "3000000\n", "others may, too");
    let rest = reader.text();
    assert_eq!((rest.lines().count(), rest.lines().last()), (2_999_999, Some("3000000")));
    wait_until_gone(&server, &old);
}

#[test]
fn a_viewer_of_a_live_run_has_it_to_the_end_and_longer_ones_make_room() {
    let jobs = "[jobs.job]\ncommand = 'seq 3000000; read _ < gate'\n";
    let server = Server::with(jobs).server("keep_bytes = '50MB'").start();
    let gate = server.gate("gate");
    let mut viewer = server.get("/jobs/job");
    assert_eq!(viewer.line(), "1");
    let first = viewer.run();
    gate.pass_many(4);
    let runs: Vec<_> = (0..3).map(|_| run(&server, "job")).collect();
    wait_until_gone(&server, &runs[0]);
    assert!(has_files(&server, &first), "somebody reads it");
    assert_eq!(viewer.text().lines().count(), 2_999_999);
    wait_until_gone(&server, &first);
    for kept in &runs[1..] {
        assert!(has_files(&server, kept), "22 MB each: two have room");
    }
}

#[test]
fn what_ended_longer_ago_than_keep_for_is_gone_and_jobs_that_are_not_in_the_file_any_more_count() {
    let mut server = Server::with("[jobs.job]\ncommand = 'echo hi'\n").server("keep_for = '1d'").start();
    let runs: Vec<_> = (0..3).map(|_| run(&server, "job")).collect();
    server.stop();
    let history = Connection::open(server.path("state/history.db")).unwrap();
    let age = |run: &str, hours: i64, job: &str| {
        let id = run.parse::<joblines::record::RunId>().unwrap();
        let update = "UPDATE runs SET started = started - ?2, ended = ended - ?2, job = ?3 WHERE id = ?1";
        assert_eq!(history.execute(update, (id.as_bytes(), hours * 3_600_000_000, job)).unwrap(), 1);
    };
    age(&runs[0], 23, "job");
    age(&runs[1], 25, "renamed since");
    drop(history);
    server.restart();
    wait_until_gone(&server, &runs[1]);
    for kept in [&runs[0], &runs[2]] {
        assert_eq!(server.get(&format!("/runs/{kept}")).expect(200).text(), "hi\n");
    }
}

#[test]
fn a_server_that_is_killed_while_it_takes_runs_away_leaves_whole_runs_and_no_files() {
    const RUNS: usize = 120;
    let mut server = Server::with("[jobs.job]\ncommand = 'echo hello'\n").server("keep_runs = 1000").start();
    for _ in 0..RUNS {
        server.get("/jobs/job").expect(200).text();
    }
    let keep = |server: &mut Server, runs: usize| {
        let config = fs::read_to_string(server.path("jobs.toml")).unwrap();
        let lines = config.lines().map(|line| match line.starts_with("keep_runs") {
            true => format!("keep_runs = {runs}\n"),
            false => format!("{line}\n"),
        });
        fs::write(server.path("jobs.toml"), lines.collect::<String>()).unwrap();
        server.restart();
    };
    server.stop();
    let mut left = RUNS;
    while left > 20 {
        keep(&mut server, 1);
        wait_for("some to be taken away", || runs_on_disk(&server).len() < left - 5);
        server.kill();

        keep(&mut server, 1000);
        let listed = server.json("/runs?limit=1000");
        let listed = listed["runs"].as_array().unwrap();
        let runs: BTreeSet<_> = listed.iter().map(|run| run["run"].as_str().unwrap().to_owned()).collect();
        assert_eq!(runs, runs_on_disk(&server), "every run has its files, and every file its run");
        for run in &runs {
            assert_eq!(server.get(&format!("/runs/{run}")).expect(200).text(), "hello\n");
        }
        left = runs.len();
        server.stop();
    }
}
