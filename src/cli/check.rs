//! `joblines check`: every mistake in `jobs.toml`, each with its place. It starts nothing.

use std::io::{self, ErrorKind, Write};
use std::path::Path;
use std::process::ExitCode;

use anyhow::Context;

use super::report;
use crate::config;

/// Reports the mistakes of the file, or how many jobs and feeds it has.
pub(super) fn check(path: &Path) -> anyhow::Result<ExitCode> {
    match config::load(path) {
        Ok(config) => {
            let feeds = match config.feeds.len() {
                0 => String::new(),
                feeds => format!(", {}", count(feeds, "feed")),
            };
            let jobs = count(config.jobs.len(), "job");
            let mut out = io::stdout().lock();
            match writeln!(out, "{}: {jobs}{feeds}, no mistakes", path.display()).and_then(|()| out.flush()) {
                // whoever reads it knows enough
                Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(ExitCode::SUCCESS),
                written => written.map(|()| ExitCode::SUCCESS).context("cannot write what was found"),
            }
        }
        Err(mistakes) => {
            report(&mistakes);
            Ok(ExitCode::FAILURE)
        }
    }
}

fn count(number: usize, what: &str) -> String {
    format!("{number} {what}{}", if number == 1 { "" } else { "s" })
}
