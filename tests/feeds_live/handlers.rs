//! Python's own handlers, unchanged, with real pythons.

use std::collections::BTreeMap;
use std::process::Command;

use serde_json::Value;

use crate::harness::{Server, run_to_end};
use crate::live::{address, lines, path, pythons, record, wait_for_lines, wait_for_records};

const FEEDS: &str = r#"
[feeds.py]
python_logging = { tcp = "127.0.0.1:0", udp = "127.0.0.1:0", unix = "py.sock", http = true }
[feeds.sys]
syslog = { tcp = "127.0.0.1:0", udp = "127.0.0.1:0", unix = "sys.sock" }
"#;

fn send(python: &str, words: &[&str]) {
    let ended = run_to_end(Command::new(python).arg(path("feeds_live/senders.py")).args(words));
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""), "{python} {words:?}");
}

/// Where each kind of handler of `senders.py` sends to.
fn place(server: &Server, kind: &str) -> String {
    match kind {
        "socket" => address(server, "py", "tcp").to_string(),
        "datagram" => address(server, "py", "udp").to_string(),
        "socket-unix" => server.path("py.sock").display().to_string(),
        "syslog-udp" => address(server, "sys", "udp").to_string(),
        "syslog-tcp" => address(server, "sys", "tcp").to_string(),
        "syslog-unix" => server.path("sys.sock").display().to_string(),
        _ => format!("{}/feeds/py/records", server.address().host()),
    }
}

fn texts(lines: &[Value]) -> Vec<&str> {
    lines.iter().map(|line| line["text"].as_str().unwrap()).collect()
}

#[test]
fn every_handler_brings_its_records_whole() {
    for python in pythons() {
        let is_old = python.contains("2.7");
        for kind in ["socket", "socket-unix", "datagram", "http-get", "http-post", "http-user"] {
            if is_old && kind == "http-user" {
                continue;
            }
            let server = Server::start(FEEDS);
            // the log says so once it listens
            address(&server, "py", "tcp");
            send(&python, &["talk", kind, &place(&server, kind)]);
            wait_for_lines(&server, "py", 5);
            let lines = lines(&server, "py");
            let hello = if is_old { "hello world, 3 times" } else { "hello wörld, 3 times" };
            assert_eq!(texts(&lines), ["plain", hello, "own level", "it broke", "two\nlines"], "{python} {kind}");
            let levels: Vec<_> = lines.iter().map(|line| line["level"].as_i64().unwrap()).collect();
            assert_eq!(levels, [10, 20, 25, 40, 30], "{python} {kind}");
            assert_eq!((&lines[2]["level_name"], &lines[0]["logger"]), (&"NOTICE".into(), &"app.web".into()));
            assert_eq!(lines[1]["record"]["extra"]["run"], "r7", "{python} {kind}");
            assert!(lines[1]["record"]["file"].as_str().unwrap().ends_with("senders.py"));
            assert_eq!(lines[1]["record"]["func"], "talk");
            let exception = lines[3]["record"]["exception"].as_str().unwrap();
            assert!(exception.contains("division") && exception.contains("zero"), "{exception}");
            assert!(kind.starts_with("http") || exception.starts_with("Traceback (most recent call last):"));
            let (host, user) = (&lines[0]["record"]["host"], &lines[0]["record"]["user"]);
            assert_eq!(host.as_str(), (kind != "socket-unix").then_some("127.0.0.1"), "{kind}");
            assert_eq!(user.as_str(), (kind == "http-user").then_some("anna"), "{kind}");
            let told = record(&server, "py");
            assert_eq!((&told["brought"]["records"], &told["brought"]["bad_frames"]), (&5.into(), &0.into()));
            let peer = if kind == "socket-unix" { "a unix socket" } else { "127.0.0.1" };
            assert_eq!((&told["peers"][0]["peer"], told["peers"].as_array().unwrap().len()), (&peer.into(), 1));
        }
    }
}

#[test]
fn a_syslog_handler_brings_its_messages_whole() {
    for python in pythons() {
        for kind in ["syslog-udp", "syslog-tcp", "syslog-unix"] {
            let server = Server::start(FEEDS);
            address(&server, "sys", "tcp");
            send(&python, &["talk", kind, &place(&server, kind)]);
            wait_for_lines(&server, "sys", 5);
            let lines = lines(&server, "sys");
            let texts = texts(&lines);
            assert_eq!((texts[0], texts[4]), ("plain", "two\nlines"), "{python} {kind}");
            assert!(texts[3].starts_with("it broke\nTraceback (most recent call last):\n"), "{}", texts[3]);
            let levels: Vec<_> = lines.iter().map(|line| line["level"].as_i64().unwrap()).collect();
            assert_eq!(levels, [10, 20, 30, 40, 30], "{python} {kind}");
        }
    }
}

#[test]
fn forked_workers_lose_nothing_and_each_keeps_its_order() {
    let server = Server::start(FEEDS);
    for (round, kind) in ["socket", "socket-unix"].into_iter().enumerate() {
        address(&server, "py", "tcp");
        send("python3", &["forked", kind, &place(&server, kind), "2000"]);
        wait_for_records(&server, "py", 8000 * (round as u64 + 1));
    }
    let mut numbers: BTreeMap<String, Vec<u64>> = BTreeMap::new();
    for line in lines(&server, "py") {
        let (pid, number) = line["text"].as_str().unwrap().split_once(' ').unwrap();
        numbers.entry(pid.to_owned()).or_default().push(number.parse().unwrap());
    }
    assert_eq!(numbers.len(), 8);
    for (pid, numbers) in numbers {
        assert!(numbers.iter().copied().eq(0..2000), "worker {pid}");
    }
}

#[test]
fn a_client_goes_on_over_a_restart_and_the_feed_is_one() {
    let mut server = Server::with(
        &FEEDS.replace("tcp = \"127.0.0.1:0\", udp = \"127.0.0.1:0\", unix = \"py.sock\"", "unix = \"py.sock\""),
    )
    .start();
    let script = "import logging, logging.handlers, sys\n\
                  log = logging.getLogger('a'); log.setLevel(1)\n\
                  handler = logging.handlers.SocketHandler(sys.argv[1], None)\n\
                  handler.retryStart = handler.retryMax = 0.01; handler.handleError = lambda record: None\n\
                  log.addHandler(handler)\n\
                  for number, word in enumerate(sys.stdin): log.info('%s %d', word.strip(), number)\n";
    let mut python = Command::new("python3")
        .args(["-u", "-c", script, &place(&server, "socket-unix")])
        .stdin(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = python.stdin.take().unwrap();
    let mut say = |word: &str| std::io::Write::write_all(&mut stdin, format!("{word}\n").as_bytes()).unwrap();
    wait_for_socket(&server);
    say("before");
    wait_for_records(&server, "py", 1);
    assert_eq!(server.stop(), Some(0));
    server.restart();
    wait_for_socket(&server);
    // what is sent into the closed connection may be lost by the sender; it comes back by itself
    crate::harness::wait_for("the client to be back", || {
        say("after");
        record(&server, "py")["brought"]["records"].as_u64().unwrap() > 0
    });
    let texts = crate::live::texts(&server, "py");
    assert_eq!(texts[0], "before 0");
    assert!(texts[1].starts_with("after"), "{texts:?}");
    drop(stdin);
    python.wait().unwrap();
}

fn wait_for_socket(server: &Server) {
    crate::harness::wait_for("the socket", || server.path("py.sock").exists());
}
