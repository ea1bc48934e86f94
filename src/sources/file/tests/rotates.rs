//! One file through each kind of rotation.

use std::fs;
use std::io::Write;
use std::os::unix::fs::symlink;
use std::time::Duration;

use super::bench::{Bench, SOON, lines};

/// A bench that has read ten lines of `app.log`.
fn begun() -> Bench {
    let mut bench = Bench::new();
    bench.write(&lines(0, 10));
    bench.start();
    assert_eq!(bench.text(), lines(0, 10));
    bench
}

#[test]
fn a_renamed_file_is_read_to_its_end_before_the_new_one() {
    let mut bench = begun();
    let mut old = bench.append("app.log");
    bench.rename("app.log", "app.log.1");
    old.write_all(lines(10, 5).as_bytes()).unwrap();
    bench.write(&lines(15, 5));
    bench.settle(SOON);
    assert_eq!(bench.text(), lines(0, 20));
    assert_eq!(bench.said(), "");
}

#[test]
fn while_the_new_file_is_empty_the_old_one_is_read_on_however_long() {
    let mut bench = begun();
    let mut old = bench.append("app.log");
    bench.rename("app.log", "app.log.1");
    bench.write("");
    bench.settle(Duration::from_secs(600));
    old.write_all(lines(10, 5).as_bytes()).unwrap();
    bench.settle(SOON);
    bench.write(&lines(15, 5));
    bench.settle(SOON);
    assert_eq!(bench.text(), lines(0, 20));
}

#[test]
fn what_others_still_write_to_the_old_file_comes_for_five_seconds() {
    let mut bench = begun();
    let mut old = bench.append("app.log");
    bench.rename("app.log", "app.log.1");
    bench.write(&lines(10, 5));
    bench.settle(Duration::from_secs(3));
    old.write_all(b"late\nand a piece").unwrap();
    bench.settle(SOON);
    assert_eq!(bench.text(), lines(0, 15) + "late\n");
    bench.settle(Duration::from_secs(3));
    assert_eq!(bench.text(), lines(0, 15) + "late\nand a piece\n");
    old.write_all(b" too late\n").unwrap();
    bench.write(&lines(15, 5));
    bench.settle(Duration::from_secs(3));
    assert_eq!(bench.text(), lines(0, 15) + "late\nand a piece\n" + &lines(15, 5));
}

#[test]
fn late_lines_never_come_into_the_middle_of_another() {
    let mut bench = begun();
    let mut old = bench.append("app.log");
    bench.rename("app.log", "app.log.1");
    bench.write("begun");
    bench.settle(Duration::from_secs(3));
    assert_eq!(bench.text(), lines(0, 10) + "begun");
    old.write_all(b"late\n").unwrap();
    bench.settle(SOON);
    assert_eq!(bench.text(), lines(0, 10) + "begun");
    bench.settle(Duration::from_secs(5));
    assert_eq!(bench.text(), lines(0, 10) + "begun\nlate\n");
    // the newline that it gets after all is no empty line
    bench.write("\nnext\n");
    bench.settle(SOON);
    assert_eq!(bench.text(), lines(0, 10) + "begun\nlate\nnext\n");
}

#[test]
fn many_rotations_between_two_looks_lose_nothing() {
    let mut bench = begun();
    for round in 1..6 {
        for number in (1..round).rev() {
            bench.rename(&format!("app.log.{number}"), &format!("app.log.{}", number + 1));
        }
        bench.rename("app.log", "app.log.1");
        bench.write(&lines(round * 10, 10));
    }
    bench.settle(SOON * 5);
    assert_eq!(bench.text(), lines(0, 60));
}

