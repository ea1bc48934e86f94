//! Where it begins: the first time, after a restart, and after a kill.

use std::fs;
use std::io::Write;
use std::os::unix::fs::FileExt;
use std::time::Duration;

use super::bench::{Bench, SOON, lines};
use crate::sources::file::{Position, Tail};

const ANEW: &str = "what was read of app.log before is not found again";

#[test]
fn a_new_feed_begins_with_the_last_thousand_lines() {
    let mut bench = Bench::new();
    bench.write(&lines(0, 1500));
    bench.start();
    assert_eq!(bench.text(), lines(500, 1000));
    assert_eq!(bench.said(), "");
}

#[test]
fn a_file_that_comes_later_is_read_from_its_beginning() {
    let mut bench = Bench::new();
    bench.start();
    bench.write(&lines(0, 1500));
    bench.settle(SOON);
    assert_eq!(bench.text(), lines(0, 1500));
    assert_eq!(bench.said(), "app.log is not there: waiting for it\napp.log is there now\n");
}

#[test]
fn the_end_of_ten_gigabytes_is_shown_without_reading_them() {
    let mut bench = Bench::new();
    let hole = 10 << 30;
    let file = bench.append("app.log");
    file.set_len(hole).unwrap();
    file.write_at(b"\n", hole).unwrap();
    bench.write(&lines(0, 2000));
    bench.start();
    assert_eq!(bench.text(), lines(1000, 1000));
}

#[test]
fn a_restart_goes_on_exactly_there_whatever_was_rotated_meanwhile() {
    for rotations in 0..5 {
        for written in [0, 7] {
            let mut bench = Bench::new();
            bench.write(&lines(0, 20));
            bench.start();
            bench.tail = None;
            bench.write(&lines(20, written));
            let mut next = 20 + written;
            for round in 0..rotations {
                for number in (1..=round).rev() {
                    bench.rename(&format!("app.log.{number}"), &format!("app.log.{}", number + 1));
                }
                bench.rename("app.log", "app.log.1");
                bench.write(&lines(next, 5));
                next += 5;
            }
            bench.start();
            bench.settle(SOON * 4);
            assert_eq!(bench.text(), lines(0, next), "{rotations} rotations, {written} lines");
            assert_eq!(bench.said(), "");
        }
    }
}

#[test]
fn a_restart_finds_the_old_file_under_each_name_that_rotation_gives() {
    for name in ["app.log.0", "app.log-20260101", "app.log-20260101-1767225600", "app.log.2026-01-01", "old"] {
        let mut bench = Bench::new();
        bench.write(&lines(0, 20));
        bench.start();
        bench.tail = None;
        bench.write(&lines(20, 5));
        bench.rename("app.log", name);
        bench.write(&lines(25, 5));
        bench.start();
        bench.settle(SOON);
        assert_eq!(bench.text(), lines(0, 30), "{name}");
    }
}

#[test]
fn a_restart_after_a_copy_and_a_truncation_goes_on_in_the_copy() {
    for count in [3, 25, 60] {
        let mut bench = Bench::new();
        bench.write(&lines(0, 20));
        bench.start();
        bench.tail = None;
        bench.write(&lines(20, 5));
        fs::copy(bench.log("app.log"), bench.log("app.log.1")).unwrap();
        fs::write(bench.log("app.log"), lines(25, count)).unwrap();
        bench.start();
        bench.settle(SOON);
        assert_eq!(bench.text(), lines(0, 25 + count), "{count}");
    }
}

#[test]
fn a_restart_takes_no_old_file_for_a_copy_though_it_begins_like_the_one_that_was_truncated() {
    let banner = lines(0, 3);
    let mut bench = Bench::new();
    bench.append("app.log.1").write_all((banner.clone() + "old 1\nold 2\n").as_bytes()).unwrap();
    // the position has whole seconds
    bench.outlive(Duration::from_millis(1100));
    bench.write(&banner);
    bench.start();
    bench.tail = None;
    fs::write(bench.log("app.log"), lines(100, 1)).unwrap();
    bench.start();
    assert_eq!(bench.text(), banner + &lines(100, 1));
    assert!(bench.said().starts_with(ANEW), "{}", bench.said());
}

#[test]
fn where_it_cannot_go_on_it_says_so_and_shows_the_last_lines() {
    let mut bench = Bench::new();
    bench.write(&lines(0, 20));
    bench.start();
    bench.tail = None;
    fs::remove_file(bench.log("app.log")).unwrap();
    bench.write(&lines(5000, 1500));
    bench.start();
    assert_eq!(bench.text(), lines(0, 20) + &lines(5500, 1000));
    assert!(bench.said().starts_with(ANEW), "{}", bench.said());
    // and where the position was damaged
    bench.tail = None;
    fs::write(bench.position(), "nothing").unwrap();
    bench.start();
    assert_eq!(bench.text(), lines(0, 20) + &lines(5500, 1000) + &lines(5500, 1000));
    assert_eq!(bench.said().matches(ANEW).count(), 2);
}

