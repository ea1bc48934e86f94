use crate::logging::{Fields, Reader, Saying, Value, read_pickle};
use crate::record::{Entry, Level, Thread};

fn entry(saying: Saying, fields: &[(&'static str, Value<'static>)]) -> Entry<'static> {
    let mut all = Fields::new(saying);
    for (name, value) in fields {
        all.set((*name).into(), value.clone());
    }
    all.into_entry()
}

fn text(text: &'static str) -> Value<'static> {
    Value::Text(text.into())
}

fn form(fields: &[(&'static str, &'static str)]) -> Entry<'static> {
    entry(Saying::Texts, &fields.iter().map(|(name, value)| (*name, text(value))).collect::<Vec<_>>())
}

fn extra(entry: &Entry<'_>) -> Vec<String> {
    entry.extra.iter().map(|(name, value)| format!("{name}={value}")).collect()
}

#[test]
fn a_form_of_texts_becomes_the_same_entry() {
    let is = form(&[
        ("name", "app.db"),
        ("msg", "None"),
        ("args", "()"),
        ("levelname", "WARNING"),
        ("levelno", "30"),
        ("pathname", "/srv/app/db.py"),
        ("filename", "db.py"),
        ("module", "db"),
        ("exc_info", "None"),
        ("exc_text", "None"),
        ("stack_info", "None"),
        ("lineno", "7"),
        ("funcName", "connect"),
        ("created", "1795242700.8941512"),
        ("msecs", "894.0"),
        ("relativeCreated", "15.96"),
        ("thread", "140194671778688"),
        ("threadName", "MainThread"),
        ("processName", "None"),
        ("process", "31885"),
        ("taskName", "None"),
        ("request", "None"),
    ]);
    let expected = Entry {
        level: Some(Level::WARNING),
        level_name: Some("WARNING".into()),
        logger: Some("app.db".into()),
        text: "None".into(),
        time: Some(1_795_242_700_894_151),
        file: Some("/srv/app/db.py".into()),
        line: Some(7),
        func: Some("connect".into()),
        pid: Some(31_885),
        thread: Some(Thread::Number(140_194_671_778_688)),
        thread_name: Some("MainThread".into()),
        extra: vec![("request".into(), "\"None\"".into())],
        ..Entry::default()
    };
    assert_eq!(is, expected);
}

#[test]
fn a_text_that_is_typed_means_what_it_says() {
    let is = entry(Saying::Typed, &[("funcName", text("None")), ("taskName", Value::None)]);
    assert_eq!((is.func.as_deref(), is.task), (Some("None"), None));
}

#[test]
fn what_only_says_something_again_is_left_out_and_nothing_else() {
    let stock =
        [("pathname", "C:\\app\\a.b.py"), ("filename", "a.b.py"), ("module", "a.b"), ("created", "1"), ("msecs", "0")];
    assert_eq!(extra(&form(&stock)), [""; 0]);
    let own = [("pathname", "/x/a.py"), ("filename", "b.py"), ("module", "c"), ("created", "soon"), ("msecs", "5")];
    assert_eq!(extra(&form(&own)), ["created=\"soon\"", "msecs=\"5\"", "filename=\"b.py\"", "module=\"c\""]);
    let alone = form(&[("filename", "b.py"), ("module", "b")]);
    assert_eq!((alone.file.as_deref(), extra(&alone)), (Some("b.py"), vec![]));
}

#[test]
fn a_value_of_the_wrong_kind_is_kept_under_its_name() {
    let is = entry(
        Saying::Typed,
        &[
            ("levelno", text("high")),
            ("levelname", text("ERROR")),
            ("lineno", Value::Int(-1)),
            ("process", Value::Float(1.5)),
            ("created", Value::Float(f64::NAN)),
            ("thread", text("worker")),
            ("name", Value::Int(7)),
            ("msg", Value::Json("[1,2]".into())),
            ("odd", Value::Float(f64::INFINITY)),
        ],
    );
    assert_eq!((is.level, is.line, is.pid, is.time), (Some(Level::ERROR), None, None, None));
    assert_eq!(is.thread, Some(Thread::Text("worker".into())));
    assert_eq!((is.logger.as_deref(), &*is.text), (Some("7"), "[1,2]"));
    let kept = ["odd=\"inf\"", "levelno=\"high\"", "created=\"nan\"", "lineno=-1", "process=1.5"];
    assert_eq!(extra(&is), kept);
}

#[test]
fn the_message_is_the_finished_one() {
    let is = form(&[("msg", "hello %s"), ("args", "('x',)"), ("message", "hello x")]);
    assert_eq!((&*is.text, extra(&is)), ("hello x", vec![]));
    let unmerged = form(&[("msg", "hello %s"), ("args", "('x',)")]);
    assert_eq!((&*unmerged.text, extra(&unmerged)), ("hello %s", vec!["args=\"('x',)\"".to_owned()]));
}

#[test]
fn an_exception_is_its_traceback_or_what_is_shown_of_it() {
    let info = "(<class 'ZeroDivisionError'>, ZeroDivisionError('division by zero'), <traceback object at 0x7f81>)";
    let exception = |fields: &[(&'static str, &'static str)]| form(fields).exception.map(|text| text.into_owned());
    assert_eq!(exception(&[("exc_info", info)]).as_deref(), Some("ZeroDivisionError('division by zero')"));
    assert_eq!(exception(&[("exc_info", info), ("exc_text", "Traceback")]).as_deref(), Some("Traceback"));
    assert_eq!(exception(&[("exc_info", "(None, None, None)")]), None);
    assert_eq!(exception(&[("exc_text", "NoneType: None")]), None);
    assert_eq!(exception(&[("exc_info", "own words")]).as_deref(), Some("own words"));
}

#[test]
fn times_are_exact_to_the_microsecond() {
    let time = |created: Value<'static>| entry(Saying::Typed, &[("created", created)]).time;
    assert_eq!(time(Value::Float(1_795_242_702.296_910_5)), Some(1_795_242_702_296_911));
    assert_eq!(time(Value::Json("1795242702.2969105".into())), Some(1_795_242_702_296_911));
    assert_eq!(time(Value::Int(-1)), Some(-1_000_000));
    assert_eq!(time(Value::Float(-0.25)), Some(-250_000));
    assert_eq!(time(Value::Float(1e300)), None);
}

#[test]
fn a_level_may_be_a_member_of_an_enumeration() {
    let pickle = b"}(X\x07\0\0\0levelnoc__main__\nLevel\n(K\x1ftRX\x03\0\0\0msgX\x02\0\0\0hiu.";
    let mut reader = Reader::new();
    let entry = read_pickle(&mut reader, pickle).unwrap();
    assert_eq!((entry.level, &*entry.text), (Some(Level::new(31)), "hi"));
}

#[test]
fn of_a_field_that_comes_twice_the_last_counts() {
    let pickle = b"}(X\x03\0\0\0msgX\x01\0\0\0aX\x03\0\0\0msgX\x01\0\0\0bu.";
    assert_eq!(read_pickle(&mut Reader::new(), pickle).unwrap().text, "b");
}
