use proptest::collection::vec;
use proptest::prelude::{Just, Strategy, any, prop_oneof};
use proptest::{prop_assert, prop_assert_eq, proptest};

use super::{Reader, Value, Wrong};
use crate::logging::read_pickle;
use crate::record::Entry;

/// The value that a program leaves, as the field of a dict.
fn value(program: &[u8]) -> Result<String, Wrong> {
    let pickle = [b"}U\x01a", program, b"s."].concat();
    let mut reader = Reader::new();
    let tree = reader.read(&pickle).map_err(|bad| bad.what)?;
    let (_, item) = tree.pairs().next().unwrap();
    Ok(match tree.value(item, &mut tree.budget()) {
        Value::None => "None".to_owned(),
        Value::Text(text) => text.into_owned(),
        Value::Int(number) => number.to_string(),
        Value::Float(number) => number.to_string(),
        Value::Json(json) => json.into_owned(),
    })
}

fn shown(program: &[u8]) -> String {
    value(program).unwrap()
}

#[test]
fn integers_have_no_bound() {
    assert_eq!(shown(b"L9223372036854775807L\n"), "9223372036854775807");
    assert_eq!(shown(b"L9223372036854775808L\n"), "9223372036854775808");
    assert_eq!(shown(b"I-00009223372036854775809\n"), "-9223372036854775809");
    assert_eq!(shown(b"\x8a\x00"), "0");
    assert_eq!(shown(b"\x8a\x01\xff"), "-1");
    assert_eq!(shown(b"\x8a\x09\0\0\0\0\0\0\0\x80\0"), "9223372036854775808");
    assert_eq!(shown(b"\x8a\x09\0\0\0\0\0\0\0\0\xff"), "-18446744073709551616");
    assert_eq!(shown(&[b"\x8a\xff", &[1; 255][..]].concat()), "\"<integer of 255 bytes>\"");
    assert_eq!(shown(format!("L{}L\n", "9".repeat(100)).as_bytes()), "9".repeat(100));
    assert_eq!(shown(format!("L{}L\n", "9".repeat(101)).as_bytes()), "\"<integer of 101 digits>\"");
    assert_eq!(shown(format!("L{}L\n", "0".repeat(101)).as_bytes()), "0");
    assert_eq!(value(b"L\n"), Err(Wrong::Malformed));
    assert_eq!(value(b"L1_0L\n"), Err(Wrong::Malformed));
}

#[test]
fn words_and_floats_of_old_protocols_are_read() {
    assert_eq!((&*shown(b"I01\n"), &*shown(b"I00\n"), &*shown(b"I1\n")), ("true", "false", "1"));
    assert_eq!((&*shown(b"F1.5\n"), &*shown(b"Finf\n"), &*shown(b"F-nan\n")), ("1.5", "inf", "NaN"));
    assert_eq!(value(b"Fone\n"), Err(Wrong::Malformed));
}

#[test]
fn texts_of_old_protocols_are_read_as_python_reads_them() {
    assert_eq!(shown(b"Va\\u0416\\U0001f600\\ud83d\\ude00\\\\u0041\\x\xe9\n"), "aЖ😀😀\\\\u0041\\xé");
    assert_eq!(shown(b"Vlone \\ud83d, cut \\u12\n"), "lone \u{FFFD}, cut \\u12");
    assert_eq!(shown(b"S'it\\'s \\xc3\\xa9\\n\\101\\q'\n"), "it's é\nA\\q");
    assert_eq!(shown(b"S'\\xe9'\n"), "é", "Latin-1 where it is not UTF-8");
    assert_eq!(value(b"S'open\n"), Err(Wrong::Malformed));
    assert_eq!(value(b"S'\n"), Err(Wrong::Malformed));
    assert_eq!(shown(b"X\x05\0\0\0a\xed\xb2\x80b"), "a\u{FFFD}b");
}

#[test]
fn the_stack_ends_at_the_last_mark() {
    assert_eq!(value(b"(0"), Err(Wrong::Underflow), "the mark went, and no value came");
    assert_eq!(value(b"K\x01(K\x020t\x86"), Ok("[1,[]]".to_owned()));
    assert_eq!(value(b"K\x01(\x85"), Err(Wrong::Underflow));
    assert_eq!(value(b"K\x01(1"), Ok("1".to_owned()));
    assert_eq!(value(b"](K\x01K\x02e"), Ok("[1,2]".to_owned()));
    assert_eq!(value(b"K\x01(K\x02e"), Err(Wrong::Kind));
    assert_eq!(value(b"}(K\x01u"), Err(Wrong::Underflow), "a key without a value");
}

#[test]
fn numbers_of_the_memory_may_have_gaps() {
    assert_eq!(shown(b"K\x07q\xff0h\xff"), "7");
    assert_eq!(shown(b"K\x07r\xff\xff\xff\xff0j\xff\xff\xff\xff"), "7");
    assert_eq!(shown(b"K\x05p3\n0K\x06\x940g3\nh\x01\x86"), "[5,6]", "MEMOIZE takes the count as number");
    assert_eq!(value(b"h\x09"), Err(Wrong::Forgotten(9)));
}

