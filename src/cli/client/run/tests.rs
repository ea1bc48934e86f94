//! `joblines run` against a server that says what a test tells it to, byte by byte.

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, UnixListener};

use super::*;

/// What the command wrote and what it would exit with.
#[derive(PartialEq, Debug)]
struct Ended {
    code: u8,
    out: String,
    err: String,
}

fn ended(code: u8, out: &str, err: &str) -> Ended {
    Ended { code, out: out.to_owned(), err: err.to_owned() }
}

/// The job `de mo`, without anything to tell it.
fn demo() -> Order {
    Order { job: "de mo".to_owned(), query: String::new(), sent: Sent::Nothing, json: false }
}

async fn run_against(server: &str, signals: mpsc::UnboundedReceiver<u8>) -> Ended {
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let mut terminal = Terminal::new(&mut out, &mut err);
    let code = start(&Client::new(server.parse().unwrap()), demo(), signals, &mut terminal).await;
    Ended { code, out: String::from_utf8(out).unwrap(), err: String::from_utf8(err).unwrap() }
}

/// No signal ever comes.
fn quiet() -> mpsc::UnboundedReceiver<u8> {
    mpsc::unbounded_channel().1
}

async fn read_head(stream: &mut (impl AsyncRead + Unpin)) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.unwrap());
    }
    String::from_utf8(head).unwrap()
}

async fn listen() -> (TcpListener, String) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let server = format!("http://{}/base/", listener.local_addr().unwrap());
    (listener, server)
}

async fn accept(listener: &TcpListener) -> (TcpStream, String) {
    let (mut stream, _) = listener.accept().await.unwrap();
    let head = read_head(&mut stream).await;
    (stream, head)
}

/// Runs against a server that answers with `answer`, in pieces of `size` bytes, and closes.
async fn run_with(answer: &[u8], size: usize) -> Ended {
    let (listener, server) = listen().await;
    let serving = async {
        let (mut stream, _) = accept(&listener).await;
        stream.set_nodelay(true).unwrap();
        for piece in answer.chunks(size) {
            stream.write_all(piece).await.unwrap();
        }
        stream.shutdown().await.unwrap();
    };
    tokio::join!(run_against(&server, quiet()), serving).0
}

const HEAD: &str = "HTTP/1.1 200 OK\r\nContent-Type: application/x-ndjson\r\nConnection: close\r\n\r\n";
const RUN: &str = "{\"type\":\"run\",\"run\":\"R1\",\"job\":\"demo\",\"state\":\"running\"}\n";

fn line(stream: &str, text: &str) -> String {
    format!("{{\"type\":\"line\",\"seq\":1,\"stream\":\"{stream}\",\"text\":\"{text}\"}}\n")
}

fn end(state: &str, exit_code: &str, signal: &str) -> String {
    format!("{{\"type\":\"end\",\"state\":\"{state}\",\"exit_code\":{exit_code},\"signal\":{signal}}}\n")
}

#[tokio::test]
async fn output_goes_where_the_job_wrote_it_wherever_the_bytes_are_cut() {
    let partial = "{\"type\":\"line\",\"stream\":\"stdout\",\"text\":\"name? \",\"partial\":true}\n";
    let answer = [
        HEAD,
        RUN,
        &line("stdout", "one\\u001b[1m"),
        "\n",
        &line("stderr", "two"),
        partial,
        &line("stdout", "you"),
        "{\"type\":\"line\",\"stream\":\"stdout\",\"text\":\"?\",\"base64\":\"w6Q=\"}\n",
        &line("system", "three\\u001b"),
        &end("failed", "3", "null"),
    ]
    .concat();
    for size in [1, 2, 7, 100, 10_000] {
        let expected = ended(3, "one\x1b[1m\nname? you\nä\n", "two\njoblines: three\u{fffd}\n");
        assert_eq!(run_with(answer.as_bytes(), size).await, expected, "cut every {size} bytes");
    }
}

#[tokio::test]
async fn a_megabyte_comes_through_whole() {
    let text = "x".repeat(64 * 1024);
    let answer = [HEAD, RUN, &line("stdout", &text).repeat(16), &end("succeeded", "0", "null")].concat();
    let ended = run_with(answer.as_bytes(), 50_000).await;
    assert_eq!((ended.code, ended.out), (0, format!("{text}\n").repeat(16)));
}

#[test]
fn the_exit_status_is_the_jobs_own() {
    for (state, exit_code, signal, expected) in [
        ("succeeded", Some(0), None, 0),
        ("succeeded", Some(7), None, 7), // one of its success_codes
        ("failed", Some(255), None, 255),
        ("failed", None, Some(9), 137),
        ("failed", None, None, 1), // could not be started
        ("failed", Some(0), None, 1),
        ("timed_out", None, Some(15), 124),
        ("cancelled", None, Some(15), 143),
        ("cancelled", None, None, 130),
        ("cancelled", Some(0), None, 130),
        ("lost", None, None, 1),
    ] {
        assert_eq!(exit_status(state, exit_code, signal), expected, "{state} {exit_code:?} {signal:?}");
    }
}

#[tokio::test]
async fn a_lost_server_is_told_with_the_address_of_the_run() {
    for cut in ["", "{\"type\":\"li"] {
        let answer = [HEAD, RUN, &line("stdout", "one"), cut].concat();
        let seen = run_with(answer.as_bytes(), 10_000).await;
        assert_eq!((seen.code, seen.out.as_str()), (1, "one\n"));
        assert!(
            seen.err.starts_with("joblines: connection lost; the run may go on: http://127.0.0.1:"),
            "{}",
            seen.err
        );
        assert!(seen.err.ends_with("/base/runs/R1\n"), "{}", seen.err);
    }
}

