//! One `[feeds.*]` table as written → [`Feed`] as meant, and what has to hold between feeds. It opens no source; of the files
//! that it names it reads a `password_file` alone.

mod directory;
mod files;
mod merge;
mod receivers;
mod redis;

use std::collections::{HashMap, HashSet};
use std::path::Path;
use std::sync::Arc;

use globset::{Glob, GlobSetBuilder};
use toml::Spanned;
use toml::de::{DeString, DeValue};

use crate::parameters::placeholders;
use crate::sources::file;

use super::{Feed, FeedSource, Invalid, Mistake, Table, Value, absolute, feed_name, size};

pub use directory::OWN_ADDRESSES;
use merge::Merge;
pub(super) use receivers::{PYTHON_KEYS, SYSLOG_KEYS};

/// Every key of the table.
pub(super) const KEYS: [&str; 20] = [
    "description",
    "text",
    "file",
    "files",
    "directory",
    "follow_symlinks",
    "hidden",
    "allow",
    "deny",
    "paths",
    "redis",
    "channel",
    "list",
    "password_file",
    "password_env",
    "python_logging",
    "syslog",
    "push",
    "merge",
    "keep_bytes",
];

/// Where lines can come from, and the further keys that each of these has.
const SOURCES: [(&str, &[&str]); 8] = [
    ("file", &[]),
    ("directory", &["follow_symlinks", "hidden", "allow", "deny", "paths"]),
    ("files", &["follow_symlinks", "hidden", "deny"]),
    ("redis", &["channel", "list", "password_file", "password_env"]),
    ("python_logging", &[]),
    ("syslog", &[]),
    ("push", &[]),
    ("merge", &[]),
];

/// What a record's line of text may be made of, each in braces.
pub const TEXT_FIELDS: [&str; 15] = [
    "time", "level", "logger", "message", "feed", "file", "line", "func", "host", "user", "pid", "process", "thread",
    "task", "received",
];

const DEFAULT_KEEP_BYTES: u64 = 64 << 20;

/// A journal is kept by whole segments, of which it needs some.
const LEAST_KEEP_BYTES: u64 = 1 << 20;

/// What the reading of one feed needs to know of the others, and they of it.
struct Reading<'t, 'f> {
    /// Where relative paths start.
    folder: &'f Path,
    /// The feed that is being read.
    feed: &'t Spanned<DeString<'t>>,
    /// All feeds of the file.
    names: HashSet<&'t str>,
    /// Addresses that feeds listen on, each with its protocol, and the feed that does.
    addresses: HashMap<(&'static str, String), &'t str>,
    /// What the addresses of flask-log-viewer begin with, and the feed that has them.
    flask: Vec<(String, &'t str)>,
    merges: Vec<Merge<'t>>,
}

impl<'t> Reading<'t, '_> {
    fn name(&self) -> &'t str {
        self.feed.get_ref()
    }

    /// A mistake about something that the feed has not.
    fn missing(&self, what: &str, remedy: impl Into<String>) -> Mistake {
        Mistake::new(self.feed.span(), format!("feed `{}` has no {what}", self.name()), remedy)
    }
}

/// Reads all feeds, in the order of the file.
pub(super) fn read_all(mut feeds: Table<'_, '_>, folder: &Path) -> Vec<Arc<Feed>> {
    let keys = feeds.keys();
    let Some(feed) = keys.first().copied() else { return Vec::new() };
    let names = keys.iter().map(|key| key.get_ref().as_ref()).collect();
    let mut reading = Reading { folder, feed, names, addresses: HashMap::new(), flask: Vec::new(), merges: Vec::new() };
    let mut found = Vec::new();
    for feed in keys {
        reading.feed = feed;
        found.extend(read(&mut feeds, &mut reading));
    }
    merge::check(&mut feeds, &found, &reading.merges);
    found.into_iter().map(Arc::new).collect()
}

