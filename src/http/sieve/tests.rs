//! What passes a sieve: chunks cut in any way, against whole lines.

mod random;
mod records;

use bytes::Bytes;
use jiff::Timestamp;

use super::*;
use crate::record::{Entry, Level};

const ALL: Span = Span { from: 1, to: u64::MAX, after: None, skip: 0 };

fn terms(query: &str) -> Arc<Terms> {
    Arc::new(Terms::of_query(&Query::parse(query).unwrap()).unwrap_or_else(|_| panic!("{query} is a good one")))
}

/// Chunks as a journal numbers them.
#[derive(Default)]
struct Journal {
    chunks: Vec<Chunk>,
    last: u64,
    open: [Option<u64>; 4],
}

impl Journal {
    fn of(parts: &[(Stream, &str)]) -> Journal {
        let mut journal = Journal::default();
        parts.iter().for_each(|(stream, text)| journal.append(*stream, text.as_bytes()));
        journal
    }

    fn append(&mut self, stream: Stream, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let open = self.open[stream as usize].take();
            let mut ends = memchr::memchr_iter(b'\n', bytes);
            let end = if open.is_some() { ends.next() } else { ends.next_back() };
            let (piece, rest) = bytes.split_at(end.map_or(bytes.len(), |end| end + 1));
            let line = open.unwrap_or(self.last + 1);
            let is_open = !piece.ends_with(b"\n");
            if open.is_none() {
                self.last += memchr::memchr_iter(b'\n', piece).count() as u64 + u64::from(is_open);
            }
            self.open[stream as usize] = is_open.then_some(line);
            let bytes_of = Bytes::copy_from_slice(piece);
            let time = Timestamp::UNIX_EPOCH;
            self.chunks.push(Chunk { line, time, stream, continues: open.is_some(), open: is_open, bytes: bytes_of });
            bytes = rest;
        }
    }

    /// What comes out of a sieve, chunk by chunk.
    fn sift(&self, terms: &Arc<Terms>, span: Span) -> Vec<Chunk> {
        sift(&self.chunks, terms, span)
    }
}

fn sift(chunks: &[Chunk], terms: &Arc<Terms>, span: Span) -> Vec<Chunk> {
    let mut sieve = Sieve::new(Arc::clone(terms), span);
    let mut out = Vec::new();
    let drain = |sieve: &mut Sieve, out: &mut Vec<Chunk>| loop {
        match sieve.next() {
            Sifted::Chunk(chunk) => out.push(chunk),
            Sifted::More => {}
            Sifted::Empty => break,
        }
    };
    for chunk in chunks {
        sieve.push(chunk.clone());
        drain(&mut sieve, &mut out);
    }
    sieve.finish();
    drain(&mut sieve, &mut out);
    out
}

/// The lines among these, put together: stream, number and bytes, in the order of their numbers.
fn lines(chunks: &[Chunk]) -> Vec<(u64, Stream, Vec<u8>)> {
    let mut lines: Vec<(u64, Stream, Vec<u8>)> = Vec::new();
    for chunk in chunks {
        if chunk.continues {
            let begun = lines.iter_mut().find(|(line, ..)| *line == chunk.line);
            begun.expect("what goes on was begun").2.extend(&chunk.bytes[..]);
            continue;
        }
        let parts = chunk.bytes.split_inclusive(|byte| *byte == b'\n');
        lines.extend((chunk.line..).zip(parts).map(|(line, bytes)| (line, chunk.stream, bytes.to_vec())));
    }
    lines.sort_by_key(|(line, ..)| *line);
    lines
}

fn text(chunks: &[Chunk]) -> String {
    chunks.iter().map(|chunk| String::from_utf8_lossy(&chunk.bytes).into_owned()).collect()
}

const OUT: Stream = Stream::Stdout;
const ERR: Stream = Stream::Stderr;

#[test]
fn lines_in_a_row_stay_one_chunk_with_their_own_number() {
    let journal = Journal::of(&[(OUT, "no\na1\na2\nno\na3\n")]);
    let passed = journal.sift(&terms("q=a"), ALL);
    let shown: Vec<_> = passed.iter().map(|chunk| (chunk.line, &chunk.bytes[..])).collect();
    assert_eq!(shown, [(2, &b"a1\na2\n"[..]), (5, b"a3\n")]);
}

#[test]
fn a_pattern_sees_no_colours_no_newline_and_no_carriage_return() {
    let journal = Journal::of(&[(OUT, "\x1b[31mre\x1b[0md\r\nred \n\x1b[1mblue\n")]);
    assert_eq!(text(&journal.sift(&terms("q=^red$"), ALL)), "\x1b[31mre\x1b[0md\r\n");
    assert_eq!(text(&journal.sift(&terms("q=31|%5E%5C%5B"), ALL)), "");
}

