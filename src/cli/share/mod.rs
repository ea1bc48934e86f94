//! `joblines share`: one command, or standard input, at a URL of its own, without a `jobs.toml`. What it keeps is gone
//! when it ends.

mod pass;

use std::env;
use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail};
use tempfile::TempDir;
use tokio::io::AsyncWrite;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc;

use super::{Side, Terminal, exit_status, limits, say};
use crate::config::{Config, Job, Listen, OnDisconnect, Overlap, Server, Source, Stdin, job_name};
use crate::feeds::Feeds;
use crate::http::listen::{Limits, Listener, Stop, Timeouts};
use crate::http::{self, App};
use crate::record::End;
use crate::runs::{self, Order, Run, Runs};
use crate::sources::process::{self, Command, Inherit};
use pass::pass_through;

/// So long clients have to take the end of their pages after Ctrl-C.
const FAREWELL: Duration = Duration::from_secs(5);
/// So long a thread that still reads standard input, or waits for a disk, is waited for.
const LOOSE_ENDS: Duration = Duration::from_millis(100);
/// As a job of jobs.toml has by default.
const GRACE: Duration = Duration::from_secs(10);
const DRAIN: Duration = Duration::from_secs(2);
const MAX_CONNECTIONS: usize = 1000;

/// The arguments of `joblines share`.
#[derive(Clone, PartialEq, Eq, Debug, clap::Args)]
pub(super) struct ShareArguments {
    /// Where to listen: host:port (port 0 picks a free one) or unix:/path
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:0")]
    listen: Listen,
    /// What it is called; by default as the program
    #[arg(long, value_parser = named)]
    name: Option<String>,
    /// Run the command on a terminal of its own, for programs that hold their output back elsewhere
    #[arg(long)]
    pty: bool,
    /// End once the command has ended and every open page has its end, not only at Ctrl-C
    #[arg(long)]
    no_wait: bool,
    /// The command and its arguments; or - for standard input
    #[arg(required = true, trailing_var_arg = true)]
    command: Vec<String>,
}

fn named(name: &str) -> Result<String, crate::config::Invalid> {
    job_name(name).map(|()| name.to_owned())
}

/// Runs and serves the command to its end and beyond, and returns what to exit with: as the command did.
pub(super) fn share(arguments: ShareArguments) -> anyhow::Result<ExitCode> {
    if arguments.command.first().is_some_and(|first| first == "-") && (arguments.pty || arguments.command.len() > 1) {
        say("`share -` shows standard input: it takes no command and no --pty, and options stand before `-`");
        return Ok(ExitCode::from(2));
    }
    let here = env::current_dir().context("the current folder is gone")?;
    let listen = arguments.listen.clone().beneath(&here)?;
    listen.check_local()?;
    let folder = tempfile::Builder::new().prefix("joblines-").permissions(Permissions::from_mode(0o700)).tempdir();
    let folder = folder.with_context(|| format!("cannot make a folder in {}", env::temp_dir().display()))?;
    process::raise_open_files();
    process::shed_inheritance().context("cannot keep open files from the command")?;
    let config = configured(&arguments, listen, &here);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let code = runtime.block_on(async { Shared::start(config, &folder).await?.attend(arguments.no_wait).await });
    // a run that was not waited for is ended with its task
    runtime.shutdown_timeout(LOOSE_ENDS);
    let path = folder.path().to_owned();
    folder.close().with_context(|| format!("cannot remove {}", path.display()))?;
    // a write to a pager that nobody reads must not hold the exit up
    std::process::exit(code?.into())
}

/// A configuration of one job, which no request can start.
fn configured(arguments: &ShareArguments, listen: Listen, here: &Path) -> Config {
    let is_stdin = arguments.command.first().is_some_and(|first| first == "-");
    let process = process::Settings {
        command: Command::List(arguments.command.clone()),
        cwd: here.to_owned(),
        env: Vec::new(),
        inherit_env: Inherit::All,
        pty: arguments.pty,
        merge_stderr: false,
        timeout: None,
        idle_timeout: None,
        grace: GRACE,
        drain: DRAIN,
        success_codes: vec![0],
    };
    let job = Job {
        name: arguments.name.clone().unwrap_or_else(|| name_of(&arguments.command)),
        description: None,
        group: None,
        parameters: Vec::new(),
        stdin: Stdin::None,
        overlap: Overlap::Allow,
        source: if is_stdin { Source::Stdin } else { Source::Command },
        process: Arc::new(process),
        on_disconnect: OnDisconnect::Continue,
        max_output: u64::MAX,
        get: false,
        post: false,
    };
    let server = Server {
        listen: vec![listen],
        state_dir: None,
        hosts: Vec::new(),
        base_path: String::new(),
        max_running: 1,
        max_queued: 0,
        max_connections: MAX_CONNECTIONS,
        keep_runs: 1,
        keep_for: None,
        keep_bytes: None,
    };
    Config { server, jobs: vec![Arc::new(job)], feeds: Vec::new() }
}

/// A name that a URL takes: the program's, as far as it is one.
fn name_of(command: &[String]) -> String {
    let program = command.first().map(String::as_str).unwrap_or_default();
    let file = Path::new(program).file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let safe = |c: char| if c.is_ascii_alphanumeric() || "_.-".contains(c) { c } else { '-' };
    let name: String = file.chars().map(safe).skip_while(|c| !c.is_ascii_alphanumeric()).take(64).collect();
    match name.as_str() {
        "" if program == "-" => "stdin".to_owned(),
        "" => "command".to_owned(),
        _ => name,
    }
}