#[test]
fn what_another_way_of_rotation_left_is_not_read_when_the_file_gets_a_date_live_or_after_a_restart() {
    for restart in [false, true] {
        let mut bench = Bench::new();
        for old in ["app.log.2", "app.log.1"] {
            bench.append(old).write_all(b"long ago\n").unwrap();
        }
        bench.write(&lines(0, 5));
        bench.start();
        for day in 1..4 {
            bench.rename("app.log", &format!("app.log-2026010{day}"));
            bench.write(&lines(day * 5, 5));
            if restart {
                bench.start();
            }
            bench.settle(SOON);
            assert_eq!(bench.text(), lines(0, 5 + day * 5), "restart: {restart}");
        }
        // several at once are of one kind
        for day in 4..7 {
            bench.rename("app.log", &format!("app.log-2026010{day}"));
            bench.write(&lines(day * 5, 5));
        }
        bench.settle(SOON * 4);
        assert_eq!(bench.text(), lines(0, 35), "restart: {restart}");
    }
}

#[test]
fn where_larger_numbers_are_younger_those_before_are_not_read_again() {
    let mut bench = Bench::new();
    for number in 1..4 {
        bench.append(&format!("app.log.{number}")).write_all(b"long ago\n").unwrap();
        bench.outlive(Duration::ZERO);
    }
    bench.write(&lines(0, 5));
    bench.start();
    for number in 4..7 {
        bench.outlive(Duration::ZERO);
        bench.rename("app.log", &format!("app.log.{number}"));
        bench.write(&lines((number - 3) * 5, 5));
        bench.start();
    }
    bench.settle(SOON);
    assert_eq!(bench.text(), lines(0, 20));
}

#[test]
fn a_file_that_was_written_to_after_those_that_followed_it_does_not_hide_them() {
    let mut bench = begun();
    let mut late = bench.append("app.log");
    bench.rename("app.log", "app.log.1");
    bench.outlive(Duration::ZERO);
    bench.write(&lines(10, 5));
    bench.rename("app.log.1", "app.log.2");
    bench.rename("app.log", "app.log.1");
    bench.write(&lines(15, 5));
    bench.outlive(Duration::ZERO);
    late.write_all(b"late\n").unwrap();
    bench.settle(SOON * 2);
    assert_eq!(bench.text(), lines(0, 10) + "late\n" + &lines(10, 10));
}

#[test]
fn a_truncated_file_is_read_from_its_beginning_be_it_shorter_as_long_or_longer() {
    for count in [0, 3, 10, 40] {
        let mut bench = begun();
        fs::write(bench.log("app.log"), lines(100, count)).unwrap();
        bench.settle(SOON);
        assert_eq!(bench.text(), lines(0, 10) + &lines(100, count), "{count}");
        let what = if count < 10 { "was truncated" } else { "was written anew" };
        assert_eq!(bench.said(), format!("app.log {what}: it is read from its beginning\n"));
        bench.write(&lines(500, 2));
        bench.settle(SOON);
        assert_eq!(bench.text(), lines(0, 10) + &lines(100, count) + &lines(500, 2), "{count}");
    }
}

#[test]
fn what_was_copied_before_a_truncation_and_not_read_yet_comes_from_the_copy() {
    for count in [0, 5, 15, 40] {
        let mut bench = begun();
        bench.write(&lines(10, 5));
        fs::copy(bench.log("app.log"), bench.log("app.log-20260101")).unwrap();
        fs::write(bench.log("app.log"), lines(15, count)).unwrap();
        bench.settle(SOON * 2);
        assert_eq!(bench.text(), lines(0, 15 + count), "{count}");
        assert!(bench.said().contains("the rest of app.log-20260101 comes first"), "{}", bench.said());
    }
}

#[test]
fn an_old_file_that_begins_like_a_truncated_one_is_no_copy_of_it() {
    let banner = "a program that says its name and version first, and that at length\n".repeat(2);
    let mut bench = Bench::new();
    bench.append("app.log.1").write_all((banner.clone() + "old 1\nold 2\n").as_bytes()).unwrap();
    bench.write(&banner);
    bench.start();
    bench.outlive(Duration::from_millis(50));
    bench.settle(SOON);
    fs::write(bench.log("app.log"), "").unwrap();
    bench.settle(SOON);
    bench.write(&(banner.clone() + "started again\n"));
    bench.settle(SOON);
    assert_eq!(bench.text(), banner.clone() + &banner + "started again\n");
    assert_eq!(bench.said(), "app.log was truncated: it is read from its beginning\n");
}

