//! What JSON must keep: every byte, and parsers' peace of mind.

use base64::Engine as _;
use bytes::Bytes;
use proptest::prelude::*;
use serde_json::Value;

use super::*;
use crate::record::{End, Outcome, Stream};
use crate::views::tests::{chunk, end, more, taken};
use crate::views::{Format, Frames, Options, View};

fn ndjson(chunks: &[Chunk]) -> Vec<Value> {
    let mut view = View::new(Format::Ndjson, Options::default());
    let mut out = Frames::default();
    for chunk in chunks {
        view.chunk(chunk, &mut out);
    }
    taken(&mut out).lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn bytes_of(object: &Value) -> Vec<u8> {
    match object.get("base64") {
        Some(base64) => STANDARD.decode(base64.as_str().unwrap()).unwrap(),
        None => object["text"].as_str().unwrap().as_bytes().to_vec(),
    }
}

#[test]
fn control_characters_and_reordering_ones_are_escaped() {
    let mut out = BytesMut::new();
    text("a\"b\\c\td\re\x1b[m\0\x7f\u{9b}\u{202e}é─".as_bytes(), &mut out);
    let expected = r#"a\"b\\c\td\re\u001b[m\u0000\u007f\u009b\u202eé─"#;
    assert_eq!(out, expected.as_bytes());
}

#[test]
fn bytes_that_are_no_text_come_along_in_base64() {
    let objects = ndjson(&[chunk(1, Stream::Stdout, b"caf\xe9\nok\n")]);
    assert_eq!(objects[0]["text"], "caf\u{FFFD}");
    assert_eq!(bytes_of(&objects[0]), b"caf\xe9");
    assert!(objects[1].get("base64").is_none());
}

#[test]
fn pieces_of_a_line_share_its_number_and_only_the_last_is_not_partial() {
    let pieces = [
        chunk(7, Stream::Stdout, b"a"),
        more(7, Stream::Stdout, b"\xe2\x82"),
        chunk(8, Stream::Stderr, b"x\n"),
        more(7, Stream::Stdout, b"\xac\n"),
    ];
    let objects = ndjson(&pieces);
    let seen: Vec<_> =
        objects.iter().map(|object| (object["seq"].as_u64().unwrap(), object.get("partial").is_some())).collect();
    assert_eq!(seen, [(7, true), (7, true), (8, false), (7, false)]);
    assert_eq!(bytes_of(&objects[1]), b"\xe2\x82");
    assert_eq!(bytes_of(&objects[3]), b"\xac");
}

#[test]
fn the_end_has_null_for_what_nobody_knows() {
    let killed = End { outcome: Outcome::Signalled(9), usage: None, ..end() };
    let record = serde_json::to_value(end_record(&killed)).unwrap();
    assert_eq!((&record["signal"], &record["signal_name"]), (&9.into(), &"SIGKILL".into()));
    assert!(record["exit_code"].is_null() && record["cpu_user_ms"].is_null() && record["max_rss_bytes"].is_null());
}

proptest! {
    #[test]
    fn any_bytes_cut_anywhere_come_back_exactly(
        line in prop::collection::vec(prop_oneof![any::<u8>(), Just(b'"'), Just(b'\\'), Just(0xE2), Just(b'a')], 1..200),
        cut in any::<prop::sample::Index>(),
    ) {
        let line: Vec<u8> = line.into_iter().filter(|&byte| byte != b'\n').collect();
        let (one, two) = line.split_at(cut.index(line.len() + 1));
        let mut chunks = Vec::new();
        if !one.is_empty() {
            chunks.push(Chunk { open: true, ..chunk(1, Stream::Stderr, one) });
        }
        let rest = Bytes::from([two, b"\n"].concat());
        chunks.push(Chunk { bytes: rest, continues: !one.is_empty(), open: false, ..chunk(1, Stream::Stderr, b"\n") });
        let objects = ndjson(&chunks);
        let back: Vec<u8> = objects.iter().flat_map(bytes_of).collect();
        prop_assert_eq!(back, line);
        for (object, chunk) in objects.iter().zip(&chunks) {
            let body = chunk.bytes.strip_suffix(b"\n").unwrap_or(&chunk.bytes);
            prop_assert_eq!(object["text"].as_str().unwrap(), &*String::from_utf8_lossy(body));
        }
    }

    #[test]
    fn whole_lines_come_back_exactly(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let bytes = [&bytes[..], b"\n"].concat();
        let chunk = chunk(998, Stream::Stdout, &bytes);
        let objects = ndjson(std::slice::from_ref(&chunk));
        let expected: Vec<_> = chunk.lines().map(|(seq, line)| (seq, line.to_vec())).collect();
        let found: Vec<_> = objects.iter().map(|object| (object["seq"].as_u64().unwrap(), bytes_of(object))).collect();
        prop_assert_eq!(found, expected);
    }
}
