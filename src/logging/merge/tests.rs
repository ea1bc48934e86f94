//! Merging, judged by what Python itself made of two thousand formats, and by properties of texts at random.

use proptest::prelude::{any, prop, proptest};
use serde::Deserialize;

use super::{LONGEST, merge_json, merge_repr, quote};

/// Made by Python: see `make_cases.py` beside it.
const CASES: &str = include_str!("../../../tests/fixtures/merge/cases.json");

#[derive(Deserialize, Debug)]
struct Case {
    msg: String,
    args: String,
    merged: Option<String>,
    json: Option<String>,
    merged_json: Option<String>,
}

fn cases() -> Vec<Case> {
    serde_json::from_str(CASES).unwrap()
}

/// What is known to differ: widths and precisions beyond all sense, and octal or hexadecimal numbers of over 128 bits.
fn is_given_up(case: &Case) -> bool {
    let is_huge = case.args.split(|c: char| !c.is_ascii_digit()).any(|digits| digits.len() > 38);
    is_huge && case.msg.contains(['x', 'X', 'o', '*'])
}

#[test]
fn every_format_gives_what_python_gives() {
    let (mut wrong, mut given_up) = (Vec::new(), 0);
    for case in cases() {
        let got = merge_repr(&case.msg, &case.args);
        match got.as_deref() == case.merged.as_deref() {
            true => {}
            false if is_given_up(&case) && got.is_none() => given_up += 1,
            false => wrong.push(format!("{case:?}\n  got {got:?}")),
        }
    }
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
    assert!(given_up < 40, "{given_up}");
}

