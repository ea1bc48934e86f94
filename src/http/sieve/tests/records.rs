//! What passes of records: by their fields, their own level and logger, and what people read of them.

use super::*;

#[test]
fn lines_that_go_on_with_a_plain_record_have_its_fields() {
    let journal = Journal::of(&[
        (OUT, "{\"run\":42,\"level\":\"error\",\"message\":\"failed\"}\n"),
        (ERR, "run=42 step=1\n"),
        (OUT, "Traceback (most recent call last):\n  File \"a.py\"\nKeyError: 1\n"),
        (OUT, "{\"run\":43,\"level\":\"info\"}\n  more of it\n"),
        (Stream::System, "2 bytes were not kept\n"),
        (ERR, "run=\"42\" step=2\n\x1b[1mrun\x1b[m=42 step=3\n"),
    ]);
    let failed = "Traceback (most recent call last):\n  File \"a.py\"\nKeyError: 1\n";
    for (query, passes) in [
        ("field=run%3D43", "{\"run\":43,\"level\":\"info\"}\n  more of it\n2 bytes were not kept\n".to_owned()),
        (
            "field=message",
            format!("{{\"run\":42,\"level\":\"error\",\"message\":\"failed\"}}\n{failed}2 bytes were not kept\n"),
        ),
        ("field=run=42&stream=stderr", "run=42 step=1\nrun=\"42\" step=2\n\x1b[1mrun\x1b[m=42 step=3\n".to_owned()),
        ("field=run=42&level=error&q=^%5BTK%20]", failed.to_owned()),
        (
            "field=run&level=info&x=kept",
            "{\"run\":42,\"level\":\"error\",\"message\":\"failed\"}\n".to_owned()
                + failed
                + "{\"run\":43,\"level\":\"info\"}\n  more of it\n",
        ),
        ("field=nothing&x=kept", String::new()),
    ] {
        assert_eq!(text(&journal.sift(&terms(query), ALL)), passes, "{query}");
    }
}

#[test]
fn records_have_fields_and_so_have_the_lines_of_merged_feeds() {
    let entry = |entry: Entry<'_>| {
        let mut line = Vec::new();
        entry.write(&mut line);
        String::from_utf8(line).unwrap()
    };
    let merged = |feed: &'static str, text: &'static str| {
        entry(Entry { feed: Some(feed.into()), text: text.into(), ..Entry::default() })
    };
    let more = |feed: &'static str, text: &'static str| {
        entry(Entry { feed: Some(feed.into()), goes_on: true, text: text.into(), ..Entry::default() })
    };
    let lines = [
        entry(Entry { pid: Some(7), extra: vec![("run".into(), "42".into())], ..Entry::default() }),
        entry(Entry { text: "{\"run\":42}".into(), host: Some("42".into()), ..Entry::default() }),
        merged("a", "{\"run\":42}"),
        merged("b", "run=43"),
        more("a", "Traceback (most recent call last):"),
        more("b", "  indented"),
        entry(Entry { extra: vec![("run".into(), "\"42\"".into())], ..Entry::default() }),
        more("a", "KeyError: 1"),
        merged("a", "plain"),
    ];
    let parts: Vec<(Stream, &str)> = lines.iter().map(|line| (Stream::Record, line.as_str())).collect();
    let journal = Journal::of(&parts);
    for (query, passes) in [
        ("field=run=42", &[1, 3, 5, 7, 8][..]),
        ("field=run%3D43", &[4, 6]),
        ("field=run", &[1, 3, 4, 5, 6, 7, 8]),
        ("field=pid=7", &[1]),
        ("field=feed=a", &[3, 5, 8, 9]),
        ("field=host", &[2]),
        ("field=run=42&q=Key", &[8]),
        ("field=run=42&logger=x", &[]),
    ] {
        let passed: Vec<_> =
            self::lines(&journal.sift(&terms(query), ALL)).into_iter().map(|(line, ..)| line).collect();
        assert_eq!(passed, passes, "{query}");
    }
}

#[test]
fn a_record_is_judged_by_its_own_level_and_logger_and_by_all_that_people_read_of_it() {
    let entries = [
        // 30 is a warning, though it would be an info of pino's
        Entry { level: Some(Level::WARNING), logger: Some("app.db".into()), text: "one".into(), ..Entry::default() },
        Entry { level: Some(Level::new(33)), text: "ERROR:x:two\nlines".into(), ..Entry::default() },
        Entry { text: "\u{1b}[31mth\u{1b}[mree".into(), exception: Some("KeyError: 'x'".into()), ..Entry::default() },
        Entry {
            stack: Some("File \"a.py\"".into()),
            extra: vec![("user".into(), "\"A\\nn\"".into())],
            ..Entry::default()
        },
        Entry { extra: vec![("count".into(), "7".into()), ("exception".into(), "null".into())], ..Entry::default() },
    ];
    let written = entries.map(|entry| {
        let mut line = Vec::new();
        entry.write(&mut line);
        String::from_utf8(line).unwrap()
    });
    let mut parts: Vec<(Stream, &str)> = written.iter().map(|line| (Stream::Record, line.as_str())).collect();
    parts.push((Stream::Record, "not json: three\n"));
    let journal = Journal::of(&parts);
    for (query, passes) in [
        ("level=warning", &[1, 2][..]),
        ("level=31", &[2]),
        ("level=error", &[]),
        ("level=..notset", &[3, 4, 5, 6]),
        ("logger=app", &[1]),
        ("logger=x", &[]),
        ("q=%5Etwo|%5Ethree$", &[3]),
        ("q=three", &[3, 6]),
        ("q=(?m)%5Elines$", &[2]),
        ("q=%5EKeyError", &[3]),
        ("q=a%5C.py", &[4]),
        ("q=%5EA%5Cnn$", &[4]),
        ("q=%5E7$", &[5]),
        ("q=%5Eapp", &[1]),
        ("q=text|extra|count|record", &[]),
        ("x=e", &[5]),
        ("q=e&x=K", &[1, 2, 4, 6]),
        ("level=warning&x=db", &[2]),
    ] {
        let passed: Vec<_> = lines(&journal.sift(&terms(query), ALL)).into_iter().map(|(line, ..)| line).collect();
        assert_eq!(passed, passes, "{query}");
    }
}
