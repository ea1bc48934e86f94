//! `joblines check`: every mistake in `jobs.toml`, each with its place. It starts nothing.

use std::path::Path;
use std::process::ExitCode;

use super::report;
use crate::config;

/// Reports the mistakes of the file, or how many jobs it has.
pub(super) fn check(path: &Path) -> ExitCode {
    match config::load(path) {
        Ok(config) => {
            let jobs = config.jobs.len();
            println!("{}: {jobs} job{}, no mistakes", path.display(), if jobs == 1 { "" } else { "s" });
            ExitCode::SUCCESS
        }
        Err(mistakes) => {
            report(&mistakes);
            ExitCode::FAILURE
        }
    }
}
