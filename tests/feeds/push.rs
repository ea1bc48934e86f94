//! Lines that are pushed: each is seen as it comes, and none of what another client sends is torn apart.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use crate::harness::http::Address;
use crate::harness::{DEADLINE, Server, wait_for};
use crate::{APP, KIND_LINES, KINDS, push};

/// Who pushes lines to the feed `app`, in chunks.
struct Sender(TcpStream);

impl Sender {
    fn begin(server: &Server) -> Sender {
        let Address::Tcp(address) = server.address() else { panic!("no address") };
        let mut socket = TcpStream::connect(address).unwrap();
        let head = "Transfer-Encoding: chunked\r\nConnection: close";
        write!(socket, "PUT /feeds/app/lines HTTP/1.1\r\nHost: {address}\r\n{head}\r\n\r\n").unwrap();
        Sender(socket)
    }

    fn send(&mut self, lines: &[u8]) {
        let chunk = [format!("{:x}\r\n", lines.len()).as_bytes(), lines, b"\r\n"].concat();
        self.0.write_all(&chunk).unwrap();
    }

    /// Ends the body; the answer.
    fn end(self) -> String {
        self.end_with(b"0\r\n\r\n")
    }

    fn end_with(mut self, bytes: &[u8]) -> String {
        self.0.write_all(bytes).unwrap();
        self.0.set_read_timeout(Some(DEADLINE)).unwrap();
        let mut answer = String::new();
        self.0.read_to_string(&mut answer).unwrap();
        answer
    }
}

#[test]
fn what_is_pushed_is_answered_with_a_count_and_comes_back_as_it_was() {
    let server = Server::start(APP);
    let answer = server.request("PUT", "/feeds/app/lines").body("text/plain", KINDS).send().expect(200);
    assert_eq!(answer.text(), "9 lines\n");
    let answer =
        server.request("POST", "/feeds/app/lines").accept("application/json").body("text/plain", "no end").send();
    assert_eq!(answer.expect(200).json(), serde_json::json!({ "lines": 1, "bytes": 6 }));
    let text = server.get("/feeds/app?follow=0&all").expect(200).whole();
    assert_eq!(text, [KINDS, b"no end\n"].concat());
    assert_eq!(server.json("/feeds/app")["lines"], KIND_LINES + 1);
}

#[test]
fn a_line_is_seen_while_its_sender_goes_on() {
    let server = Server::start(APP);
    let mut seen = server.get("/feeds/app");
    let mut socket = server.address().connect().unwrap();
    let host = server.address().host();
    let head = "Transfer-Encoding: chunked\r\nExpect: 100-continue";
    write!(socket, "PUT /feeds/app/lines HTTP/1.1\r\nHost: {host}\r\n{head}\r\n\r\n").unwrap();
    let mut answers = BufReader::new(socket);
    let mut line = String::new();
    answers.read_line(&mut line).unwrap();
    assert!(line.starts_with("HTTP/1.1 100 "), "{line}");
    for text in ["one", "two"] {
        write!(answers.get_mut(), "{:x}\r\n{text}\n\r\n", text.len() + 1).unwrap();
        assert_eq!(seen.line(), text);
    }
    write!(answers.get_mut(), "2\r\nth\r\n").unwrap();
    push(&server, "app", b"between\n");
    assert_eq!(seen.line(), "between");
    write!(answers.get_mut(), "4\r\nree\n\r\n0\r\n\r\n").unwrap();
    assert_eq!(seen.line(), "three");
}

#[test]
fn what_a_long_push_brings_is_counted_while_it_goes_on() {
    let server = Server::start(APP);
    let mut sender = Sender::begin(&server);
    sender.send(b"one\ntwo\nth");
    let brought = || server.json("/feeds/app")["brought"].clone();
    wait_for("two lines to be counted", || (brought()["records"] == 2) && (brought()["bytes"] == 10));
    sender.send(b"ree\n");
    assert!(sender.end().starts_with("HTTP/1.1 200"));
    assert_eq!((&brought()["records"], &brought()["bytes"]), (&3.into(), &14.into()));
}

