//! `joblines completions`: what a shell needs to complete this command line, from its definition. It installs nothing.

use std::io::{self, Write};
use std::process::ExitCode;

use clap::CommandFactory;
use clap_complete::Shell;

use super::Arguments;

/// Prints the completions for `shell`.
pub(super) fn print(shell: Shell) -> anyhow::Result<ExitCode> {
    // generated whole first: a pipe that nobody reads is no reason to panic
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Arguments::command(), "joblines", &mut script);
    io::stdout().write_all(&script)?;
    Ok(ExitCode::SUCCESS)
}
