//! One URL, several views: `?format=` wins, else the Accept header.

use crate::OUTCOMES;
use crate::harness::Server;

const HTML: &str = "text/html; charset=utf-8";
const TEXT: &str = "text/plain; charset=utf-8";
const NDJSON: &str = "application/x-ndjson";
const SSE: &str = "text/event-stream";
const JSON: &str = "application/json";

/// The type of the answer, without parameters where the wanted one has none.
fn kind(server: &Server, target: &str, accept: &str) -> String {
    let response = server.request("GET", target).accept(accept).send().expect(200);
    response.header("content-type").unwrap().to_owned()
}

#[test]
fn the_accept_header_decides() {
    let server = Server::start(OUTCOMES);
    let run = server.get("/jobs/good?wait").run();
    for (accept, wanted) in [
        ("*/*", TEXT),
        ("text/plain", TEXT),
        ("text/html", HTML),
        ("text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8", HTML),
        ("text/event-stream", SSE),
        ("application/x-ndjson", NDJSON),
        ("application/json", JSON),
        ("application/json, text/plain, */*", JSON),
        ("image/png", TEXT),
        ("text/html;q=0, */*", TEXT),
        ("TEXT/HTML", HTML),
    ] {
        let got = kind(&server, &format!("/runs/{run}"), accept);
        assert!(got.starts_with(wanted.split(';').next().unwrap()), "{accept}: {got}");
        if wanted.contains("charset") {
            assert_eq!(got.to_ascii_lowercase(), wanted, "{accept}");
        }
    }
}

#[test]
fn the_format_in_the_query_wins() {
    let server = Server::start(OUTCOMES);
    let run = server.get("/jobs/good?wait").run();
    for (format, wanted) in [("html", HTML), ("text", TEXT), ("ndjson", NDJSON), ("sse", SSE), ("json", JSON)] {
        for accept in ["*/*", "text/html", "application/json"] {
            let got = kind(&server, &format!("/runs/{run}?format={format}"), accept);
            assert!(got.starts_with(wanted.split(';').next().unwrap()), "{format} with {accept}: {got}");
        }
    }
}

#[test]
fn an_unknown_format_is_400_and_starts_nothing() {
    let server = Server::start(OUTCOMES);
    let response = server.get("/jobs/good?format=yaml");
    assert_eq!(response.status, 400);
    let text = response.text();
    assert!(text.contains("yaml") && text.contains("ndjson"), "it says what is allowed: {text}");
    assert!(server.runs("good").is_empty());
}