#[test]
fn a_long_line_is_cut_and_its_newline_is_its_own() {
    const LONGEST: usize = 64 << 10;
    let server = Server::start(APP);
    let mut before = 0;
    for length in [LONGEST, 2 * LONGEST, 2 * LONGEST + 1] {
        let mut sender = Sender::begin(&server);
        for _ in 0..length / LONGEST {
            sender.send(&[b'x'; LONGEST]);
        }
        if length % LONGEST > 0 {
            sender.send(b"x");
        }
        // the newline is to come by itself
        before += length;
        wait_for("what is before it", || server.json("/feeds/app")["brought"]["bytes"] == before);
        before += "\nafter\n".len();
        sender.send(b"\nafter\n");
        let answer = sender.end();
        assert!(answer.ends_with(&format!("\r\n\r\n{} lines\n", length.div_ceil(LONGEST) + 1)), "{answer}");
    }
    let text = server.get("/feeds/app?follow=0").text();
    let lengths: Vec<_> = text.lines().filter(|line| *line != "after").map(str::len).collect();
    assert_eq!(lengths, [LONGEST, LONGEST, LONGEST, LONGEST, LONGEST, 1]);
}

#[test]
fn who_sends_a_broken_body_is_told_what_of_it_is_kept() {
    let server = Server::start(APP);
    let mut sender = Sender::begin(&server);
    sender.send(b"one\ntwo\n");
    let answer = sender.end_with(b"zz\r\nab");
    assert!(answer.starts_with("HTTP/1.1 400"), "{answer}");
    assert!(answer.contains("the body broke off; lines that are in feed `app`: 2"), "{answer}");
    assert_eq!(server.get("/feeds/app?follow=0").text(), "one\ntwo\n");
}

#[test]
fn another_site_pushes_nothing() {
    let server = Server::start(APP);
    let refused = server.request("POST", "/feeds/app/lines").header("Origin", "https://evil.example");
    assert_eq!(refused.body("text/plain", "x\n").send().status, 403);
    assert_eq!(server.json("/feeds/app")["lines"], 0);
}

#[test]
fn a_feed_that_does_not_take_lines_says_so() {
    let server = Server::start(&format!("{APP}[feeds.all]\nmerge = ['app']\n"));
    let refused = server.request("PUT", "/feeds/all/lines").body("text/plain", "x\n").send().expect(403).text();
    assert!(refused.contains("feed `all` takes no lines by this way") && refused.contains("push = true"), "{refused}");
}

#[test]
fn lines_outlive_the_server() {
    let mut server = Server::start(APP);
    push(&server, "app", b"one\ntwo\n");
    let journal = server.json("/feeds/app")["journal"].clone();
    server.kill();
    server.restart();
    push(&server, "app", b"three\n");
    assert_eq!(server.get("/feeds/app?follow=0").text(), "one\ntwo\nthree\n");
    assert_eq!(server.json("/feeds/app")["journal"], journal);
}

#[test]
fn who_sends_to_a_feed_that_is_taken_away_is_told_what_came_in_and_others_go_on() {
    let server = Server::start("[feeds.gone]\npush = true\n[feeds.stays]\npush = true\n");
    let Address::Tcp(address) = server.address() else { panic!("no address") };
    let mut sender = TcpStream::connect(address).unwrap();
    let head = format!("PUT /feeds/gone/lines HTTP/1.1\r\nHost: {address}\r\nTransfer-Encoding: chunked\r\n\r\n");
    sender.write_all(head.as_bytes()).unwrap();
    sender.write_all(b"4\r\none\n\r\n").unwrap();
    wait_for("the line", || server.get("/feeds/gone?follow=0").text() == "one\n");
    let path = server.path("jobs.toml");
    let written = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, written.replace("[feeds.gone]\npush = true\n", "")).unwrap();
    wait_for("the feed to be gone", || {
        assert_eq!(server.get("/feeds/stays?format=json").status, 200, "what stays is there all the while");
        server.get("/feeds/gone").status == 404
    });
    let mut answer = String::new();
    // until the feed has ended it takes what comes; from then on the sender is told
    while answer.is_empty() {
        sender.write_all(b"4\r\ntwo\n\r\n").unwrap();
        sender.set_read_timeout(Some(Duration::from_millis(50))).unwrap();
        let mut bytes = [0; 4096];
        if let Ok(count @ 1..) = sender.read(&mut bytes) {
            answer = String::from_utf8_lossy(&bytes[..count]).into_owned();
        }
    }
    assert!(answer.starts_with("HTTP/1.1 503"), "{answer}");
    assert!(
        answer.contains("feed `gone` has stopped, or is configured otherwise now; lines that are in it: "),
        "{answer}"
    );
}
