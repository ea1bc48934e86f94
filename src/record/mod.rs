//! What a journal holds: the start of a run, its chunks of lines, its end; and what a line says. Values only; nothing
//! here reads or writes.

mod entry;
mod level;
mod records;
mod said;

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use bytes::Bytes;
use jiff::Timestamp;
use jiff::fmt::temporal::DateTimePrinter;
use serde::{Serialize, Serializer};
use utoipa::ToSchema;
use uuid::Uuid;

pub use entry::{Entry, Heading, Thread, readable};
pub use level::Level;
pub use records::{LONGEST_RECORD, Records, begins_exception};
pub use said::{Said, any_field, said};
// a sibling's function, by a name that is no module's
use said::said as read_said;

/// The name of one run: a UUIDv7 (RFC 9562 §5.7), so that names sort by start time and are unique everywhere.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, ToSchema)]
#[schema(value_type = String, format = "uuid")]
pub struct RunId(Uuid);

impl RunId {
    /// A new name, later in order than every name this process made before.
    pub fn new() -> Self {
        RunId(Uuid::now_v7())
    }

    /// The sixteen bytes, as the journal's header and the history keep them.
    pub fn as_bytes(&self) -> &[u8; 16] {
        self.0.as_bytes()
    }

    /// The name that [`RunId::as_bytes`] gave.
    pub fn from_bytes(bytes: [u8; 16]) -> Self {
        RunId(Uuid::from_bytes(bytes))
    }
}

impl Default for RunId {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Display for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.hyphenated().fmt(f)
    }
}

impl FromStr for RunId {
    type Err = uuid::Error;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Uuid::try_parse(text).map(RunId)
    }
}

impl Serialize for RunId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// Where a line came from.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, ToSchema)]
#[schema(rename_all = "snake_case")]
pub enum Stream {
    /// The child's standard output (and standard error too, with `merge_stderr` or `pty`).
    Stdout,
    /// The child's standard error.
    Stderr,
    /// joblines itself.
    System,
    /// A logging library, by a feed: each line is one record.
    Record,
}

impl Stream {
    /// Every stream; the place of one here is its number in memory.
    pub const ALL: [Stream; 4] = [Stream::Stdout, Stream::Stderr, Stream::System, Stream::Record];

    /// The word for it in every format and every URL.
    pub fn name(self) -> &'static str {
        match self {
            Stream::Stdout => "stdout",
            Stream::Stderr => "stderr",
            Stream::System => "system",
            Stream::Record => "record",
        }
    }
}

impl FromStr for Stream {
    type Err = ();

    fn from_str(name: &str) -> Result<Self, ()> {
        Stream::ALL.into_iter().find(|stream| stream.name() == name).ok_or(())
    }
}

/// What one read of one stream brought: either whole lines, or one piece of one line.
///
/// A chunk of whole lines ends with a newline and has neither [`continues`](Chunk::continues) nor
/// [`open`](Chunk::open). A line that is longer than 64 KiB, that waited too long for its newline, or that is the last
/// one and has none, comes in pieces, each a chunk of its own with the same [`line`](Chunk::line).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Chunk {
    /// The number of the first line in it, from 1.
    pub line: u64,
    /// When it was read.
    pub time: Timestamp,
    /// Where it came from.
    pub stream: Stream,
    /// It goes on with a line of which an earlier chunk had the beginning.
    pub continues: bool,
    /// Its only line has no newline yet.
    pub open: bool,
    /// The bytes as they came, newlines included. Never empty.
    pub bytes: Bytes,
}

impl Chunk {
    /// The lines in it, in order, each with its number and its bytes without the newline.
    pub fn lines(&self) -> impl Iterator<Item = (u64, &[u8])> {
        let body = self.bytes.strip_suffix(b"\n").unwrap_or(&self.bytes);
        let mut number = self.line;
        let mut from = Some(0);
        std::iter::from_fn(move || {
            let start = from?;
            let end = memchr::memchr(b'\n', &body[start..]).map(|at| start + at);
            from = end.map(|end| end + 1);
            let line = (number, &body[start..end.unwrap_or(body.len())]);
            number += 1;
            Some(line)
        })
    }
}

/// Where a run stands.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, ToSchema)]
#[schema(rename_all = "snake_case")]
pub enum State {
    /// Waiting for its turn.
    Queued,
    /// Its command is running, or its output is still being read.
    Running,
    /// It exited with one of the job's `success_codes`.
    Succeeded,
    /// It exited otherwise, was ended by a signal that joblines did not send, or could not be started.
    Failed,
    /// It was ended because of `timeout` or `idle_timeout`.
    TimedOut,
    /// Somebody, or the shutdown of the server, ended it.
    Cancelled,
    /// The server died under it.
    Lost,
}

impl State {
    /// Every state, in the order of a run's life.
    pub const ALL: [State; 7] = [
        State::Queued,
        State::Running,
        State::Succeeded,
        State::Failed,
        State::TimedOut,
        State::Cancelled,
        State::Lost,
    ];

    /// The word for it in every format, URL and style sheet.
    pub fn name(self) -> &'static str {
        match self {
            State::Queued => "queued",
            State::Running => "running",
            State::Succeeded => "succeeded",
            State::Failed => "failed",
            State::TimedOut => "timed_out",
            State::Cancelled => "cancelled",
            State::Lost => "lost",
        }
    }

    /// Whether a run in this state has ended.
    pub fn is_final(self) -> bool {
        !matches!(self, State::Queued | State::Running)
    }
}

impl FromStr for State {
    type Err = ();

    fn from_str(name: &str) -> Result<Self, ()> {
        State::ALL.into_iter().find(|state| state.name() == name).ok_or(())
    }
}