#[test]
fn the_same_arguments_as_json_give_the_same() {
    let mut wrong = Vec::new();
    for case in cases() {
        let Some(json) = case.json.as_deref().filter(|_| !is_given_up(&case)) else { continue };
        let got = merge_json(&case.msg, json);
        if got.as_deref() != case.merged_json.as_deref() {
            wrong.push(format!("{case:?}\n  got {got:?}"));
        }
    }
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn without_arguments_the_message_is_literal() {
    for args in ["()", "{}", "[]", "None", "", " "] {
        assert_eq!(merge_repr("100% done %s", args).as_deref(), Some("100% done %s"));
    }
    for args in ["[]", "{}", "null", " [ ] "] {
        assert_eq!(merge_json("100% done %s", args).as_deref(), Some("100% done %s"));
    }
}

#[test]
fn what_does_not_fit_is_not_merged() {
    for (msg, args) in [
        ("no placeholder", "(1, 'two')"),
        ("%s", "('a', 'b')"),
        ("%s %s", "('a',)"),
        ("%d", "('3',)"),
        ("%s", "('a'"),
        ("%s", "('a)"),
        ("%s", "(<Widget it's>,)"),
        ("%(x)s", "('a',)"),
        ("%(x)s", "{'y': 1}"),
        ("%s", "1, 2"),
        ("%s", "('\\xz1',)"),
    ] {
        let got = merge_repr(msg, args);
        assert!(got.is_none() || got.as_deref() == Some("'\\xz1'"), "{msg} {args}: {got:?}");
    }
    for args in ["[1", "nan", "[NaN]", "x", ""] {
        assert_eq!(merge_json("%s", args), None, "{args}");
    }
}

#[test]
fn reprs_of_python_2_and_of_objects_are_read() {
    for (msg, args, merged) in [
        ("%s|%s", r"('h\xc3\xa9llo', u'h\xe9')", "héllo|hé"),
        ("%s", r"(u'\xc3\xa9',)", "Ã©"),
        ("%s", r"('\xff\xfe',)", "ÿþ"),
        ("%s", r"(u'\ud83d\ude80!\ud83d',)", "🚀!\u{fffd}"),
        ("%s %d %x", "(12L, 34L, 255L)", "12 34 ff"),
        ("%s", "(<function <lambda> at 0x7f>,)", "<function <lambda> at 0x7f>"),
        ("%s %s", "(<A a -> b, c>, 1)", "<A a -> b, c> 1"),
        ("%s", "(ValueError('a, b'),)", "ValueError('a, b')"),
        ("%s", "(b'x',)", "b'x'"),
        ("%r", "(u'x',)", "u'x'"),
        ("%(a)s", "{'a': <X b: c>}", "<X b: c>"),
        ("%s", "[1, 2]", "[1, 2]"),
    ] {
        assert_eq!(merge_repr(msg, args).as_deref(), Some(merged), "{msg} {args}");
    }
}

#[test]
fn numbers_in_json_stay_as_they_were_written() {
    let args = "[12345678901234567890123456789, 0.30000000000000004, 1.0]";
    let merged = "12345678901234567890123456789 0.30000000000000004 1.0";
    assert_eq!(merge_json("%s %s %s", args).as_deref(), Some(merged));
}

#[test]
fn a_small_message_cannot_grow_beyond_all_bounds() {
    let long = "x".repeat(100_000);
    assert!(merge_repr("%(a)s", &format!("{{'a': '{long}'}}")).is_some());
    assert_eq!(merge_repr(&"%(a)s".repeat(50), &format!("{{'a': '{long}'}}")), None);
    assert_eq!(merge_repr(&"%4096d".repeat(300), &format!("({})", "1, ".repeat(300))), None);
    assert_eq!(merge_repr("%99999d", "(1,)"), None);
    assert_eq!(merge_repr("%s", &format!("({},)", "[".repeat(1_000_000))), None);
    let deep = format!("({}{},)", "[".repeat(100_000), "]".repeat(100_000));
    assert_eq!(merge_repr("%s", &deep).map(|merged| merged.len()), Some(200_000));
}

#[test]
fn what_is_gone_through_is_bounded_though_little_of_it_is_shown() {
    let (long, zeros) = ("é".repeat(50_000), "0".repeat(100_000));
    for (msg, arg) in [
        ("%(a).0r", format!("\"{long}\"")),
        ("%(a).0a", format!("\"{long}\"")),
        ("%(a).0r", format!("[\"{long}\"]")),
        ("%(a).0f", format!("0.{zeros}1")),
        ("%(a).0s", format!("1{zeros}")),
        ("%(a).0s", format!("[[1, \"{long}\"]]")),
    ] {
        let args = format!("{{\"a\": {arg}}}");
        assert!(merge_json(&msg.repeat(20), &args).is_some(), "{msg}");
        assert_eq!(merge_json(&msg.repeat(200), &args), None, "{msg}");
    }
    for (msg, arg) in [("%(a)d", format!("{zeros}1")), ("%(a).0s", format!("1{zeros}L")), ("%(a)x", zeros.clone())] {
        let args = format!("{{'a': {arg}}}");
        assert!(merge_repr(&msg.repeat(20), &args).is_some(), "{msg}");
        assert_eq!(merge_repr(&msg.repeat(200), &args), None, "{msg}");
    }
    let digits = "%(a).4000g";
    assert!(merge_repr(&digits.repeat(200), "{'a': 1.5}").is_some());
    assert_eq!(merge_repr(&digits.repeat(2000), "{'a': 1.5}"), None);
    // each argument once is not too much, however long they are
    let args = format!("({})", format!("'{}', ", "x".repeat(1_000_000)).repeat(20));
    assert_eq!(merge_repr(&"%.1s".repeat(20), &args).as_deref(), Some(&*"x".repeat(20)));
}

proptest! {
    #[test]
    fn texts_come_through_a_repr_and_through_json(texts in prop::collection::vec(any::<String>(), 1..6)) {
        let msg = vec!["%s"; texts.len()].join("%%");
        let expected = texts.join("%");
        let repr: String = texts.iter().map(|text| format!("{}, ", quote(text))).collect();
        assert_eq!(merge_repr(&msg, &format!("({repr})")).as_deref(), Some(&*expected));
        let json = serde_json::to_string(&texts).unwrap();
        assert_eq!(merge_json(&msg, &json).as_deref(), Some(&*expected));
    }

    #[test]
    fn names_find_their_values(values in prop::collection::hash_map("[^()]{0,8}", any::<String>(), 1..6)) {
        let msg: String = values.keys().map(|name| format!("%({name})s|")).collect();
        let expected: String = values.values().map(|value| format!("{value}|")).collect();
        let pairs: Vec<_> = values.iter().map(|(name, value)| format!("{}: {}", quote(name), quote(value))).collect();
        assert_eq!(merge_repr(&msg, &format!("{{{}}}", pairs.join(", "))).as_deref(), Some(&*expected));
        assert_eq!(merge_json(&msg, &serde_json::to_string(&values).unwrap()).as_deref(), Some(&*expected));
    }

    #[test]
    fn whatever_comes_is_merged_or_refused_within_bounds(
        msg in "([%(){}a-z0-9.*# '+-]|%[sdrxfgc]){0,40}",
        args in r#"[(\[{]?([(){}<>\[\]'",:\\ a-zu0-9.-]|'x', ){0,40}[)\]}]?"#,
    ) {
        for merged in [merge_repr(&msg, &args), merge_json(&msg, &args)].into_iter().flatten() {
            assert!(merged.len() <= LONGEST);
        }
    }
}
