//! What a plain line says of itself: whatever it is, the logger is a part of it, its fields are found or not, and colours
//! taken away leave no escape.
#![no_main]

use joblines::record::{any_field, said};
use joblines::views::Plain;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|line: &[u8]| {
    let mut plain = Plain::default();
    let text = plain.of(line);
    assert!(text.len() <= line.len() && !text.contains(&0x1B));
    if let Some(name) = said(text).logger {
        assert!(!name.is_empty() && text.windows(name.len()).any(|part| part == name));
    }
    let mut values = 0;
    assert!(!any_field(text, "level", |_| {
        values += 1;
        false
    }));
    assert!(values > 0 || !any_field(text, "level", |_| true));
});
