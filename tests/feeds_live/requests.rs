//! `/feeds/NAME/records`: captured requests of HTTPHandler, JSON, and what is refused.

use std::io::{Read, Write};
use std::net::{IpAddr, SocketAddr, TcpStream, UdpSocket};

use serde_json::json;
use socket2::{Domain, Socket, Type};

use crate::harness::{Address, Request, Server, cannot, wait_for};
use crate::live::{cases, lines, record, said, texts, wait_for_lines, wait_for_records};

const FEEDS: &str = "[feeds.py]\npython_logging = { http = true, max_frame = \"200KiB\" }\n[feeds.in]\npush = true\n";

/// Sends a captured request to the feed, as it was but for its path and host: the status.
fn replay(server: &Server, bytes: &[u8]) -> u16 {
    let Address::Tcp(address) = server.address() else { panic!("no address") };
    let mut stream = TcpStream::connect(address).unwrap();
    let text = bytes.splitn(2, |byte| *byte == b' ').collect::<Vec<_>>();
    let rest = text[1].strip_prefix(b"/log").unwrap();
    let request = [text[0], b" /feeds/py/records", rest].concat();
    stream.write_all(&request).unwrap();
    let mut answer = [0; 64];
    let count = stream.read(&mut answer).unwrap();
    String::from_utf8_lossy(&answer[..count]).split(' ').nth(1).unwrap().parse().unwrap()
}

#[test]
fn captured_requests_are_answered_and_give_pythons_messages() {
    let server = Server::start(FEEDS);
    let folders = ["py2.7/http-get", "py2.7/http-post", "py3.11/http-get", "py3.11/http-post", "py3.13/http-post"];
    let mut expected = Vec::new();
    for case in folders.into_iter().flat_map(cases) {
        let is_large = case.name.ends_with("http-get/big-70k");
        assert_eq!(replay(&server, &case.bytes), if is_large { 414 } else { 204 }, "{}", case.name);
        if !is_large {
            expected.push((case.name, case.told["messages"][0].clone()));
        }
    }
    wait_for_records(&server, "py", expected.len() as u64);
    let texts = texts(&server, "py");
    assert_eq!(texts.len(), expected.len());
    let mut same = 0;
    for ((name, message), text) in expected.iter().zip(&texts) {
        match message.as_str() {
            // the object's str() was not sent, only its repr
            Some(message) if name.ends_with("/args-odd") => {
                assert_eq!(*text, message.replace("a widget", "<Widget 3>"), "{name}");
            }
            Some(message) => assert_eq!(text, message, "{name}"),
            None => continue,
        }
        same += 1;
    }
    assert!(same > 110, "{same}");
}

fn post(server: &Server, kind: &str, body: &str) -> Request {
    server.request("POST", "/feeds/py/records").body(kind, body)
}

