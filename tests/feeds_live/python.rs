//! Captured and hostile bytes, by the sockets of SocketHandler and DatagramHandler; and what is said when things go wrong.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream, UdpSocket};

use rustix::process::Signal;

use crate::harness::{Server, wait_for};
use crate::live::{address, cases, path, record, said, texts, wait_for_records};

const FEED: &str = "[feeds.py]\npython_logging = { tcp = \"127.0.0.1:0\", udp = \"127.0.0.1:0\" }\n";

fn connect(server: &Server) -> TcpStream {
    let stream = TcpStream::connect(address(server, "py", "tcp")).unwrap();
    stream.set_nodelay(true).unwrap();
    stream
}

/// How many frames there are.
fn count(mut bytes: &[u8]) -> u64 {
    let mut count = 0;
    while let Some((length, rest)) = bytes.split_first_chunk() {
        bytes = &rest[usize::try_from(u32::from_be_bytes(*length)).unwrap()..];
        count += 1;
    }
    count
}

fn good() -> Vec<u8> {
    std::fs::read(path("fixtures/python-logging/py3.11/socket/plain.bin")).unwrap()
}

#[test]
fn captured_streams_give_the_same_records_at_once_and_byte_by_byte() {
    let [whole, torn] = [(); 2].map(|()| Server::start(FEED));
    let mut expected = 0;
    for case in cases("py3.11/socket").iter().filter(|case| case.bytes.len() < 4000) {
        connect(&whole).write_all(&case.bytes).unwrap();
        let mut connection = connect(&torn);
        case.bytes.iter().for_each(|byte| connection.write_all(&[*byte]).unwrap());
        expected += count(&case.bytes);
        wait_for_records(&whole, "py", expected);
        wait_for_records(&torn, "py", expected);
    }
    assert!(expected > 60, "{expected}");
    let (one, other) = (texts(&whole, "py"), texts(&torn, "py"));
    assert_eq!(one.len() as u64, expected);
    assert_eq!(one, other);
    assert_eq!(said(&torn, "py"), [""; 0]);
}

#[test]
fn every_captured_datagram_is_a_record() {
    let server = Server::start(FEED);
    let (socket, to) = (UdpSocket::bind("127.0.0.1:0").unwrap(), address(&server, "py", "udp"));
    let cases = cases("py3.11/datagram");
    for case in &cases {
        assert_eq!(socket.send_to(&case.bytes, to).unwrap(), case.bytes.len());
    }
    wait_for_records(&server, "py", cases.len() as u64);
    assert_eq!(texts(&server, "py").len(), cases.len());
    socket.send_to(b"plain text\n", to).unwrap();
    socket.send_to(&good()[4..], to).unwrap();
    wait_for_records(&server, "py", cases.len() as u64 + 2);
    let texts = texts(&server, "py");
    assert_eq!(texts[cases.len()..], ["plain text", "hello world"]);
}

#[test]
fn hostile_bytes_are_survived_counted_and_said_in_few_words() {
    let server = Server::start(FEED);
    for (before, case) in cases("hostile").into_iter().enumerate() {
        let mut connection = connect(&server);
        // a connection that was closed takes no more
        let _ = connection.write_all(&case.bytes).and_then(|()| connection.write_all(&good()));
        let mut other = connect(&server);
        other.write_all(&good()).unwrap();
        let goods = || texts(&server, "py").iter().filter(|text| *text == "hello world").count();
        wait_for(&format!("the good one after {}", case.name), || goods() > before);
        drop(connection);
    }
    wait_for("the bad ones to be counted", || record(&server, "py")["brought"]["bad_frames"].as_u64().unwrap() > 20);
    let said = said(&server, "py");
    assert!(said.len() < 20, "{said:#?}");
    assert!(said.iter().all(|line| line.contains("127.0.0.1")), "{said:#?}");
    assert!(server.memory().peak < 300 << 20, "{:?}", server.memory());
}

#[test]
fn a_browser_at_the_port_is_told_from_records_and_its_connection_closed() {
    let server = Server::start(FEED);
    let mut connection = connect(&server);
    connection.write_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
    assert!(matches!(connection.read(&mut [0; 1]), Ok(0) | Err(_)));
    let said = said(&server, "py");
    assert!(
        said[0].contains("HTTP request") && said[0].starts_with("a connection from 127.0.0.1 was closed"),
        "{said:?}"
    );
}

