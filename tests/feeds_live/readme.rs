//! The README's section about what sends to feeds, held to its word: each of its parts is a configuration, senders, and the feed that comes
//! of them.
//!
//! Blocks of ` ```toml ` are put together and served; those of ` ```python ` and ` ```console ` are run in their order, and
//! ` ```text ` is the feed as text by then, its lines in any order. `…` stands for any
//! text of a line, or, alone on a line, for any lines.

use std::fs;
use std::net::{TcpListener, TcpStream};
use std::process::Command;

use crate::harness::{Address, Server, cannot, run_to_end, wait_for};
use crate::live::Running;

const README: &str = include_str!("../../README.md");

/// The ports of the README's addresses.
const PORTS: [&str; 4] = ["9020", "9021", "5514", "6379"];

/// The blocks of one part: the word behind the fence, and the text.
fn blocks(part: &str) -> Vec<(String, String)> {
    let mut blocks = Vec::new();
    let mut lines = part.lines();
    while let Some(line) = lines.next() {
        if let Some(kind) = line.strip_prefix("```") {
            let text = lines.by_ref().take_while(|line| *line != "```").map(|line| format!("{line}\n"));
            blocks.push((kind.to_owned(), text.collect()));
        }
    }
    blocks
}

/// The part of that section with this heading.
fn part(heading: &str) -> Vec<(String, String)> {
    let (_, section) = README.split_once("\n## What sends to feeds\n").unwrap();
    let (section, _) = section.split_once("\n## ").unwrap();
    let (_, part) = section.split_once(&format!("\n### {heading}\n")).unwrap();
    blocks(part.split("\n### ").next().unwrap())
}

/// Ports that are free, in the place of the README's.
struct Ports(Vec<(&'static str, String)>);

impl Ports {
    fn free() -> Ports {
        let listeners = PORTS.map(|port| (port, TcpListener::bind("127.0.0.1:0").unwrap()));
        Ports(listeners.map(|(port, free)| (port, free.local_addr().unwrap().port().to_string())).into())
    }

    fn of(&self, port: &str) -> &str {
        &self.0.iter().find(|(known, _)| *known == port).unwrap().1
    }

    fn put(&self, text: &str) -> String {
        self.0.iter().fold(text.to_owned(), |text, (port, free)| text.replace(port, free))
    }
}

/// Runs what a block says in the server's folder.
fn run(server: &Server, kind: &str, text: &str) {
    let Address::Tcp(address) = server.address() else { panic!("no address") };
    let text = text.replace("127.0.0.1:8080", &address.to_string());
    if kind == "python" {
        fs::write(server.path("sender.py"), &text).unwrap();
        let ended = run_to_end(Command::new("python3").arg("sender.py").current_dir(server.path("")));
        assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""), "{text}");
        return;
    }
    let joined = text.replace("\\\n", "");
    let mut lines = joined.lines().peekable();
    while let Some(command) = lines.next() {
        let command = command.strip_prefix("$ ").unwrap();
        let mut printed = String::new();
        while let Some(line) = lines.next_if(|line| !line.starts_with("$ ")) {
            printed += &format!("{line}\n");
        }
        let ended = run_to_end(Command::new("sh").args(["-c", command]).current_dir(server.path("")));
        assert_eq!((ended.code, ended.text()), (Some(0), printed), "{command}: {}", ended.stderr);
    }
}

fn line_is(pattern: &str, line: &str) -> bool {
    match pattern.split_once('…') {
        Some((before, after)) => line.starts_with(before) && line.ends_with(after),
        None => pattern == line,
    }
}

/// Whether the lines are these, in any order: what came by two ways has none.
fn is(patterns: &[&str], lines: &[&str]) -> bool {
    let (any, patterns): (Vec<&str>, Vec<&str>) = patterns.iter().partition(|pattern| **pattern == "…");
    let all_are_there = patterns.iter().all(|pattern| lines.iter().any(|line| line_is(pattern, line)));
    all_are_there && (!any.is_empty() || patterns.len() == lines.len())
}

/// Does what a part says. What listens is there before its senders.
fn follow(heading: &str, feed: &str, ports: &Ports) {
    let blocks = part(heading);
    let of_kind =
        |kind: &'static str| blocks.iter().filter(move |(known, _)| known == kind).map(|(_, text)| text.as_str());
    let config: String = of_kind("toml").collect();
    let server = Server::start(&ports.put(&config));
    for port in PORTS.into_iter().filter(|port| config.contains(&format!("tcp = \"127.0.0.1:{port}\""))) {
        wait_for("the port", || TcpStream::connect(format!("127.0.0.1:{}", ports.of(port))).is_ok());
    }
    for socket in ["python.sock", "sys.sock"].into_iter().filter(|socket| config.contains(socket)) {
        wait_for("the socket", || server.path(socket).exists());
    }
    if config.contains("redis://") {
        wait_for("the subscription", || server.log().contains("subscribed to channels"));
    }
    if config.contains("\nfile = ") {
        let said = || server.get(&format!("/feeds/{feed}?follow=0")).expect(200).text();
        wait_for("the first look at the file", || !said().is_empty());
    }
    assert!(of_kind("text").count() > 0, "{heading} shows its feed");
    for (kind, text) in &blocks {
        match kind.as_str() {
            "python" | "console" => run(&server, kind, &ports.put(text)),
            "text" => {
                let expected: Vec<_> = text.lines().collect();
                let shown = || server.get(&format!("/feeds/{feed}?follow=0")).expect(200).text();
                wait_for(&format!("the feed to be\n{text}"), || is(&expected, &shown().lines().collect::<Vec<_>>()));
            }
            _ => {}
        }
    }
}

#[test]
fn files_are_followed_as_the_readme_says() {
    follow("Log files", "app", &Ports::free());
}

#[test]
fn several_files_are_one_feed_as_the_readme_says() {
    follow("Several log files as one feed", "shop", &Ports::free());
}

#[test]
fn lines_are_pushed_and_merged_as_the_readme_says() {
    follow("Whoever sends lines, and several feeds as one", "all", &Ports::free());
}

#[test]
fn python_sends_as_the_readme_says() {
    follow("Python's logging", "python", &Ports::free());
}

#[test]
fn syslog_comes_as_the_readme_says() {
    follow("Syslog", "sys", &Ports::free());
}

#[test]
fn redis_is_followed_as_the_readme_says() {
    let (ports, folder) = (Ports::free(), tempfile::tempdir().unwrap());
    let mut redis = Command::new("redis-server");
    redis.args(["--bind", "127.0.0.1", "--save", "", "--port", ports.of("6379"), "--dir"]).arg(folder.path());
    let Some(_redis) = Running::start(&mut redis) else { return cannot("redis-server is not installed") };
    wait_for("redis", || TcpStream::connect(format!("127.0.0.1:{}", ports.of("6379"))).is_ok());
    follow("Redis", "hermey", &ports);
}
