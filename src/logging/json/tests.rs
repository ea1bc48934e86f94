//! Every payload of python-redis-log that was captured, what other libraries write, and JSON of all kinds.

use std::fs;
use std::path::Path;

use proptest::prelude::{Strategy, any, prop, prop_oneof, proptest};
use serde_json::Value;

use super::{read_json, read_records};
use crate::record::{Entry, Level, Thread};

fn captured(name: &str) -> Vec<u8> {
    fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/redis-log").join(name)).unwrap()
}

fn extra(entry: &Entry<'_>) -> String {
    entry.extra.iter().map(|(name, value)| format!("{name}={value} ")).collect()
}

#[test]
fn every_payload_of_python_redis_log_becomes_its_record() {
    for (name, text, level, func) in [
        ("plain", "I like pie", Some(20), "plain"),
        ("args", "job build took 1234 ms (0.50)", Some(30), "args"),
        ("args-dict", "user ana did 3", Some(20), "args_dict"),
        ("critical", "the level of this one is called fatal", Some(50), "critical"),
        ("custom-level", "a level with no name", None, "custom_level"),
        ("error-traceback", "Trousers!", Some(40), "error_traceback"),
        ("exc-info-none", "exc_info without an exception", Some(40), "exc_info_none"),
        ("extra", "extra fields do not reach the payload", Some(20), "extra"),
        ("multiline-crlf", "first\r\nsecond }\r\nthird {\"json\": true}\r\n", Some(20), "multiline_crlf"),
        ("utf8-bytes", "héllo – 日本語 🚀", Some(20), "utf8_bytes"),
    ] {
        let payload = captured(&format!("{name}.json"));
        let said: Value = serde_json::from_slice(&payload).unwrap();
        let entry = read_json(&payload).unwrap();
        assert_eq!((&*entry.text, entry.level.map(Level::number)), (text, level), "{name}");
        assert_eq!(entry.level_name.as_deref(), said["level"].as_str(), "{name}");
        assert_eq!((entry.func.as_deref(), entry.logger.as_deref()), (Some(func), Some("my.logger")), "{name}");
        assert_eq!((entry.host.as_deref(), entry.user.as_deref()), (Some("vm"), Some("root")), "{name}");
        assert_eq!(entry.file.as_deref(), Some("/tmp/srv/app/test.py"), "{name}");
        assert_eq!(entry.line, said["line_no"].as_u64(), "{name}");
        let traceback = said["traceback"].as_str().filter(|text| *text != "None");
        assert_eq!(entry.exception.as_deref(), traceback, "{name}");
        let time: jiff::Timestamp = format!("{}Z", said["time"].as_str().unwrap()).parse().unwrap();
        assert_eq!(entry.time, Some(time.as_microsecond()), "{name}");
        assert_eq!(extra(&entry), "", "{name}");
    }
}