impl Serialize for State {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

/// How the command itself ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// It exited with this code.
    Exited(i32),
    /// This signal ended it.
    Signalled(i32),
    /// It never ran, or nobody saw its end.
    Unknown,
}

impl Outcome {
    /// The exit code, where there is one.
    pub fn exit_code(self) -> Option<i32> {
        match self {
            Outcome::Exited(code) => Some(code),
            Outcome::Signalled(_) | Outcome::Unknown => None,
        }
    }

    /// The signal's number, where a signal ended it.
    pub fn signal(self) -> Option<i32> {
        match self {
            Outcome::Signalled(signal) => Some(signal),
            Outcome::Exited(_) | Outcome::Unknown => None,
        }
    }

    /// The signal's name as `kill -l` prints it, with `SIG` before it.
    pub fn signal_name(self) -> Option<&'static str> {
        // signal(7), the numbers of x86 and ARM
        const NAMES: [&str; 31] = [
            "SIGHUP",
            "SIGINT",
            "SIGQUIT",
            "SIGILL",
            "SIGTRAP",
            "SIGABRT",
            "SIGBUS",
            "SIGFPE",
            "SIGKILL",
            "SIGUSR1",
            "SIGSEGV",
            "SIGUSR2",
            "SIGPIPE",
            "SIGALRM",
            "SIGTERM",
            "SIGSTKFLT",
            "SIGCHLD",
            "SIGCONT",
            "SIGSTOP",
            "SIGTSTP",
            "SIGTTIN",
            "SIGTTOU",
            "SIGURG",
            "SIGXCPU",
            "SIGXFSZ",
            "SIGVTALRM",
            "SIGPROF",
            "SIGWINCH",
            "SIGIO",
            "SIGPWR",
            "SIGSYS",
        ];
        let index = usize::try_from(self.signal()?).ok()?.checked_sub(1)?;
        NAMES.get(index).copied()
    }
}

/// The beginning of a run, as every view tells it first.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Start {
    /// The run's name.
    pub run: RunId,
    /// The job's name.
    pub job: String,
    /// Where the run stood when the view began.
    pub state: State,
    /// When it was asked for.
    pub started: Timestamp,
}

/// The beginning of a feed's stream, as every view tells it first.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FeedStart {
    /// The feed's name.
    pub feed: String,
    /// Which file of the feed's folder, where it is a folder.
    pub path: Option<String>,
    /// The name of its journal: as long as it stays the same, so do the numbers of the lines.
    pub journal: RunId,
    /// When the journal was begun.
    pub started: Timestamp,
}

/// The end of a run: its receipt.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct End {
    /// One of the final states.
    pub state: State,
    /// How the command ended.
    pub outcome: Outcome,
    /// When the run ended.
    pub ended: Timestamp,
    /// From start to end.
    pub duration: Duration,
    /// CPU time of the command and of all it waited for; `None` where nobody measured it.
    pub usage: Option<Usage>,
    /// How many lines the journal holds.
    pub lines: u64,
    /// How many bytes of output the journal holds.
    pub bytes: u64,
    /// How many bytes the job printed that were not kept (full disk, `max_output`).
    pub bytes_not_kept: u64,
}

/// What a run cost: getrusage(2), of the child and of the descendants it waited for.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Usage {
    /// Time in user mode.
    pub cpu_user: Duration,
    /// Time in the kernel.
    pub cpu_system: Duration,
    /// The largest resident set of any one process of it, in bytes. `None` where it is not larger than the server's own:
    /// the kernel counts that one in, for a child is the server's image until it executes its program.
    pub max_rss: Option<u64>,
}

/// The time as every format writes it: RFC 3339, UTC, microseconds.
pub fn stamp(time: Timestamp) -> String {
    const PRINTER: DateTimePrinter = DateTimePrinter::new().precision(Some(6));
    PRINTER.timestamp_to_string(&time)
}

/// A duration as every format writes it: whole milliseconds.
pub fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chunk(bytes: &'static [u8]) -> Chunk {
        Chunk {
            line: 7,
            time: Timestamp::UNIX_EPOCH,
            stream: Stream::Stdout,
            continues: false,
            open: !bytes.ends_with(b"\n"),
            bytes: Bytes::from_static(bytes),
        }
    }

    #[test]
    fn lines_are_numbered_and_lose_only_their_newline() {
        let lines: Vec<_> = chunk(b"a\r\n\nb\n").lines().map(|(n, l)| (n, l.to_vec())).collect();
        assert_eq!(lines, [(7, b"a\r".to_vec()), (8, b"".to_vec()), (9, b"b".to_vec())]);
    }

    #[test]
    fn an_open_piece_is_one_line() {
        let lines: Vec<_> = chunk(b"name? ").lines().map(|(n, l)| (n, l.to_vec())).collect();
        assert_eq!(lines, [(7, b"name? ".to_vec())]);
    }

    #[test]
    fn names_and_values_go_both_ways() {
        for state in State::ALL {
            assert_eq!(state.name().parse(), Ok(state));
        }
        assert_eq!("stderr".parse(), Ok(Stream::Stderr));
        assert_eq!(Outcome::Signalled(15).signal_name(), Some("SIGTERM"));
        assert_eq!(Outcome::Signalled(64).signal_name(), None);
        assert_eq!(Outcome::Exited(3).signal_name(), None);
    }

    #[test]
    fn run_ids_sort_by_the_order_they_were_made_in() {
        let ids: Vec<_> = (0..1000).map(|_| RunId::new()).collect();
        assert!(ids.is_sorted());
        assert_eq!(ids[0].to_string().parse::<RunId>().map(|id| *id.as_bytes()), Ok(*ids[0].as_bytes()));
    }
}
