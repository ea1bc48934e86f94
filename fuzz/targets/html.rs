//! The views: a job's bytes, cut anywhere, in any order of streams. Whatever they are, the page stays balanced, lets no
//! control character through and loses no line, and the other formats carry the same bytes.
#![no_main]

use std::time::Duration;

use bytes::Bytes;
use jiff::Timestamp;
use joblines::cli::client::{Event, Events};
use joblines::record::{Chunk, End, Outcome, RunId, Start, State, Stream};
use joblines::views::{Format, Frames, Options, View};
use libfuzzer_sys::fuzz_target;

/// Chunks as a journal would number them: each portion's first byte says its stream and its length.
fn chunks(mut input: &[u8]) -> Vec<Chunk> {
    let (mut chunks, mut next, mut open) = (Vec::new(), 1, [None; 3]);
    while let Some((&head, rest)) = input.split_first() {
        let which = usize::from(head % 3);
        let stream = [Stream::Stdout, Stream::Stderr, Stream::System][which];
        let (mut bytes, after) = rest.split_at(rest.len().min(usize::from(head / 3) + 1));
        input = after;
        while !bytes.is_empty() {
            let newlines = || memchr(bytes);
            let (length, line, continues) = match open[which] {
                Some(line) => (newlines().next().map_or(bytes.len(), |at| at + 1), line, true),
                None => (newlines().last().map_or(bytes.len(), |at| at + 1), next, false),
            };
            let (piece, left) = bytes.split_at(length);
            let is_open = !piece.ends_with(b"\n");
            if !continues {
                next += piece.iter().filter(|byte| **byte == b'\n').count() as u64 + u64::from(is_open);
            }
            open[which] = is_open.then_some(line);
            let (time, bytes_of) = (Timestamp::UNIX_EPOCH, Bytes::copy_from_slice(piece));
            chunks.push(Chunk { line, time, stream, continues, open: is_open, bytes: bytes_of });
            bytes = left;
        }
    }
    chunks
}

fn memchr(bytes: &[u8]) -> impl Iterator<Item = usize> {
    bytes.iter().enumerate().filter(|(_, byte)| **byte == b'\n').map(|(at, _)| at)
}

fn render(format: Format, time: bool, chunks: &[Chunk]) -> Vec<u8> {
    let (run, job, started) = (RunId::from_bytes([7; 16]), "fuzz".to_owned(), Timestamp::UNIX_EPOCH);
    let lines = chunks.iter().map(|chunk| chunk.line).max().unwrap_or_default();
    let end = End {
        state: State::Failed,
        outcome: Outcome::Exited(3),
        ended: started,
        duration: Duration::ZERO,
        usage: None,
        lines,
        bytes: 0,
        bytes_not_kept: 0,
    };
    let (mut view, mut out) = (View::new(format, Options { time, ..Options::default() }), Frames::default());
    view.start(&Start { run, job, state: State::Running, started }, 1, &mut out);
    for chunk in chunks {
        view.chunk(chunk, &mut out);
    }
    view.end(&end, &mut out);
    out.take().as_slice().concat()
}

/// Fails where an end tag does not match, or where something is left open.
fn check_balance(rows: &str) {
    let (mut open, mut rest) = (Vec::new(), rows);
    while let Some((_, after)) = rest.split_once('<') {
        if let Some(comment) = after.strip_prefix("!--") {
            rest = comment.split_once("-->").expect("a comment has an end").1;
            continue;
        }
        let (tag, after) = after.split_once('>').expect("a tag has an end");
        rest = after;
        match tag.strip_prefix('/') {
            Some(name) => assert_eq!(open.pop(), Some(name), "{rows}"),
            None if tag == "wbr" => {}
            None => open.push(tag.split(' ').next().expect("a split has a first part")),
        }
    }
    assert!(open.is_empty(), "left open: {open:?} in {rows}");
}

fn check_html(page: &[u8]) {
    let page = std::str::from_utf8(page).expect("a page is UTF-8");
    let raw = page.chars().find(|c| c.is_control() && *c != '\n' && *c != '\t');
    assert_eq!(raw, None, "a control character in {page:?}");
    let (_, rest) = page.split_once("<pre id=\"lines\">").expect("lines have a beginning");
    let (rows, rest) = rest.split_once("</pre>").expect("lines have an end");
    assert!(rest.starts_with("<footer id=\"end\""), "the footer follows: {rest}");
    assert!(!rows.contains("<script"), "{rows}");
    check_balance(rows);
}

fn check_ndjson(stream: &[u8], chunks: &[Chunk]) {
    let mut events = Events::default();
    events.push(stream);
    let mut bytes = Vec::new();
    while let Some(event) = events.take().expect("our own events can be read") {
        if let Event::Line(text) = event {
            bytes.extend(text.bytes);
            bytes.extend((!text.is_partial).then_some(b'\n'));
        }
    }
    let printed: Vec<u8> = chunks.iter().flat_map(|chunk| chunk.bytes.to_vec()).collect();
    assert_eq!(bytes, printed);
}

fuzz_target!(|input: &[u8]| {
    let chunks = chunks(input);
    for time in [false, true] {
        check_html(&render(Format::Html, time, &chunks));
        render(Format::Text, time, &chunks);
    }
    let of_job = chunks.iter().filter(|chunk| chunk.stream != Stream::System);
    let printed: Vec<u8> = of_job.flat_map(|chunk| chunk.bytes.to_vec()).collect();
    assert_eq!(render(Format::Text, false, &chunks), printed);
    check_ndjson(&render(Format::Ndjson, false, &chunks), &chunks);
    let events = render(Format::Sse, false, &chunks);
    let events = std::str::from_utf8(&events).expect("events are UTF-8");
    assert!(!events.contains('\r'));
    let known = ["event: ", "id: ", "data: ", ":"];
    assert!(
        events.lines().all(|line| line.is_empty() || known.iter().any(|field| line.starts_with(field))),
        "{events}"
    );
});
