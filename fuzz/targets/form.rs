//! A form of HTTPHandler: any bytes are a record or none, and a record stays the same in a journal.
#![no_main]

use joblines::logging::read_form;
use joblines::record::Entry;
use libfuzzer_sys::fuzz_target;

fn check(form: &[u8]) {
    if let Some(entry) = read_form(form) {
        let mut line = Vec::new();
        entry.write(&mut line);
        assert_eq!(Entry::read(&line), Some(entry));
    }
}

fuzz_target!(|bytes: &[u8]| {
    check(bytes);
    check(&[b"msg=%s&args=", bytes].concat());
});
