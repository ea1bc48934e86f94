use std::borrow::Cow;

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::{Just, Strategy, any, prop_oneof};
use proptest::{prop_assert, prop_assert_eq, proptest};
use serde_json::Value;

use super::{Entry, Heading, Thread};
use crate::record::Level;

fn line(entry: &Entry<'_>) -> String {
    let mut out = b"before\n".to_vec();
    entry.write(&mut out);
    let line = out.strip_prefix(b"before\n").expect("what stood there stays");
    String::from_utf8(line.to_vec()).unwrap()
}

#[test]
fn an_entry_is_one_line_in_a_fixed_order() {
    let entry = Entry {
        level: Some(Level::WARNING),
        level_name: Some("WARNING".into()),
        logger: Some("app.db".into()),
        text: "two\nlines, a \"quote\", a \\ and \u{1b}[1m".into(),
        time: Some(1_770_000_000_123_456),
        feed: Some("python".into()),
        goes_on: true,
        file: Some("/srv/app/db.py".into()),
        line: Some(7),
        func: Some("connect".into()),
        host: Some("10.0.0.7".into()),
        user: Some("ann".into()),
        pid: Some(4242),
        process: Some("MainProcess".into()),
        thread: Some(Thread::Number(139_723_832_376_192)),
        thread_name: Some("MainThread".into()),
        task: Some("Task-1".into()),
        exception: Some("ValueError: é".into()),
        stack: Some("Stack".into()),
        extra: vec![("key".into(), "[1,\n 2]".into()), ("a\"b".into(), "null".into())],
    };
    let expected = concat!(
        r#"{"feed":"python","goes_on":true,"level":30,"level_name":"WARNING","logger":"app.db","#,
        r#""text":"two\nlines, a \"quote\", a \\ and \u001b[1m","record":{"time":"2026-02-02T02:40:00.123456Z","#,
        r#""file":"/srv/app/db.py","line":7,"func":"connect","host":"10.0.0.7","user":"ann","pid":4242,"#,
        r#""process":"MainProcess","thread":139723832376192,"thread_name":"MainThread","task":"Task-1","#,
        r#""exception":"ValueError: é","stack":"Stack","extra":{"key":[1, 2],"a\"b":null}}}"#,
        "\n"
    );
    assert_eq!(line(&entry), expected);
}

#[test]
fn what_is_absent_is_left_out() {
    assert_eq!(line(&Entry::default()), "{\"text\":\"\",\"record\":{}}\n");
    let far = Entry { time: Some(i64::MAX), extra: vec![("x".into(), "1".into())], ..Entry::default() };
    assert_eq!(line(&far), "{\"text\":\"\",\"record\":{\"extra\":{\"x\":1}}}\n", "RFC 3339 has four digits for a year");
}

#[test]
fn texts_without_escapes_are_borrowed() {
    let written = line(&Entry { text: "plain".into(), logger: Some("a\tb".into()), ..Entry::default() });
    let entry = Entry::read(written.as_bytes()).unwrap();
    assert!(matches!(entry.text, Cow::Borrowed("plain")));
    assert!(matches!(entry.logger, Some(Cow::Owned(_))));
}

#[test]
fn a_line_that_is_no_entry_is_none() {
    for line in [
        "",
        "plain text",
        "{}",
        "[]",
        r#"{"text":"x"}"#,
        r#"{"text":"x","record":{},"more":1}"#,
        r#"{"text":"x","record":{"more":1}}"#,
        r#"{"text":"x","record":{"time":"noon"}}"#,
        r#"{"text":"x","record":{"extra":[]}}"#,
        r#"{"text":"x","record":{"thread":1.5}}"#,
        r#"{"text":"x","text":"y","record":{}}"#,
        r#"{"text":"x","record":{}} {"text":"x","record":{}}"#,
        r#"{"level":99999999999,"text":"x","record":{}}"#,
    ] {
        assert_eq!(Entry::read(line.as_bytes()), None, "{line}");
    }
    assert_eq!(Entry::read(b"{\"text\":\"\xff\",\"record\":{}}"), None);
}

/// Any text, with many of the characters that need care, at any place within eight bytes.
fn text() -> impl Strategy<Value = String> {
    let character = prop_oneof![
        any::<char>(),
        Just('"'),
        Just('\\'),
        Just('!'),
        Just('#'),
        proptest::char::range('\0', ' '),
        proptest::char::range('a', 'z'),
    ];
    vec(character, 0..40).prop_map(|characters| characters.into_iter().collect())
}

fn some() -> impl Strategy<Value = Option<Cow<'static, str>>> {
    option::of(text().prop_map(Cow::Owned))
}

fn json() -> impl Strategy<Value = String> {
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        text().prop_map(Value::from),
        vec(text(), 0..3).prop_map(Value::from),
        (text(), text()).prop_map(|(name, text)| serde_json::json!({ name: text })),
    ]
    .prop_map(|value| value.to_string())
}

fn thread() -> impl Strategy<Value = Option<Thread<'static>>> {
    let named = text().prop_map(|text| Thread::Text(text.into()));
    option::of(prop_oneof![any::<i64>().prop_map(Thread::Number), named])
}

fn entry() -> impl Strategy<Value = Entry<'static>> {
    // the years -9999 to 9999
    let time = option::of(-377_705_023_201_000_000_i64..253_402_207_200_000_000);
    let names = (some(), some(), some(), some(), some(), some());
    let more = (some(), some(), some(), some(), some(), some());
    let numbers = (option::of(any::<i32>()), time, option::of(any::<u64>()), option::of(any::<i64>()), any::<bool>());
    (names, more, numbers, thread(), text(), vec((text(), json()), 0..4)).prop_map(
        |(names, more, (level, time, line, pid, goes_on), thread, text, extra)| {
            let (level_name, logger, feed, file, func, host) = names;
            let (user, process, thread_name, task, exception, stack) = more;
            let (level, text) = (level.map(Level::new), text.into());
            let extra = extra.into_iter().map(|(name, value)| (name.into(), value.into())).collect();
            Entry {
                level,
                level_name,
                logger,
                text,
                time,
                feed,
                goes_on,
                file,
                line,
                func,
                host,
                user,
                pid,
                process,
                thread,
                thread_name,
                task,
                exception,
                stack,
                extra,
            }
        },
    )
}

proptest! {
    #[test]
    fn what_is_written_reads_back_as_the_same(entry in entry()) {
        let written = line(&entry);
        let (body, newline) = written.split_at(written.len() - 1);
        prop_assert_eq!(newline, "\n");
        prop_assert!(body.bytes().all(|byte| byte >= b' '), "{}", body);
        let value: Value = serde_json::from_str(body).unwrap();
        prop_assert_eq!(value["text"].as_str(), Some(&*entry.text));
        prop_assert_eq!(Entry::read(written.as_bytes()), Some(entry.clone()));
        let heading = Heading { level: entry.level, logger: entry.logger.clone() };
        prop_assert_eq!(Heading::of(written.as_bytes()), heading);
        prop_assert_eq!(Entry::read(body.as_bytes()), Some(entry));
    }

    #[test]
    fn any_bytes_are_an_entry_or_none(bytes in vec(any::<u8>(), 0..200)) {
        let _ = Heading::of(&bytes);
        let _ = Heading::of(&[b"{\"logger\":\"", &bytes[..]].concat());
        if let Some(entry) = Entry::read(&bytes) {
            let written = line(&entry);
            prop_assert_eq!(Entry::read(written.as_bytes()), Some(entry));
        }
    }
}
