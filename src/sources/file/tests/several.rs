//! Several files as one feed: which are followed, and what comes of their lines over rotation, restart and kill.

mod many;
mod random;

use std::collections::HashMap;
use std::fs;
use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;

use super::bench::{SOON, lines};
use many::Many;

fn pairs(expected: &[(&str, &str)]) -> Vec<(String, String)> {
    expected.iter().map(|(name, text)| (name.to_string(), text.to_string())).collect()
}

#[test]
fn lines_come_in_the_order_in_which_they_are_seen_each_with_its_files_name() {
    let mut many = Many::new(&["app-*.log", "worker.log"]);
    many.write("app-1.log", "ERROR:a:one\nTraceback (most\n  File\nKeyError: 1\n");
    many.start();
    many.write("worker.log", "two\r\n");
    many.settle(SOON);
    many.write("app-1.log", "three\n");
    many.write("other.log", "not meant\n");
    many.look();
    let expected = [
        ("app-1.log", "ERROR:a:one"),
        ("app-1.log", "Traceback (most"),
        ("app-1.log", "  File"),
        ("app-1.log", "KeyError: 1"),
        ("[]", "worker.log is not there: waiting for it"),
        ("[]", "worker.log is there now"),
        ("worker.log", "two"),
        ("app-1.log", "three"),
    ];
    assert_eq!(many.told(), pairs(&expected));
}

#[test]
fn a_new_feed_begins_with_some_last_lines_of_each_and_with_all_of_what_comes_later() {
    let mut many = Many::new(&["*.log", "**/*.txt"]);
    for name in ["a.log", "b.log", "c.log", "d.log"] {
        many.write(name, &lines(0, 2000));
    }
    many.start();
    for name in ["a.log", "b.log", "c.log", "d.log"] {
        assert_eq!(many.of(name), lines(1750, 250), "{name}");
    }
    many.write("e.log", &lines(0, 1500));
    fs::create_dir_all(many.log("sub/deep")).unwrap();
    many.write("sub/deep/f.txt", &lines(0, 1500));
    many.look();
    assert_eq!([many.of("e.log"), many.of("sub/deep/f.txt")], [lines(0, 1500), lines(0, 1500)]);
    assert_eq!(many.said(), "");
}

#[test]
fn what_was_not_shown_before_a_stop_is_as_new_as_it_was() {
    let mut many = Many::new(&["*.log"]);
    many.write("a.log", &lines(0, 2000));
    let stop = CancellationToken::new();
    stop.cancel();
    many.begin(stop);
    many.joint.as_mut().unwrap().step(many.now);
    assert_eq!(many.told(), []);
    many.start();
    assert_eq!(many.of("a.log"), lines(1000, 1000));
}

#[test]
fn a_pattern_that_matches_rotated_names_shows_each_line_once() {
    let mut many = Many::new(&["app.log*"]);
    many.write("app.log.1", "long ago\n");
    many.write("app.log", &lines(0, 10));
    many.start();
    for round in 1..5 {
        for number in (1..=round).rev() {
            many.rename(&format!("app.log.{number}"), &format!("app.log.{}", number + 1));
        }
        many.rename("app.log", "app.log.1");
        many.write("app.log.1", &lines(round * 10, 5));
        many.look();
        many.write("app.log", &lines(round * 10 + 5, 5));
        many.look();
    }
    many.write("app.log.9.gz", "packed\n");
    many.write("app.log-20260101", "packed\n");
    many.look();
    assert_eq!(many.by_name(), HashMap::from([("app.log".to_owned(), lines(0, 50))]));
    // copied and cut
    many.write("app.log", &lines(50, 5));
    fs::copy(many.log("app.log"), many.log("app.log.1")).unwrap();
    fs::write(many.log("app.log"), lines(55, 60)).unwrap();
    many.look();
    assert_eq!(many.of("app.log"), lines(0, 115));
    many.start();
    many.look();
    assert_eq!(many.of("app.log"), lines(0, 115));
    assert_eq!(many.by_name().len(), 2, "{:?}", many.by_name().keys());
}

