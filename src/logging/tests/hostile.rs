use super::fixture::{bytes_of, folder};
use crate::logging::{Datagram, Frames, Likely, NoFrame, Reader, Wrong, datagram, read_pickle};
use crate::record::Entry;

const LONGEST: usize = 1 << 20;

/// What becomes of each frame of a stream, and how it ends: in an error, or with so many bytes left.
fn outcome(bytes: &[u8]) -> (Vec<Result<String, Wrong>>, Result<usize, NoFrame>) {
    let (mut frames, mut reader, mut all) = (Frames::new(LONGEST), Reader::new(), Vec::new());
    frames.buffer().extend_from_slice(bytes);
    loop {
        match frames.cut() {
            Ok(Some(frame)) => {
                all.push(read_pickle(&mut reader, frame).map(|entry| entry.text.into_owned()).map_err(|bad| bad.what))
            }
            Ok(None) => return (all, Ok(frames.unfinished())),
            Err(error) => {
                assert_eq!(frames.cut(), Err(error), "it does not get better");
                return (all, Err(error));
            }
        }
    }
}

#[test]
fn every_hostile_stream_is_survived_and_named() {
    let hi = || Ok("hi".to_owned());
    for (name, told) in [
        ("bad-int-text", vec![Err(Wrong::Malformed)]),
        ("bad-memo-get", vec![Err(Wrong::Forgotten(7))]),
        ("bad-opcode", vec![Err(Wrong::Unknown(0xFE))]),
        ("bad-then-good", vec![Err(Wrong::Unknown(0xFE)), hi()]),
        ("bad-utf8", vec![Err(Wrong::NoRecord)]),
        ("billion-laughs", vec![Err(Wrong::NoRecord)]),
        ("binpersid", vec![Err(Wrong::Outside(b'Q'))]),
        ("deep-nesting", vec![Err(Wrong::NoRecord)]),
        ("dup-doubling", vec![Err(Wrong::NoRecord)]),
        ("ext1", vec![Err(Wrong::Outside(0x82))]),
        ("huge-frame-claim", vec![Err(Wrong::NoRecord)]),
        ("huge-long4-claim", vec![Err(Wrong::Short)]),
        ("huge-memo-put", vec![Err(Wrong::NoRecord)]),
        ("huge-string-claim", vec![Err(Wrong::Short)]),
        ("huge-string8-claim", vec![Err(Wrong::Short)]),
        ("inst-system", vec![Err(Wrong::NoRecord)]),
        ("length-short-by-one", vec![Err(Wrong::Short)]),
        ("length-zero", vec![hi()]),
        ("long-100k-digits", vec![Err(Wrong::NoRecord)]),
        ("newobj", vec![Err(Wrong::NoRecord)]),
        ("next-buffer", vec![Err(Wrong::Outside(0x97))]),
        ("no-mark", vec![Err(Wrong::Underflow)]),
        ("no-stop", vec![Err(Wrong::Short)]),
        ("obj-system", vec![Err(Wrong::NoRecord)]),
        ("persid", vec![Err(Wrong::Outside(b'P'))]),
        ("protocol-99", vec![Err(Wrong::NoRecord)]),
        ("reduce-system", vec![Ok("posix.system('true')".to_owned())]),
        ("self-key", vec![Err(Wrong::NoRecord)]),
        ("shared-string-blowup", vec![Err(Wrong::NoRecord)]),
        ("stack-global", vec![Err(Wrong::NoRecord)]),
        ("stack-underflow", vec![Err(Wrong::Underflow)]),
        ("top-level-list", vec![Err(Wrong::NoRecord)]),
        ("top-level-none", vec![Err(Wrong::NoRecord)]),
        ("trailing-junk", vec![hi()]),
        ("truncated-mid-frame", vec![]),
        ("truncated-mid-prefix", vec![]),
    ] {
        let (frames, end) = outcome(&bytes_of(&format!("hostile/{name}.bin")));
        assert_eq!(frames, told, "{name}");
        let left = match name {
            "truncated-mid-frame" => 23,
            "truncated-mid-prefix" => 2,
            "length-short-by-one" => 1,
            _ => 0,
        };
        assert_eq!(end, Ok(left), "{name}");
    }
}

#[test]
fn a_stream_of_something_else_says_what_it_probably_is() {
    for (name, likely, words) in [
        ("http-to-socket-port", Likely::Http, "HTTP request"),
        ("tls-to-socket-port", Likely::Tls, "TLS connection"),
        ("length-4GiB", Likely::Unknown, "no stream of pickled records"),
    ] {
        let (frames, end) = outcome(&bytes_of(&format!("hostile/{name}.bin")));
        let error = end.unwrap_err();
        assert_eq!((frames.len(), error.likely()), (0, likely), "{name}");
        assert!(error.to_string().contains(words), "{error}");
        assert!(error.to_string().contains("1048576"), "{error}");
    }
}

#[test]
fn hostile_datagrams_are_told_apart() {
    let datagrams = folder("hostile").into_iter().filter(|fixture| fixture.name.contains("datagram-"));
    let kinds: Vec<_> = datagrams
        .map(|fixture| match datagram(&fixture.bytes) {
            Datagram::Cut { said, there } => format!("cut: {said}, {there}"),
            Datagram::Text(text) => String::from_utf8(text.to_vec()).unwrap(),
            Datagram::Bare(pickle) => read_pickle(&mut Reader::new(), pickle).unwrap().text.into_owned(),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(kinds, ["cut: 9999, 24", "just text\n", "hi"]);
}

/// The value of a pickle as the extra field of a record.
fn as_extra(pickle: &[u8]) -> Option<String> {
    let value = pickle.strip_suffix(b".").unwrap();
    let record = [b"}X\x03\0\0\0odd", value, b"s."].concat();
    let mut reader = Reader::new();
    let entry = read_pickle(&mut reader, &record).ok()?;
    let mut out = Vec::new();
    entry.write(&mut out);
    assert!(out.len() < 4 * (4 * record.len() + (1 << 16)), "{} bytes out of {}", out.len(), record.len());
    assert_eq!(Entry::read(&out).as_ref(), Some(&entry));
    entry.extra.first().map(|(_, value)| value.to_string())
}

#[test]
fn hostile_values_are_written_out_in_bounds() {
    let written = |name: &str| as_extra(&bytes_of(&format!("hostile/{name}.bin"))[4..]).unwrap();
    assert_eq!(written("self-key"), r#"["…"]"#);
    assert_eq!(written("obj-system"), r#""posix.system('true')""#);
    assert_eq!(written("inst-system"), r#""posix.system('true')""#);
    assert_eq!(written("stack-global"), r#""posix.system('true')""#);
    assert_eq!(written("long-100k-digits"), r#""<integer of 100000 digits>""#);
    assert_eq!(written("deep-nesting"), format!("{}\"…\"{}", "[".repeat(32), "]".repeat(32)));
    assert!(written("bad-utf8").contains('\u{FFFD}'));
    assert!(written("dup-doubling").ends_with("]"));
    assert!(written("billion-laughs").ends_with("]"));
    let blown = written("shared-string-blowup");
    assert!(blown.ends_with("\"…\"]") && blown.len() < 4 * 60_014 + (1 << 16) + 1024, "{} bytes", blown.len());
}
