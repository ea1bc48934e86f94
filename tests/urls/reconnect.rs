//! A filtered stream whose connection is cut, and whoever comes back to it.

use serde_json::Value;

use crate::filters::{events, seqs};
use crate::harness::Server;

/// Reads a stream of lines in parts, each over a connection of its own that is cut in its middle.
fn read_in_parts(server: &Server, first: &str, query: &str, by_event: bool) -> Vec<u64> {
    let (mut seen, mut last_id, mut target) = (Vec::<u64>::new(), None::<String>, format!("{first}?{query}"));
    loop {
        let mut request = server.request("GET", &target);
        if let Some(id) = &last_id {
            request = request.header("Last-Event-ID", id);
        }
        let mut response = request.send();
        if response.status == 204 {
            return seen;
        }
        let run = response.run();
        for _ in 0..7 {
            let (id, object) = if by_event {
                match events(&response.until("\n\n")).pop() {
                    Some(event) => event,
                    None => continue,
                }
            } else {
                (None, serde_json::from_str::<Value>(&response.line()).unwrap())
            };
            seen.extend(object["seq"].as_u64());
            last_id = id.or(last_id);
            if object["type"] == "end" && !by_event {
                return seen;
            }
            if object["type"] == "end" {
                break;
            }
        }
        if !by_event {
            let from = seen.last().map_or(1, |last| last + 1);
            target = format!("/runs/{run}?{query}&from={from}");
        }
    }
}

#[test]
fn over_any_number_of_cut_connections_each_line_comes_once() {
    let server =
        Server::with_job("for i in 1 2 3 4 5 6; do echo $i a; echo ERROR: $i; echo ' more'; echo c >&2; done; seq 9");
    let whole = server.ndjson("/jobs/job");
    for query in ["", "q=a", "level=error", "q=%5B246%5D", "stream=stdout&q=o", "stream=stderr"] {
        let run = server.get("/jobs/job?wait").run();
        let wanted = seqs(&server.ndjson(&format!("/runs/{run}?{query}")));
        assert!(wanted.len() >= 3 && wanted.len() < whole.len(), "{query}");
        let runs = server.runs("job").len();
        for by_event in [true, false] {
            let format = if by_event { "sse" } else { "ndjson" };
            let first = format!("/runs/{run}");
            let seen = read_in_parts(&server, &first, &format!("format={format}&{query}"), by_event);
            assert_eq!(seen, wanted, "{format} {query}");
        }
        assert_eq!(server.runs("job").len(), runs);
    }
}

#[test]
fn who_comes_back_to_a_job_goes_on_with_its_run_and_is_sent_away_after_the_end() {
    let server = Server::with_job("seq 1 40; read _ < gate; seq 41 90");
    let gate = server.gate("gate");
    gate.pass();
    for (query, wanted) in
        [("", (1..=90).collect()), ("&q=3", (1..=90).filter(|n| n.to_string().contains('3')).collect())]
    {
        let before = server.runs("job").len();
        let seen = read_in_parts(&server, "/jobs/job", &format!("format=sse{query}"), true);
        let wanted: Vec<u64> = wanted;
        assert_eq!(seen, wanted, "{query}");
        assert_eq!(server.runs("job").len(), before + 1);
        gate.pass();
    }
}
