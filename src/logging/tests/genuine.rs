use std::collections::BTreeSet;

use serde_json::{Map, Value as Json};

use super::expected::{is_told, text_of};
use super::fixture::{Fixture, SOCKET, folder, sockets};
use crate::logging::{Datagram, Frames, Reader, datagram, read_pickle};
use crate::record::{Entry, Thread};

/// The frames of a stream that came in these portions.
fn frames<'a>(portions: impl Iterator<Item = &'a [u8]>) -> Vec<Vec<u8>> {
    let (mut frames, mut all) = (Frames::new(1 << 20), Vec::new());
    for portion in portions {
        frames.buffer().extend_from_slice(portion);
        while let Some(frame) = frames.cut().unwrap() {
            all.push(frame.to_vec());
        }
    }
    assert_eq!(frames.unfinished(), 0);
    all
}

fn text(record: &Map<String, Json>, name: &str) -> Option<String> {
    record.get(name).and_then(text_of)
}

/// Everything in the dict is in the entry.
fn compare(entry: &Entry<'_>, record: &Map<String, Json>, case: &str) {
    let mut out = Vec::new();
    entry.write(&mut out);
    assert_eq!(Entry::read(&out).as_ref(), Some(entry), "{case}");

    assert_eq!(Some(entry.text.to_string()), text(record, "msg"), "{case}");
    let number = |name: &str| record.get(name).and_then(Json::as_i64);
    assert_eq!(entry.level.map(|level| i64::from(level.number())), number("levelno"), "{case}");
    assert_eq!(entry.line.map(|line| i64::try_from(line).unwrap()), number("lineno"), "{case}");
    assert_eq!(entry.pid, number("process"), "{case}");
    assert_eq!(entry.thread, number("thread").map(Thread::Number), "{case}");
    let exception = text(record, "exc_text").filter(|text| text.trim_end() != "NoneType: None");
    for (is, told) in [
        (&entry.level_name, text(record, "levelname")),
        (&entry.logger, text(record, "name")),
        (&entry.file, text(record, "pathname")),
        (&entry.func, text(record, "funcName")),
        (&entry.process, text(record, "processName")),
        (&entry.thread_name, text(record, "threadName")),
        (&entry.task, text(record, "taskName")),
        (&entry.exception, exception),
        (&entry.stack, text(record, "stack_info")),
    ] {
        assert_eq!(is.as_deref(), told.as_deref(), "{case}");
    }
    compare_extra(entry, record, case);
}

/// The fields that are not extra ones.
const STOCK: [&str; 22] = [
    "args",
    "created",
    "exc_info",
    "exc_text",
    "filename",
    "funcName",
    "levelname",
    "levelno",
    "lineno",
    "message",
    "module",
    "msecs",
    "msg",
    "name",
    "pathname",
    "process",
    "processName",
    "relativeCreated",
    "stack_info",
    "taskName",
    "thread",
    "threadName",
];

fn compare_extra(entry: &Entry<'_>, record: &Map<String, Json>, case: &str) {
    let told: BTreeSet<&str> = record.keys().map(String::as_str).filter(|name| !STOCK.contains(name)).collect();
    let names: BTreeSet<&str> = entry.extra.iter().map(|(name, _)| &**name).collect();
    assert_eq!(names, told, "{case}");
    for (name, value) in &entry.extra {
        assert!(is_told(value, &record[&**name]), "{case}: {name} is {value}, told {}", record[&**name]);
    }
}

fn compare_all(fixture: &Fixture, frames: &[Vec<u8>], reader: &mut Reader) {
    assert_eq!(frames.len(), fixture.records().count(), "{}", fixture.name);
    for ((frame, record), created) in frames.iter().zip(fixture.records()).zip(fixture.times()) {
        let entry = read_pickle(reader, frame).unwrap_or_else(|bad| panic!("{}: {bad}", fixture.name));
        compare(&entry, record, &fixture.name);
        let micros = format!("{created:.6}").replace('.', "");
        assert_eq!(entry.time.unwrap().to_string(), micros, "{}", fixture.name);
    }
    let messages = fixture.told["messages"].as_array().unwrap();
    if messages.len() == frames.len() {
        for (frame, message) in frames.iter().zip(messages) {
            let entry = read_pickle(reader, frame).unwrap();
            assert_eq!(Some(entry.text.into_owned()), text_of(message), "{}", fixture.name);
        }
    }
}