#[test]
fn a_rotated_name_is_followed_until_the_one_that_it_is_made_of_comes() {
    let mut many = Many::new(&["app.log*"]);
    many.write("app.log.1", "one\n");
    many.start();
    many.write("app.log.1", "two\n");
    many.settle(SOON);
    many.write("app.log", "three\n");
    many.look();
    many.rename("app.log.1", "app.log.2");
    many.rename("app.log", "app.log.1");
    many.write("app.log", "four\n");
    many.look();
    let expected = [("app.log.1", "one"), ("app.log.1", "two"), ("app.log", "three"), ("app.log", "four")];
    assert_eq!(many.told(), pairs(&expected));
    assert_eq!(many.saved(), 1);
}

#[test]
fn a_file_that_is_renamed_to_another_name_that_is_meant_is_not_read_again() {
    let mut many = Many::new(&["*.log"]);
    many.write("app.log", &lines(0, 10));
    many.start();
    for round in 1..4 {
        // as some libraries rotate: the name's number before its ending
        for number in (1..round).rev() {
            many.rename(&format!("app-{number}.log"), &format!("app-{}.log", number + 1));
        }
        many.rename("app.log", "app-1.log");
        many.write("app.log", &lines(round * 10, 10));
        many.settle(Duration::from_secs(20));
    }
    assert_eq!(many.of("app.log"), lines(0, 40));
    let all = many.by_name();
    let others: Vec<_> = all.iter().filter(|(name, _)| !["app.log", "[]"].contains(&name.as_str())).collect();
    assert_eq!(others, [], "{}", many.said());
    many.write("app-3.log", "late\n");
    many.settle(Duration::from_secs(20));
    assert_eq!(many.told().iter().filter(|(_, text)| text == "late").count(), 1);
}

#[test]
fn a_restart_goes_on_in_each_file_where_it_was() {
    let mut many = Many::new(&["*.log", "named"]);
    many.write("a.log", &lines(0, 10));
    many.write("b.log", &lines(0, 10));
    many.write("named", &lines(0, 10));
    many.write("gone.log", "x\n");
    many.start();
    many.joint = None;
    many.write("a.log", &lines(10, 10));
    many.rename("a.log", "a.log.1");
    many.write("a.log", &lines(20, 10));
    many.write("new.log", &lines(0, 1500));
    many.write("named", &lines(10, 3));
    fs::remove_file(many.log("gone.log")).unwrap();
    many.start();
    many.look();
    assert_eq!([many.of("a.log"), many.of("b.log"), many.of("named")], [lines(0, 30), lines(0, 10), lines(0, 13)]);
    assert_eq!(many.of("new.log"), lines(0, 1500), "what came meanwhile is read from its first line");
    assert_eq!(many.said(), "gone.log is gone: what came to it last may be missing\n");
    assert_eq!(many.saved(), 4);
    // a pattern more: its files were there before
    many.write("more.txt", &lines(0, 1500));
    many.patterns.push("*.txt");
    many.start();
    many.look();
    assert_eq!(many.of("more.txt"), lines(500, 1000));
    // and some fewer: nothing of theirs is kept
    many.patterns = vec!["a.log"];
    many.start();
    assert_eq!(many.saved(), 1);
    assert_eq!(many.of("a.log"), lines(0, 30));
}

#[test]
fn files_that_are_gone_for_good_are_forgotten_and_read_anew_should_they_come_back() {
    let mut many = Many::new(&["*.log"]);
    many.write("a.log", "one\n");
    many.start();
    fs::remove_file(many.log("a.log")).unwrap();
    many.settle(Duration::from_secs(200));
    assert_eq!(many.saved(), 0);
    many.write("a.log", "two\n");
    many.look();
    assert_eq!(many.of("a.log"), "one\ntwo\n");
    // one that went elsewhere and came back has been read
    many.rename("a.log", "a.txt");
    many.settle(Duration::from_secs(200));
    assert_eq!(many.saved(), 0);
    many.rename("a.txt", "a.log");
    many.write("a.log", "three\n");
    many.look();
    assert_eq!(many.of("a.log"), "one\ntwo\nthree\n");
}

#[test]
fn a_journal_that_is_not_the_one_begins_anew() {
    let mut many = Many::new(&["*.log"]);
    many.write("a.log", "one\n");
    many.start();
    many.joint = None;
    let files = fs::read_dir(many.folder.path().join("state/journal")).unwrap().map(|entry| entry.unwrap().path());
    files.filter(|path| path.is_file()).for_each(|path| fs::remove_file(path).unwrap());
    many.start();
    assert_eq!(many.told(), pairs(&[("a.log", "one")]));
}

