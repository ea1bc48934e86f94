//! No room for what the file brings: it waits in the file, and comes once there is room.

use std::fs;
use std::time::{Duration, Instant};

use super::bench::{Bench, SOON, lines};
use crate::sources::file::Position;

const MIB: u64 = 1 << 20;

/// A bench whose journal can be written until its first segment is full, and the number of lines in its file: more than
/// fit.
fn with_little_room() -> (Bench, usize) {
    let mut bench = Bench::new();
    bench.keep = 16 * MIB;
    bench.write(&lines(0, 900));
    bench.start();
    fs::rename(bench.folder.path().join("state"), bench.folder.path().join("away")).unwrap();
    let count = 3 * MIB as usize / lines(0, 1).len();
    bench.write(&lines(900, count));
    bench.settle(SOON);
    (bench, 900 + count)
}

fn make_room(bench: &Bench) {
    fs::rename(bench.folder.path().join("away"), bench.folder.path().join("state")).unwrap();
}

/// Steps until all of these lines are there; the journal asks for room at its own pace.
fn settle_until(bench: &mut Bench, expected: &str) {
    let begun = Instant::now();
    while bench.text() != expected {
        assert!(begun.elapsed() < Duration::from_secs(60), "{} of {} bytes", bench.text().len(), expected.len());
        std::thread::sleep(Duration::from_millis(10));
        bench.settle(SOON);
    }
    // and nothing after that
    bench.settle(SOON);
    assert!(bench.text() == expected);
}

fn saved(bench: &Bench, folder: &str) -> u64 {
    let bytes = fs::read(bench.folder.path().join(folder).join("position")).unwrap();
    Position::decode(&bytes).unwrap().offset
}

#[test]
fn what_the_journal_has_no_room_for_comes_later_and_once() {
    let (mut bench, written) = with_little_room();
    let kept = saved(&bench, "away");
    assert!(kept > 900 && kept < 3 * MIB, "{kept}");
    bench.settle(Duration::from_secs(3));
    assert_eq!(saved(&bench, "away"), kept, "it goes no further than the journal");
    bench.write("a piece");
    make_room(&bench);
    assert_eq!(bench.text().len() as u64, kept);
    settle_until(&mut bench, &lines(0, written));
    bench.settle(Duration::from_secs(3));
    bench.write(" and its end\n");
    settle_until(&mut bench, &(lines(0, written) + "a piece and its end\n"));
    assert_eq!(saved(&bench, "state"), fs::metadata(bench.log("app.log")).unwrap().len());
    let said = bench.said();
    assert!(said.starts_with("lines waited for room: No such file") && said.lines().count() == 1, "{said}");
}

#[test]
fn what_waits_outlives_a_restart() {
    let (mut bench, written) = with_little_room();
    bench.tail = None;
    make_room(&bench);
    bench.write(&lines(written, 5));
    bench.start();
    settle_until(&mut bench, &lines(0, written + 5));
    assert_eq!(bench.said(), "");
}

#[test]
fn what_waits_comes_before_the_files_that_follow_whatever_rotates_them() {
    let (mut bench, written) = with_little_room();
    for round in 0..3 {
        if bench.log("app.log.1").exists() {
            bench.rename("app.log.1", &format!("app.log.{}", round + 1));
        }
        bench.rename("app.log", "app.log.1");
        bench.write(&lines(written + 5 * round, 5));
        bench.settle(Duration::from_secs(3));
    }
    make_room(&bench);
    settle_until(&mut bench, &lines(0, written + 15));
}

#[test]
fn a_file_that_is_cut_meanwhile_loses_only_what_nobody_had_read() {
    let (mut bench, _) = with_little_room();
    fs::write(bench.log("app.log"), "begun anew\n").unwrap();
    bench.settle(SOON);
    make_room(&bench);
    let begun = Instant::now();
    while !bench.text().ends_with("\nbegun anew\n") {
        assert!(begun.elapsed() < Duration::from_secs(60));
        std::thread::sleep(Duration::from_millis(10));
        bench.settle(SOON);
    }
    let text = bench.text();
    let kept = text.strip_suffix("\nbegun anew\n").unwrap();
    assert!(lines(0, 100_000).starts_with(kept) && kept.len() as u64 > 900);
    assert!(bench.said().ends_with("app.log was truncated: it is read from its beginning\n"), "{}", bench.said());
}
