//! Several log files as one feed: named and meant by patterns, followed over rotation and restart, and kept to their folders.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod harness;

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use harness::{Server, html, wait_for};
use rustix::process::Signal;

const FEED: &str = "[feeds.app]\nfiles = ['logs/app-*.log', 'worker.log']\n";

fn write(path: &Path, text: &str) {
    let mut file = OpenOptions::new().create(true).append(true).open(path).unwrap();
    file.write_all(text.as_bytes()).unwrap();
}

/// The name of the file and the text of each line that has one.
fn told(server: &Server, query: &str) -> Vec<(String, String)> {
    let lines = server.ndjson(&format!("/feeds/app?format=ndjson&follow=0{query}"));
    let lines = lines.iter().filter(|line| line["stream"] == "record");
    let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
    lines.map(|line| (text(&line["record"]["file"]), text(&line["text"]))).collect()
}

fn wait_for_text(server: &Server, text: &str) {
    wait_for("the line", || told(server, "").iter().any(|(_, line)| line == text));
}

fn pairs(expected: &[(&str, &str)]) -> Vec<(String, String)> {
    expected.iter().map(|(file, text)| (file.to_string(), text.to_string())).collect()
}

#[test]
fn lines_of_several_files_come_with_their_names_in_every_format() {
    let builder = Server::with(FEED);
    fs::create_dir(builder.path("logs")).unwrap();
    write(
        &builder.path("logs/app-1.log"),
        "ERROR:app:one <b>\nTraceback (most recent call last):\n  File\nKeyError: 1\n",
    );
    let server = builder.start();
    wait_for_text(&server, "ERROR:app:one <b>");
    let mut watched = server.get("/feeds/app");
    write(&server.path("worker.log"), "run=42 two\n");
    wait_for_text(&server, "run=42 two");
    write(&server.path("logs/app-2.log"), "INFO:app:three\n");
    wait_for_text(&server, "INFO:app:three");
    let all = pairs(&[
        ("logs/app-1.log", "ERROR:app:one <b>"),
        ("worker.log", "run=42 two"),
        ("logs/app-2.log", "INFO:app:three"),
    ]);
    assert_eq!(told(&server, ""), all);
    let live = watched.until("INFO:app:three\n");
    let first = live.lines().next().unwrap();
    assert!(first.ends_with(" logs/app-1.log error app ERROR:app:one <b>"), "{live}");
    assert!(live.contains(" worker.log run=42 two\n"), "{live}");
    // each filter
    assert_eq!(told(&server, "&field=file%3Dworker.log"), all[1..2]);
    assert_eq!(told(&server, "&field=run%3D42"), all[1..2]);
    assert_eq!(told(&server, "&level=error"), all[..1]);
    assert_eq!(told(&server, "&logger=app"), [all[0].clone(), all[2].clone()]);
    assert_eq!(told(&server, "&q=KeyError"), all[..1]);
    assert_eq!(told(&server, "&x=three&stream=record"), all[..2]);
    assert_eq!(told(&server, "&tail=1"), all[2..]);
    // the page: the traceback folded, the name in the column of places, with a link to all of that file
    let page = server.visit("/feeds/app?follow=0").expect(200).text();
    html::assert_whole(&page);
    assert!(page.contains("<details class=exception><summary>KeyError: 1</summary>"), "{page}");
    assert!(page.contains("<details class=origin><summary>app-2.log</summary>"), "{page}");
    assert!(page.contains("<a href=\"?field=file%3Dworker.log\">worker.log"), "{page}");
    let front = server.visit("/").expect(200).text();
    assert!(front.contains("href=\"/feeds/app\""), "{front}");
    let metrics = server.get("/metrics").text();
    assert!(metrics.lines().any(|line| line.contains("feed=\"app\"")), "{metrics}");
}

#[test]
fn another_feed_that_merges_it_has_both_names() {
    let builder = Server::with("[feeds.app]\nfiles = ['*.log']\n[feeds.all]\nmerge = ['app']\n");
    write(&builder.path("a.log"), "one\n");
    let server = builder.start();
    let mut line = None;
    wait_for("the line", || {
        let lines = server.ndjson("/feeds/all?follow=0&field=file%3Da.log");
        line = lines.into_iter().find(|line| line["type"] == "line");
        line.is_some()
    });
    let line = line.unwrap();
    assert_eq!((&line["feed"], &line["record"]["file"]), (&"app".into(), &"a.log".into()), "{line}");
}

/// The numbers that the feed has of each file `NAME-N.log`, in its order.
fn numbers(server: &Server, name: &str) -> Vec<u64> {
    let lines = told(server, "&from=1");
    let of_file = lines.iter().filter(|(file, _)| file == name);
    of_file.flat_map(|(_, text)| text.lines().map(|line| line.parse().unwrap()).collect::<Vec<_>>()).collect()
}

