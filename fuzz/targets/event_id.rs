//! The `Last-Event-ID` of a client that comes back: what is taken is what is sent.
#![no_main]

use joblines::views::EventId;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    if let Ok(id) = text.parse::<EventId>() {
        assert_eq!(id.to_string().parse(), Ok(id));
    }
});
