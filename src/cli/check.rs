//! `joblines check`: every mistake in `jobs.toml`, each with its place. It starts nothing.

use std::path::Path;
use std::process::ExitCode;

use super::report;
use crate::config;

/// Reports the mistakes of the file, or how many jobs and feeds it has.
pub(super) fn check(path: &Path) -> ExitCode {
    match config::load(path) {
        Ok(config) => {
            let feeds = match config.feeds.len() {
                0 => String::new(),
                feeds => format!(", {}", count(feeds, "feed")),
            };
            println!("{}: {}{feeds}, no mistakes", path.display(), count(config.jobs.len(), "job"));
            ExitCode::SUCCESS
        }
        Err(mistakes) => {
            report(&mistakes);
            ExitCode::FAILURE
        }
    }
}

fn count(number: usize, what: &str) -> String {
    format!("{number} {what}{}", if number == 1 { "" } else { "s" })
}
