//! Asks a command for the lines that it prints, which are the choices of a parameter. It writes no journal, and leaves no
//! process behind.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use rustix::process::Signal;
use tokio::io::AsyncReadExt;
use tokio::time::{sleep, timeout};

use super::{Command, Family, Launch, Process, Settings, Tap};
use crate::record::{Outcome, Stream};

/// How long it may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// How much it may print.
const MOST_BYTES: usize = 1 << 20;

/// How many lines it may print.
const MOST_LINES: usize = 10_000;

/// So much of the end of its standard error is looked at for the last line.
const TAIL: usize = 4 << 10;

/// Of that line, so many characters are shown.
const SHOWN: usize = 200;

/// The lines that the list `command` prints when run in the folder and with the variables of `settings`, without the
/// empty ones. Its standard input is at end of file; its processes are killed when it has answered, or after 10 s.
///
/// # Errors
/// Where it cannot be started, fails, takes longer, prints more than 1 MiB or 10,000 lines, or prints what is not UTF-8:
/// the command, what was wrong, and the last line of its standard error.
pub async fn lines_of(settings: &Settings, command: &[String]) -> Result<Vec<String>, String> {
    let name = command.join(" ");
    let command = Command::List(command.to_vec());
    let settings = Settings { command, pty: false, merge_stderr: false, ..settings.clone() };
    let mut heard = Heard::default();
    let answered = timeout(PATIENCE, listen(Arc::new(settings), &mut heard)).await;
    let answered = answered.unwrap_or_else(|_| Err(format!("has not ended after {PATIENCE:?}, and was killed")));
    answered.and_then(|()| heard.lines()).map_err(|problem| format!("`{name}` {problem}{}", heard.last_words()))
}

/// What came out of a command.
#[derive(Default)]
struct Heard {
    out: Vec<u8>,
    /// The end of its standard error.
    tail: Vec<u8>,
}

/// Runs the command until it has ended and its output is at end of file, or has been held open for `drain` since.
async fn listen(settings: Arc<Settings>, heard: &mut Heard) -> Result<(), String> {
    let drain = settings.drain;
    let starting = tokio::task::spawn_blocking(move || Process::start(settings, Launch::default()));
    let started = starting.await.map_err(|error| error.to_string()).and_then(|done| done.map_err(|e| e.to_string()));
    let Process { taps, mut family, .. } = started.map_err(|error| format!("did not start: {error}"))?;
    let ended = hear(taps, &family, drain, heard).await;
    family.signal(Signal::KILL);
    family.reap().await;
    ended.and_then(judge)
}

async fn hear(
    taps: Vec<(Stream, Tap)>,
    family: &Family,
    drain: Duration,
    heard: &mut Heard,
) -> Result<Outcome, String> {
    let (mut out, mut err) = (None, None);
    for (stream, tap) in taps {
        *(if stream == Stream::Stdout { &mut out } else { &mut err }) = Some(tap);
    }
    let mut reading = pin!(async { tokio::try_join!(read_out(out, &mut heard.out), read_tail(err, &mut heard.tail)) });
    let left_open = async {
        family.exited().await;
        sleep(drain).await;
    };
    tokio::select! {
        biased;
        read = &mut reading => {
            read?;
        }
        () = left_open => {}
    }
    Ok(family.exited().await.0)
}

async fn read_out(tap: Option<Tap>, out: &mut Vec<u8>) -> Result<(), String> {
    let Some(mut tap) = tap else { return Ok(()) };
    while read(&mut tap, out).await? > 0 {
        if out.len() > MOST_BYTES {
            return Err("prints more than 1 MiB".to_owned());
        }
    }
    Ok(())
}

async fn read_tail(tap: Option<Tap>, tail: &mut Vec<u8>) -> Result<(), String> {
    let Some(mut tap) = tap else { return Ok(()) };
    while read(&mut tap, tail).await? > 0 {
        tail.drain(..tail.len().saturating_sub(TAIL));
    }
    Ok(())
}

async fn read(tap: &mut Tap, buffer: &mut Vec<u8>) -> Result<usize, String> {
    tap.read_buf(buffer).await.map_err(|error| format!("cannot be read: {error}"))
}

fn judge(outcome: Outcome) -> Result<(), String> {
    match outcome {
        Outcome::Exited(0) => Ok(()),
        Outcome::Exited(code) => Err(format!("exited with code {code}")),
        Outcome::Signalled(signal) => Err(match outcome.signal_name() {
            Some(name) => format!("was ended by {name}"),
            None => format!("was ended by signal {signal}"),
        }),
        Outcome::Unknown => Err("ended, nobody knows how".to_owned()),
    }
}

impl Heard {
    fn lines(&self) -> Result<Vec<String>, String> {
        let text = std::str::from_utf8(&self.out).map_err(|error| {
            let before = self.out.get(..error.valid_up_to()).unwrap_or_default();
            let line = memchr::memchr_iter(b'\n', before).count() + 1;
            format!("prints what is not UTF-8 (line {line})")
        })?;
        let lines = text.split('\n').map(|line| line.strip_suffix('\r').unwrap_or(line));
        let lines: Vec<String> = lines.filter(|line| !line.is_empty()).map(str::to_owned).collect();
        match lines.len() {
            ..=MOST_LINES => Ok(lines),
            count => Err(format!("prints {count} lines; 10,000 are allowed")),
        }
    }

    /// What it said last about its trouble, behind a colon; nothing where it said nothing.
    fn last_words(&self) -> String {
        let text = String::from_utf8_lossy(&self.tail);
        let Some(last) = text.lines().map(str::trim).rfind(|line| !line.is_empty()) else { return String::new() };
        let visible = |char: char| if char.is_control() { char::REPLACEMENT_CHARACTER } else { char };
        format!(": {}", last.chars().take(SHOWN).map(visible).collect::<String>())
    }
}
