//! `stdin = "body"`: a request's body is the command's input while it comes, and half of one is never taken for the whole.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Command, Stdio};

use crate::harness::{Address, DEADLINE, Server, run_to_end, wait_for};

const JOBS: &str = r#"
[jobs.cat]
command = ["cat"]
stdin = "body"
max_body = "64KiB"

[jobs.count]
command = "wc -c"
stdin = "body"
max_body = "64MiB"

[jobs.told]
command = 'cat; echo " for $PARAM_WHOM"'
stdin = "body"
params.whom = {}

[jobs.deaf]
command = 'echo "I do not listen"'
stdin = "body"
max_body = "64MiB"

[jobs.slow]
command = 'echo begun; read _ < gate; cat'
stdin = "body"

[jobs.none]
command = "cat; echo end"
"#;

/// A connection that bytes are written to as they are.
struct Raw(BufReader<TcpStream>);

impl Raw {
    fn connect(server: &Server) -> Raw {
        let Address::Tcp(address) = server.address() else { panic!("it listens on a port") };
        let socket = TcpStream::connect(address).unwrap();
        socket.set_read_timeout(Some(DEADLINE)).unwrap();
        Raw(BufReader::new(socket))
    }

    fn send(&mut self, bytes: &str) {
        self.0.get_mut().write_all(bytes.as_bytes()).unwrap();
    }

    /// A chunk of a body (RFC 9112 §7.1).
    fn send_chunk(&mut self, text: &str) {
        self.send(&format!("{:x}\r\n{text}\r\n", text.len()));
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.0.read_line(&mut line).unwrap();
        line.trim_end().to_owned()
    }

    /// Everything up to a line that is `wanted`.
    fn until(&mut self, wanted: &str) -> Vec<String> {
        let mut lines = Vec::new();
        loop {
            let mut line = String::new();
            assert!(self.0.read_line(&mut line).unwrap() > 0, "the end came before {wanted}: {lines:?}");
            let line = line.trim_end().to_owned();
            if line == wanted {
                return lines;
            }
            lines.push(line);
        }
    }

    fn rest(mut self) -> String {
        let mut rest = Vec::new();
        let _ = self.0.read_to_end(&mut rest);
        String::from_utf8_lossy(&rest).into_owned()
    }
}

fn newest(server: &Server, job: &str) -> String {
    wait_for("a run", || !server.runs(job).is_empty());
    server.runs(job)[0]["run"].as_str().unwrap().to_owned()
}

#[test]
fn a_body_is_the_input_whatever_its_type() {
    let server = Server::start(JOBS);
    let bytes: Vec<u8> = (0..=255).cycle().take(60_000).collect();
    for content_type in ["application/octet-stream", "application/x-www-form-urlencoded", "application/json", ""] {
        let response = server.request("POST", "/jobs/cat").body(content_type, bytes.clone()).send().expect(200);
        assert_eq!(response.whole(), bytes, "{content_type}");
    }
    let told = server.request("POST", "/jobs/told?whom=Bob").body("application/json", "{\"whom\":1}").send();
    assert_eq!(told.expect(200).text(), "{\"whom\":1} for Bob\n");
    let refused = server.request("POST", "/jobs/told?who=Bob").body("text/plain", "x").send().expect(400).text();
    assert!(refused.contains("`who`") && refused.contains("`whom` is missing"), "{refused}");
    assert_eq!(server.get("/jobs/cat").expect(200).text(), "", "a visit brings nothing");
    assert_eq!(server.post("/jobs/cat").expect(200).text(), "", "and neither does an empty body");
    let none = server.request("POST", "/jobs/none").body("text/plain", "x").send();
    assert_eq!(none.status, 415, "where nothing is said of stdin, no body is read");
    assert_eq!(server.get("/jobs/none").text(), "end\n");
}