#[test]
fn a_new_file_with_the_number_and_the_beginning_of_a_removed_one_is_not_taken_for_that() {
    let mut bench = Bench::new();
    bench.write(&lines(0, 20));
    bench.start();
    bench.tail = None;
    let mut position = Position::decode(&fs::read(bench.position()).unwrap()).unwrap();
    // else its file system does not know
    if position.born > 0 {
        position.born -= 5;
        fs::write(bench.position(), position.encode()).unwrap();
        bench.write(&lines(20, 5));
        bench.start();
        assert_eq!(bench.text(), lines(0, 20) + &lines(0, 25));
        assert!(bench.said().starts_with(ANEW), "{}", bench.said());
    }
}

#[test]
fn a_gap_that_is_larger_than_what_is_kept_is_skipped_and_told() {
    let mut bench = Bench::new();
    bench.keep = 1 << 20;
    bench.write(&lines(0, 20));
    bench.start();
    bench.tail = None;
    bench.write(&lines(20, 40_000));
    bench.rename("app.log", "app.log.1");
    bench.write(&lines(40_020, 1200));
    bench.start();
    bench.settle(SOON);
    assert_eq!(bench.text(), lines(0, 20) + &lines(40_220, 1000));
    let skipped = lines(0, 40_200).len();
    let said =
        format!("{skipped} bytes of app.log are skipped, for they are more than this feed keeps (1048576 bytes)");
    assert!(bench.said().starts_with(&said), "{}", bench.said());
}

/// Follows, and is killed right after appending what `then` writes, before that is saved.
fn killed(before: &str, then: impl FnOnce(&mut Bench)) -> Bench {
    let mut bench = Bench::new();
    bench.write(before);
    bench.start();
    let saved = fs::read(bench.position()).unwrap();
    then(&mut bench);
    bench.tail = None;
    fs::write(bench.position(), saved).unwrap();
    bench
}

#[test]
fn a_kill_between_an_append_and_its_saving_shows_each_line_once() {
    for (text, rest) in [(lines(20, 5), ""), (lines(20, 1) + "piece", " ends\n")] {
        let mut bench = killed(&lines(0, 20), |bench| {
            bench.write(&text);
            bench.step();
        });
        bench.write(rest);
        bench.start();
        bench.write(&lines(30, 5));
        bench.settle(SOON);
        assert_eq!(bench.text(), lines(0, 20) + &text + rest + &lines(30, 5));
        assert_eq!(bench.said(), "");
    }
}

#[test]
fn a_line_that_a_restart_cut_goes_on_as_a_new_one_and_its_newline_alone_is_none() {
    for (rest, shown) in [("\nnext\n", "next\n"), (" ends\nnext\n", " ends\nnext\n")] {
        for kill in [false, true] {
            let mut bench = killed(&lines(0, 20), |bench| {
                bench.write("begun");
                bench.settle(Duration::from_secs(3));
                let saved = fs::read(bench.position()).unwrap();
                assert_eq!(bench.text(), lines(0, 20) + "begun");
                if !kill {
                    bench.tail = None;
                    bench.start();
                    assert_ne!(fs::read(bench.position()).unwrap(), saved);
                }
            });
            if !kill {
                // the first restart saved that it ended the line; only that is true now
                bench.start();
                bench.tail = None;
            }
            bench.write(rest);
            bench.start();
            bench.settle(SOON);
            assert_eq!(bench.text(), lines(0, 20) + "begun\n" + shown, "kill: {kill}");
        }
    }
}

#[test]
fn a_kill_after_a_late_line_of_the_file_before_goes_on_in_the_new_one() {
    let mut bench = Bench::new();
    bench.write(&lines(0, 20));
    bench.start();
    let mut old = bench.append("app.log");
    bench.rename("app.log", "app.log.1");
    bench.write(&lines(20, 20));
    bench.settle(SOON * 2);
    let saved = fs::read(bench.position()).unwrap();
    old.write_all(b"late\n").unwrap();
    bench.step();
    bench.tail = None;
    fs::write(bench.position(), saved).unwrap();
    bench.write(&lines(40, 5));
    bench.start();
    assert_eq!(bench.text(), lines(0, 40) + "late\n" + &lines(40, 5));
}

#[test]
fn a_tail_that_stopped_while_its_journal_goes_on_continues_its_open_line() {
    let mut bench = Bench::new();
    bench.write("begun");
    let sink = bench.sink();
    for text in ["", " and ended\n"] {
        bench.write(text);
        bench.tail = Some(Tail::begin(bench.place(), sink.clone(), bench.memory(), bench.now));
        bench.settle(Duration::from_secs(3));
        bench.tail = None;
    }
    assert_eq!(bench.text(), "begun and ended\n");
}

#[test]
fn what_is_read_after_the_journal_has_ended_comes_another_time() {
    let mut bench = Bench::new();
    bench.write(&lines(0, 20));
    let sink = bench.sink();
    bench.tail = Some(Tail::begin(bench.place(), sink.clone(), bench.memory(), bench.now));
    bench.settle(SOON);
    bench.write(&lines(20, 5));
    sink.end();
    bench.settle(SOON);
    drop(sink);
    bench.start();
    assert_eq!(bench.text(), lines(0, 25));
}