#[test]
fn a_removed_file_is_told_of_and_the_new_one_read_from_its_beginning() {
    let mut bench = begun();
    let mut old = bench.append("app.log");
    fs::remove_file(bench.log("app.log")).unwrap();
    old.write_all(lines(10, 5).as_bytes()).unwrap();
    bench.settle(SOON);
    assert_eq!(bench.said(), "", "whoever rotates leaves no file for a moment");
    bench.settle(Duration::from_secs(120));
    assert_eq!(bench.said(), "app.log is gone: waiting for it to come back\n");
    bench.write(&lines(15, 5));
    bench.settle(SOON);
    assert_eq!(bench.text(), lines(0, 20));
}

#[test]
fn an_unfinished_line_comes_after_two_seconds_and_goes_on_where_it_stopped() {
    let mut bench = begun();
    bench.write("how are");
    bench.settle(Duration::from_secs(1));
    assert_eq!(bench.text(), lines(0, 10));
    bench.settle(Duration::from_secs(2));
    assert_eq!(bench.text(), lines(0, 10) + "how are");
    bench.write(" you?\nfine");
    bench.settle(SOON);
    assert_eq!(bench.text(), lines(0, 10) + "how are you?\n");
    bench.rename("app.log", "app.log.1");
    bench.write(&lines(10, 1));
    bench.settle(SOON);
    assert_eq!(bench.text(), lines(0, 10) + "how are you?\nfine\n" + &lines(10, 1));
}

#[test]
fn a_name_that_goes_to_and_fro_shows_each_line_once() {
    let mut bench = Bench::new();
    bench.append("a.log").write_all(lines(0, 5).as_bytes()).unwrap();
    bench.append("b.log").write_all(lines(5, 5).as_bytes()).unwrap();
    symlink("a.log", bench.log("app.log")).unwrap();
    bench.start();
    for (round, name) in ["b.log", "a.log", "b.log", "a.log"].into_iter().enumerate() {
        symlink(name, bench.log("new")).unwrap();
        bench.rename("new", "app.log");
        bench.settle(Duration::from_secs(4 * round as u64));
        bench.append(name).write_all(lines(10 + round, 1).as_bytes()).unwrap();
        bench.settle(SOON);
    }
    let text = bench.text();
    let mut all: Vec<_> = text.lines().collect();
    all.sort_unstable();
    assert_eq!(all, lines(0, 14).lines().collect::<Vec<_>>());
}

#[test]
fn a_pipe_or_a_link_out_of_the_folder_in_its_place_is_told_of_once_and_waited_out() {
    let mut bench = begun();
    bench.rename("app.log", "app.log.1");
    rustix::fs::mknodat(
        rustix::fs::CWD,
        bench.log("app.log"),
        rustix::fs::FileType::Fifo,
        rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR,
        0,
    )
    .unwrap();
    bench.settle(Duration::from_secs(4));
    assert_eq!(bench.said(), "app.log is not a regular file, and only those are followed: name a file\n");
    fs::remove_file(bench.log("app.log")).unwrap();
    symlink("/etc/hostname", bench.log("app.log")).unwrap();
    bench.settle(Duration::from_secs(4));
    assert!(bench.said().ends_with("its symbolic link leads out of the folder; make a feed of what it leads to\n"));
    assert_eq!(bench.said().lines().count(), 2);
    fs::remove_file(bench.log("app.log")).unwrap();
    bench.write(&lines(10, 5));
    bench.settle(SOON);
    assert_eq!(bench.text(), lines(0, 15));
}
