//! The verbs of the command line.

mod check;
pub mod client;
mod schema;
mod serve;

use std::io::{self, IsTerminal};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};

use crate::config::{Listen, Mistakes};
use client::run::RunArgs;

/// Turns commands into pages: visit a job's URL, it runs, and every line shows at once.
#[derive(Parser, Debug)]
#[command(name = "joblines", version, args_conflicts_with_subcommands = true)]
pub struct Arguments {
    #[command(subcommand)]
    verb: Option<Verb>,
    #[command(flatten)]
    serve: ServeArguments,
}

#[derive(Subcommand, Debug)]
enum Verb {
    /// Serve the jobs of jobs.toml (also what happens without a verb)
    Serve(ServeArguments),
    /// Report every mistake in jobs.toml
    Check(CheckArguments),
    /// Print the JSON Schema of jobs.toml, for editors
    Schema,
    /// Run a job on a server, stream it here, exit as it exited
    Run(RunArgs),
}

#[derive(Args, Debug)]
struct ServeArguments {
    /// The jobs
    #[arg(long, value_name = "FILE", default_value = "jobs.toml")]
    config: PathBuf,
    /// Where to listen: host:port (port 0 picks a free one) or unix:/path; instead of what the file says
    #[arg(long, value_name = "ADDR")]
    listen: Vec<Listen>,
    /// Where runs are kept; instead of what the file says
    #[arg(long, value_name = "DIR")]
    state_dir: Option<PathBuf>,
}

#[derive(Args, Debug)]
struct CheckArguments {
    /// The jobs
    #[arg(long, value_name = "FILE", default_value = "jobs.toml")]
    config: PathBuf,
}

/// Does what the command line says, and returns what to exit with.
pub fn run(arguments: Arguments) -> ExitCode {
    let done = match arguments.verb {
        None => serve::serve(arguments.serve),
        Some(Verb::Serve(serve)) => serve::serve(serve),
        Some(Verb::Check(check)) => return check::check(&check.config),
        Some(Verb::Schema) => schema::schema(),
        Some(Verb::Run(run)) => run_there(run),
    };
    match done {
        Ok(code) => code,
        Err(error) => {
            eprintln!("joblines: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run_there(arguments: RunArgs) -> anyhow::Result<ExitCode> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let code = runtime.block_on(client::run::run(arguments));
    // a write to a pager that nobody reads must not hold the exit up
    std::process::exit(code.into());
}

/// Shows mistakes to a person, in colour on a terminal.
fn report(mistakes: &Mistakes) {
    if io::stderr().is_terminal() {
        eprintln!("{}", mistakes.render_coloured());
    } else {
        eprintln!("{mistakes}");
    }
}
