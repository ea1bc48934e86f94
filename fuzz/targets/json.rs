//! JSON from Redis or from a request's body: any bytes are records or none, a record stays the same in a journal, and
//! whatever a payload is as a body's only object, it is alone.
#![no_main]

use joblines::logging::{read_json, read_records};
use joblines::record::Entry;
use libfuzzer_sys::fuzz_target;

fn check(entry: &Entry<'_>) {
    let mut line = Vec::new();
    entry.write(&mut line);
    assert_eq!(Entry::read(&line).as_ref(), Some(entry));
    assert_eq!(line.iter().filter(|byte| **byte == b'\n').count(), 1);
}

fuzz_target!(|bytes: &[u8]| {
    let payload = read_json(bytes);
    payload.iter().for_each(check);
    let records: Vec<_> = read_records(bytes).collect();
    for record in &records {
        match record {
            Ok(entry) => check(entry),
            Err(bad) => assert!(!bad.to_string().is_empty()),
        }
    }
    if payload.is_some() {
        assert_eq!(records.len(), 1);
        assert_eq!(records[0].as_ref().ok().map(|entry| &entry.text), payload.as_ref().map(|entry| &entry.text));
    }
});