#[test]
fn a_damaged_position_is_told_of_and_one_that_was_never_saved_is_none() {
    let mut many = Many::new(&["*.log"]);
    many.write("a.log", "one\n");
    many.start();
    let position = many.positions().join("0");
    let saved = fs::read(&position).unwrap();
    for (at, change, expected) in [(30, 1, "one\none\n"), (0, 0, "one\none\n")] {
        many.joint = None;
        let mut damaged = saved.clone();
        damaged[at] ^= change;
        fs::write(&position, damaged).unwrap();
        many.start();
        assert_eq!(many.of("a.log"), expected);
    }
    assert!(many.said().starts_with("what was read of a.log before is not found again"), "{}", many.said());
    many.joint = None;
    fs::write(&position, [vec![0; 308], b"b.log".to_vec()].concat()).unwrap();
    many.write("b.log", &lines(0, 1500));
    many.start();
    many.look();
    assert_eq!(many.of("b.log"), lines(0, 1500));
}

#[test]
fn what_the_journal_has_no_room_for_comes_later_and_once() {
    let mut many = Many::new(&["*.log"]);
    let (journal, away) = (many.folder.path().join("state/journal"), many.folder.path().join("away"));
    // more than the first segment takes
    let count = (6 << 20) / lines(0, 1).len();
    many.write("a.log", &lines(0, 100));
    many.start();
    fs::rename(&journal, &away).unwrap();
    many.write("b.log", &lines(0, 100));
    many.write("a.log", &lines(100, count));
    many.look();
    fs::rename(&away, &journal).unwrap();
    let begun = Instant::now();
    while [many.of("a.log"), many.of("b.log")] != [lines(0, 100 + count), lines(0, 100)] {
        assert!(begun.elapsed() < Duration::from_secs(60), "{}", many.said());
        std::thread::sleep(Duration::from_millis(10));
        many.settle(SOON);
    }
    assert!(many.said().contains("lines waited for room"), "{}", many.said());
    many.write("a.log", &lines(100 + count, 1));
    many.write("b.log", &lines(100, 1));
    many.look();
    many.start();
    many.look();
    assert!([many.of("a.log"), many.of("b.log")] == [lines(0, 101 + count), lines(0, 101)]);
}

#[test]
fn where_positions_cannot_be_saved_lines_come_and_once_they_can_they_are() {
    let mut many = Many::new(&["*.log"]);
    fs::write(many.positions(), "no folder").unwrap();
    many.write("a.log", "one\n");
    many.start();
    assert_eq!(many.of("a.log"), "one\n");
    fs::remove_file(many.positions()).unwrap();
    many.write("a.log", "two\n");
    many.look();
    many.start();
    assert_eq!((many.of("a.log"), many.saved()), ("one\ntwo\n".to_owned(), 1));
}

#[test]
fn lines_without_an_end_and_bytes_that_are_no_text_come_as_far_as_they_are_there() {
    let mut many = Many::new(&["*.log"]);
    many.write("b.log", "");
    fs::write(many.log("a.log"), b"bytes \xff\xfe\nno end").unwrap();
    many.start();
    many.write("b.log", "between\n");
    many.settle(Duration::from_secs(3));
    many.write("a.log", " yet\nnext\n");
    many.look();
    let expected = [
        ("a.log", "bytes \u{fffd}\u{fffd}"),
        ("b.log", "between"),
        ("a.log", "no end"),
        ("a.log", " yet"),
        ("a.log", "next"),
    ];
    assert_eq!(many.told(), pairs(&expected));
    many.write("a.log", "again");
    many.settle(Duration::from_secs(3));
    many.write("a.log", "\nlast\n");
    many.look();
    assert!(many.of("a.log").ends_with("next\nagain\nlast\n"), "its end is no empty line");
    let long = "x".repeat(200_000);
    many.write("a.log", &format!("{long}\nend\n"));
    many.look();
    let told = many.of("a.log");
    assert_eq!(told.split_once("last\n").unwrap().1.replace('\n', ""), long + "end");
}

#[test]
fn no_more_than_a_thousand_files_are_followed_and_that_is_said_once() {
    let mut many = Many::new(&["*.log"]);
    for number in 0..1003 {
        many.write(&format!("{number}.log"), "x\n");
    }
    many.start();
    many.look();
    assert_eq!((many.saved(), many.by_name().len()), (1000, 1001));
    assert_eq!(many.said().matches("more than 1000 files match").count(), 1);
}