/// A merged feed's lines: of which feed, whether it goes on, its text.
fn merged(entries: &[(&str, bool, &str)]) -> Journal {
    let mut journal = Journal::default();
    for (feed, goes_on, text) in entries {
        let mut line = Vec::new();
        let (feed, text) = (Some((*feed).into()), (*text).into());
        Entry { feed, goes_on: *goes_on, text, ..Entry::default() }.write(&mut line);
        journal.append(Stream::Record, &line);
    }
    journal
}

fn numbers(chunks: &[Chunk]) -> Vec<u64> {
    lines(chunks).into_iter().map(|(number, ..)| number).collect()
}

#[test]
fn what_goes_on_with_a_merged_record_passes_with_it() {
    let journal = merged(&[
        ("a", false, "failed"),
        ("b", false, "other"),
        ("a", true, "Traceback"),
        ("b", true, "more"),
        ("a", true, "KeyError"),
        ("a", false, "next"),
        ("a", true, "last"),
    ]);
    for (query, expected) in [
        ("q=failed", &[1, 3, 5][..]),
        ("q=Traceback", &[3, 5]),
        ("q=other", &[2, 4]),
        ("x=failed", &[2, 4, 6, 7]),
        ("x=Traceback", &[1, 2, 4, 6, 7]),
        ("q=failed&x=KeyError", &[1, 3]),
    ] {
        assert_eq!(numbers(&journal.sift(&terms(query), ALL)), expected, "{query}");
    }
}

#[test]
fn what_goes_on_with_a_record_of_one_of_several_files_passes_with_it() {
    let mut journal = Journal::default();
    for (feed, file, goes_on, text) in [
        (None, "a.log", false, "run=1 failed"),
        (None, "b.log", false, "run=2 other"),
        (None, "a.log", true, "Traceback run=2"),
        (None, "b.log", true, "more"),
        (Some("all"), "a.log", false, "run=3 begun"),
        (Some("all"), "b.log", true, "run=3 end"),
    ] {
        let mut line = Vec::new();
        let (feed, file) = (feed.map(Into::into), Some(file.into()));
        Entry { feed, file, goes_on, text: text.into(), ..Entry::default() }.write(&mut line);
        journal.append(Stream::Record, &line);
    }
    for (query, expected) in [
        ("q=failed", &[1, 3][..]),
        ("q=other", &[2, 4]),
        ("field=run=2", &[2, 4]),
        ("field=run=1", &[1, 3]),
        ("field=file=b.log", &[2, 4, 6]),
        ("field=run=3&x=begun", &[6]),
    ] {
        assert_eq!(numbers(&journal.sift(&terms(query), ALL)), expected, "{query}");
    }
}

#[test]
fn a_merged_record_that_was_begun_far_behind_is_the_same_wherever_one_goes_on() {
    let mut entries = vec![("a", false, "failed")];
    entries.extend((0..LOOK_BACK + 10).map(|line| if line % 5 == 0 { ("a", true, "more") } else { ("b", false, "x") }));
    let journal = merged(&entries);
    let all = numbers(&journal.sift(&terms("q=failed"), ALL));
    assert_eq!(all.last(), Some(&(LOOK_BACK - 3)), "{all:?}");
    for seen in [2, 1000, LOOK_BACK - 8, LOOK_BACK + 5] {
        let first = seen.saturating_sub(LOOK_BACK).max(1);
        let rest = &journal.chunks[usize::try_from(first - 1).unwrap()..];
        let after = sift(rest, &terms("q=failed"), Span { after: Some(seen), ..ALL });
        assert_eq!(numbers(&after), all.iter().copied().filter(|line| *line > seen).collect::<Vec<_>>(), "{seen}");
    }
}

#[test]
fn bytes_that_are_no_text_are_searched_all_the_same() {
    let mut journal = Journal::default();
    journal.append(OUT, b"\xff\xfeerror\xff\n\xff\n");
    let passed = journal.sift(&terms("q=error"), ALL);
    assert_eq!(lines(&passed), [(1, OUT, b"\xff\xfeerror\xff\n".to_vec())]);
    assert_eq!(lines(&journal.sift(&terms("q=(?-u)%5E%5CxFF%24"), ALL)).len(), 1);
}

#[test]
fn pieces_are_held_back_until_their_line_is_whole() {
    let journal = Journal::of(&[(OUT, "na"), (ERR, "name in between\n"), (OUT, "me? "), (OUT, "Bob\n"), (OUT, "x\n")]);
    let passed = journal.sift(&terms("q=name"), ALL);
    assert_eq!(text(&passed), "name in between\nname? Bob\n");
    let pieces: Vec<_> = passed[1..].iter().map(|piece| (piece.line, piece.continues, piece.open)).collect();
    assert_eq!(pieces, [(1, false, true), (1, true, true), (1, true, false)]);
    assert_eq!(text(&journal.sift(&terms("q=Bob$"), ALL)), "name? Bob\n");
    assert_eq!(text(&journal.sift(&terms("q=none"), ALL)), "");
}

