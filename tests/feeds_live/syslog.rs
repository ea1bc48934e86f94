//! Captured bytes of SysLogHandler, and util-linux's `logger`.

use std::io::Write;
use std::net::{TcpStream, UdpSocket};
use std::os::unix::net::UnixDatagram;
use std::process::Command;

use crate::harness::{Server, cannot, run_to_end, wait_for};
use crate::live::{address, cases, lines, record, texts, wait_for_records};

const FEED: &str = "[feeds.sys]\nsyslog = { tcp = \"127.0.0.1:0\", udp = \"127.0.0.1:0\", unix = \"sys.sock\" }\n";

#[test]
fn every_captured_message_comes_out_as_it_was_logged() {
    let server = Server::start(FEED);
    let (udp, tcp) = (address(&server, "sys", "udp"), address(&server, "sys", "tcp"));
    wait_for("the socket", || server.path("sys.sock").exists());
    let (by_udp, by_unix) = (UdpSocket::bind("127.0.0.1:0").unwrap(), UnixDatagram::unbound().unwrap());
    let (mut sent, mut logged) = (0, Vec::new());
    for folder in ["syslog-udp", "syslog-unix-dgram", "syslog-tcp", "syslog-unix-stream"] {
        for case in cases(&format!("py3.11/{folder}")) {
            match folder {
                "syslog-udp" => drop(by_udp.send_to(&case.bytes, udp).unwrap()),
                "syslog-unix-dgram" => drop(by_unix.send_to(&case.bytes, server.path("sys.sock")).unwrap()),
                _ => TcpStream::connect(tcp).unwrap().write_all(&case.bytes).unwrap(),
            }
            sent += 1;
            wait_for_records(&server, "sys", sent);
            let messages = case.told["messages"].as_array().unwrap().clone();
            logged.extend(messages.into_iter().map(|message| (case.name.clone(), message)));
        }
    }
    // a NUL ends a message in a stream, whoever put it there
    logged.retain(|(name, _)| !name.ends_with("stream/nul-inside") && !name.ends_with("tcp/nul-inside"));
    let has = |message: &str| {
        let texts = texts(&server, "sys");
        texts.iter().any(|text| text.contains(message.strip_suffix('\n').unwrap_or(message)))
    };
    wait_for("all of them", || logged.iter().all(|(_, message)| has(message.as_str().unwrap())));
    assert!(logged.len() > 80, "{}", logged.len());
    assert!(!has("<14>"), "no message is told from the next one where one has no end");
}

#[test]
fn a_long_datagram_of_a_unix_socket_comes_whole() {
    let server = Server::start(FEED);
    wait_for("the socket", || server.path("sys.sock").exists());
    // as long as a usual system lets it be
    let text = "A".repeat(200_000) + "END";
    let sender = UnixDatagram::unbound().unwrap();
    sender.send_to(format!("<11>app: {text}\n").as_bytes(), server.path("sys.sock")).unwrap();
    wait_for_records(&server, "sys", 1);
    let texts = texts(&server, "sys");
    assert!(texts.len() == 1 && texts[0].ends_with(&text), "{} characters", texts[0].len());
    assert_eq!(record(&server, "sys")["brought"]["bad_frames"], 0);
}

#[test]
fn messages_without_an_end_are_told_apart_by_silence() {
    let server = Server::start(FEED);
    let mut connection = TcpStream::connect(address(&server, "sys", "tcp")).unwrap();
    connection.write_all(b"<14>one\ntwo").unwrap();
    wait_for_records(&server, "sys", 1);
    connection.write_all(b"<11>three<14>four").unwrap();
    wait_for_records(&server, "sys", 3);
    assert_eq!(texts(&server, "sys"), ["one\ntwo", "three", "four"]);
}

#[test]
fn logger_is_understood_in_every_way_it_sends() {
    let server = Server::start(FEED);
    let (udp, tcp) = (address(&server, "sys", "udp"), address(&server, "sys", "tcp"));
    wait_for("the socket", || server.path("sys.sock").exists());
    if Command::new("logger").arg("--version").output().is_err() {
        return cannot("logger is not installed");
    }
    let (udp, tcp) = (udp.port().to_string(), tcp.port().to_string());
    let unix = server.path("sys.sock").display().to_string();
    let ways: [&[&str]; 6] = [
        &["-n", "127.0.0.1", "-P", &udp, "-d"],
        &["-n", "127.0.0.1", "-P", &udp, "-d", "--rfc3164"],
        &["-n", "127.0.0.1", "-P", &tcp, "-T"],
        &["-n", "127.0.0.1", "-P", &tcp, "-T", "--octet-count"],
        &["-n", "127.0.0.1", "-P", &tcp, "-T", "--rfc3164"],
        &["-u", &unix],
    ];
    for (at, way) in ways.iter().enumerate() {
        let text = format!("number {at}");
        let ended = run_to_end(Command::new("logger").args(*way).args(["-t", "nightly", "-p", "user.err", &text]));
        assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""), "{way:?}");
        wait_for_records(&server, "sys", at as u64 + 1);
    }
    for (at, line) in lines(&server, "sys").iter().enumerate() {
        assert_eq!(line["text"], format!("number {at}"), "{:?}", ways[at]);
        assert_eq!((&line["level"], &line["logger"]), (&40.into(), &"nightly".into()), "{:?}", ways[at]);
    }
}

#[test]
fn both_receivers_are_reached_by_ipv6() {
    if UdpSocket::bind("[::1]:0").is_err() {
        return cannot("this machine has no IPv6");
    }
    let server = Server::start(
        "[feeds.sys]\nsyslog = { tcp = \"[::1]:0\", udp = \"[::1]:0\" }\n\
         [feeds.py]\npython_logging = { tcp = \"[::1]:0\", udp = \"[::1]:0\" }\n",
    );
    let sender = UdpSocket::bind("[::1]:0").unwrap();
    let frame = &cases("py3.11/socket")[0];
    for (feed, bytes) in [("sys", &b"<11>hello"[..]), ("py", &frame.bytes)] {
        let (udp, tcp) = (address(&server, feed, "udp"), address(&server, feed, "tcp"));
        assert!(udp.is_ipv6() && tcp.is_ipv6());
        sender.send_to(bytes, udp).unwrap();
        wait_for_records(&server, feed, 1);
        TcpStream::connect(tcp).unwrap().write_all(bytes).unwrap();
        wait_for_records(&server, feed, 2);
        let lines = lines(&server, feed);
        assert_eq!(lines[0]["text"], lines[1]["text"]);
        assert!(lines.iter().all(|line| line["record"]["host"] == "::1"), "{lines:?}");
        let told = record(&server, feed);
        assert_eq!((&told["peers"][0]["peer"], &told["peers"][0]["records"]), (&"::1".into(), &2.into()));
    }
}
