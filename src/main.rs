//! The `joblines` program: arguments in, exit status out.

use std::process::ExitCode;

use clap::Parser;
use joblines::cli::{self, Arguments};

fn main() -> ExitCode {
    cli::run(Arguments::parse())
}
