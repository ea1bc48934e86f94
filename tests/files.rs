//! Log files as feeds: followed over rotation and restart, listed, and kept to their folder.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod harness;

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::symlink;
use std::path::Path;

use harness::{Server, wait_for};
use rustix::process::Signal;

const FILE: &str = "[feeds.app]\nfile = 'app.log'\n";
const FOLDER: &str = "[feeds.logs]\ndirectory = 'logs'\n";

fn write(path: &Path, text: &str) {
    let mut file = OpenOptions::new().create(true).append(true).open(path).unwrap();
    file.write_all(text.as_bytes()).unwrap();
}

/// The texts of a feed's lines as they are now, joblines' own in brackets.
fn texts(server: &Server, target: &str) -> Vec<String> {
    let lines = server.ndjson(target);
    let lines = lines.iter().filter(|object| object["type"] == "line").map(|line| {
        let text = line["text"].as_str().unwrap();
        if line["stream"] == "system" { format!("[{text}]") } else { text.to_owned() }
    });
    lines.collect()
}

fn wait_for_text(server: &Server, target: &str, text: &str) {
    wait_for("the line", || texts(server, target).iter().any(|line| line == text));
}

#[test]
fn a_file_is_followed_from_its_last_lines_on() {
    let builder = Server::with(FILE);
    let path = builder.path("app.log");
    let old: String = (1..=3000).map(|number| format!("old {number}\n")).collect();
    fs::write(&path, old).unwrap();
    let server = builder.start();
    let mut page = server.get("/feeds/app").expect(200);
    assert_eq!(page.line(), "old 2001");
    write(&path, "new 1\nnew");
    assert!(page.until("new 1\n").ends_with("old 3000\nnew 1\n"));
    write(&path, " 2\n");
    assert_eq!(page.line(), "new 2");
}

#[test]
fn no_line_is_lost_or_doubled_whatever_rotates_the_file() {
    let builder = Server::with(FILE);
    let path = builder.path("app.log");
    write(&path, "1\n");
    let server = builder.start();
    wait_for_text(&server, "/feeds/app?format=ndjson&follow=0", "1");
    // renamed, with its writer still at the old one
    let mut old = OpenOptions::new().append(true).open(&path).unwrap();
    fs::rename(&path, server.path("app.log.1")).unwrap();
    old.write_all(b"2\n").unwrap();
    write(&path, "3\n");
    wait_for_text(&server, "/feeds/app?format=ndjson&follow=0", "3");
    // copied and cut, and longer than before at once
    fs::write(&path, "4, and more than there was before\n").unwrap();
    wait_for_text(&server, "/feeds/app?format=ndjson&follow=0", "4, and more than there was before");
    fs::remove_file(&path).unwrap();
    write(&path, "5\n");
    wait_for_text(&server, "/feeds/app?format=ndjson&follow=0", "5");
    let lines = texts(&server, "/feeds/app?format=ndjson&follow=0");
    let own: Vec<_> = lines.iter().filter(|line| !line.starts_with('[')).collect();
    assert_eq!(own, ["1", "2", "3", "4, and more than there was before", "5"], "{lines:?}");
}

#[test]
fn a_restarted_server_goes_on_where_it_was_and_so_does_its_client() {
    let builder = Server::with(FILE);
    let path = builder.path("app.log");
    write(&path, "one\n");
    let mut server = builder.start();
    let mut events = server.request("GET", "/feeds/app").accept("text/event-stream").send();
    let id = events.until("\"one\"}\n\n");
    let id = id.rsplit_once("id: ").unwrap().1.lines().next().unwrap().to_owned();
    for (end, written) in [(Signal::KILL, "while it was dead"), (Signal::TERM, "while it was away")] {
        match end {
            Signal::KILL => server.kill(),
            _ => drop(server.stop()),
        }
        write(&path, &format!("{written}\n"));
        server.restart();
        wait_for_text(&server, "/feeds/app?format=ndjson&follow=0", written);
    }
    let lines = texts(&server, "/feeds/app?format=ndjson&follow=0");
    assert_eq!(lines, ["one", "while it was dead", "while it was away"]);
    let mut events =
        server.request("GET", "/feeds/app").accept("text/event-stream").header("Last-Event-ID", &id).send();
    let back = events.until("away\"}\n\n");
    assert!(!back.contains("\"one\""), "{back}");
}