#[test]
fn a_line_is_answered_before_the_next_one_is_sent() {
    let server = Server::start(JOBS);
    let mut raw = Raw::connect(&server);
    raw.send("POST /jobs/cat HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n");
    let head = raw.until("");
    assert!(head[0].contains("200"), "{head:?}");
    for text in ["one\n", "two\n", "three\n"] {
        raw.send_chunk(text);
        raw.until(text.trim_end());
    }
    raw.send("0\r\n\r\n");
    raw.until("0");
    let run = newest(&server, "cat");
    assert_eq!(server.ended(&run)["state"], "succeeded");
    raw.until("");
    raw.send("GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    assert!(raw.rest().starts_with("HTTP/1.1 200"), "the connection serves the next request");
}

#[test]
fn curl_streams_both_ways() {
    let server = Server::start(JOBS);
    let mut curl = Command::new("curl");
    // `.`: standard input, but not waited for while there is something to show
    curl.args(["-sSN", "-T", ".", "-X", "POST", &server.url("/jobs/cat")]);
    let mut curl = curl.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut input = curl.stdin.take().unwrap();
    let mut output = BufReader::new(curl.stdout.take().unwrap());
    for text in ["one\n", "two\n"] {
        input.write_all(text.as_bytes()).unwrap();
        let mut line = String::new();
        output.read_line(&mut line).unwrap();
        assert_eq!(line, text);
    }
    drop(input);
    assert!(curl.wait().unwrap().success());
}

#[test]
fn a_large_file_arrives_whole_over_both_versions() {
    let server = Server::start(JOBS);
    let file = server.path("file");
    std::fs::write(&file, vec![b'x'; 20 << 20]).unwrap();
    for version in ["--http1.1", "--http2-prior-knowledge"] {
        let mut curl = Command::new("curl");
        curl.args(["-sS", version, "-X", "POST", "-T"]).arg(&file).arg(server.url("/jobs/count"));
        assert_eq!(run_to_end(&mut curl).text().trim(), (20 << 20).to_string(), "{version}");
    }
}

#[test]
fn a_client_that_waits_for_100_continue_gets_it_before_the_answer() {
    let server = Server::start(JOBS);
    for _ in 0..20 {
        let mut raw = Raw::connect(&server);
        raw.send("POST /jobs/cat HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\nExpect: 100-continue\r\n");
        raw.send("Connection: close\r\n\r\n");
        assert_eq!(raw.line(), "HTTP/1.1 100 Continue");
        raw.send("abc");
        let rest = raw.rest();
        assert!(rest.contains("HTTP/1.1 200") && rest.contains("\r\nabc\r\n"), "{rest}");
    }
}

#[test]
fn a_body_that_says_beforehand_that_it_is_too_large_starts_nothing() {
    let server = Server::start(JOBS);
    let mut raw = Raw::connect(&server);
    raw.send("POST /jobs/cat HTTP/1.1\r\nHost: localhost\r\nContent-Length: 65537\r\nExpect: 100-continue\r\n\r\n");
    assert!(raw.line().starts_with("HTTP/1.1 413"));
    let response = server.request("POST", "/jobs/cat").body("", vec![b'x'; 65_537]).send().expect(413);
    assert!(response.text().contains("65536"));
    assert!(server.runs("cat").is_empty());
    assert_eq!(server.request("POST", "/jobs/cat").body("", vec![b'x'; 65_536]).send().whole().len(), 65_536);
}

#[test]
fn a_body_that_turns_out_too_large_ends_the_run() {
    let server = Server::start(JOBS);
    let mut raw = Raw::connect(&server);
    raw.send("POST /jobs/cat HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n");
    for _ in 0..9 {
        raw.send_chunk(&"x".repeat(8192));
    }
    let run = newest(&server, "cat");
    assert_ne!(server.ended(&run)["state"], "succeeded");
    let said = server.get(&format!("/runs/{run}?format=ndjson")).text();
    assert!(said.contains("max_body"), "{said}");
}

#[test]
fn half_an_input_never_looks_whole() {
    let server = Server::start(JOBS);
    for head in ["Content-Length: 10", "Transfer-Encoding: chunked"] {
        let before = server.runs("cat").len();
        let mut raw = Raw::connect(&server);
        raw.send(&format!("POST /jobs/cat HTTP/1.1\r\nHost: localhost\r\n{head}\r\n\r\n"));
        match head {
            "Content-Length: 10" => raw.send("half\n"),
            _ => raw.send_chunk("half\n"),
        }
        raw.until("half");
        wait_for("the run", || server.runs("cat").len() > before);
        let run = newest(&server, "cat");
        drop(raw);
        let record = server.ended(&run);
        assert!(matches!(record["state"].as_str(), Some("failed" | "cancelled")), "{head}: {record}");
        let said = server.get(&format!("/runs/{run}?format=ndjson")).text();
        assert!(said.contains("the client left"), "{said}");
    }
}

#[test]
fn a_command_that_does_not_read_harms_nobody() {
    let server = Server::start(JOBS);
    let file = server.path("file");
    std::fs::write(&file, vec![b'x'; 30 << 20]).unwrap();
    for args in [&["-T"][..], &["-H", "Expect:", "-T"]] {
        let mut curl = Command::new("curl");
        curl.args(["-sS", "-X", "POST"]).args(args).arg(&file).arg(server.url("/jobs/deaf"));
        let ended = run_to_end(&mut curl);
        assert_eq!((ended.code, ended.text().as_str()), (Some(0), "I do not listen\n"), "{}", ended.stderr);
    }
    let run = newest(&server, "deaf");
    assert_eq!(server.ended(&run)["state"], "succeeded");
}

#[test]
fn a_detached_run_reads_on_after_its_answer() {
    let server = Server::start(JOBS);
    let gate = server.gate("gate");
    let mut raw = Raw::connect(&server);
    raw.send("POST /jobs/slow?detach HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n");
    raw.send_chunk("one\n");
    let head = raw.until("");
    assert!(head[0].contains("202"), "{head:?}");
    raw.send_chunk("two\n");
    raw.send("0\r\n\r\n");
    let run = newest(&server, "slow");
    gate.pass();
    assert_eq!(server.ended(&run)["state"], "succeeded");
    assert_eq!(server.get(&format!("/runs/{run}")).text(), "begun\none\ntwo\n");
}

#[test]
fn curl_detaches_with_a_large_file() {
    let server = Server::start(JOBS);
    let file = server.path("file");
    std::fs::write(&file, vec![b'x'; 20 << 20]).unwrap();
    for version in ["--http1.1", "--http2-prior-knowledge"] {
        let mut curl = Command::new("curl");
        curl.args(["-sS", version, "-o", "/dev/null", "-w", "%{http_code}", "-X", "POST", "-T"]).arg(&file);
        let ended = run_to_end(curl.arg(server.url("/jobs/count?detach")));
        assert_eq!((ended.code, ended.text().as_str()), (Some(0), "202"), "{version}: {}", ended.stderr);
        let run = newest(&server, "count");
        assert_eq!(server.ended(&run)["state"], "succeeded", "{version}");
        assert_eq!(server.get(&format!("/runs/{run}")).text().trim(), (20 << 20).to_string());
    }
}

#[test]
fn a_job_on_a_terminal_reads_the_body_and_prints_on_the_terminal() {
    let server = Server::start(
        "[jobs.job]\ncommand = 'test -t 0 || echo pipe; test -t 1 && echo terminal; cat'\nstdin = 'body'\npty = true\n",
    );
    let response = server.request("POST", "/jobs/job").body("application/octet-stream", *b"one\n\x04two").send();
    assert_eq!(response.expect(200).text(), "pipe\r\nterminal\r\none\r\n\u{4}two");
}
