//! Lines as logging libraries print them.

use proptest::prelude::*;

use super::*;

fn shown(line: &str) -> (Option<i32>, Option<String>) {
    let Said { level, logger } = said(line.as_bytes());
    (level.map(Level::number), logger.map(|name| String::from_utf8_lossy(name).into_owned()))
}

#[track_caller]
fn all(lines: &[(&str, Option<i32>, Option<&str>)]) {
    for (line, level, logger) in lines {
        assert_eq!(shown(line), (*level, logger.map(str::to_owned)), "{line}");
    }
}

#[test]
fn keys_of_json_objects_say_it() {
    // python-redis-log, as it published them
    let redis = |level: &str| {
        format!(
            "{{\"username\": \"root\", \"args\": [], \"name\": \"my.logger\", \"level\": \"{level}\", \"line_no\": 122, \
             \"traceback\": null, \"msg\": \"level: \\\"debug\\\"\", \"hostname\": \"vm\"}}"
        )
    };
    let name = Some("my.logger");
    all(&[
        (&redis("info"), Some(20), name),
        (&redis("fatal"), Some(50), name),
        (&redis("unknown"), None, name),
        (r#"{"level":30,"time":1,"pid":7,"hostname":"h","msg":"pino"}"#, Some(20), None),
        (r#"{"name":"app","hostname":"h","pid":7,"level":50,"msg":"bunyan","v":0}"#, Some(40), Some("app")),
        (r#"{"levelno": 40, "levelname": "ERROR", "name": "app.db"}"#, Some(40), Some("app.db")),
        (r#"{"levelno": 33, "levelname": "Level 33"}"#, Some(33), None),
        (r#"{"version":"1.1","host":"h","level":3,"short_message":"gelf"}"#, Some(40), None),
        (r#"{"@timestamp":"2024","log.level":"warn","log.logger":"a.b"}"#, Some(30), Some("a.b")),
        (r#"{"severity":"NOTICE","message":"x"}"#, Some(25), None),
        (r#"{"@t":"2024","@l":"Warning"}"#, Some(30), None),
        (r#"{"name":"x","logger":"y","level":"info"}"#, Some(20), Some("y")),
        (r#"{"a":{"level":"error"},"b":["level","error"],"msg":"level"}"#, None, None),
        (r#"{"level" : "error" "#, Some(40), None),
        (r#"{"level":"#, None, None),
        (r#"2024-02-29T12:00:00Z {"level":"error"}"#, Some(40), None),
        ("{", None, None),
        ("{ ERROR: no object }", None, None),
    ]);
}

#[test]
fn keys_of_logfmt_say_it() {
    all(&[
        (r#"time="2024-02-29T12:00:00Z" level=warning msg="a level=error in it" logger=app"#, Some(30), Some("app")),
        ("ts=2024-02-29T12:00:00Z caller=a.go:1 level=info msg=x", Some(20), None),
        ("lvl=eror t=1", Some(40), None),
        ("level=3", Some(40), None),
        ("set level=error by hand", None, None),
        ("a=1 b level=error", None, None),
        ("level=", None, None),
        ("msg=\"open", None, None),
    ]);
}

#[test]
fn a_level_at_the_start_says_it() {
    all(&[
        ("WARNING:root:careful", Some(30), Some("root")),
        ("ERROR:app.db.pool:gone: for good", Some(40), Some("app.db.pool")),
        ("Level 33:app:own", None, None),
        ("INFO message", Some(20), None),
        ("ERROR", Some(40), None),
        ("INFO:     127.0.0.1:5 - \"GET / HTTP/1.1\" 200 OK", Some(20), None),
        ("error[E0308]: mismatched types", Some(40), None),
        ("warning: unused variable", Some(30), None),
        ("fatal: not a git repository", Some(50), None),
        ("panic: runtime error", Some(50), None),
        ("Error: cannot find module", Some(40), None),
        ("INFO[0001] logrus on a terminal", Some(20), None),
        ("2024-02-29T12:00:00.123456Z  WARN joblines::http: a message", Some(30), Some("joblines::http")),
        ("[2024-02-29T12:00:00Z ERROR my_crate::part] failed", Some(40), Some("my_crate::part")),
        ("12:00:00.000 [main] ERROR com.foo.Bar - failed", Some(40), Some("com.foo.Bar")),
        ("2024-02-29 12:00:00,123 INFO in the message", Some(20), None),
        ("[2024-02-29 12:00:00,123] ERROR in app: Exception on /", Some(40), Some("app")),
        ("[2024-02-29 12:00:00,123: WARNING/MainProcess] a task", Some(30), None),
        ("2024/02/29 12:00:00 ERROR slog's", Some(40), None),
        ("Feb 29 12:00:00 WARNING at noon", Some(30), None),
        ("Thu, 29 Feb 2024 12:00:00 +0100 NOTICE of it", Some(25), None),
        ("2024-02-29 12:00:00 UTC FATAL: the database system is starting up", Some(50), None),
        ("1709208000.123 DEBUG x", Some(10), None),
        ("ERROR    root:test_it.py:3 as pytest shows it", Some(40), Some("root")),
        ("2024-02-29 12:00:00.123 | WARNING  | __main__:work:12 - loguru", Some(30), Some("__main__")),
        ("ERROR - app.db - failed", Some(40), Some("app.db")),
        ("W0229 12:00:00.000000       1 file.go:10] klog", Some(30), None),
        ("E12 of them", None, None),
        ("Information is power", None, None),
        ("error without a colon", None, None),
        ("INFO = 20", None, None),
        ("ERRORS: 0", None, None),
        ("Errors are here", None, None),
        ("5 files changed", None, None),
        ("TRACEBACK", None, None),
    ]);
}

#[test]
fn a_level_in_brackets_says_it() {
    all(&[
        ("[error] something", Some(40), None),
        ("2024/02/29 12:00:00 [warn] 123#0: nginx", Some(30), None),
        ("[Thu Feb 29 12:00:00.123 2024] [core:error] [pid 1] apache", Some(40), Some("core")),
        ("[2024-02-29 12:00:00 +0000] [123] [INFO] gunicorn", Some(20), None),
        ("[W 12:00:00.000 NotebookApp] jupyter", Some(30), Some("NotebookApp")),
        ("[I 240229 12:00:00 web:2] tornado", Some(20), Some("web:2")),
        ("12:00:00 [main] [ERROR] both", Some(40), None),
        ("[error] or [info]: two are none", None, None),
        ("[error] twice [error]", Some(40), None),
        ("[errors] none", None, None),
        ("[", None, None),
        ("[[[[]]", None, None),
    ]);
}

#[test]
fn a_level_between_dashes_or_bars_or_behind_its_logger_says_it() {
    all(&[
        ("2024-02-29 12:00:00,123 - app.db - ERROR - message", Some(40), Some("app.db")),
        ("12:00:00.000632 - root - INFO - ERROR is not it", Some(20), Some("root")),
        ("app.db - WARNING - message", Some(30), Some("app.db")),
        ("two words - WARNING - message", Some(30), None),
        ("here | ERROR | there", Some(40), Some("here")),
        ("a - ERROR - b - INFO - c", None, None),
        ("this - error - that", None, None),
        ("root:ERROR:message", Some(40), Some("root")),
        ("app.db:WARNING: message", Some(30), Some("app.db")),
        ("a note:ERROR:x", None, None),
        ("note:ERRORS", None, None),
    ]);
}

#[test]
fn a_word_in_the_message_says_nothing() {
    let far = format!("{} [ERROR] - ERROR - x", "x ".repeat(200));
    all(&[
        ("there was no ERROR here", None, None),
        ("GET /error 200", None, None),
        ("127.0.0.1 - - [29/Feb/2024:12:00:00 +0000] \"GET /ERROR HTTP/1.1\" 200", None, None),
        ("retry: error: again", None, None),
        (&far, None, None),
        ("", None, None),
        (" ", None, None),
        ("\u{1F980} ERROR", None, None),
    ]);
}

#[test]
fn a_long_line_takes_time_in_proportion_to_its_length() {
    // each of these would take minutes if any of it were quadratic
    for part in ["[", "[a] ", "{\"a\":[", "{\"level\":", "a=b ", "a=\"\\", "- ", "| ", "12:00 ", ":", "a:", "ERROR - "]
    {
        let long = part.repeat((8 << 20) / part.len());
        let Said { level, logger } = said(long.as_bytes());
        assert!(logger.is_none_or(|name| name.len() <= long.len()) && level.is_none_or(|level| level >= Level::NOTSET));
    }
}

proptest! {
    #[test]
    fn no_bytes_panic(line in proptest::collection::vec(any::<u8>(), 0..400)) {
        let _ = said(&line);
    }

    #[test]
    fn no_text_of_the_right_letters_panics(
        parts in proptest::collection::vec("[0-9:,.TZ-]{1,9}|ERROR|info|level|name|[\\[\\]{}\"=|: \\\\-]{1,3}|\\PC", 0..24)
    ) {
        let line = parts.concat();
        let found = said(line.as_bytes());
        prop_assert!(found.logger.is_none_or(|name| !name.is_empty()));
    }
}