#[test]
fn a_folder_lists_what_it_shows_and_each_file_can_be_followed() {
    let builder = Server::with(FOLDER);
    let logs = builder.path("logs");
    fs::create_dir_all(logs.join("monday")).unwrap();
    write(&logs.join("monday/foo.log"), "hello\n");
    write(&logs.join("a b<.log"), "x\n");
    write(&logs.join(".hidden"), "secret\n");
    let server = builder.start();
    let listed = server.json("/feeds/logs/?format=json");
    let names: Vec<_> = listed["files"].as_array().unwrap().iter().map(|file| file["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["monday", "a b<.log"]);
    let page = server.visit("/feeds/logs/").expect(200).text();
    harness::html::assert_whole(&page);
    assert!(
        page.contains("href=\"/feeds/logs/monday/\"") && page.contains("href=\"/feeds/logs/a%20b%3C.log\""),
        "{page}"
    );
    let mut page = server.get("/feeds/logs/monday/foo.log").expect(200);
    assert_eq!(page.line(), "hello");
    write(&logs.join("monday/foo.log"), "again\n");
    assert_eq!(page.line(), "again");
    let other = server.get("/feeds/logs/monday/foo.log?follow=0").text();
    assert_eq!(other, "hello\nagain\n", "a second viewer sees all of it");
    let told = server.json("/feeds/logs/monday/foo.log?format=json");
    assert_eq!((&told["feed"], &told["path"]), (&"logs".into(), &"monday/foo.log".into()));
    assert_eq!((&told["first_line"], &told["lines"]), (&1.into(), &2.into()));
    let start = &server.ndjson("/feeds/logs/monday/foo.log?format=ndjson&follow=0")[0];
    assert_eq!(told["journal"], start["journal"], "the same numbers mean the same lines");
    write(&logs.join("events"), "a file like others\n");
    assert_eq!(server.get("/feeds/logs/events?follow=0").text(), "a file like others\n");
    let moved = server.get("/feeds/logs/monday").expect(302);
    assert_eq!(moved.header("location"), Some("/feeds/logs/monday/"));
    let moved = server.get("/feeds/logs/monday?format=json").expect(302);
    assert_eq!(moved.header("location"), Some("/feeds/logs/monday/?format=json"));
    let wrong = server.request("GET", "/feeds/logs/%ff").accept("application/json").send().expect(400);
    assert_eq!(wrong.header("content-type"), Some("application/problem+json"));
    assert!(wrong.text().contains("the path /feeds/logs/%ff is not UTF-8"));
}

#[test]
fn nothing_outside_of_its_folder_and_nothing_but_files_is_shown() {
    let builder = Server::with(FOLDER);
    let logs = builder.path("logs");
    fs::create_dir_all(&logs).unwrap();
    fs::write(builder.path("outside.log"), "secret\n").unwrap();
    fs::write(logs.join("good.log"), "good\n").unwrap();
    fs::write(logs.join(".env"), "secret\n").unwrap();
    symlink(builder.path("outside.log"), logs.join("out.log")).unwrap();
    symlink("good.log", logs.join("in.log")).unwrap();
    rustix::fs::mkfifoat(rustix::fs::CWD, logs.join("pipe"), rustix::fs::Mode::RUSR).unwrap();
    let server = builder.start();
    for (path, status) in [
        ("out.log", 403),
        ("in.log", 403),
        (".env", 403),
        ("pipe", 403),
        ("..%2foutside.log", 403),
        ("%2e%2e/outside.log", 403),
        ("none.log", 404),
        ("good.log/x", 404),
    ] {
        let answer = server.get(&format!("/feeds/logs/{path}"));
        let found = answer.status;
        assert_eq!(found, status, "{path}: {}", answer.text());
    }
    assert_eq!(server.get("/feeds/logs/good.log?follow=0").text(), "good\n");
}

#[test]
fn a_link_may_be_followed_where_that_is_allowed_and_it_stays_beneath() {
    let builder = Server::with("[feeds.logs]\ndirectory = 'logs'\nfollow_symlinks = true\n");
    let logs = builder.path("logs");
    fs::create_dir_all(&logs).unwrap();
    fs::write(builder.path("outside.log"), "secret\n").unwrap();
    fs::write(logs.join("good.log"), "good\n").unwrap();
    symlink("good.log", logs.join("in.log")).unwrap();
    symlink("../outside.log", logs.join("out.log")).unwrap();
    let server = builder.start();
    assert_eq!(server.get("/feeds/logs/in.log?follow=0").text(), "good\n");
    assert_eq!(server.get("/feeds/logs/out.log").status, 403);
}

#[test]
fn a_file_that_is_not_there_yet_is_waited_for() {
    let server = Server::start(FILE);
    let mut page = server.get("/feeds/app").expect(200);
    File::create(server.path("app.log")).unwrap().write_all(b"first\n").unwrap();
    assert!(page.until("first\n").ends_with("first\n"));
}

#[test]
fn the_addresses_of_flask_log_viewer_lead_to_the_same_files() {
    let builder = Server::with("[feeds.logs]\ndirectory = 'logs'\npaths = 'flask'\n");
    let logs = builder.path("logs");
    fs::create_dir_all(logs.join("monday")).unwrap();
    fs::write(logs.join("monday/foo.log"), "<b>one\nhalf").unwrap();
    let server = builder.start();
    for address in ["/logs/stream/monday/foo.log", "/logs/stream_log/monday/foo.log"] {
        let mut events = server.get(address).expect(200);
        assert_eq!(events.header("content-type"), Some("text/event-stream"));
        let first = events.until("\n\n");
        assert!(first.ends_with("\ndata: <b>one\n\n") && !first.contains("event:"), "{first}");
    }
    let mut events = server.get("/logs/stream/monday/foo.log");
    events.until("one\n\n");
    write(&logs.join("monday/foo.log"), " and half\n");
    assert!(events.until("\n\n").ends_with("data: half and half\n\n"), "a line comes whole");
    let page = server.get("/logs/view/monday/foo.log?q=a%26b").expect(302);
    assert_eq!(page.header("location"), Some("/feeds/logs/monday/foo.log?q=a%26b"));
    assert_eq!(server.get("/logs/stream/none.log").status, 404);
    assert_eq!(Server::start(FOLDER).get("/logs/stream/x.log").status, 404);
}

#[test]
fn the_addresses_of_flask_log_viewer_begin_as_it_was_mounted() {
    let feeds = "[feeds.one]\ndirectory = 'one'\npaths = 'flask'\n\
                 [feeds.two]\ndirectory = 'two'\npaths = { flask = '/admin/log-files/' }\n\
                 [feeds.three]\ndirectory = 'three'\npaths.flask = '/'\n";
    for base in ["", "/base"] {
        let builder = Server::with(feeds).server(&format!("base_path = '{base}'"));
        for name in ["one", "two", "three"] {
            fs::create_dir_all(builder.path(name).join("sub dir")).unwrap();
            fs::write(builder.path(name).join("sub dir/x.log"), format!("of {name}\n")).unwrap();
        }
        let server = builder.start();
        for (prefix, name) in [("/logs", "one"), ("/admin/log-files", "two"), ("", "three")] {
            for word in ["stream", "stream_log"] {
                let mut events = server.get(&format!("{base}{prefix}/{word}/sub%20dir/x.log")).expect(200);
                assert!(events.until("\n\n").ends_with(&format!("\ndata: of {name}\n\n")));
            }
            let page = server.get(&format!("{base}{prefix}/view/sub%20dir/x.log")).expect(302);
            let place = format!("{base}/feeds/{name}/sub%20dir/x.log");
            assert_eq!(page.header("location"), Some(place.as_str()));
            server.get(&format!("{base}{prefix}/view/")).expect(404);
            server.get(&format!("{base}{prefix}/stream/%ff")).expect(400);
            server.get(&format!("{base}{prefix}/stream/..%2fone%2fsub%20dir%2fx.log")).expect(403);
            assert_eq!(server.post(&format!("{base}{prefix}/stream/sub%20dir/x.log")).status, 405);
        }
        server.get(&format!("{base}/admin/stream/sub%20dir/x.log")).expect(404);
        server.get(&format!("{base}/logsx/stream/sub%20dir/x.log")).expect(404);
    }
}

#[test]
fn what_is_kept_of_a_folders_files_stays_within_its_bound_over_restarts() {
    let builder = Server::with(&format!("{FOLDER}keep_bytes = '1MiB'\n"));
    let logs = builder.path("logs");
    fs::create_dir_all(&logs).unwrap();
    let content = "x".repeat(1000) + "\n";
    for number in 0..4 {
        fs::write(logs.join(format!("{number}.log")), content.repeat(500)).unwrap();
    }
    let mut server = builder.start();
    let kept = |server: &Server| {
        let names = fs::read_dir(server.path("state/feeds/logs/files")).unwrap();
        let mut names: Vec<_> = names.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    };
    for number in 0..4 {
        let text = server.get(&format!("/feeds/logs/{number}.log?follow=0")).text();
        assert_eq!(text.len(), content.len() * 500);
    }
    // each of them is followed for a while after its last viewer has left
    assert_eq!(kept(&server), ["0.log", "1.log", "2.log", "3.log"]);
    server.stop();
    server.restart();
    wait_for("the oldest to go", || kept(&server).len() == 2);
    assert_eq!(kept(&server), ["2.log", "3.log"]);
    assert_eq!(server.get("/feeds/logs/2.log?follow=0").text().len(), content.len() * 500);
}