#[test]
fn every_record_of_every_python_and_protocol_is_whole() {
    let mut reader = Reader::new();
    let mut count = 0;
    for fixture in sockets() {
        let frames = frames(std::iter::once(&fixture.bytes[..]));
        count += frames.len();
        compare_all(&fixture, &frames, &mut reader);
    }
    assert_eq!(count, 347);
}

#[test]
fn a_stream_may_come_byte_by_byte() {
    for fixture in sockets() {
        let whole = frames(std::iter::once(&fixture.bytes[..]));
        assert_eq!(frames(fixture.bytes.chunks(1)), whole, "{}", fixture.name);
    }
}

#[test]
fn a_stream_may_be_cut_anywhere() {
    for fixture in SOCKET.iter().flat_map(|name| folder(name)).filter(|fixture| fixture.bytes.len() < 8_000) {
        let whole = frames(std::iter::once(&fixture.bytes[..]));
        for at in 0..fixture.bytes.len() {
            let (left, right) = fixture.bytes.split_at(at);
            assert_eq!(frames([left, right].into_iter()), whole, "{} cut at {at}", fixture.name);
        }
    }
}

#[test]
fn a_record_that_was_cut_off_is_refused_and_not_half_read() {
    let mut reader = Reader::new();
    for fixture in folder("py3.11/socket").iter().filter(|fixture| fixture.bytes.len() < 8_000) {
        for frame in frames(std::iter::once(&fixture.bytes[..])) {
            for at in 0..frame.len() {
                assert!(read_pickle(&mut reader, &frame[..at]).is_err(), "{} cut at {at}", fixture.name);
            }
        }
    }
}

#[test]
fn every_datagram_is_a_record() {
    let mut reader = Reader::new();
    for fixture in folder("py3.11/datagram") {
        match datagram(&fixture.bytes) {
            Datagram::Pickle(pickle) => compare_all(&fixture, &[pickle.to_vec()], &mut reader),
            other => assert_eq!((other, fixture.bytes.len()), (Datagram::Empty, 0), "{}", fixture.name),
        }
    }
}

/// serde-pickle reads the plain records too; where it does, it reads the same.
#[test]
fn another_reader_reads_the_same_dict() {
    let mut reader = Reader::new();
    let mut agreed = 0;
    for fixture in sockets() {
        for frame in frames(std::iter::once(&fixture.bytes[..])) {
            let options = serde_pickle::DeOptions::new().decode_strings();
            let Ok(serde_pickle::Value::Dict(dict)) = serde_pickle::value_from_slice(&frame, options) else { continue };
            let entry = read_pickle(&mut reader, &frame).unwrap();
            let text = |name: &str| match dict.get(&serde_pickle::HashableValue::String(name.to_owned())) {
                Some(serde_pickle::Value::String(text)) => Some(text.clone()),
                _ => None,
            };
            assert_eq!(Some(entry.text.to_string()), text("msg"), "{}", fixture.name);
            assert_eq!(entry.logger.as_deref(), text("name").as_deref(), "{}", fixture.name);
            assert_eq!(entry.file.as_deref(), text("pathname").as_deref(), "{}", fixture.name);
            assert_eq!(entry.level_name.as_deref(), text("levelname").as_deref(), "{}", fixture.name);
            let others = dict.keys().filter(|key| match key {
                serde_pickle::HashableValue::String(name) => !STOCK.contains(&&**name),
                _ => true,
            });
            assert_eq!(entry.extra.len(), others.count(), "{}", fixture.name);
            agreed += 1;
        }
    }
    assert!(agreed > 200, "{agreed} records were read by both");
}
