//! Lines of long journals, through readers and sieves: the same from wherever one begins.

use std::future::poll_fn;

use bytes::Bytes;
use jiff::Timestamp;
use tempfile::TempDir;

use super::super::Query;
use super::*;
use crate::journal::{Journal, Origin, Selection, Writer};
use crate::record::{Outcome, RunId, State, Stream as Of};

fn journal() -> (TempDir, Writer, Arc<Journal>) {
    let folder = tempfile::tempdir().unwrap();
    let started = Timestamp::UNIX_EPOCH;
    let origin =
        Origin { run: RunId::new(), job: "test".to_owned(), trigger: "a test".to_owned(), started, child: None };
    let (writer, journal) = Journal::create(folder.path().join("run"), origin, u64::MAX);
    (folder, writer, journal)
}

fn finish(writer: Writer) {
    writer.end(State::Succeeded, Outcome::Exited(0), None, Duration::from_secs(1));
}

/// Many lines of two streams and of all lengths, cut anywhere; some of them wait long for their ends.
fn fill(writer: &mut Writer, appends: u64) {
    let mut state = 7_u64;
    let mut random = move |below: u64| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % below
    };
    for number in 0..appends {
        let stream = if random(3) == 0 { Of::Stderr } else { Of::Stdout };
        let text = match random(12) {
            0 => format!("ERROR:app.db:{number}\nTraceback (most recent call last):\n  at {number}\nKeyError: a\n"),
            1 => format!("INFO:app:{number}\n"),
            2 => format!("piece {number} a"),
            3 => "x\n".repeat(random(3000) as usize),
            4 => " indented\n".repeat(random(40) as usize + 1),
            5 => "long ".repeat(random(20_000) as usize),
            _ => format!("plain {number}\n"),
        };
        writer.append(stream, Bytes::from(text));
    }
}

fn lines(journal: &Arc<Journal>, query: &str, selection: &Selection) -> Lines {
    let terms = Terms::of_query(&Query::parse(query).unwrap()).unwrap_or_else(|_| panic!("{query}"));
    Lines::new(journal, selection, terms, None).unwrap()
}

/// All chunks to the end, or to where it stops.
async fn all(mut lines: Lines) -> Vec<Chunk> {
    let mut chunks = Vec::new();
    loop {
        match poll_fn(|context| lines.poll_next(context)).await.unwrap() {
            Next::Step(Step::Chunk(chunk)) => chunks.push(chunk),
            Next::Nothing => {}
            Next::Step(Step::End(_) | Step::Pause) => return chunks,
        }
    }
}

/// The lines that end among these, in the order of their ends.
fn ends(chunks: &[Chunk]) -> Vec<u64> {
    let ended = |chunk: &Chunk| chunk.line..chunk.line + memchr::memchr_iter(b'\n', &chunk.bytes).count() as u64;
    chunks.iter().flat_map(ended).collect()
}

/// The lines that begin among these, in the order of their beginnings.
fn begins(chunks: &[Chunk]) -> Vec<u64> {
    let begun = |chunk: &Chunk| {
        let count = if chunk.open { 1 } else { memchr::memchr_iter(b'\n', &chunk.bytes).count() as u64 };
        chunk.line..chunk.line + if chunk.continues { 0 } else { count }
    };
    chunks.iter().flat_map(begun).collect()
}

/// The bytes of each line that is there from its beginning.
fn texts(chunks: &[Chunk]) -> std::collections::BTreeMap<u64, Vec<u8>> {
    let mut texts = std::collections::BTreeMap::<u64, Vec<u8>>::new();
    for chunk in chunks {
        for (line, bytes) in (chunk.line..).zip(chunk.bytes.split_inclusive(|byte| *byte == b'\n')) {
            texts.entry(line).or_default().extend(bytes);
        }
    }
    texts
}

const QUERIES: [&str; 5] = ["q=a", "level=error", "level=info&q=%5Cd", "logger=app.db", "q=piece.*7|9&stream=stdout"];

