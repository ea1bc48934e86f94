//! A query or a form: whatever is read can be written and reads back as the same.
#![no_main]

use joblines::http::query::{Query, encode};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(text) = std::str::from_utf8(bytes) {
        let _ = Query::parse(text);
    }
    let query = match Query::parse_bytes(bytes) {
        Ok(query) => query,
        Err(bad) => return assert!(!bad.to_string().is_empty()),
    };
    let written: Vec<_> = query.pairs().map(|(name, value)| format!("{}={}", encode(name), encode(value))).collect();
    assert_eq!(Query::parse(&written.join("&")).as_ref(), Ok(&query));
    for name in ["wait", "from", "tail", "stream"] {
        let _ = (query.flag(name), query.number(name, 1), query.value(name));
    }
});
