//! Starts a job's command: finds the program, sets its variables, ties its ends to pipes or to a terminal. It does not
//! read what comes out.

use std::borrow::Cow;
use std::env;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use rustix::fs::{Access, access};
use tokio::net::unix::pipe;
use tokio::process::Child;

use super::{Command, Inherit, Launch, Mask, Settings, Tap};
use crate::parameters::fill;
use crate::record::Stream;

/// Where programs are looked for when the server itself has no `PATH`.
const DEFAULT_PATH: &str = "/usr/local/bin:/usr/bin:/bin";

/// The size of a job's terminal.
const ROWS_AND_COLUMNS: (u16, u16) = (24, 80);

/// VEOF (termios(3)): a read of the terminal that meets it is at end of file. As many as a terminal's input takes
/// without blocking, for each read uses one up.
const ENDS_OF_FILE: [u8; 1024] = [4; 1024];

/// Why a command could not be started; names the argument and the path.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// No such program in any folder of `PATH`.
    #[error("cannot run `{program}` (argument 1 of the command): no such program in PATH ({path})")]
    NotInPath {
        /// As the command names it.
        program: String,
        /// Where it was looked for.
        path: String,
    },
    /// The program's file cannot be executed.
    #[error("cannot run `{program}` (argument 1 of the command, {}): {reason}", path.display())]
    NotExecutable {
        /// As the command names it.
        program: String,
        /// The file.
        path: PathBuf,
        /// What the system says, and what to do.
        reason: String,
    },
    /// The working folder cannot be entered.
    #[error("cannot run in cwd {}: {reason}", path.display())]
    BadFolder {
        /// The folder.
        path: PathBuf,
        /// What the system says.
        reason: io::Error,
    },
    /// A value or a variable, or all of them together, are more than the system takes.
    #[error(
        "cannot run `{program}`: the values and variables are too long for the system, which takes 128 KiB each \
         (execve(2)); more goes through standard input (stdin = \"body\")"
    )]
    TooLong {
        /// As the command names it.
        program: String,
    },
    /// Any of these, told without the run's secrets.
    #[error("{0}")]
    Masked(String),
    /// The system refused something else.
    #[error("cannot start the command: {0}")]
    System(#[from] io::Error),
}

impl StartError {
    /// Without what `mask` hides.
    pub(super) fn masked(self, mask: Option<&Mask>) -> StartError {
        match mask {
            Some(mask) => StartError::Masked(mask.hide(&self.to_string())),
            None => self,
        }
    }
}

/// A child that runs, and where its output comes out.
pub(super) struct Spawned {
    pub(super) child: Child,
    pub(super) taps: Vec<(Stream, Tap)>,
}

/// Starts the command of `settings` with what `launch` gives it.
pub(super) fn spawn(settings: &Settings, launch: &Launch) -> Result<Spawned, StartError> {
    let variables = Variables::new(settings, launch);
    // no value fills the program or a shell's text: those are the job's own
    let (program, arguments): (&str, Vec<Cow<'_, str>>) = match &settings.command {
        Command::Shell(text) => ("/bin/sh", vec!["-c".into(), text.into()]),
        Command::List(words) => match words.split_first() {
            Some((program, words)) => (program, words.iter().map(|word| fill(word, &launch.values)).collect()),
            None => ("", Vec::new()),
        },
    };
    let file = find(program, &variables.path(), &settings.cwd)?;
    let arguments = arguments.iter().map(|argument| OsStr::new(&**argument)).collect();
    let has_input = launch.input.is_some();
    let line = Line { name: program, file: &file, arguments, variables: &variables, has_input };
    let spawned = if settings.pty { on_terminal(&line, settings) } else { on_pipes(&line, settings) };
    spawned.map_err(|error| explain(error, program, &file, &settings.cwd))
}

/// What is executed, in full.
struct Line<'a> {
    name: &'a str,
    file: &'a Path,
    arguments: Vec<&'a OsStr>,
    variables: &'a Variables<'a>,
    /// Its standard input is a pipe of ours.
    has_input: bool,
}

fn on_pipes(line: &Line<'_>, settings: &Settings) -> io::Result<Spawned> {
    let mut command = tokio::process::Command::new(line.file);
    command.arg0(line.name).args(&line.arguments);
    if !line.variables.inherited {
        command.env_clear();
    }
    command.envs(line.variables.own.iter().map(|(name, value)| (name, value)));
    let stdin = if line.has_input { Stdio::piped() } else { Stdio::null() };
    command.current_dir(&settings.cwd).stdin(stdin).process_group(0);
    let (out, out_end) = tap()?;
    let mut taps = vec![(Stream::Stdout, out)];
    if settings.merge_stderr {
        command.stderr(out_end.try_clone()?);
    } else {
        let (err, err_end) = tap()?;
        taps.push((Stream::Stderr, err));
        command.stderr(err_end);
    }
    // our copies of the write ends go with the command: only the child's are left
    let child = command.stdout(out_end).spawn()?;
    Ok(Spawned { child, taps })
}

/// A pipe: the end to read from, and the child's.
fn tap() -> io::Result<(Tap, io::PipeWriter)> {
    let (ours, theirs) = io::pipe()?;
    let ours = OwnedFd::from(ours);
    rustix::io::ioctl_fionbio(&ours, true)?;
    Ok((Tap::Pipe(pipe::Receiver::from_owned_fd_unchecked(ours)?), theirs))
}