#[test]
fn a_bad_record_does_not_end_the_connection() {
    let server = Server::start(FEED);
    let mut connection = connect(&server);
    for _ in 0..100 {
        connection.write_all(&[0, 0, 0, 2, b'x', b'.']).unwrap();
    }
    connection.write_all(&good()).unwrap();
    wait_for_records(&server, "py", 1);
    assert_eq!(record(&server, "py")["brought"]["bad_frames"], 100);
    let said = said(&server, "py");
    assert!(said.len() < 3 && said[0].starts_with("a record from 127.0.0.1 cannot be read: "), "{said:?}");
}

#[test]
fn datagrams_that_the_kernel_dropped_are_counted_to_the_last() {
    let server = Server::start(FEED);
    let (socket, to) = (UdpSocket::bind("127.0.0.1:0").unwrap(), address(&server, "py", "udp"));
    const SENT: u64 = 60_000;
    server.signal(Signal::STOP);
    for _ in 0..SENT {
        socket.send_to(&good(), to).unwrap();
    }
    server.signal(Signal::CONT);
    let told = || {
        let record = record(&server, "py");
        (record["brought"]["records"].as_u64().unwrap(), record["lost_datagrams"].as_u64().unwrap())
    };
    wait_for("every datagram to be here or lost", || told().0 + told().1 >= SENT);
    let (records, lost) = told();
    assert_eq!(records + lost, SENT);
    assert!(lost > 0 && records > 0, "{records} records, {lost} lost");
    assert!(said(&server, "py")[0].starts_with(&format!("{lost} datagrams lost: ")), "{:?}", said(&server, "py"));
    let metrics = server.get("/metrics").expect(200).text();
    assert!(metrics.contains(&format!("joblines_feed_lost_datagrams_total{{feed=\"py\"}} {lost}\n")), "{metrics}");
    assert!(metrics.contains(&format!("joblines_feed_records_total{{feed=\"py\"}} {records}\n")), "{metrics}");
    let of_peer = format!("joblines_feed_peer_records_total{{feed=\"py\",peer=\"127.0.0.1\"}} {records}\n");
    assert!(metrics.contains(&of_peer), "{metrics}");
    assert!(metrics.ends_with("# EOF\n"));
}

#[test]
fn a_port_in_use_is_said_and_taken_once_it_is_free() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let server = Server::start(&format!("[feeds.py]\npython_logging = {{ tcp = \"127.0.0.1:{port}\" }}\n"));
    let expected = format!("tcp 127.0.0.1:{port}: another program listens there; trying again every 5 s");
    wait_for("the complaint", || said(&server, "py") == [expected.as_str()]);
    drop(taken);
    connect(&server).write_all(&good()).unwrap();
    wait_for_records(&server, "py", 1);
    assert_eq!(said(&server, "py")[1], format!("tcp 127.0.0.1:{port}: listening now"));
}

#[test]
fn what_was_sent_before_the_server_stops_is_kept() {
    let mut server = Server::start(FEED);
    let mut connection = connect(&server);
    connection.write_all(&good()).unwrap();
    wait_for_records(&server, "py", 1);
    connection.write_all(&good().repeat(2000)).unwrap();
    assert_eq!(server.stop(), Some(0));
    server.restart();
    assert_eq!(texts(&server, "py").len(), 2001);
    // the next write tells the sender
    let mut writes = (0..1000).map(|_| connection.write_all(&good()));
    assert!(writes.any(|written| written.is_err()));
}

#[test]
fn two_thousand_idle_connections_cost_little_and_stay_open() {
    let server = Server::start(FEED);
    let to = address(&server, "py", "tcp");
    let mut connections = Vec::new();
    let grown = server.growth_during(|| {
        connections = (0..2000).map(|_| TcpStream::connect(to).unwrap()).collect();
        for connection in &mut connections {
            connection.write_all(&good()).unwrap();
        }
        wait_for_records(&server, "py", 2000);
    });
    assert!(grown < 64 << 20, "{grown} bytes");
    for connection in &mut connections {
        connection.write_all(&good()).unwrap();
    }
    wait_for_records(&server, "py", 4000);
}
