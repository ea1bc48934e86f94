//! `jobs.toml`: no text makes the reader panic, and every mistake can be shown.
#![no_main]

use std::path::Path;

use joblines::config::parse;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    // a file that an arbitrary text names may be a large one of this machine: only the reading of the text is tried
    if text.contains("env_file") {
        return;
    }
    match parse(text, Path::new("jobs.toml"), Path::new("/nonexistent")) {
        Ok(config) => assert!(!config.server.listen.is_empty()),
        Err(mistakes) => assert!(!mistakes.to_string().is_empty()),
    }
});