fn on_terminal(line: &Line<'_>, settings: &Settings) -> io::Result<Spawned> {
    let (terminal, child_end) = pty_process::open().map_err(io::Error::other)?;
    let (rows, columns) = ROWS_AND_COLUMNS;
    terminal.resize(pty_process::Size::new(rows, columns)).map_err(io::Error::other)?;
    let mut command = pty_process::Command::new(line.file).args(&line.arguments);
    if !line.variables.inherited {
        command = command.env_clear();
    }
    command = command.envs(line.variables.own.iter().map(|(name, value)| (name, value)));
    if line.has_input {
        command = command.stdin(Stdio::piped());
    }
    let child = command.current_dir(&settings.cwd).spawn(child_end).map_err(|error| match error {
        pty_process::Error::Io(error) => error,
        error => io::Error::other(error),
    })?;
    // it takes as many as it has room for; that it takes fewer is no harm
    let _ = rustix::io::write(&terminal, &ENDS_OF_FILE);
    Ok(Spawned { child, taps: vec![(Stream::Stdout, Tap::Terminal(terminal))] })
}

fn borrowed(text: &str) -> Cow<'_, OsStr> {
    Cow::Borrowed(OsStr::new(text))
}

/// What a child's variables are made of: all of the server's own or none, and these; a later one wins.
struct Variables<'a> {
    inherited: bool,
    own: Vec<(Cow<'a, OsStr>, Cow<'a, OsStr>)>,
}

impl<'a> Variables<'a> {
    fn new(settings: &'a Settings, launch: &'a Launch) -> Self {
        let inherited = settings.inherit_env == Inherit::All;
        let mut own = Vec::with_capacity(8 + settings.env.len());
        let mut set = |name: Cow<'a, OsStr>, value: Cow<'a, OsStr>| own.push((name, value));
        let path = env::var_os("PATH").filter(|path| !path.is_empty());
        if !inherited || path.is_none() {
            set(borrowed("PATH"), path.unwrap_or_else(|| DEFAULT_PATH.into()).into());
        }
        if let Inherit::Only(names) = &settings.inherit_env {
            names.iter().filter_map(|name| Some((name, env::var_os(name)?))).for_each(|(name, value)| {
                set(borrowed(name), value.into());
            });
        }
        set(borrowed("PYTHONUNBUFFERED"), borrowed("1"));
        if settings.pty && (!inherited || env::var_os("TERM").is_none()) {
            set(borrowed("TERM"), borrowed("xterm-256color"));
        }
        settings.env.iter().for_each(|(name, value)| set(borrowed(name), borrowed(value)));
        for value in launch.values.iter() {
            set(OsString::from(value.variable()).into(), borrowed(&value.text));
        }
        launch.identity.iter().for_each(|(name, value)| set(borrowed(name), borrowed(value)));
        Variables { inherited, own }
    }

    /// The child's `PATH`.
    fn path(&self) -> Cow<'a, OsStr> {
        let own = self.own.iter().rev().find(|(name, _)| **name == *"PATH").map(|(_, path)| path.clone());
        own.or_else(|| env::var_os("PATH").map(Cow::from)).unwrap_or_default()
    }
}

/// The file to execute, as execvp(3) finds it; looked for here so that the error can say where.
fn find(program: &str, path: &OsStr, folder: &Path) -> Result<PathBuf, StartError> {
    if program.contains('/') {
        return Ok(folder.join(program));
    }
    let mut refused = None;
    for directory in path.as_bytes().split(|byte| *byte == b':') {
        let file = folder.join(OsStr::from_bytes(directory)).join(program);
        match fs::metadata(&file) {
            Ok(found) if found.is_file() => match access(&file, Access::EXEC_OK) {
                Ok(()) => return Ok(file),
                Err(_) => refused = refused.or(Some(file)),
            },
            _ => {}
        }
    }
    Err(match refused {
        Some(path) => not_executable(program, &path, &io::ErrorKind::PermissionDenied.into()),
        None => StartError::NotInPath { program: program.to_owned(), path: path.to_string_lossy().into_owned() },
    })
}

/// Which of the things that spawning needs was at fault.
fn explain(error: io::Error, program: &str, file: &Path, folder: &Path) -> StartError {
    if let Err(reason) = fs::metadata(folder).and_then(|found| match found.is_dir() {
        true => access(folder, Access::EXEC_OK).map_err(io::Error::from),
        false => Err(io::ErrorKind::NotADirectory.into()),
    }) {
        return StartError::BadFolder { path: folder.to_owned(), reason };
    }
    match error.raw_os_error() {
        Some(libc::ENOENT | libc::EACCES | libc::ENOEXEC | libc::ENOTDIR | libc::EISDIR | libc::ETXTBSY) => {
            not_executable(program, file, &error)
        }
        Some(libc::E2BIG) => StartError::TooLong { program: program.to_owned() },
        _ => StartError::System(error),
    }
}

fn not_executable(program: &str, file: &Path, error: &io::Error) -> StartError {
    let remedy = match (error.kind(), error.raw_os_error()) {
        (io::ErrorKind::PermissionDenied, _) => " (chmod +x makes a file executable)",
        (_, Some(libc::ENOEXEC)) => " (a script needs a first line such as #!/bin/sh)",
        (io::ErrorKind::NotFound, _) if file.exists() => " (the interpreter in its first line does not exist)",
        _ => "",
    };
    StartError::NotExecutable { program: program.to_owned(), path: file.to_owned(), reason: format!("{error}{remedy}") }
}
