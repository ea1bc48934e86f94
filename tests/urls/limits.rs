//! What a request may be like at most, and what becomes of it otherwise.

use std::io::Read;
use std::io::Write;

use crate::OUTCOMES;
use crate::harness::Server;

/// Sends these bytes on a new connection, and reads the first line of the answer.
fn send_raw(server: &Server, bytes: &[u8]) -> String {
    let mut socket = server.address().connect().unwrap();
    let _ = socket.write_all(bytes);
    let (mut answer, mut byte) = (Vec::new(), [0]);
    while !answer.ends_with(b"\r\n") && socket.read(&mut byte).is_ok_and(|count| count == 1) {
        answer.extend(byte);
    }
    String::from_utf8_lossy(&answer).into_owned()
}

#[test]
fn a_request_target_that_is_too_long_is_414() {
    let server = Server::start(OUTCOMES);
    assert_eq!(server.get(&format!("/jobs/good?{}", "a".repeat(65_600))).status, 414);
    assert_eq!(server.get(&format!("/jobs/{}", "a".repeat(5_000))).status, 404, "long is not too long");
    assert!(server.runs("good").is_empty());
}

#[test]
fn a_head_that_is_too_big_is_431() {
    let server = Server::start(OUTCOMES);
    assert_eq!(server.request("GET", "/jobs/good").header("X-Big", &"a".repeat(66_000)).send().status, 431);
    let mut many = server.request("GET", "/jobs/good");
    for number in 0..1000 {
        many = many.header(&format!("X-Many-{number}"), &"a".repeat(80));
    }
    assert_eq!(many.send().status, 431);
    let fine = server.request("GET", "/jobs/bad").header("X-Fine", &"a".repeat(30_000)).send();
    assert_eq!(fine.text(), "out\n");
    assert!(server.runs("good").is_empty());
}

#[test]
fn a_head_that_does_not_come_to_its_end_is_given_up() {
    let server = Server::start(OUTCOMES);
    let mut socket = server.address().connect().unwrap();
    socket.write_all(b"GET /jobs/good HTTP/1.1\r\nHost: localhost\r\n").unwrap();
    let mut answer = Vec::new();
    let read = socket.read_to_end(&mut answer);
    assert!(read.is_ok(), "the server closes the connection: {read:?}");
    let answer = String::from_utf8_lossy(&answer);
    assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 408"), "{answer}");
    assert!(server.runs("good").is_empty());
}

#[test]
fn what_is_no_http_is_400() {
    let server = Server::start(OUTCOMES);
    for bytes in [
        &b"hello\r\n\r\n"[..],
        b"GET /jobs/good HTTP/1.1\r\nHost: a\r\nbroken\r\n\r\n",
        b"POST /jobs/good HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"POST /jobs/good HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
    ] {
        let answer = send_raw(&server, bytes);
        assert!(answer.starts_with("HTTP/1.1 400"), "{:?}: {answer:?}", String::from_utf8_lossy(bytes));
    }
    assert!(server.runs("good").is_empty());
}

#[test]
fn a_request_without_a_host_is_refused() {
    let server = Server::start(OUTCOMES);
    let answer = send_raw(&server, b"GET /jobs/good HTTP/1.1\r\n\r\n");
    assert!(answer.starts_with("HTTP/1.1 400") || answer.starts_with("HTTP/1.1 421"), "{answer:?}");
    assert!(server.runs("good").is_empty());
}

#[test]
fn a_form_that_is_too_large_is_413() {
    let server = Server::start(OUTCOMES);
    let form = server.request("POST", "/jobs/good").body("application/x-www-form-urlencoded", "a=".repeat(600_000));
    assert_eq!(form.send().status, 413);
    assert!(server.runs("good").is_empty());
}

#[test]
fn parameters_of_a_job_that_has_none_are_400_and_named() {
    let server = Server::start(OUTCOMES);
    let refused = [
        server.request("GET", "/jobs/good?target=x"),
        server.request("POST", "/jobs/good").body("application/x-www-form-urlencoded", "target=x"),
        server.request("POST", "/jobs/good").body("application/json", "{\"target\":\"x\"}"),
    ];
    for request in refused {
        let response = request.send();
        assert_eq!(response.status, 400);
        assert!(response.text().contains("target"));
    }
    assert!(server.runs("good").is_empty());
}

#[test]
fn a_thousand_open_connections_are_served() {
    let server = Server::start(OUTCOMES);
    let idle: Vec<_> = (0..900).map(|_| server.address().connect().unwrap()).collect();
    assert_eq!(server.get("/jobs/bad").text(), "out\n");
    drop(idle);
}
