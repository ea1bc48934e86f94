//! `jobs.toml`: as written → jobs as meant; every mistake with its place. It reads files and never runs or opens anything else.
//!
//! [`load`] reads a file, [`parse`] a text. Both walk the spanned tree of the TOML parser by hand, table by table, because
//! a derived reader stops at the first mistake and loses places; all mistakes of a file, of its syntax and of its
//! meaning, come together as one [`Mistakes`].

mod address;
mod command;
mod env_file;
mod feed;
mod hidden;
mod job;
mod mistakes;
mod parameter;
mod schema;
mod server;
mod table;
mod values;

use std::fmt;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use toml::de::{DeTable, DeValue};

use crate::parameters::Parameter;
use crate::sources::{file, process, python, redis, syslog};

pub use feed::{OWN_ADDRESSES, TEXT_FIELDS};
pub use mistakes::Mistakes;
pub use parameter::QUERY_WORDS;
pub use schema::schema;

// what the siblings need of each other
use address::{base_path, host, is_loopback, socket_address};
use command::{check_placeholders, leads_argument, take as take_command, take_program};
use env_file::read_variables;
use hidden::hide_passwords;
use job::KEYS as JOB_KEYS;
use mistakes::{Mistake, SourceId};
use parameter::take as take_parameters;
use table::{Table, Value, nearest};
pub use values::{duration, job_name};
use values::{feed_name, positive_duration, size, variable_name};

/// A whole `jobs.toml`, checked.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Config {
    /// The `[server]` table.
    pub server: Server,
    /// The jobs, in the order of the file.
    pub jobs: Vec<Arc<Job>>,
    /// The feeds, in the order of the file.
    pub feeds: Vec<Arc<Feed>>,
}

/// The `[server]` table.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Server {
    /// Where to listen. Never empty.
    pub listen: Vec<Listen>,
    /// Where journals and history are kept, if the file says so (absolute).
    pub state_dir: Option<PathBuf>,
    /// Further Host names to answer to, lower case, without a port; an IPv6 address is in brackets, as in a Host header.
    pub hosts: Vec<String>,
    /// `""`, or a path such as `/joblines`, without a slash at its end.
    pub base_path: String,
    /// Runs at once over all jobs.
    pub max_running: usize,
    /// Runs that may wait for their turn.
    pub max_queued: usize,
    /// Connections at once.
    pub max_connections: usize,
    /// Ended runs kept per job.
    pub keep_runs: usize,
    /// How long an ended run is kept; without a limit where nothing is said.
    pub keep_for: Option<Duration>,
    /// Bytes that all journals of ended runs may take; without a limit where nothing is said.
    pub keep_bytes: Option<u64>,
}

/// An address to listen on.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Listen {
    /// `host:port`; port 0 picks a free one.
    Tcp(String),
    /// `unix:/path`.
    Unix(PathBuf),
}

/// One `[jobs.*]` table.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Job {
    /// Its name: `[A-Za-z0-9][A-Za-z0-9_.-]{0,63}`.
    pub name: String,
    /// What people read about it.
    pub description: Option<String>,
    /// Under which heading it is listed.
    pub group: Option<String>,
    /// What it can be told, in the order of the file.
    pub parameters: Vec<Parameter>,
    /// Where its command's standard input comes from.
    pub stdin: Stdin,
    /// What happens when it is started while a run of it is on.
    pub overlap: Overlap,
    /// Where the lines of its runs come from.
    pub source: Source,
    /// How its command is run.
    pub process: Arc<process::Settings>,
    /// What happens when the client that started it leaves.
    pub on_disconnect: OnDisconnect,
    /// How many bytes of its output are kept.
    pub max_output: u64,
    /// Whether a GET of its URL starts it.
    pub get: bool,
    /// Whether a POST to its URL starts it.
    pub post: bool,
}

/// Where the lines of a job's runs come from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Source {
    /// What its command prints.
    Command,
    /// The server's own standard input.
    Stdin,
}

impl Job {
    /// Whether a request can start it. What cannot be started was, by whoever made it, and shows that run.
    pub fn can_be_started(&self) -> bool {
        self.get || self.post
    }
}

/// Where a command's standard input comes from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Stdin {
    /// It is at end of file.
    None,
    /// The body of the request that starts the run.
    Body {
        /// The most bytes of it.
        max: u64,
    },
}

/// What happens when a job is started while a run of it is on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Overlap {
    /// Both run.
    Allow,
    /// Whoever starts it joins the run that is on, where the parameters are the same.
    Attach,
    /// The new run waits for its turn.
    Queue,
    /// There is no new run.
    Refuse,
    /// The run that is on is cancelled, and the new one begins once it has ended.
    Replace,
}

/// What happens to a run when the client that started it leaves.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum OnDisconnect {
    /// It goes on.
    Continue,
    /// It is cancelled.
    Cancel,
}

/// One `[feeds.*]` table.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Feed {
    /// Its name: as a job's.
    pub name: String,
    /// What people read about it.
    pub description: Option<String>,
    /// How a record is written as text, with [`TEXT_FIELDS`] in braces.
    pub text: Option<String>,
    /// Where its lines come from.
    pub source: FeedSource,
    /// The most bytes that its journal takes.
    pub keep_bytes: u64,
}

