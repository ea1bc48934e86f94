//! `msg % args`: what stands before the first line feed, and what behind it. Whatever they are, the result is bounded, and
//! a message without arguments stays as it is.
#![no_main]

use joblines::logging::{merge_json, merge_repr};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let (msg, args) = text.split_once('\n').unwrap_or((text, "()"));
    for merged in [merge_repr(msg, args), merge_json(msg, args)].into_iter().flatten() {
        assert!(merged.len() <= msg.len().max(1 << 20));
    }
    assert_eq!(merge_repr(msg, "()").as_deref(), Some(msg));
    assert_eq!(merge_json(msg, "[]").as_deref(), Some(msg));
    // a text as the only argument is what %s shows, however it is written
    let json = serde_json::Value::from([args].as_slice()).to_string();
    if args.len() < 1000 {
        assert_eq!(merge_json("%s", &json).as_deref(), Some(args));
        assert_eq!(merge_json("%.0s", &json).as_deref(), Some(""));
        let repr = merge_json("(%r,)", &json).expect("a text has a repr");
        assert_eq!(merge_repr("%s", &repr).as_deref(), Some(args));
    }
});