#[test]
fn what_has_no_newline_at_the_end_is_judged_as_it_is() {
    let journal = Journal::of(&[(OUT, "a\nna"), (OUT, "me")]);
    assert_eq!(text(&journal.sift(&terms("q=name"), ALL)), "name");
}

#[test]
fn of_a_long_line_the_first_64_kib_decide() {
    let long = "x".repeat(HELD - 6);
    let journal = Journal::of(&[(OUT, &long), (OUT, "needle"), (OUT, "hay"), (OUT, &long), (OUT, "end\nx\n")]);
    assert_eq!(text(&journal.sift(&terms("q=needle"), ALL)).len(), 2 * long.len() + "needlehayend\n".len());
    assert_eq!(text(&journal.sift(&terms("q=hay"), ALL)), "");
    let mut sieve = Sieve::new(terms("q=hay"), ALL);
    for _ in 0..1000 {
        sieve.push(Chunk { line: 1, continues: true, ..journal.chunks[0].clone() });
        assert!(!matches!(&sieve.strands[0].open, Some(Open { fate: Fate::Held(_, bytes), .. }) if *bytes >= HELD));
    }
}

#[test]
fn a_line_that_others_leave_far_behind_is_judged_by_what_is_there() {
    let mut journal = Journal::of(&[(OUT, "name? ")]);
    (0..LOOK_BACK + 10).for_each(|_| journal.append(ERR, b"x\n"));
    journal.append(OUT, b"Bob");
    journal.append(OUT, b" Name\n");
    assert_eq!(text(&journal.sift(&terms("q=name"), ALL)), "name? ");
    assert_eq!(text(&journal.sift(&terms("q=Bob"), ALL)), "Bob");
}

#[test]
fn records_and_streams_and_text_are_all_asked_for() {
    let journal = Journal::of(&[
        (OUT, "INFO:app:one\n"),
        (ERR, "ERROR:app.db:two\n  three\n"),
        (OUT, "  four\n"),
        (Stream::System, "2 bytes were not kept\n"),
        (ERR, "five\n"),
    ]);
    for (query, passes) in [
        ("level=error", "ERROR:app.db:two\n  three\n2 bytes were not kept\n"),
        ("level=error&stream=stderr", "ERROR:app.db:two\n  three\n"),
        ("level=error&q=t%5Bhw%5D", "ERROR:app.db:two\n  three\n"),
        ("level=info&q=%5E%20", "  three\n  four\n"),
        ("logger=app", "INFO:app:one\nERROR:app.db:two\n  three\n  four\n2 bytes were not kept\n"),
        ("logger=app.db&level=warning", "ERROR:app.db:two\n  three\n2 bytes were not kept\n"),
        ("level=..notset", "2 bytes were not kept\nfive\n"),
        ("q=kept", "2 bytes were not kept\n"),
    ] {
        assert_eq!(text(&journal.sift(&terms(query), ALL)), passes, "{query}");
    }
    let as_text = Arc::new(Terms::of_query(&Query::parse("q=e").unwrap()).unwrap().seen_in(Wanted::Text));
    assert!(!text(&journal.sift(&as_text, ALL)).contains("kept"));
}

#[test]
fn what_x_finds_does_not_pass() {
    let journal =
        Journal::of(&[(OUT, "GET /health\nGET /basket\n"), (ERR, "POST /health\n"), (OUT, "\x1b[1mPUT\x1b[m /x\n")]);
    for (query, passes) in [
        ("x=health", "GET /basket\n\x1b[1mPUT\x1b[m /x\n"),
        ("x=%5EPUT%20/x$", "GET /health\nGET /basket\nPOST /health\n"),
        ("q=GET&x=health", "GET /basket\n"),
        ("x=GET|PUT&stream=stderr", "POST /health\n"),
    ] {
        assert_eq!(text(&journal.sift(&terms(query), ALL)), passes, "{query}");
    }
}

#[test]
fn a_span_leaves_out_what_is_before_behind_and_too_many() {
    let journal = Journal::of(&[(OUT, "a1\nb2\na3\na4\nb5\na6\n")]);
    let of = |span| text(&journal.sift(&terms("q=a"), span));
    assert_eq!(of(Span { from: 3, ..ALL }), "a3\na4\na6\n");
    assert_eq!(of(Span { to: 4, ..ALL }), "a1\na3\n");
    assert_eq!(of(Span { skip: 3, ..ALL }), "a6\n");
    assert_eq!(of(Span { after: Some(2), ..ALL }), "a3\na4\na6\n");
    assert_eq!(of(Span { after: Some(6), ..ALL }), "");
}
