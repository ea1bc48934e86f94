//! `rate`: how fast a stream shows its lines.

use crate::harness::{Response, Server};

#[test]
fn a_rate_gives_every_line_and_then_the_end() {
    let server = Server::with_job("seq 1 3; printf 4");
    let run = format!("/runs/{}", server.get("/jobs/job?wait").run());
    let mut slow = server.get(&format!("{run}?rate=3"));
    let frames: Vec<Vec<u8>> = std::iter::from_fn(|| slow.next_bytes()).collect();
    assert_eq!(frames, [b"1\n".to_vec(), b"2\n".to_vec(), b"3\n".to_vec(), b"4".to_vec()], "a line at a time");
    for format in ["text", "html", "ndjson", "sse"] {
        let shown = |query: &str| {
            let whole = server.get(&format!("{run}?format={format}&all{query}")).text();
            // what stands above the lines of a page says how long ago it was
            whole.find("<pre").map_or(whole.clone(), |lines| whole[lines..].to_owned())
        };
        assert_eq!(shown("&rate=5"), shown(""), "{format}");
    }
    assert_eq!(server.get(&format!("{run}?rate=10&q=%5B24%5D")).text(), "2\n4");
}

#[test]
fn a_rate_holds_for_a_run_that_goes_on_and_an_abort_comes_after_the_last_line() {
    let server = Server::with_job("seq 1 5; read _ < gate; seq 6 7; exit 3");
    let gate = server.gate("gate");
    let mut paced = server.get("/jobs/job?rate=20&abort");
    assert_eq!(paced.until("5\n"), "1\n2\n3\n4\n5\n");
    gate.pass();
    assert_eq!(paced.rest(), b"6\n7\n");
    assert!(paced.is_broken_off());
}

#[test]
fn a_slow_reader_of_a_long_run_costs_no_memory() {
    let server = Server::with_job("seq 1 2000000");
    let run = format!("/runs/{}", server.get("/jobs/job?wait").run());
    let grown = server.growth_during(|| {
        let readers: Vec<Response> =
            (0..20).map(|n| server.get(&format!("{run}?rate={}&q=1", 1 + n % 2 * 999_999))).collect();
        let found = server.get(&format!("{run}?q=99999%24&tail=3")).text();
        assert_eq!(found, "1799999\n1899999\n1999999\n");
        drop(readers);
    });
    assert!(grown < 32 << 20, "{grown} bytes for 20 readers of 15 MB each");
}

#[test]
fn a_run_that_stands_still_says_how_many_lines_remain() {
    let server = Server::with_job("echo one; echo two");
    let run = format!("/runs/{}", server.get("/jobs/job?wait").run());
    let mut seen = server.visit(&format!("{run}?rate=0"));
    let page = seen.until("data-text=\"2 remaining\"");
    assert!(!page.contains("one") && !page.contains("finished"), "{page}");
    let mut objects = server.get(&format!("{run}?rate=0&format=ndjson"));
    assert!(objects.line().contains("\"type\":\"run\""));
    assert_eq!(server.get(&format!("{run}?rate=1000")).text(), "one\ntwo\n");
}
