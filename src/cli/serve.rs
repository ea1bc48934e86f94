//! `joblines serve`: from the configuration to a server that accepts, and from a signal to a clean end.

use std::env;
use std::future::pending;
use std::io::{self, IsTerminal, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail};
use tokio::signal::unix::{SignalKind, signal};
use tracing::level_filters::LevelFilter;
use tracing::{info, warn};

use super::{Reload, ServeArguments, Stamp, Watch, report};
use crate::config::{self, Config, Listen};
use crate::feeds::Feeds;
use crate::http::listen::{Limits, Listener, Stop, Timeouts};
use crate::http::{self, App};
use crate::runs::{self, Runs};
use crate::sources::process;

/// So long clients have to take the end of their pages after the last run has ended.
const FAREWELL: Duration = Duration::from_secs(5);

/// At least so many threads: appending to a journal may wait for the disk, and others should not wait with it.
const LEAST_THREADS: usize = 2;

pub(super) fn serve(arguments: ServeArguments) -> anyhow::Result<ExitCode> {
    let seen = Stamp::of(&arguments.config);
    let mut config = match config::load(&arguments.config) {
        Ok(config) => config,
        Err(mistakes) => {
            report(&mistakes);
            return Ok(ExitCode::FAILURE);
        }
    };
    let started = config.server.clone();
    if !arguments.listen.is_empty() {
        let here = env::current_dir().context("the current folder is gone")?;
        let beneath = |listen: Listen| listen.beneath(&here);
        config.server.listen = arguments.listen.into_iter().map(beneath).collect::<Result<_, _>>()?;
    }
    for listen in &config.server.listen {
        listen.check_local()?;
    }
    let state_dir = match arguments.state_dir.or_else(|| config.server.state_dir.clone()) {
        Some(folder) => folder,
        None => usual_state_dir()?,
    };
    let state_dir = std::path::absolute(&state_dir)?;
    log();
    process::raise_open_files();
    process::shed_inheritance().context("cannot keep open files from the jobs")?;
    let threads = std::thread::available_parallelism().map_or(LEAST_THREADS, |cores| cores.get().max(LEAST_THREADS));
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(threads).enable_all().build()?;
    let code = runtime.block_on(accept(config, state_dir, Origin { path: arguments.config, seen, server: started }));
    // every run has ended and every page is closed: a thread that still waits for a disk is waited for no longer
    runtime.shutdown_background();
    code
}

/// `$STATE_DIRECTORY` (systemd.exec(5)), else where the XDG Base Directory Specification puts state.
fn usual_state_dir() -> anyhow::Result<PathBuf> {
    let folder = |name| env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    // several are separated by colons; the first is as good as any
    if let Some(folders) = folder("STATE_DIRECTORY")
        && let Some(first) = env::split_paths(&folders).next()
    {
        return Ok(first);
    }
    match (folder("XDG_STATE_HOME"), folder("HOME")) {
        (Some(state), _) => Ok(state.join("joblines")),
        (None, Some(home)) => Ok(home.join(".local/state/joblines")),
        (None, None) => bail!("there is no HOME to keep runs in: say where with --state-dir"),
    }
}

fn log() {
    let ansi = io::stderr().is_terminal();
    let log = tracing_subscriber::fmt().with_max_level(LevelFilter::INFO).with_writer(io::stderr).with_ansi(ansi);
    // it would be said where nothing can be said, and a server whose log is on a full disk has to go on
    log.log_internal_errors(false).init();
}

/// Where a configuration came from.
struct Origin {
    path: PathBuf,
    /// What it was when it was read.
    seen: Stamp,
    /// Its `[server]` table as the file has it.
    server: config::Server,
}

/// What of a `[server]` table can change while the server runs.
pub(super) fn limits(server: &config::Server) -> runs::Limits {
    runs::Limits {
        max_running: server.max_running,
        max_queued: server.max_queued,
        keep: runs::Keep { runs: server.keep_runs, age: server.keep_for, bytes: server.keep_bytes },
    }
}

async fn accept(config: Config, state_dir: PathBuf, origin: Origin) -> anyhow::Result<ExitCode> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut hangup = signal(SignalKind::hangup())?;
    let listeners = config.server.listen.iter().map(Listener::bind).collect::<Result<Vec<_>, _>>()?;
    let base_path = &config.server.base_path;
    let urls: Vec<_> = listeners.iter().map(|listener| listener.url(base_path)).collect();
    let url = urls.first().cloned().unwrap_or_default();
    let settings = runs::Settings { state_dir: state_dir.clone(), limits: limits(&config.server), url: url.clone() };
    let runs = Runs::open(settings).await?;
    let scheme_and_host = url.strip_suffix(base_path.as_str()).unwrap_or(&url).to_owned();
    let feeds = Feeds::open(&state_dir, &config.feeds);
    let app = App::new(&config, (runs.clone(), feeds.clone()), scheme_and_host);
    let service = http::service(Arc::clone(&app));
    let limits = Limits { max_connections: config.server.max_connections, timeouts: Timeouts::default() };
    let stop = Stop::default();
    let serving = tokio::spawn(http::listen::serve(listeners, service, limits, stop.clone()));
    let mut watch = Watch::new(&origin.path, origin.seen);
    if watch.is_none() {
        warn!("jobs.toml is not watched: the system has no watch left (inotify(7)); SIGHUP loads it anew");
    }
    let reload = Reload {
        path: origin.path,
        app,
        runs: runs.clone(),
        feeds: feeds.clone(),
        started: origin.server,
        effective: config.server.clone(),
    };
    announce(&urls);
    loop {
        tokio::select! {
            _ = terminate.recv() => break,
            _ = interrupt.recv() => break,
            _ = hangup.recv() => reload.load().await,
            () = saved(&mut watch) => reload.load().await,
        }
    }
    info!("stopping: every run is ended; a second signal stops at once");
    stop.gently.cancel();
    let ended = async {
        tokio::join!(runs.shut_down(), feeds.shut_down());
        let farewell = tokio::time::sleep(FAREWELL);
        tokio::pin!(serving, farewell);
        tokio::select! {
            _ = &mut serving => {}
            () = farewell => {
                stop.now.cancel();
                let _ = serving.await;
            }
        }
    };
    tokio::select! {
        () = ended => Ok(ExitCode::SUCCESS),
        _ = terminate.recv() => std::process::exit(1),
        _ = interrupt.recv() => std::process::exit(1),
    }
}

/// Waits until the watched file was saved.
async fn saved(watch: &mut Option<Watch>) {
    match watch {
        Some(watch) => watch.changed().await,
        None => pending().await,
    }
}

/// The one line on stdout. That nobody reads it is no reason not to serve.
fn announce(urls: &[String]) {
    let _ = writeln!(io::stdout(), "joblines: listening on {}", urls.join(", "));
}