#[test]
fn objects_are_shown_and_never_made() {
    assert_eq!(shown(b"cposix\nsystem\n(S'rm'\ntR"), "\"posix.system('rm')\"");
    assert_eq!(shown(b"ca\nB\n)\x81}X\x01\0\0\0xK\x01sb"), "\"a.B(x=1)\"");
    assert_eq!(shown(b"ca\nB\n)\x81N}X\x01\0\0\0xNs\x86b"), "\"a.B(x=None)\"");
    assert_eq!(shown(b"ca\nB\n)}X\x01\0\0\0yI01\ns\x92"), "\"a.B(y=True)\"");
    assert_eq!(shown(b"ca\nB\n)\x81K\x01aK\x02K\x03s"), "\"a.B([1], {2: 3})\"");
    assert_eq!(shown(b"ca\nb\n)RK\x01\x85R"), "\"a.b()(1)\"");
    assert_eq!(shown(b"c__builtin__\nset\n(](K\x01etR"), "[1]");
    assert_eq!(shown(b"ccollections\nOrderedDict\n)RX\x01\0\0\0bK\x01s"), "{\"b\":1}");
    assert_eq!(shown(b"C\x04it's"), "\"b\\\"it's\\\"\"");
}

#[test]
fn times_are_shown_as_python_shows_them() {
    let zone =
        |seconds: &[u8]| [b"cdatetime\ntimezone\ncdatetime\ntimedelta\nK\x00", seconds, b"K\x00\x87R\x85R"].concat();
    let stamp = b"cdatetime\ndatetime\nC\x0a\x07\xe8\x82\x1d\x17;:\0\0\0";
    assert_eq!(shown(&[&stamp[..], b"\x85R"].concat()), "2024-02-29 23:59:58");
    assert_eq!(shown(&[&stamp[..], &zone(b"M\x08\x07"), b"\x86R"].concat()), "2024-02-29 23:59:58+00:30");
    assert_eq!(shown(b"cdatetime\ntime\nC\x06\x0c\0\x01\0\0\x07\x85R"), "12:00:01.000007");
    assert_eq!(shown(b"cdatetime\ntimedelta\nJ\xff\xff\xff\xffM\x7f\x51K\x05\x87R"), "-1 day, 5:47:43.000005");
}

#[test]
fn a_value_that_is_used_twice_is_no_circle() {
    assert_eq!(shown(b"]K\x01aq\x01h\x01\x86"), "[[1],[1]]");
    assert_eq!(shown(b"]q\x01h\x01a"), "[\"…\"]");
    assert_eq!(shown(b"}q\x01X\x01\0\0\0kh\x01s"), "{\"k\":\"…\"}");
}

/// All opcodes, with operands that make sense more often than chance would have it.
fn operation() -> impl Strategy<Value = Vec<u8>> {
    const ALONE: &[u8] = b"(.012NRabd}e]lo)tsu\x81\x85\x86\x87\x88\x89\x8f\x90\x91\x92\x93\x94\x94hhq";
    let names = [
        "ccopy_reg\n_reconstructor\n",
        "c_codecs\nencode\n",
        "cdatetime\ndatetime\n",
        "cdatetime\ntimezone\n",
        "cdatetime\ntimedelta\n",
        "cuuid\nUUID\n",
        "cpathlib\nPosixPath\n",
        "ccollections\nOrderedDict\n",
        "ccollections\ndeque\n",
        "c__builtin__\nset\n",
        "cx\nY\n",
        "S'a\\x41'\n",
        "Va\\u0041\n",
        "I7\n",
        "Llatin1L\n",
        "X\x06\0\0\0latin1",
        "X\x03\0\0\0int",
        "X\x03\0\0\0msg",
        "F1.5\n",
        "L123456789012345678901234567890L\n",
    ];
    let texts =
        vec(any::<u8>(), 0..12).prop_map(|text| [&[b'U', u8::try_from(text.len()).unwrap()][..], &text].concat());
    prop_oneof![
        4 => (0..ALONE.len()).prop_map(|at| vec![ALONE[at]]),
        4 => (0..names.len()).prop_map(move |at| names[at].as_bytes().to_vec()),
        2 => (0..4u8).prop_map(|number| vec![b'q', number]),
        2 => (0..4u8).prop_map(|number| vec![b'h', number]),
        1 => any::<u8>().prop_map(|number| vec![b'K', number]),
        2 => texts,
        1 => vec(any::<u8>(), 1..4),
        1 => Just(b"C\x0a\x07\xe8\x02\x1d\x17;:\x01\xe2@".to_vec()),
    ]
}

/// No more memory than the frame's length allows, and a line whatever is in it.
fn check(frame: &[u8]) -> Result<(), proptest::test_runner::TestCaseError> {
    let mut reader = Reader::new();
    let entry = read_pickle(&mut reader, frame).ok();
    prop_assert!(reader.arena.nodes.len() <= 4 * frame.len() && reader.arena.links.len() <= 2 * frame.len());
    prop_assert!(reader.stack.len() <= 2 * frame.len() && reader.memo.dense.len() <= frame.len() + 1);
    if let Some(entry) = entry {
        let mut out = Vec::new();
        entry.write(&mut out);
        prop_assert!(out.len() <= 8 * (4 * frame.len() + (1 << 16)));
        prop_assert_eq!(out.iter().filter(|byte| **byte < b' ').count(), 1);
        prop_assert_eq!(Entry::read(&out), Some(entry));
    }
    Ok(())
}

proptest! {
    #[test]
    fn any_bytes_are_survived(frame in vec(any::<u8>(), 0..300)) {
        check(&frame)?;
    }

    #[test]
    fn any_program_is_survived(operations in vec(operation(), 0..60)) {
        let program = operations.concat();
        check(&program)?;
        check(&[b"}X\x03\0\0\0odd", &program[..], b"s."].concat())?;
        check(&[b"}(X\x03\0\0\0odd", &program[..], b"u."].concat())?;
    }
}