#[test]
fn rotation_at_full_speed_and_kills_leave_each_line_once() {
    const FILES: [&str; 3] = ["a.log", "b.log", "c.log"];
    const LINES: u64 = 6000;
    let builder = Server::with("[feeds.app]\nfiles = ['logs/*.log*']\n");
    let logs = builder.path("logs");
    fs::create_dir(&logs).unwrap();
    FILES.into_iter().for_each(|name| write(&logs.join(name), "1\n"));
    let mut server = builder.start();
    wait_for("the first lines", || told(&server, "").len() == FILES.len());
    let is_written = AtomicBool::new(false);
    thread::scope(|scope| {
        let writers: Vec<_> = FILES
            .into_iter()
            .map(|name| {
                let path = logs.join(name);
                scope.spawn(move || {
                    for number in 2..=LINES {
                        // as Python's RotatingFileHandler does, with many files to spare
                        if number % 300 == 0 {
                            let rotated = |at: u64| path.with_file_name(format!("{name}.{at}"));
                            (1..30).rev().for_each(|at| drop(fs::rename(rotated(at), rotated(at + 1))));
                            fs::rename(&path, rotated(1)).unwrap();
                        }
                        write(&path, &format!("{number}\n"));
                        thread::yield_now();
                    }
                })
            })
            .collect();
        scope.spawn(|| {
            writers.into_iter().for_each(|writer| writer.join().unwrap());
            is_written.store(true, Ordering::Release);
        });
        while !is_written.load(Ordering::Acquire) {
            let before = told(&server, "&tail=1");
            wait_for("more lines", || told(&server, "&tail=1") != before || is_written.load(Ordering::Acquire));
            server.kill();
            server.restart();
        }
    });
    for name in FILES {
        let shown = format!("logs/{name}");
        wait_for("the last line", || numbers(&server, &shown).contains(&LINES));
        let numbers = numbers(&server, &shown);
        let wrong = (1..=LINES).zip(&numbers).find(|(expected, number)| expected != *number);
        assert!(numbers.len() as u64 == LINES && wrong.is_none(), "{name}: {} lines, {wrong:?}", numbers.len());
    }
    assert!(told(&server, "&from=1").iter().all(|(name, _)| name.ends_with(".log")), "rotated files are no others");
}

#[test]
fn a_restarted_server_goes_on_in_each_file_where_it_was() {
    let builder = Server::with(FEED);
    fs::create_dir(builder.path("logs")).unwrap();
    write(&builder.path("logs/app-1.log"), "one\n");
    write(&builder.path("worker.log"), "two\n");
    let mut server = builder.start();
    wait_for_text(&server, "two");
    wait_for_text(&server, "one");
    for (round, end) in [(1, Signal::KILL), (2, Signal::TERM)] {
        match end {
            Signal::KILL => server.kill(),
            _ => drop(server.stop()),
        }
        write(&server.path("logs/app-1.log"), "while it was away\n");
        write(&server.path("logs/app-9.log"), "new meanwhile\n");
        server.restart();
        let is_of_this = |(_, text): &(String, String)| text.contains("while");
        wait_for("both", || told(&server, "").into_iter().filter(is_of_this).count() == 2 * round);
    }
    let lines = told(&server, "");
    let of =
        |name: &str| lines.iter().filter(|(file, _)| file == name).map(|(_, text)| text.as_str()).collect::<Vec<_>>();
    assert_eq!(of("logs/app-1.log"), ["one", "while it was away", "while it was away"]);
    assert_eq!(of("logs/app-9.log"), ["new meanwhile", "new meanwhile"]);
    assert_eq!(of("worker.log"), ["two"]);
}

#[test]
fn nothing_outside_of_its_folder_and_nothing_but_files_is_followed() {
    for links in [false, true] {
        let builder = Server::with(&format!(
            "[feeds.app]\nfiles = ['logs/**/*.log']\nfollow_symlinks = {links}\ndeny = ['no*']\n"
        ));
        let logs = builder.path("logs");
        fs::create_dir_all(logs.join("sub")).unwrap();
        fs::create_dir_all(builder.path("outside")).unwrap();
        for name in ["outside.log", "outside/x.log", "logs/.hidden.log", "logs/no.log"] {
            write(&builder.path(name), "secret\n");
        }
        symlink("../outside.log", logs.join("out.log")).unwrap();
        symlink("../outside", logs.join("folder")).unwrap();
        symlink("/etc/passwd", logs.join("passwd.log")).unwrap();
        write(&logs.join("target"), "through a link\n");
        symlink("target", logs.join("in.log")).unwrap();
        rustix::fs::mkfifoat(rustix::fs::CWD, logs.join("pipe.log"), rustix::fs::Mode::RUSR).unwrap();
        let server = builder.start();
        write(&logs.join("sub/good.log"), "good\n");
        wait_for_text(&server, "good");
        // joined after all the others were looked at
        symlink("../../outside.log", logs.join("sub/later.log")).unwrap();
        write(&logs.join("zz.log"), "last\n");
        wait_for_text(&server, "last");
        let mut texts: Vec<_> = told(&server, "").into_iter().map(|(_, text)| text).collect();
        texts.sort();
        let expected: &[&str] = if links { &["good", "last", "through a link"] } else { &["good", "last"] };
        assert_eq!(texts, expected);
    }
}

#[test]
fn a_changed_list_of_files_is_in_use_without_a_restart() {
    let builder = Server::with("[feeds.app]\nfiles = ['a.log']\n");
    for name in ["a.log", "b.log"] {
        write(&builder.path(name), &format!("in {name}\n"));
    }
    let server = builder.start();
    wait_for_text(&server, "in a.log");
    let config = fs::read_to_string(server.path("jobs.toml")).unwrap();
    fs::write(server.path("jobs.toml"), config.replace("['a.log']", "['[ab].log']")).unwrap();
    // there is no such feed for a moment
    wait_for("the other file", || server.get("/feeds/app?follow=0").text().contains("in b.log"));
    assert_eq!(told(&server, ""), pairs(&[("a.log", "in a.log"), ("b.log", "in b.log")]));
}