/// Where the lines of a feed come from.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum FeedSource {
    /// A file that is followed.
    File(file::Settings),
    /// Several files that are followed as one.
    Files(file::Several),
    /// Any file of a folder.
    Directory(file::Folder),
    /// Redis channels.
    Redis(redis::Settings),
    /// Python's logging.
    Python(python::Settings),
    /// Syslog.
    Syslog(syslog::Settings),
    /// Whoever sends lines.
    Push,
    /// Other feeds, by their names.
    Merge(Vec<String>),
}

/// Why a value is refused, and what to write instead.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Invalid {
    /// What is wrong with it, naming it.
    pub problem: String,
    /// What to write, or what is allowed.
    pub remedy: String,
}

impl Invalid {
    fn new(problem: impl Into<String>, remedy: impl Into<String>) -> Self {
        Invalid { problem: problem.into(), remedy: remedy.into() }
    }
}

impl fmt::Display for Invalid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}; {}", self.problem, self.remedy)
    }
}

impl std::error::Error for Invalid {}

/// Reads and checks the `jobs.toml` at `path`, and the files and variables that its `env_file`, `password_file` and
/// `password_env` keys name.
pub fn load(path: &Path) -> Result<Config, Mistakes> {
    let text = read_text(path).map_err(|error| Mistakes::of_unreadable(path, error))?;
    let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf());
    parse(&text, path, absolute.parent().unwrap_or(Path::new("/")))
}

/// Checks `text`, the content of the `jobs.toml` at `path`; relative paths in it start at `folder`. Of the files it only
/// reads those that `env_file` and `password_file` name.
pub fn parse(text: &str, path: &Path, folder: &Path) -> Result<Config, Mistakes> {
    let text = without_mark(text);
    let mut mistakes = Mistakes::of(path, text);
    let (root, syntax_errors) = DeTable::parse_recoverable(text);
    mistakes.push_syntax(&syntax_errors);
    let config = read_document(root.get_ref(), folder, &mut mistakes);
    if mistakes.is_empty() { Ok(config) } else { Err(mistakes.sorted()) }
}

fn read_document(root: &DeTable<'_>, folder: &Path, mistakes: &mut Mistakes) -> Config {
    let mut document = Table::root(root, mistakes);
    let server = server::read(document.take_table("server", "[server]"), folder);
    let mut jobs = Vec::new();
    if let Some(mut table) = document.take_table("jobs", "[jobs.NAME]") {
        for name in table.keys() {
            jobs.extend(job::read(&mut table, name, folder).map(Arc::new));
        }
    }
    document.refuse("auth", |value| value.table("[auth]").map(drop));
    let feeds = document.take_table("feeds", "[feeds.NAME]").map(|table| feed::read_all(table, folder));
    document.finish(misplaced);
    Config { server, jobs, feeds: feeds.unwrap_or_default() }
}

/// What was probably meant by an unknown key at the top of the file.
fn misplaced(key: &str, value: &DeValue<'_>) -> Option<String> {
    match value {
        DeValue::Table(table) if table.contains_key("command") => {
            Some(format!("a job is a table under `jobs`: write `[jobs.{key}]`"))
        }
        table if feed::is_meant(table) => Some(format!("a feed is a table under `feeds`: write `[feeds.{key}]`")),
        _ if server::KEYS.contains(&key) => Some(format!("move `{key}` below a `[server]` line")),
        _ if job::KEYS.contains(&key) => Some(format!("move `{key}` below the `[jobs.NAME]` line of its job")),
        _ if feed::KEYS.contains(&key) => Some(format!("move `{key}` below the `[feeds.NAME]` line of its feed")),
        _ => None,
    }
}

/// Why a text could not be read.
enum Unreadable {
    Io(io::Error),
    TooLarge,
    /// The bytes before the first one that is not UTF-8.
    NotUtf8(String),
}

/// Far above any real file; what it keeps out is `/dev/zero`.
const LARGEST_FILE: u64 = 16 << 20;

fn read_text(path: &Path) -> Result<String, Unreadable> {
    let mut bytes = Vec::new();
    let file = std::fs::File::open(path).map_err(Unreadable::Io)?;
    file.take(LARGEST_FILE + 1).read_to_end(&mut bytes).map_err(Unreadable::Io)?;
    if bytes.len() as u64 > LARGEST_FILE {
        return Err(Unreadable::TooLarge);
    }
    String::from_utf8(bytes).map_err(|error| {
        let valid = error.utf8_error().valid_up_to();
        let mut bytes = error.into_bytes();
        bytes.truncate(valid);
        Unreadable::NotUtf8(without_mark(&String::from_utf8_lossy(&bytes)).to_owned())
    })
}

/// `text` without the byte order mark that some editors begin a file with: nobody sees it, and no column counts it.
fn without_mark(text: &str) -> &str {
    text.strip_prefix('\u{feff}').unwrap_or(text)
}

/// A path as written, made absolute from `folder`.
fn absolute(folder: &Path, written: &str) -> Result<PathBuf, Invalid> {
    if written.is_empty() {
        return Err(Invalid::new("the path is empty", "leave the key out to get its default"));
    }
    if written == "~" || written.starts_with("~/") {
        return Err(Invalid::new(format!("`~` in `{written}` is not expanded"), "write the whole path"));
    }
    let joined = folder.join(written);
    Ok(std::path::absolute(&joined).unwrap_or(joined))
}

#[cfg(test)]
mod tests;