#[test]
fn json_is_taken_as_an_object_an_array_or_lines() {
    let server = Server::start(FEEDS);
    for (kind, body) in [
        ("application/json", r#"{"msg":"one %d","args":[1],"levelno":30,"user":"otto"}"#),
        ("application/json; charset=utf-8", r#"[{"message":"two"},{"message":"three","level":"error"}]"#),
        ("application/x-ndjson", "{\"msg\":\"four\"}\n\n{\"msg\":\"five\"}\n"),
        ("application/json", r#"{"msg":"six"} nonsense"#),
    ] {
        post(&server, kind, body).header("Authorization", "Basic YW5uYTp4").send().expect(204);
    }
    wait_for_lines(&server, "py", 6);
    let lines = lines(&server, "py");
    let of = |name: &str| lines.iter().map(|line| line[name].clone()).collect::<Vec<_>>();
    assert_eq!(of("text")[..5], ["one 1", "two", "three", "four", "five"]);
    assert_eq!((&lines[0]["level"], &lines[2]["level"]), (&json!(30), &json!(40)));
    assert_eq!(lines[1]["record"]["user"], "anna");
    assert!(said(&server, "py")[0].starts_with("a record from 127.0.0.1 cannot be read: "), "{lines:?}");
    assert_eq!(record(&server, "py")["brought"]["bad_frames"], 1);
}

#[test]
fn what_a_browser_may_have_sent_is_refused_counted_and_said() {
    let server = Server::start(FEEDS);
    let visits = [
        ("Origin", "http://evil.example"),
        ("Origin", "null"),
        ("Referer", "http://localhost/"),
        ("Cookie", "a=b"),
        ("Sec-Fetch-Site", "none"),
        ("Sec-Fetch-Mode", "no-cors"),
        ("Purpose", "prefetch"),
    ];
    for (name, value) in visits {
        server.request("GET", "/feeds/py/records?msg=x").header(name, value).send().expect(403);
        post(&server, "application/x-www-form-urlencoded", "msg=x").header(name, value).send().expect(403);
    }
    assert_eq!(record(&server, "py")["brought"], json!({"records": 0, "bytes": 0, "bad_frames": 0, "refused": 14}));
    let said = said(&server, "py");
    assert!(said.len() < 3 && said[0].starts_with("a request of 127.0.0.1 was refused: "), "{said:?}");
    server.request("HEAD", "/feeds/py/records?msg=x").send().expect(204);
    server.request("GET", "/feeds/py/records?msg=y").send().expect(204);
    wait_for_records(&server, "py", 1);
    assert_eq!(texts(&server, "py"), ["y"]);
}

#[test]
fn what_cannot_be_a_record_is_refused_with_its_reason() {
    let server = Server::start(FEEDS);
    post(&server, "text/plain", "msg=x").send().expect(415);
    server.request("POST", "/feeds/py/records").send().expect(415);
    post(&server, "application/json", &"x".repeat(201 << 10)).send().expect(413);
    post(&server, "application/x-www-form-urlencoded", "name=x").send().expect(400);
    server.get("/feeds/py/records").expect(400);
    server.request("PUT", "/feeds/py/records").send().expect(405);
    server.get("/feeds/in/records?msg=x").expect(403);
    server.get("/feeds/none/records?msg=x").expect(404);
    assert_eq!(record(&server, "py")["brought"]["refused"], 6);
    assert_eq!(texts(&server, "py"), [""; 0]);
}

/// An address of this machine that is not loopback, if it has one.
fn address_of_this_machine() -> Option<IpAddr> {
    // nothing is sent: the kernel says where it would be sent from
    let socket = UdpSocket::bind("0.0.0.0:0").unwrap();
    socket.connect("198.51.100.1:9").ok()?;
    Some(socket.local_addr().unwrap().ip()).filter(|address| !address.is_loopback() && !address.is_unspecified())
}

/// The status of a request that comes from `source`.
fn post_from(source: IpAddr, server: &Server, feed: &str) -> String {
    let Address::Tcp(address) = server.address() else { panic!("no address") };
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    socket.bind(&SocketAddr::new(source, 0).into()).unwrap();
    socket.connect(&(*address).into()).unwrap();
    let mut stream = TcpStream::from(socket);
    let body = "msg=hello";
    let head = format!("POST /feeds/{feed}/records HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n");
    let kind = "Content-Type: application/x-www-form-urlencoded\r\n";
    write!(stream, "{head}{kind}Content-Length: {}\r\n\r\n{body}", body.len()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

#[test]
fn requests_of_networks_that_may_not_send_are_refused_counted_and_said() {
    let Some(source) = address_of_this_machine() else {
        return cannot("this machine has no address but loopback");
    };
    let feeds = format!(
        "[feeds.closed]\npython_logging = {{ http = true, from = [\"203.0.113.0/24\"] }}\n\
         [feeds.open]\npython_logging = {{ http = true, from = [\"203.0.113.0/24\", \"{source}\"] }}\n\
         [feeds.py]\npython_logging = {{ http = true }}\n"
    );
    let server = Server::start(&feeds);
    for feed in ["open", "py"] {
        assert!(post_from(source, &server, feed).starts_with("HTTP/1.1 204 "), "{feed}");
    }
    let answer = post_from(source, &server, "closed");
    let line = format!("{source} may not send records to feed `closed`");
    assert!(answer.starts_with("HTTP/1.1 403 ") && answer.contains(&line), "{answer}");
    assert!(
        answer.contains("only this machine and the networks of `python_logging.from` in jobs.toml may"),
        "{answer}"
    );
    assert!(said(&server, "closed")[0].starts_with(&format!("a request of {source} was refused: {line}")));
    assert!(post_from("127.0.0.1".parse().unwrap(), &server, "closed").starts_with("HTTP/1.1 204 "));
    let told = record(&server, "closed");
    assert_eq!(told["brought"]["refused"], 1);
    assert_eq!(texts(&server, "closed"), ["hello"]);
}

#[test]
fn a_get_that_is_too_long_is_refused_counted_and_said() {
    let server = Server::start(FEEDS);
    let cases = cases("py3.11/http-get");
    let case = cases.iter().find(|case| case.name.ends_with("/big-70k")).unwrap();
    assert_eq!(replay(&server, &case.bytes), 414);
    // longer than anything that is read at all
    let Address::Tcp(address) = server.address() else { panic!("no address") };
    let mut stream = TcpStream::connect(address).unwrap();
    // it is answered before its end
    let _ = stream.write_all(&[b"GET /feeds/py/records?msg=".to_vec(), vec![b'x'; 300 << 10]].concat());
    wait_for("both to be counted", || record(&server, "py")["brought"]["refused"] == 2);
    let said = said(&server, "py");
    let expected = "a request of 127.0.0.1 was refused: it is longer than a GET may be, 64 KiB: send records by POST";
    assert!(said[0].starts_with(expected), "{said:?}");
    assert!(server.get("/metrics").text().contains("joblines_feed_refused_total{feed=\"py\"} 2\n"));
    let log = server.log();
    assert!(log.contains("peer=127.0.0.1") && log.contains("/feeds/py/records?"), "{log}");
    assert!(log.lines().all(|line| line.len() < 1000), "nothing of the record is in the log");
}