/// Reads one feed out of the table of feeds; `None` only together with a mistake.
fn read<'t>(feeds: &mut Table<'t, '_>, reading: &mut Reading<'t, '_>) -> Option<Feed> {
    let name = reading.name();
    feeds.keep(feed_name(name).map_err(|invalid| Mistake::of_invalid(reading.feed.span(), invalid)));
    let mut table = feeds.take_table(name, &header(name))?;
    KEYS.iter().for_each(|key| table.know(key));
    let description = table.take("description", |value| value.text("What it has"));
    let text = table.take("text", |value| value.parsed("{time} - {level} - {message}", None, text));
    let keep_bytes = table.take("keep_bytes", |value| value.parsed("64MiB", Some("B"), kept_size));
    let source = find_source(&mut table, reading).and_then(|source| take_source(&mut table, source, reading));
    table.finish(|key, value| misplaced(name, key, value));
    Some(Feed {
        name: name.to_owned(),
        description,
        text,
        source: source?,
        keep_bytes: keep_bytes.unwrap_or(DEFAULT_KEEP_BYTES),
    })
}

fn header(name: &str) -> String {
    if name.contains('.') { format!("[feeds.\"{name}\"]") } else { format!("[feeds.{name}]") }
}

/// How a record is written as text.
fn text(text: &str) -> Result<String, Invalid> {
    let unknown = placeholders(text).find(|name| !TEXT_FIELDS.contains(name));
    if let Some(name) = unknown {
        let known = TEXT_FIELDS.map(|field| format!("{{{field}}}")).join(", ");
        return Err(Invalid::new(format!("a record has no `{{{name}}}`"), format!("allowed: {known}")));
    }
    if text.contains(['\n', '\r']) {
        return Err(Invalid::new("`text` has more than one line", "a record's line is one"));
    }
    Ok(text.to_owned())
}

fn kept_size(text: &str) -> Result<u64, Invalid> {
    let bytes = size(text)?;
    if bytes < LEAST_KEEP_BYTES {
        return Err(Invalid::new(format!("`{text}` is too little to keep"), "at least `\"1MiB\"`"));
    }
    Ok(bytes)
}

/// The key that says where the lines come from: the first of the file, and a mistake about each that does not go with it.
fn find_source(table: &mut Table<'_, '_>, reading: &Reading<'_, '_>) -> Option<&'static str> {
    let written = table.keys().into_iter().filter_map(|key| {
        let position = SOURCES.iter().position(|(source, _)| source == key.get_ref())?;
        SOURCES.get(position).map(|(source, _)| *source)
    });
    let written: Vec<_> = written.collect();
    let Some((source, others)) = written.split_first() else {
        tell_missing(table, reading);
        return None;
    };
    for other in others {
        let remedy =
            "a feed has one source: make each a feed of its own, and a further one with `merge` to see them as one";
        refuse(table, other, format!("this feed has `{source}` and `{other}`"), remedy);
    }
    // the keys of a second source follow from it
    let is_owned = |key: &str| SOURCES.iter().any(|(owner, keys)| written.contains(owner) && keys.contains(&key));
    for (owner, keys) in SOURCES.iter().filter(|(owner, _)| !written.contains(owner)) {
        for key in keys.iter().filter(|key| !is_owned(key)) {
            refuse(table, key, format!("`{key}` goes with `{owner}`, and this feed has `{source}`"), "take it out");
        }
    }
    Some(source)
}

/// Says that a key cannot be there, if it is.
fn refuse(table: &mut Table<'_, '_>, key: &str, problem: String, remedy: &str) {
    if let Some(value) = table.value(key) {
        table.keep(Err::<(), _>(value.mistake_about_key(problem, remedy)));
    }
}