/// The numbers of the signals that ask to end: Ctrl-C, a service manager, a terminal that was closed.
fn listen_for_signals() -> anyhow::Result<mpsc::UnboundedReceiver<u8>> {
    let (sender, receiver) = mpsc::unbounded_channel();
    for (kind, number) in [(SignalKind::interrupt(), 2), (SignalKind::terminate(), 15), (SignalKind::hangup(), 1)] {
        let (sender, mut signals) = (sender.clone(), signal(kind)?);
        tokio::spawn(async move { while signals.recv().await.is_some() && sender.send(number).is_ok() {} });
    }
    Ok(receiver)
}

/// What watching a run came to.
enum Watched {
    /// Its end; perhaps a signal asked for it.
    Ended { is_called_off: bool },
    /// A second signal did not wait for it.
    GivenUp { signal: u8 },
}

/// A run that is served.
struct Shared {
    runs: Arc<Runs>,
    run: Arc<Run>,
    url: String,
    signals: mpsc::UnboundedReceiver<u8>,
    serving: tokio::task::JoinHandle<()>,
    stop: Stop,
}

impl Shared {
    /// Listens, starts the only run there is, and says where it can be seen.
    async fn start(config: Config, folder: &TempDir) -> anyhow::Result<Shared> {
        let signals = listen_for_signals()?;
        let (Some(job), Some(listen)) = (config.jobs.first(), config.server.listen.first()) else {
            bail!("there is nothing to share");
        };
        let listener = Listener::bind(listen)?;
        let origin = listener.url("");
        let settings =
            runs::Settings { state_dir: folder.path().to_owned(), limits: limits(&config.server), url: origin.clone() };
        let runs = Runs::open(settings).await?;
        let feeds = Feeds::open(folder.path(), &config.feeds);
        let service = http::service(App::new(&config, (Arc::clone(&runs), feeds), origin.clone()));
        let bounds = Limits { max_connections: config.server.max_connections, timeouts: Timeouts::default() };
        let stop = Stop::default();
        let url = match listen {
            Listen::Tcp(_) => format!("{origin}/jobs/{}", job.name),
            Listen::Unix(_) => origin,
        };
        // said first, so that it stands before what the command says
        say(&format!("sharing {} at {url}", job.name));
        let order = Order { trigger: "the command line".to_owned(), ..Order::default() };
        let run = runs.start(job, order)?.run;
        // whoever was quick waits until there is something to see
        let serving = tokio::spawn(http::listen::serve(vec![listener], service, bounds, stop.clone()));
        Ok(Shared { runs, run, url, signals, serving, stop })
    }

    /// Passes the output on until the run has ended, serves on for as long as it is wanted, and returns what to exit
    /// with.
    async fn attend(mut self, no_wait: bool) -> anyhow::Result<u8> {
        let mut terminal = Terminal::own();
        let mut is_called_off = match self.watch(&mut terminal).await {
            Watched::Ended { is_called_off } => is_called_off,
            Watched::GivenUp { signal } => return Ok(128 + signal),
        };
        let end = self.run.journal.end().context("a run that has ended has no end")?;
        let signal = end.outcome.signal().map(i64::from);
        let code = exit_status(end.state.name(), end.outcome.exit_code().map(i64::from), signal);
        is_called_off |= self.run.begun().await.is_err();
        if !is_called_off && !no_wait {
            terminal.say(&format!("{}; {} stays until Ctrl-C", told(&end), self.url)).await;
            self.signals.recv().await;
            is_called_off = true;
        }
        self.take_leave(is_called_off).await;
        Ok(code)
    }

    /// Passes the output on. The first signal cancels the run, the second does not wait for its end.
    async fn watch<O, E>(&mut self, terminal: &mut Terminal<O, E>) -> Watched
    where
        O: AsyncWrite + Unpin + Send,
        E: AsyncWrite + Unpin + Send,
    {
        let (run, signals) = (&self.run, &mut self.signals);
        let shown = async {
            pass_through(&run.journal, terminal).await;
            run.ended().await;
        };
        tokio::pin!(shown);
        let mut is_called_off = false;
        loop {
            tokio::select! {
                () = &mut shown => return Watched::Ended { is_called_off },
                Some(signal) = signals.recv() => {
                    if is_called_off {
                        return Watched::GivenUp { signal };
                    }
                    is_called_off = true;
                    run.cancel();
                }
            }
        }
    }

    /// Every page gets its end; a signal, or after one some patience, cuts what is left.
    async fn take_leave(mut self, is_hurried: bool) {
        self.stop.gently.cancel();
        let patience = async {
            match is_hurried {
                true => tokio::time::sleep(FAREWELL).await,
                false => std::future::pending().await,
            }
        };
        let cut = async {
            tokio::select! {
                () = patience => {}
                _ = self.signals.recv() => {}
            }
            self.stop.now.cancel();
            std::future::pending().await
        };
        tokio::select! {
            _ = &mut self.serving => {}
            () = cut => {}
        }
        self.runs.shut_down().await;
    }
}

/// A run's end in a few words.
fn told(end: &End) -> String {
    match (end.outcome.exit_code(), end.outcome.signal_name()) {
        (Some(code), _) => format!("ended with exit code {code}"),
        (None, Some(signal)) => format!("ended by {signal}"),
        (None, None) => "standard input has ended".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_is_the_programs_as_far_as_a_url_takes_it() {
        for (program, name) in [
            ("make", "make"),
            ("./deploy.sh", "deploy.sh"),
            ("/usr/bin/env", "env"),
            ("./my script", "my-script"),
            ("-", "stdin"),
            ("./-x", "x"),
            ("./é", "command"),
            ("..", "command"),
        ] {
            assert_eq!(name_of(&[program.to_owned()]), name, "{program}");
            assert!(job_name(name).is_ok());
        }
        assert!(job_name(&name_of(&["x".repeat(100)])).is_ok());
    }
}
