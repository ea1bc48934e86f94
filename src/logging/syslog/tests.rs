//! Streams of syslog cut at every place, and what messages of each kind say.

use std::fs;
use std::path::{Path, PathBuf};

use bytes::{Bytes, BytesMut};
use proptest::prelude::{Just, Strategy, any, prop, prop_oneof, proptest};

use super::{Framer, read_syslog, read_syslog_datagram};
use crate::record::{Entry, Level};

const LONGEST: usize = 64 * 1024;

/// The messages of a connection that brings these pieces and then ends.
fn cut(pieces: &[&[u8]], longest: usize) -> Vec<Bytes> {
    let (mut framer, mut buffer, mut messages) = (Framer::new(longest), BytesMut::new(), Vec::new());
    for piece in pieces {
        buffer.extend_from_slice(piece);
        messages.extend(std::iter::from_fn(|| framer.cut(&mut buffer)));
        assert!(buffer.len() <= longest + 20, "{} bytes wait", buffer.len());
    }
    messages.extend(std::iter::from_fn(|| framer.finish(&mut buffer)));
    assert!(buffer.is_empty(), "{buffer:?} is left");
    messages
}

/// The same, after it was made sure that the pieces do not matter.
fn cut_anyhow(stream: &[u8]) -> Vec<Bytes> {
    let whole = cut(&[stream], LONGEST);
    for at in 0..=stream.len() {
        assert_eq!(cut(&[&stream[..at], &stream[at..]], LONGEST), whole, "cut at {at}");
    }
    let bytes: Vec<&[u8]> = stream.chunks(1).collect();
    assert_eq!(cut(&bytes, LONGEST), whole, "byte by byte");
    whole
}

fn texts(messages: &[Bytes]) -> Vec<&str> {
    messages.iter().map(|message| std::str::from_utf8(message).unwrap()).collect()
}

fn fixtures(handler: &str) -> Vec<(String, Vec<u8>, serde_json::Value)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/python-logging/py3.11").join(handler);
    let paths = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut paths: Vec<PathBuf> = paths.filter(|path| path.extension().is_some_and(|kind| kind == "bin")).collect();
    paths.sort();
    let read = |path: PathBuf| {
        let said = serde_json::from_slice(&fs::read(path.with_extension("json")).unwrap()).unwrap();
        (path.file_stem().unwrap().to_string_lossy().into_owned(), fs::read(&path).unwrap(), said)
    };
    paths.into_iter().map(read).collect()
}

fn messages(said: &serde_json::Value) -> Vec<&str> {
    said["messages"].as_array().unwrap().iter().filter_map(serde_json::Value::as_str).collect()
}

#[test]
fn streams_of_python_are_cut_into_its_messages_however_they_arrive() {
    for handler in ["syslog-tcp", "syslog-unix-stream"] {
        let fixtures = fixtures(handler);
        assert_eq!(fixtures.len(), 12, "{handler}");
        for (case, stream, said) in fixtures {
            let cut = cut_anyhow(&stream);
            let read: Vec<_> = cut.iter().map(|message| read_syslog(message).text.into_owned()).collect();
            match case.as_str() {
                // Python ends a message where one has a NUL in it
                "nul-inside" => assert_eq!(read, ["before", "after\u{7}bell"]),
                // Python could not send it
                "surrogate" => assert_eq!(read, [""; 0]),
                // a line of text goes before, or lines go behind
                "formatted" | "ident-no-nul" | "exception" => {
                    assert_eq!(read.len(), messages(&said).len(), "{handler}/{case}");
                    let all = read.iter().zip(messages(&said)).all(|(read, message)| read.contains(message));
                    assert!(all, "{handler}/{case}: {read:?}");
                }
                _ => assert_eq!(read, messages(&said), "{handler}/{case}"),
            }
        }
    }
}

#[test]
fn datagrams_of_python_give_their_text_and_level() {
    for handler in ["syslog-udp", "syslog-unix-dgram"] {
        let fixtures = fixtures(handler);
        assert_eq!(fixtures.len(), 28, "{handler}");
        for (case, datagram, said) in fixtures.iter().filter(|(case, ..)| case != "surrogate") {
            let sent = said["text"].as_str().unwrap();
            let (priority, text) = sent[1..].split_once('>').unwrap();
            let entry = read_syslog_datagram(datagram);
            assert_eq!(entry.text, text.strip_suffix('\0').unwrap_or(text), "{handler}/{case}");
            let severity = priority.parse::<i32>().unwrap() % 8;
            assert_eq!(entry.level, Level::of_severity(severity), "{handler}/{case}");
            assert!(entry.text.contains(messages(said)[0]), "{handler}/{case}");
        }
    }
    let levels = fixtures("syslog-udp").into_iter().filter(|(case, ..)| case.starts_with("levels"));
    let levels: Vec<_> = levels.map(|(_, datagram, _)| read_syslog(&datagram).level.unwrap().number()).collect();
    assert_eq!(levels, [30, 10, 20, 30, 30, 30, 40, 50, 30], "5, 25, 33 and 70 come as warnings");
}