#[tokio::test]
async fn who_comes_back_after_a_line_of_a_long_run_gets_what_follows_it() {
    let (_folder, mut writer, journal) = journal();
    fill(&mut writer, 300);
    finish(writer);
    assert!(journal.totals().lines > 4 * LOOK_BACK);
    for query in QUERIES {
        let whole = all(lines(&journal, query, &Selection::default())).await;
        let whole_ends = ends(&whole);
        assert!(whole_ends.len() > 20, "{query}");
        for (at, &seen) in whole_ends.iter().enumerate().step_by(1 + whole_ends.len() / 20) {
            let rest = all(lines(&journal, query, &Selection { after: Some(seen), ..Selection::default() })).await;
            assert_eq!(ends(&rest), whole_ends[at + 1..], "{query} after {seen}");
        }
    }
}

#[tokio::test]
async fn from_and_tail_of_what_passes_are_parts_of_all() {
    let (_folder, mut writer, journal) = journal();
    fill(&mut writer, 450);
    finish(writer);
    let last = journal.totals().lines;
    assert!(last > 25_000, "there is more than one part to search: {last}");
    for query in QUERIES {
        let whole = all(lines(&journal, query, &Selection::default())).await;
        let (all_begin, all_texts) = (begins(&whole), texts(&whole));
        for from in [2, 5000, last / 2, last] {
            let some = all(lines(&journal, query, &Selection { from, ..Selection::default() })).await;
            let wanted: Vec<u64> = all_begin.iter().copied().filter(|line| *line >= from).collect();
            assert_eq!(begins(&some), wanted, "{query} from {from}");
        }
        for tail in [0, 1, 7, all_begin.len() as u64 - 1, all_begin.len() as u64, u64::MAX] {
            let some = all(lines(&journal, query, &Selection { tail: Some(tail), ..Selection::default() })).await;
            let first = all_begin.len().saturating_sub(usize::try_from(tail).unwrap());
            assert_eq!(begins(&some), all_begin[first..], "{query} tail {tail}");
            assert!(texts(&some).iter().all(|(line, text)| all_texts[line] == *text), "{query} tail {tail}");
        }
        let both = Selection { from: last / 3, tail: Some(9), ..Selection::default() };
        let some = begins(&all(lines(&journal, query, &both)).await);
        assert!(some.len() <= 9 && some.iter().all(|line| *line >= last / 3), "{query}");
    }
}

#[tokio::test]
async fn the_last_lines_of_a_run_that_goes_on_are_followed_by_what_comes() {
    let (_folder, mut writer, journal) = journal();
    writer.append(Of::Stdout, Bytes::from_static(b"a1\nb\na2\na3\nb\nopen "));
    let follow = Selection { tail: Some(2), ..Selection::default() };
    let stop = Selection { follow: false, ..follow.clone() };
    assert_eq!(begins(&all(lines(&journal, "q=a", &stop)).await), [3, 4]);
    let lines = lines(&journal, "q=a", &follow);
    let (seen, ()) = tokio::join!(all(lines), async {
        for text in ["end\n", "a4", "\nb\n"] {
            tokio::task::yield_now().await;
            writer.append(Of::Stdout, Bytes::from_static(text.as_bytes()));
        }
        finish(writer);
    });
    assert_eq!(begins(&seen), [3, 4, 7]);
}

#[tokio::test]
async fn a_pace_cuts_chunks_and_loses_nothing() {
    let (_folder, mut writer, journal) = journal();
    fill(&mut writer, 60);
    finish(writer);
    for query in ["", "q=a"] {
        let terms = || Terms::of_query(&Query::parse(query).unwrap()).unwrap_or_else(|_| panic!("{query}"));
        let selection = Selection::default();
        let whole = all(Lines::new(&journal, &selection, terms(), None).unwrap()).await;
        let paced = all(Lines::new(&journal, &selection, terms(), Some(200_000)).unwrap()).await;
        assert_eq!((begins(&paced), ends(&paced)), (begins(&whole), ends(&whole)));
        assert_eq!(texts(&paced), texts(&whole));
    }
}
