//! What a plain line says of itself: whatever it is, the logger is a part of it, and colours taken away leave no escape.
#![no_main]

use joblines::record::said;
use joblines::views::Plain;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|line: &[u8]| {
    let mut plain = Plain::default();
    let text = plain.of(line);
    assert!(text.len() <= line.len() && !text.contains(&0x1B));
    if let Some(name) = said(text).logger {
        assert!(!name.is_empty() && text.windows(name.len()).any(|part| part == name));
    }
});