#[test]
fn what_comes_first_says_how_messages_end() {
    for (stream, messages) in [
        (&b"5 <1>ab7 <2>c\nde\n"[..], &["<1>ab", "<2>c\nde"][..]),
        (b"5 <1>ab\n5 <1>cd\n", &["<1>ab", "<1>cd"]),
        (b"5 <1>ab3 abc", &["<1>ab", "abc"]),
        (b"<1>a\nb\0<1>c\0", &["<1>a\nb", "<1>c"]),
        (b"<1>a\n<2>b\nc\n", &["<1>a", "<2>b", "c"]),
        (b"<1>a\r\n<2>b\r\n", &["<1>a", "<2>b"]),
        (b"<1>a\n<2>b\n<3>c\0<4>d\ne\0", &["<1>a", "<2>b", "<3>c", "<4>d\ne"]),
        (b"plain\nlines\n\nof text", &["plain", "lines", "of text"]),
        (b"12 monkeys\n13 more\n", &["12 monkeys", "13 more"]),
        (b"<1>a<2>b<999>c<04>", &["<1>a", "<2>b<999>c<04>"]),
        (b"<1>a<2>b\0<3>c<4>d\0", &["<1>a<2>b", "<3>c<4>d"]),
        (b"\0\0<1>a\0\0", &["<1>a"]),
        (b"5 <1>abx\ny\n", &["<1>ab", "x", "y"]),
        (b"9 <1>ab", &["<1>ab"]),
        (b"<1>last line\n", &["<1>last line"]),
        (b"<1>", &["<1>"]),
        (b"<", &["<"]),
        (b"77", &["77"]),
        (b"", &[]),
    ] {
        let cut = cut_anyhow(stream);
        assert_eq!(texts(&cut), messages, "{:?}", String::from_utf8_lossy(stream));
    }
}

/// What a connection has brought when it falls quiet behind each of these pieces.
fn settled(pieces: &[&[u8]]) -> Vec<Vec<Bytes>> {
    let (mut framer, mut buffer) = (Framer::new(LONGEST), BytesMut::new());
    let mut settle = |piece: &&[u8]| {
        buffer.extend_from_slice(piece);
        std::iter::from_fn(|| framer.settle(&mut buffer)).collect()
    };
    pieces.iter().map(&mut settle).collect()
}

#[test]
fn a_first_message_does_not_wait_for_a_second_one() {
    let found = settled(&[b"<1>one\n", b"<1>two\n<1>th", b"ree\n"]);
    assert_eq!(found, [vec!["<1>one"], vec!["<1>two"], vec!["<1>three"]]);
    let found = settled(&[b"<1>one\nmore", b"<1>two<1>three", b"<1>four\n<1>five"]);
    assert_eq!(found, [vec!["<1>one\nmore"], vec!["<1>two", "<1>three"], vec!["<1>four", "<1>five"]]);
    let found = settled(&[b"<1>ha", b"lf\0<1>a\nb\0<1>c", b"\0"]);
    assert_eq!(found, [vec!["<1>ha"], vec!["lf", "<1>a\nb"], vec!["<1>c"]], "a NUL wins at any time");
    let found = settled(&[b"", b"5 <1", b">ab"]);
    assert_eq!(found, [vec![], vec![], vec!["<1>ab"]], "a count is waited for");
}