fn tell_missing(table: &mut Table<'_, '_>, reading: &Reading<'_, '_>) {
    if SOURCES.iter().any(|(source, _)| table.seems_to_have(source, &KEYS)) {
        return;
    }
    let further = SOURCES.iter().flat_map(|(source, keys)| keys.iter().map(move |key| (source, *key)));
    let found: Vec<_> = further.filter(|(_, key)| table.value(key).is_some()).collect();
    let mistake = match found.first() {
        Some((source, key)) => reading.missing(&format!("`{source}`"), format!("`{key}` goes with it")),
        None => {
            let sources: Vec<_> = SOURCES.iter().map(|(source, _)| format!("`{source}`")).collect();
            reading.missing("source", format!("write one of {}", sources.join(", ")))
        }
    };
    table.miss(mistake);
}

fn take_source<'t>(table: &mut Table<'t, '_>, source: &str, reading: &mut Reading<'t, '_>) -> Option<FeedSource> {
    match source {
        "file" => take_file(table, reading.folder).map(FeedSource::File),
        "files" => files::take(table, reading.folder).map(FeedSource::Files),
        "directory" => directory::take(table, reading).map(FeedSource::Directory),
        "redis" => redis::take(table, reading).map(FeedSource::Redis),
        "python_logging" => receivers::take_python(table, reading).map(FeedSource::Python),
        "syslog" => receivers::take_syslog(table, reading).map(FeedSource::Syslog),
        "merge" => merge::take(table, reading).map(FeedSource::Merge),
        _ => table.take("push", is_push),
    }
}

fn take_file(table: &mut Table<'_, '_>, folder: &Path) -> Option<file::Settings> {
    let path = table.take("file", |value| {
        if value.is_list() {
            return Err(value.mistake("`file` is one file, not a list", "write `files` for several as one feed"));
        }
        value.parsed("/var/log/app.log", None, |text| {
            if text.ends_with('/') {
                return Err(Invalid::new(format!("`{text}` is a folder"), format!("write `directory = \"{text}\"`")));
            }
            absolute(folder, text)
        })
    });
    path.map(|path| file::Settings { path })
}

/// Whether a text is a pattern of paths.
fn check_glob(text: &str) -> Result<(), Invalid> {
    // only a whole set says whether a pattern is too large to be compiled
    let checked = Glob::new(text).and_then(|glob| GlobSetBuilder::new().add(glob).build());
    checked.map(drop).map_err(|error| {
        let problem = format!("`{text}` is not a pattern: {}", error.kind());
        Invalid::new(problem, "`*` is any text, `?` one character, `[ab]` and `{a,b}` one of some; `\\\\` before it takes the meaning away")
    })
}

fn is_push(value: &Value<'_>) -> Result<FeedSource, Mistake> {
    match value.boolean()? {
        true => Ok(FeedSource::Push),
        false => Err(value.mistake("`push = false` is no source", "write `push = true`, or the source that there is")),
    }
}

/// What was probably meant by an unknown key of the feed `name`.
fn misplaced(name: &str, key: &str, value: &DeValue<'_>) -> Option<String> {
    let is_feed = |(source, _): &(&str, _)| value.as_table().is_some_and(|table| table.contains_key(*source));
    if SOURCES.iter().any(is_feed) {
        return Some(format!("a feed's name that has a dot is written in quotes: `[feeds.\"{name}.{key}\"]`"));
    }
    if SYSLOG_KEYS.contains(&key) {
        return Some(format!("it belongs in the table of a receiver: `python_logging.{key}` or `syslog.{key}`"));
    }
    if PYTHON_KEYS.contains(&key) {
        return Some(format!("it belongs in the table of the receiver: `python_logging.{key}`"));
    }
    (key == "password")
        .then(|| "name a file that has it alone with `password_file`, or a variable with `password_env`".into())
}

/// Whether the table at the top of the file is a feed that lacks `feeds.` in its header.
pub(super) fn is_meant(value: &DeValue<'_>) -> bool {
    value.as_table().is_some_and(|table| SOURCES.iter().any(|(source, _)| table.contains_key(*source)))
}