#[test]
fn arguments_that_do_not_fit_stand_behind_the_message_of_redis_log() {
    let payload =
        r#"{"msg":"no place","args":[1,"two"],"line_no":1,"funcname":"f","level":"info","time":"2026-11-21T06:28:55"}"#;
    let entry = read_json(payload.as_bytes()).unwrap();
    assert_eq!((&*entry.text, entry.time), (r#"no place [1,"two"]"#, Some(1_795_242_535_000_000)));
}

#[test]
fn records_of_rlog_are_merged_already() {
    let payload = r#"{"name":"app","msg":"50%s of \"a\"","args":["a"],"levelname":"Level 33","levelno":33,"pathname":"/srv/a.py",
        "filename":"a.py","module":"a","exc_info":"Traceback (most recent call last):\nValueError: x","exc_text":null,"stack_info":null,
        "lineno":12,"funcName":"f","created":1795242703.8653276,"msecs":865.0,"relativeCreated":2987.1,"thread":140194671778688,
        "threadName":"MainThread","processName":"MainProcess","process":31885,"run":7,"username":"ana","host":"web1"}"#;
    let entry = read_json(payload.as_bytes()).unwrap();
    assert_eq!((&*entry.text, entry.level), ("50%s of \"a\"", Some(Level::new(33))));
    assert_eq!((entry.user.as_deref(), entry.host.as_deref()), (Some("ana"), Some("web1")));
    assert_eq!(entry.exception.as_deref(), Some("Traceback (most recent call last):\nValueError: x"));
    assert_eq!((entry.time, entry.line, entry.pid), (Some(1_795_242_703_865_328), Some(12), Some(31885)));
    assert_eq!(entry.thread, Some(Thread::Number(140_194_671_778_688)));
    assert!(extra(&entry).contains("run=7 ") && extra(&entry).contains(r#"args=["a"] "#), "{}", extra(&entry));
}

#[test]
fn the_attributes_of_a_python_record_are_merged() {
    let of = |payload: &str| read_json(payload.as_bytes()).unwrap().text.into_owned();
    assert_eq!(of(r#"{"msg":"%s took %d","args":["a",3],"levelno":20}"#), "a took 3");
    assert_eq!(of(r#"{"msg":"%(a)s","args":{"a":[true,null,"x"]},"levelno":20}"#), "[True, None, 'x']");
    assert_eq!(of(r#"{"msg":"%s","args":["a","b"],"levelno":20}"#), r#"%s ["a","b"]"#);
    assert_eq!(of(r#"{"msg":"%s","args":null,"levelno":20}"#), "%s");
    assert_eq!(of(r#"{"msg":"%s","args":["a"],"message":"done","levelno":20}"#), "done");
}

#[test]
fn records_as_json_formatters_of_python_write_them_are_read() {
    let payload =
        br#"{"timestamp":"2026-11-21T06:31:43.5+00:00","levelname":"ERROR","name":"app.db","message":"50%","process":7,
        "taskName":null,"exc_info":"Traceback (most recent call last):\nKeyError: 1","run":"a"}"#;
    let entry = read_json(payload).unwrap();
    assert_eq!((&*entry.text, entry.level, entry.pid), ("50%", Some(Level::ERROR), Some(7)));
    assert_eq!((entry.logger.as_deref(), entry.time), (Some("app.db"), Some(1_795_242_703_500_000)));
    assert!(entry.exception.as_deref().is_some_and(|text| text.ends_with("KeyError: 1")), "{entry:?}");
    assert_eq!(extra(&entry), r#"run="a" "#);
}

#[test]
fn what_other_libraries_write_becomes_a_record() {
    // pino
    let entry =
        read_json(br#"{"level":50,"time":1795242703865,"pid":7,"hostname":"web1","msg":"failed","reqId":"a-1"}"#)
            .unwrap();
    assert_eq!((&*entry.text, entry.level, entry.level_name.is_none()), ("failed", Some(Level::ERROR), true));
    assert_eq!((entry.time, entry.pid), (Some(1_795_242_703_865_000), Some(7)));
    assert_eq!((entry.host.as_deref(), &*extra(&entry)), (Some("web1"), r#"reqId="a-1" "#));
    // bunyan
    let entry = read_json(br#"{"name":"app","level":30,"time":"2026-11-21T06:31:43.865Z","msg":"hi","v":0}"#).unwrap();
    assert_eq!((entry.logger.as_deref(), entry.level), (Some("app"), Some(Level::INFO)));
    assert_eq!((entry.time, &*extra(&entry)), (Some(1_795_242_703_865_000), "v=0 "));
    let payload = br#"{"level":50,"msg":"x","err":{"type":"Error","message":"y","stack":"Error: y\n    at z"}}"#;
    let entry = read_json(payload).unwrap();
    assert_eq!(entry.exception.as_deref(), Some("Error: y\n    at z"));
    assert!(extra(&entry).starts_with(r#"err={"type""#), "{}", extra(&entry));
    // structlog, zap, monolog, GELF
    let entry =
        read_json(br#"{"event":"x","level":"warning","timestamp":"2026-11-21 06:31:43","logger":"a"}"#).unwrap();
    assert_eq!((entry.level, entry.time), (Some(Level::WARNING), None), "a time without a zone is none");
    assert!(extra(&entry).contains("timestamp"));
    let entry =
        read_json(br#"{"level":"info","ts":1795242703.5,"caller":"a/b.go:1","msg":"x","stacktrace":"y"}"#).unwrap();
    assert_eq!((entry.time, entry.exception.as_deref()), (Some(1_795_242_703_500_000), Some("y")));
    let entry = read_json(br#"{"message":"x","context":{},"level":200,"level_name":"INFO","channel":"app"}"#).unwrap();
    assert_eq!((entry.level, entry.level_name.as_deref()), (Some(Level::INFO), Some("INFO")));
    let entry =
        read_json(br#"{"version":"1.1","short_message":"x","level":3,"host":"h","timestamp":1795242703.1}"#).unwrap();
    assert_eq!((entry.level, entry.host.as_deref()), (Some(Level::ERROR), Some("h")));
}

#[test]
fn levels_are_words_before_they_are_numbers() {
    for (members, level) in [
        (r#""level":"WARN""#, Some(30)),
        (r#""level":"30""#, Some(30)),
        (r#""level":30"#, Some(20)),
        (r#""level":10"#, Some(5)),
        (r#""level":3"#, Some(40)),
        (r#""level":33,"level_name":"Level 33""#, Some(33)),
        (r#""level":30,"level_name":"WARNING""#, Some(30)),
        (r#""level":"unknown""#, None),
        (r#""level":"""#, None),
        (r#""level":null,"severity":"error""#, Some(40)),
        (r#""level":{"a":1}"#, None),
        (r#""levelno":30"#, Some(30)),
        (r#""level":99999999999"#, None),
        (r#""level":2.5"#, None),
    ] {
        let payload = format!(r#"{{"message":"x",{members}}}"#);
        assert_eq!(read_json(payload.as_bytes()).unwrap().level.map(Level::number), level, "{members}");
    }
}

#[test]
fn an_object_without_a_message_is_its_own() {
    let entry = read_json(b" {\"user\": \"ana\", \"level\": \"error\"}\n").unwrap();
    assert_eq!((&*entry.text, entry.level), (r#"{"user": "ana", "level": "error"}"#, Some(Level::ERROR)));
    assert_eq!(extra(&entry), "");
    let entry = read_json(br#"{"msg":{"a":1},"text":null,"n":12345678901234567890123}"#).unwrap();
    assert_eq!((&*entry.text, &*extra(&entry)), (r#"{"a":1}"#, "n=12345678901234567890123 "));
    assert_eq!(read_json(b"{}").unwrap().text, "{}");
}

#[test]
fn what_is_no_object_is_no_record() {
    for payload in [
        &b""[..],
        b"plain",
        b"[1]",
        b"\"x\"",
        b"3",
        b"null",
        b"{\"msg\":\"x\"",
        b"{\"msg\":\"x\"} {}",
        b"{\"n\":NaN,\"msg\":\"x\"}",
        b"{\"n\":-Infinity}",
        b"{'msg':'x'}",
        b"{\"msg\":\"\xff\"}",
        b"{\"a\":\"\n\"}",
        b"{\"\\ud800\":1}",
    ] {
        assert_eq!(read_json(payload), None, "{}", String::from_utf8_lossy(payload));
    }
}

#[test]
fn halves_of_pairs_of_surrogates_do_not_spoil_a_record() {
    let payload = br#"{"msg":"bad \udc80 byte \ud83d\ude80 \ud83d \\ud800","odd":["\uD800x"],"fine":"\ud83d\ude80"}"#;
    let entry = read_json(payload).unwrap();
    assert_eq!(entry.text, "bad \u{fffd} byte 🚀 \u{fffd} \\ud800");
    assert_eq!(extra(&entry), r#"odd=["\ufffdx"] fine="\ud83d\ude80" "#);
    let python = read_json(br#"{"levelno":20,"msg":"%s","args":["\udc80"]}"#).unwrap();
    assert_eq!(python.text, "\u{fffd}");
}

#[test]
fn nesting_without_end_is_kept_as_a_text() {
    let deep = |depth: usize| format!(r#"{{"msg":"x","odd":{}{}}}"#, "[".repeat(depth), "]".repeat(depth));
    let (fine, bad) = (deep(100), deep(300_000));
    assert!(read_json(fine.as_bytes()).unwrap().extra[0].1.starts_with("[["));
    assert!(read_json(bad.as_bytes()).unwrap().extra[0].1.starts_with("\"[["));
    let (only, args) = (
        format!("{}1{}", "{\"a\":".repeat(300_000), "}".repeat(300_000)),
        format!("{}{}", "[".repeat(300_000), "]".repeat(300_000)),
    );
    assert_eq!(read_json(only.as_bytes()).unwrap().text, only);
    let payload = format!(r#"{{"levelno":20,"msg":"%s","args":[{args}]}}"#);
    assert_eq!(read_json(payload.as_bytes()).unwrap().text, args);
}

/// The texts and the mistakes in a body.
fn bodies(body: &[u8]) -> Vec<String> {
    read_records(body)
        .map(|record| record.map_or_else(|bad| format!("! {bad}"), |entry| entry.text.into_owned()))
        .collect()
}

#[test]
fn a_body_is_an_object_an_array_or_lines() {
    assert_eq!(bodies(b" {\"msg\":\n\"a\"} "), ["a"]);
    assert_eq!(bodies(b"[{\"msg\":\"a\"}, {\"msg\":\"b\"}]"), ["a", "b"]);
    assert_eq!(bodies(b"{\"msg\":\"a\"}\r\n\n{\"msg\":\"b\"}\n"), ["a", "b"]);
    assert_eq!(bodies(b"\xEF\xBB\xBF{\"msg\":\"a\"}"), ["a"]);
    assert_eq!(bodies(b"[]"), [""; 0]);
    assert_eq!(bodies(b""), [""; 0]);
}

#[test]
fn a_bad_record_is_named_and_the_others_stay() {
    assert_eq!(
        bodies(b"[{\"msg\":\"a\"}, 3, {\"msg\":\"b\"}, \"x\", null, true, [{}]]"),
        [
            "a",
            "! element 2 is a number, but a record is an object of JSON",
            "b",
            "! element 4 is a text, but a record is an object of JSON",
            "! element 5 is null, but a record is an object of JSON",
            "! element 6 is a boolean, but a record is an object of JSON",
            "! element 7 is an array, but a record is an object of JSON",
        ]
    );
    let lines = bodies(b"{\"msg\":\"a\"}\n\n{\"msg\":\n{\"msg\":\"b\"}");
    assert_eq!((lines.len(), &*lines[0], &*lines[2]), (3, "a", "b"));
    assert!(lines[1].starts_with("! line 3 is not JSON: EOF"), "{lines:?}");
    assert_eq!(bodies(b"7"), ["! the body is a number, but a record is an object of JSON"]);
    assert!(bodies(b"[{\"msg\":\"a\"},")[0].starts_with("! the body is not JSON: EOF"));
    assert_eq!(
        bodies(b"{\"msg\":\"\xff\"}"),
        ["! the body is not UTF-8 from byte 9 on, but a record is an object of JSON"]
    );
}

/// JSON of any shape, as text.
fn json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        any::<Option<bool>>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    let name = prop_oneof![
        prop::sample::select(vec![
            "msg", "message", "level", "levelno", "args", "time", "created", "name", "line_no", "funcname", "thread"
        ])
        .prop_map(str::to_owned),
        any::<String>(),
    ];
    leaf.prop_recursive(3, 24, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::hash_map(name.clone(), inner, 0..8).prop_map(|members| members.into_iter().collect()),
        ]
    })
}

proptest! {
    #[test]
    fn any_object_is_a_record_that_can_be_kept(value in json()) {
        let payload = serde_json::to_vec(&value).unwrap();
        let read = read_json(&payload);
        assert_eq!(read.is_some(), value.is_object());
        if let Some(entry) = read {
            let mut line = Vec::new();
            entry.write(&mut line);
            assert_eq!(Entry::read(&line), Some(entry.clone()));
            let message = value["message"].as_str();
            let is_redis_log = entry.func.is_some() || value["line_no"] != Value::Null;
            assert!(message.is_none_or(|message| message == entry.text || is_redis_log), "{entry:?}");
            for (name, value) in &entry.extra {
                assert!(serde_json::from_str::<Value>(value).is_ok(), "{name}: {value}");
            }
        }
        let pretty = serde_json::to_vec_pretty(&value).unwrap();
        assert_eq!(read_json(&pretty).is_some(), value.is_object());
    }

    #[test]
    fn lines_and_arrays_give_as_many_records(values in prop::collection::vec(json(), 2..6)) {
        let lines: Vec<String> = values.iter().map(Value::to_string).collect();
        let objects = values.iter().filter(|value| value.is_object()).count();
        let array = format!("[{}]", lines.join(","));
        let count = |body: &str| read_records(body.as_bytes()).filter(Result::is_ok).count();
        assert_eq!((count(&array), read_records(array.as_bytes()).count()), (objects, values.len()));
        if !lines[0].starts_with('[') {
            let body = lines.join("\n");
            assert_eq!((count(&body), read_records(body.as_bytes()).count()), (objects, values.len()));
        }
    }

    #[test]
    fn any_bytes_are_a_record_or_none(bytes in prop::collection::vec(any::<u8>(), 0..100)) {
        for body in [&bytes[..], &[b"{\"msg\":\"%s\",\"levelno\":1,\"args\":", &bytes[..], b"}"].concat()] {
            let _ = read_json(body);
            let _ = read_records(body).count();
        }
    }
}
