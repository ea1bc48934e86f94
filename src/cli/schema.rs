//! `joblines schema`: the JSON Schema of `jobs.toml`, for editors. It reads no file.

use std::io::{self, ErrorKind, Write};
use std::process::ExitCode;

use anyhow::Context;

use crate::config;

/// Prints the schema.
pub(super) fn schema() -> anyhow::Result<ExitCode> {
    let mut out = io::stdout().lock();
    let written = writeln!(out, "{:#}", config::schema()).and_then(|()| out.flush());
    match written {
        // whoever reads it has read enough
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(ExitCode::SUCCESS),
        written => written.map(|()| ExitCode::SUCCESS).context("cannot write the schema"),
    }
}
