//! The verbs of the command line.

mod check;
pub mod client;
mod completions;
mod manual;
mod reload;
mod schema;
mod serve;
mod share;
mod watch;

use std::io::{self, IsTerminal, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};

use crate::config::{Listen, Mistakes};
use client::cancel::CancelArgs;
use client::list::ListArgs;
use client::logs::LogsArgs;
use client::run::RunArgs;
use client::runs::RunsArgs;
use reload::Reload;
use serve::limits;
use share::ShareArguments;
use watch::{Stamp, Watch};

// what the siblings need of each other
use client::run::exit_status;
use client::{Side, Terminal};

/// Turns commands into pages: visit a job's URL, it runs, and every line shows at once.
#[derive(Parser, Debug)]
#[command(name = "joblines", version, args_conflicts_with_subcommands = true, after_help = manual::JOBLINES)]
pub struct Arguments {
    #[command(subcommand)]
    verb: Option<Verb>,
    #[command(flatten)]
    serve: ServeArguments,
}

#[derive(Subcommand, Debug)]
enum Verb {
    /// Serve the jobs of jobs.toml (also what happens without a verb)
    #[command(after_help = manual::SERVE)]
    Serve(ServeArguments),
    /// Report every mistake in jobs.toml
    #[command(after_help = manual::CHECK)]
    Check(CheckArguments),
    /// Print the JSON Schema of jobs.toml, for editors
    #[command(after_help = manual::SCHEMA)]
    Schema,
    /// Run a job on a server, stream it here, exit as it exited
    #[command(after_help = manual::RUN)]
    Run(RunArgs),
    /// Run one command now, at a URL of its own; or show standard input there
    #[command(after_help = manual::SHARE)]
    Share(ShareArguments),
    /// List the jobs of a server, each with its last run
    #[command(after_help = manual::LIST)]
    List(ListArgs),
    /// List the runs of a server, newest first
    #[command(after_help = manual::RUNS)]
    Runs(RunsArgs),
    /// Show the output of a run
    #[command(after_help = manual::LOGS)]
    Logs(LogsArgs),
    /// Cancel a run and wait until it has ended
    #[command(after_help = manual::CANCEL)]
    Cancel(CancelArgs),
    /// Print a shell's completions of this command line
    #[command(after_help = manual::COMPLETIONS)]
    Completions {
        /// The shell
        #[arg(value_parser = clap::builder::EnumValueParser::<clap_complete::Shell>::new())]
        shell: clap_complete::Shell,
    },
    /// Print the manual page
    #[command(after_help = manual::MAN)]
    Man,
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
        Some(Verb::Check(check)) => check::check(&check.config),
        Some(Verb::Schema) => schema::schema(),
        Some(Verb::Run(args)) => ask(client::run::run(args)),
        Some(Verb::Share(args)) => share::share(args),
        Some(Verb::Completions { shell }) => completions::print(shell),
        Some(Verb::Man) => manual::print(),
        Some(Verb::List(args)) => ask(client::list::list(args)),
        Some(Verb::Runs(args)) => ask(client::runs::runs(args)),
        Some(Verb::Logs(args)) => ask(client::logs::logs(args)),
        Some(Verb::Cancel(args)) => ask(client::cancel::cancel(args)),
    };
    match done {
        Ok(code) => code,
        Err(error) => {
            say(&format!("{error:#}"));
            ExitCode::FAILURE
        }
    }
}

/// Does one of the client's verbs.
fn ask(verb: impl Future<Output = u8>) -> anyhow::Result<ExitCode> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let code = runtime.block_on(verb);
    // a write to a pager that nobody reads must not hold the exit up
    std::process::exit(code.into());
}

/// A line of our own on standard error. Nobody is told if that cannot be written, and it ends nothing.
fn say(text: &str) {
    let _ = writeln!(io::stderr(), "joblines: {text}");
}

/// Shows mistakes to a person, in colour on a terminal.
fn report(mistakes: &Mistakes) {
    let mut stderr = io::stderr();
    let text = if stderr.is_terminal() { mistakes.render_coloured() } else { mistakes.to_string() };
    // the exit code tells it as well
    let _ = writeln!(stderr, "{text}");
}