#[tokio::test]
async fn a_refusal_is_one_line_and_nothing_was_started() {
    for (kind, body, said) in [
        ("application/problem+json", "{\"detail\":\"no job `x`\",\"remedy\":\"see /\"}", "no job `x`; see /"),
        ("text/plain", "gone\nfor good\n", "gone"),
        ("text/html", "<html>", "the server answered 404 Not Found"),
        ("text/plain", "", "the server answered 404 Not Found"),
    ] {
        let answer = format!("HTTP/1.1 404 Not Found\r\nContent-Type: {kind}\r\nConnection: close\r\n\r\n{body}");
        assert_eq!(run_with(answer.as_bytes(), 10_000).await, ended(2, "", &format!("joblines: {said}\n")));
    }
}

#[tokio::test]
async fn another_kind_of_server_is_recognised() {
    let seen = run_with(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 2\r\n\r\nhi", 100).await;
    assert_eq!(seen.code, 2);
    assert!(seen.err.contains("is it a joblines server?"), "{}", seen.err);
    assert_eq!(run_with(b"220 mail.example.org ESMTP\r\n", 100).await.code, 1);
}

#[tokio::test]
async fn a_server_that_is_not_there_is_named() {
    let (listener, server) = listen().await;
    drop(listener);
    let seen = run_against(&server, quiet()).await;
    assert_eq!(seen.code, 2);
    assert!(seen.err.starts_with(&format!("joblines: cannot connect to {}", server.trim_end_matches('/'))));
    assert!(seen.err.ends_with("is `joblines serve` running there?\n"), "{}", seen.err);
}

#[tokio::test]
async fn the_job_is_asked_for_by_post_and_its_name_is_escaped() {
    let (listener, server) = listen().await;
    let serving = async {
        let (mut stream, head) = accept(&listener).await;
        stream.write_all([HEAD, &end("succeeded", "0", "null")].concat().as_bytes()).await.unwrap();
        (head, stream)
    };
    let (seen, (head, _)) = tokio::join!(run_against(&server, quiet()), serving);
    assert_eq!(seen, ended(0, "", ""));
    assert!(head.starts_with("POST /base/jobs/de%20mo?format=ndjson HTTP/1.1\r\n"), "{head}");
    let host = format!("host: {}\r\n", listener.local_addr().unwrap());
    assert!(head.contains(&host) && head.contains("accept: application/x-ndjson\r\n"), "{head}");
}

#[tokio::test]
async fn a_unix_socket_is_a_server_too() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("sock");
    let listener = UnixListener::bind(&path).unwrap();
    let serving = async {
        let (mut stream, _) = listener.accept().await.unwrap();
        read_head(&mut stream).await;
        stream.write_all([HEAD, &end("failed", "null", "9")].concat().as_bytes()).await.unwrap();
    };
    let server = format!("unix:{}", path.display());
    assert_eq!(tokio::join!(run_against(&server, quiet()), serving).0, ended(137, "", ""));
}

#[tokio::test]
async fn a_signal_cancels_the_run_once_and_its_end_is_waited_for() {
    let (listener, server) = listen().await;
    let (signals, received) = mpsc::unbounded_channel();
    let serving = async {
        // it comes before the run has a name
        signals.send(2).unwrap();
        let (mut stream, _) = accept(&listener).await;
        stream.write_all([HEAD, RUN].concat().as_bytes()).await.unwrap();
        let (mut cancel, head) = accept(&listener).await;
        assert!(head.starts_with("POST /base/runs/R1/cancel HTTP/1.1\r\n"), "{head}");
        cancel.write_all(b"HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n").await.unwrap();
        let rest = [line("stdout", "cleaning up"), end("cancelled", "null", "15")].concat();
        stream.write_all(rest.as_bytes()).await.unwrap();
    };
    assert_eq!(tokio::join!(run_against(&server, received), serving).0, ended(143, "cleaning up\n", ""));
}

#[tokio::test]
async fn a_second_signal_does_not_wait() {
    let (listener, server) = listen().await;
    let (signals, received) = mpsc::unbounded_channel();
    let serving = async {
        let (mut stream, _) = accept(&listener).await;
        stream.write_all([HEAD, RUN].concat().as_bytes()).await.unwrap();
        signals.send(2).unwrap();
        let (cancel, _) = accept(&listener).await;
        signals.send(2).unwrap();
        (stream, cancel)
    };
    assert_eq!(tokio::join!(run_against(&server, received), serving).0, ended(130, "", ""));
}

#[tokio::test]
async fn a_closed_output_ends_it_quietly() {
    let (listener, server) = listen().await;
    let serving = async {
        let (mut stream, _) = accept(&listener).await;
        stream.write_all([HEAD, RUN, &line("stdout", "one")].concat().as_bytes()).await.unwrap();
        // nothing is cancelled: the connection just ends
        assert_eq!(stream.read(&mut [0]).await.unwrap_or(0), 0);
    };
    let (reader, out) = tokio::io::duplex(1);
    drop(reader);
    let mut err = Vec::new();
    let client = Client::new(server.parse().unwrap());
    let mut terminal = Terminal::new(out, &mut err);
    let (code, ()) = tokio::join!(start(&client, demo(), quiet(), &mut terminal), serving);
    assert_eq!((code, err.as_slice()), (1, &b""[..]));
}
