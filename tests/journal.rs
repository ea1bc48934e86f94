//! The journal, seen by those who read it: every line, in order, once, at everybody's own pace.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod harness;

use std::fs;
use std::thread;

use harness::{Server, full_size, html};
use serde_json::Value;
use sha2::{Digest, Sha256};

/// The text of `seq 1 last`.
fn seq(last: u64) -> String {
    (1..=last).map(|n| format!("{n}\n")).collect()
}

#[test]
fn a_million_lines_arrive_in_order_in_text_and_in_ndjson() {
    let server = Server::with_job("seq 1 1000000");
    let mut objects = server.get("/jobs/job?format=ndjson");
    let text = server.get(&format!("/runs/{}", objects.run()));
    let text = thread::spawn(move || text.digest());
    let start: Value = serde_json::from_str(&objects.line()).unwrap();
    assert_eq!(start["type"], "run");
    for number in 1..=1_000_000_u64 {
        let line: Value = serde_json::from_str(&objects.line()).unwrap();
        assert_eq!((&line["seq"], line["text"].as_str()), (&number.into(), Some(number.to_string().as_str())));
    }
    let end: Value = serde_json::from_str(&objects.line()).unwrap();
    assert_eq!((&end["state"], &end["lines"]), (&"succeeded".into(), &1_000_000.into()));
    assert_eq!(objects.rest(), b"");
    let wanted = seq(1_000_000);
    let wanted = (wanted.len() as u64, Sha256::digest(&wanted).into());
    assert_eq!(text.join().unwrap(), wanted);
    assert_eq!(server.get("/jobs/job/last").digest(), wanted, "replayed");
}

#[test]
fn a_viewer_that_stands_still_costs_nothing_and_gets_every_byte_later() {
    let line = "a line of a job that does not wait for anybody, and of which nothing may be lost\n";
    let size: u64 = if full_size() { 1 << 30 } else { 256 << 20 };
    let server = Server::start(&format!(
        "[jobs.job]\ncommand = 'yes \"{}\" | head -c {size}'\nmax_output = '4GiB'\n",
        line.trim_end()
    ));
    let wanted = digest_of_repeated(line.as_bytes(), size);
    let growth = server.growth_during(|| {
        let mut stands_still = server.get("/jobs/job").expect(200);
        let first = stands_still.line();
        let run = stands_still.run();
        assert_eq!(server.get(&format!("/runs/{run}")).digest(), wanted, "another viewer is not held up");
        let record = server.ended(&run);
        assert_eq!((&record["state"], &record["bytes"]), (&"succeeded".into(), &size.into()));
        let mut hasher = Sha256::new_with_prefix(first + "\n");
        let mut count = line.len() as u64;
        while let Some(piece) = stands_still.next_bytes() {
            count += piece.len() as u64;
            hasher.update(&piece);
        }
        assert!(!stands_still.is_broken_off());
        assert_eq!((count, hasher.finalize().into()), wanted);
    });
    assert!(growth < 32 << 20, "grew by {growth} bytes");
}

/// The length and the digest of `size` bytes of `line` again and again.
fn digest_of_repeated(line: &[u8], size: u64) -> (u64, [u8; 32]) {
    let block = line.repeat(1000);
    let (mut left, mut hasher) = (usize::try_from(size).unwrap(), Sha256::new());
    while left > 0 {
        let part = &block[..left.min(block.len())];
        hasher.update(part);
        left -= part.len();
    }
    (size, hasher.finalize().into())
}

#[test]
fn a_viewer_that_joins_in_the_middle_sees_every_line_from_the_first() {
    let server = Server::with_job("seq 1 3; read _ < gate; seq 4 6");
    let gate = server.gate("gate");
    let mut first = server.get("/jobs/job");
    assert_eq!(first.until("3\n"), "1\n2\n3\n");
    let run = format!("/runs/{}", first.run());
    let mut second = server.get(&run);
    assert_eq!(second.until("3\n"), "1\n2\n3\n");
    let mut page = server.visit(&run);
    let start = page.until("3\n</span>");
    let mut objects = server.get(&format!("{run}?format=ndjson"));
    objects.until("\"seq\":3,");
    objects.line();
    gate.pass();
    assert_eq!((first.text().as_str(), second.text().as_str()), ("4\n5\n6\n", "4\n5\n6\n"));
    assert_eq!(html::text_of(&(start + &page.text()), "lines"), "1\n2\n3\n4\n5\n6\n");
    let seqs: Vec<_> = objects.ndjson().iter().filter_map(|object| object["seq"].as_u64()).collect();
    assert_eq!(seqs, [4, 5, 6]);
}

#[test]
fn many_viewers_that_join_at_any_time_all_see_every_line() {
    let server = Server::with_job("seq 1 20000; read _ < gate; seq 20001 60000");
    let gate = server.gate("gate");
    let starter = server.get("/jobs/job").expect(200);
    let run = format!("/runs/{}", starter.run());
    let wanted = seq(60_000);
    let viewers: Vec<_> = (0..20)
        .map(|number| {
            if number == 10 {
                gate.pass();
            }
            let viewer = server.get(&run).expect(200);
            thread::spawn(move || viewer.text())
        })
        .collect();
    assert_eq!(starter.text(), wanted);
    for viewer in viewers {
        assert!(viewer.join().unwrap() == wanted);
    }
}

#[test]
fn the_output_file_holds_what_was_printed_while_it_is_printed() {
    let server = Server::with_job("echo one; read _ < gate; echo two >&2; read _ < gate; printf 'thr\\000ee'");
    let gate = server.gate("gate");
    let mut text = server.get("/jobs/job");
    text.line();
    let run = text.run();
    let output = || -> Vec<u8> {
        server.journal_files(&run, "output").iter().flat_map(|path| fs::read(path).unwrap()).collect()
    };
    assert_eq!(output(), b"one\n", "a line is in the file before anybody gets it");
    gate.pass();
    assert_eq!(text.line(), "two");
    gate.pass();
    assert_eq!(text.whole(), b"thr\0ee");
    assert_eq!(output(), b"one\ntwo\nthr\0ee");
}

#[test]
fn runs_survive_a_stop_and_a_start_with_all_that_was_printed() {
    let mut server = Server::with_job("seq 1 1000; exit 3");
    let run = server.get("/jobs/job").expect(200).run();
    let before = server.ended(&run);
    server.stop();
    server.restart();
    assert_eq!(server.json(&format!("/runs/{run}")), before);
    assert_eq!(server.runs("job"), [before]);
    assert_eq!(server.get(&format!("/runs/{run}")).text(), seq(1000));
    let again = server.get("/jobs/job").expect(200).run();
    assert!(again > run, "ids sort by start time");
}