#[test]
fn a_message_that_is_too_long_comes_in_pieces() {
    let cut = |stream: &[u8]| {
        let whole = cut(&[stream], 8);
        let bytes: Vec<&[u8]> = stream.chunks(1).collect();
        assert_eq!(super::tests::cut(&bytes, 8), whole);
        texts(&whole).into_iter().map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(cut(b"<1>abcdefghijklmnop\0<1>x\0"), ["<1>abcde", "fghijklm", "nop", "<1>x"]);
    assert_eq!(cut("<1>abcdéf\0".as_bytes()), ["<1>abcd", "éf"], "between two characters");
    assert_eq!(cut(b"20 <1>abcdefghijklmnopq5 <1>xy"), ["<1>abcde", "fghijklm", "nopq", "<1>xy"]);
    assert_eq!(cut(b"<1>a\nbcdefghi\nj\0<1>k\0"), ["<1>a\nbcd", "efghi\nj", "<1>k"], "still undecided");
    assert_eq!(cut(b"<1>abcde\n<1>fghij\n"), ["<1>abcde", "<1>fghij"], "exactly the bound");
}

/// Every field that is set but the text and the level, in one line.
fn fields(entry: &Entry<'_>) -> String {
    let mut out = Vec::new();
    let plain = Entry { level: None, level_name: None, text: "".into(), ..entry.clone() };
    plain.write(&mut out);
    String::from_utf8(out).unwrap().trim_end().replace(r#"{"text":"","record":"#, "")
}

#[test]
fn heads_of_rfc_5424_are_read() {
    let message = "<165>1 2026-10-11T22:14:15.003000Z host.example.com evntslog 123 ID47 \
        [exampleSDID@32473 iut=\"3\" eventSource=\"Appli\\\"ca\\]t\\ion\\\\\"][b@1 x=\"1\" x=\"2\"] \u{feff}An event\nof two lines";
    let entry = read_syslog(message.as_bytes());
    assert_eq!(entry.text, "An event\nof two lines");
    assert_eq!((entry.level, entry.level_name.as_deref()), (Some(Level::NOTICE), Some("notice")));
    assert_eq!(entry.logger.as_deref(), Some("evntslog"));
    assert_eq!((entry.host.as_deref(), entry.pid), (Some("host.example.com"), Some(123)));
    assert_eq!(entry.time, Some(1_791_756_855_003_000));
    let extra: Vec<_> = entry.extra.iter().map(|(name, value)| (&**name, &**value)).collect();
    let expected = [
        ("facility", r#""local4""#),
        ("msgid", r#""ID47""#),
        ("exampleSDID@32473", r#"{"eventSource":"Appli\"ca]t\\ion\\","iut":"3"}"#),
        ("b@1", r#"{"x":["1","2"]}"#),
    ];
    assert_eq!(extra, expected);
    let bare = read_syslog(b"<34>1 - - - - - -");
    assert_eq!((&*bare.text, fields(&bare).as_str()), ("", r#"{"extra":{"facility":"auth"}}}"#));
    assert_eq!(read_syslog(b"<34>1 - - - x-1 - - a").extra[1].1, "\"x-1\"", "a process that is no number");
}

#[test]
fn heads_of_rfc_3164_are_read() {
    let year = r#""extra":{"facility":"auth","timestamp":"Oct 11 22:14:15"}}}"#;
    for (message, text, expected) in [
        ("<34>Oct 11 22:14:15 mymachine su: 'su root' failed", "'su root' failed", r#""host":"mymachine","#),
        ("<34>Oct 11 22:14:15 su[12]: failed\n", "failed", r#""pid":12,"#),
        ("<34>Oct 11 22:14:15 fe80::1 su[12]: failed", "failed", r#""host":"fe80::1","pid":12,"#),
        ("<34>Oct 11 22:14:15 host no tag here", "no tag here", r#""host":"host","#),
        ("<34>Oct 11 22:14:15 (odd) text", "(odd) text", ""),
    ] {
        let entry = read_syslog(message.as_bytes());
        assert_eq!(entry.text, text, "{message}");
        assert_eq!(entry.logger.as_deref(), message.contains("su").then_some("su"), "{message}");
        let fields = fields(&Entry { logger: None, ..entry });
        assert_eq!(fields, format!("{{{expected}{year}"), "{message}");
    }
    let entry = read_syslog(b"<13>2026-11-21T12:00:00.5+01:00 web1 app.worker[7]: done");
    assert_eq!((&*entry.text, entry.time, entry.pid), ("done", Some(1_795_258_800_500_000), Some(7)));
    assert_eq!((entry.host.as_deref(), entry.logger.as_deref()), (Some("web1"), Some("app.worker")));
}

#[test]
fn a_text_without_a_head_stays_whole() {
    for (message, text, level) in [
        ("<14>", "", Some(20)),
        ("<14>hello", "hello", Some(20)),
        ("<191>1 2 3 4 5 6 7", "1 2 3 4 5 6 7", Some(10)),
        ("<192>hello", "<192>hello", None),
        ("<014>hello", "<014>hello", None),
        ("<>hello", "<>hello", None),
        ("<1", "<1", None),
        ("hello\0", "hello", None),
        ("", "", None),
        ("\u{feff}<14>x", "<14>x", None),
        ("<14>1 - - - - - [open x=\"1\" text", "1 - - - - - [open x=\"1\" text", Some(20)),
        ("<14>1 yesterday - - - - - text", "1 yesterday - - - - - text", Some(20)),
        ("<14>Oct 11 22:14:1x su: a", "Oct 11 22:14:1x su: a", Some(20)),
        ("<14>Oct 11 22:14:15", "Oct 11 22:14:15", Some(20)),
    ] {
        let entry = read_syslog(message.as_bytes());
        assert_eq!((&*entry.text, entry.level.map(Level::number)), (text, level), "{message}");
    }
    assert_eq!(read_syslog(b"<14>caf\xe9").text, "caf\u{fffd}");
    assert_eq!(read_syslog(b"<12>WARNING:app.db:late").logger.as_deref(), Some("app.db"));
}

/// A message without a separator in it, behind a `<PRI>`.
fn message() -> impl Strategy<Value = String> {
    (0..192_u8, "[a-z <>0-9é]{0,20}").prop_map(|(priority, text)| format!("<{priority}>{text}"))
}

#[test]
fn the_newline_that_ends_a_datagram_is_none_of_its_text_whatever_head_it_has() {
    for (message, text) in [
        ("<11>aa\n", "aa"),
        ("<11>aa\n\0", "aa\n"),
        ("<11>a\na\n\n", "a\na\n"),
        ("<34>Oct 11 22:14:15 su: failed\n\n", "failed\n"),
        ("aa\n", "aa"),
        ("<34>Oct 11 22:14:15 su: failed\n", "failed"),
        ("<34>1 2026-11-21T12:00:00Z - - - - - failed\n\0", "failed"),
        ("<11>\n", ""),
        ("\n", ""),
    ] {
        assert_eq!(read_syslog_datagram(message.as_bytes()).text, text, "{message:?}");
    }
}

proptest! {
    #[test]
    fn every_framing_gives_the_messages_back(
        messages in prop::collection::vec(message(), 1..8),
        at in prop::collection::vec(any::<prop::sample::Index>(), 0..4),
    ) {
        let counted: String = messages.iter().map(|message| format!("{} {message}", message.len())).collect();
        let nul: String = messages.iter().map(|message| format!("{message}\0")).collect();
        let lines: String = messages.iter().map(|message| format!("{message}\n")).collect();
        for stream in [counted, nul, lines] {
            let mut places: Vec<_> = at.iter().map(|at| at.index(stream.len() + 1)).chain([0, stream.len()]).collect();
            places.sort_unstable();
            let pieces: Vec<_> = places.windows(2).map(|ends| &stream.as_bytes()[ends[0]..ends[1]]).collect();
            assert_eq!(cut(&pieces, LONGEST), messages);
        }
    }

    #[test]
    fn no_byte_is_lost_and_no_cut_matters(
        stream in prop::collection::vec(
            prop_oneof![
                Just(b"<14>".to_vec()), Just(b"\0".to_vec()), Just(b"\n".to_vec()), Just(b"12 <".to_vec()), Just(b"x".to_vec()),
                prop::collection::vec(any::<u8>(), 1..4),
            ],
            0..24,
        ),
        longest in 1..40_usize,
        at in any::<prop::sample::Index>(),
    ) {
        let stream = stream.concat();
        let whole = cut(&[&stream], longest);
        let bytes: Vec<&[u8]> = stream.chunks(1).collect();
        assert_eq!(cut(&bytes, longest), whole);
        let (left, right) = stream.split_at(at.index(stream.len() + 1));
        assert_eq!(cut(&[left, right], longest), whole);
        let text = |bytes: &[u8]| bytes.iter().filter(|byte| !b"\0\r\n 0123456789".contains(byte)).copied().collect::<Vec<_>>();
        assert_eq!(text(&whole.concat()), text(&stream), "but for counts and separators");
        for message in &whole {
            let mut line = Vec::new();
            read_syslog(message).write(&mut line);
            assert_eq!(Entry::read(&line), Some(read_syslog(message)));
        }
    }

    #[test]
    fn any_message_is_a_record(message in r#"<14>(1 |Oct 11 22:14:15 )?([-a-z:\[\]="\\0-9é]{1,8} ?){0,9}"#) {
        let entry = read_syslog(message.as_bytes());
        let mut line = Vec::new();
        entry.write(&mut line);
        assert_eq!(Entry::read(&line), Some(entry));
    }
}
