//! One record of a logging library, the same whatever brought it, and the one line of JSON it is in a feed's journal.
//! It never asks who sent it.

mod field;
mod heading;
mod read;
#[cfg(test)]
mod tests;
mod write;

use std::borrow::Cow;

pub use heading::Heading;

use super::{Level, Said, any_field, stamp};

/// One record of a logging library. What the sender did not say is absent.
///
/// In a feed's journal it is one line of JSON ([`Entry::write`], [`Entry::read`]):
///
/// ```text
/// {"feed":…,"goes_on":true,"level":30,"level_name":"WARNING","logger":"app.db","text":"…",
///  "record":{"time":"2026-02-01T12:00:00.123456Z","file":…,"line":…,"func":…,"host":…,"user":…,"pid":…,
///  "process":…,"thread":…,"thread_name":…,"task":…,"exception":…,"stack":…,"extra":{…}}}
/// ```
///
/// always in this order, without spaces and without what is absent; `text` and `record` are always there.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Entry<'a> {
    /// How grave it is.
    pub level: Option<Level>,
    /// What its program calls that level: `WARNING`, `Level 33`.
    pub level_name: Option<Cow<'a, str>>,
    /// The logger's name, with dots: `app.db`.
    pub logger: Option<Cow<'a, str>>,
    /// The message alone; it may hold line feeds.
    pub text: Cow<'a, str>,
    /// When it was made, as its sender says: microseconds since 1970, UTC. A time outside the years -9999 to 9999 is not
    /// written.
    pub time: Option<i64>,
    /// Which feed it came from, in a feed that merges several.
    pub feed: Option<Cow<'a, str>>,
    /// It goes on with the entry before it of the same [origin](Entry::origin): both are of one record, whose level and logger it has.
    pub goes_on: bool,
    /// The path of the source file; or, without a line and a function in it, of the log file that this is read from, in a
    /// feed of several.
    pub file: Option<Cow<'a, str>>,
    /// The line in it.
    pub line: Option<u64>,
    /// The function in it.
    pub func: Option<Cow<'a, str>>,
    /// The machine it came from: a name, or the address of the peer.
    pub host: Option<Cow<'a, str>>,
    /// The user who sent it, or whose program it is.
    pub user: Option<Cow<'a, str>>,
    /// The number of the process.
    pub pid: Option<i64>,
    /// The name of the process.
    pub process: Option<Cow<'a, str>>,
    /// What tells the thread from others.
    pub thread: Option<Thread<'a>>,
    /// The name of the thread.
    pub thread_name: Option<Cow<'a, str>>,
    /// The name of the asynchronous task.
    pub task: Option<Cow<'a, str>>,
    /// The exception with its traceback.
    pub exception: Option<Cow<'a, str>>,
    /// The stack at the place of the call.
    pub stack: Option<Cow<'a, str>>,
    /// All other fields: name, and value as JSON text.
    pub extra: Vec<(Cow<'a, str>, Cow<'a, str>)>,
}

/// What a program calls one of its threads.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Thread<'a> {
    /// By number, as Python does.
    Number(i64),
    /// By any text.
    Text(Cow<'a, str>),
}

impl Entry<'_> {
    /// The log file that it is read from, in a feed of several.
    pub fn log_file(&self) -> Option<&str> {
        self.file.as_deref().filter(|_| self.line.is_none() && self.func.is_none())
    }

    /// Where it came from, in a feed that joins several: an entry goes on with one of the same origin. `None` where it does
    /// not say.
    pub fn origin(&self) -> Option<Cow<'_, str>> {
        match (self.feed.as_deref(), self.log_file()) {
            (Some(feed), Some(file)) => Some(Cow::Owned(format!("{feed}\0{file}"))),
            (one, other) => one.or(other).map(Cow::Borrowed),
        }
    }

    /// Calls `look` with each text of it that people search: its message, exception, stack and logger, and the values of its
    /// other fields, until one is found to be what is looked for.
    pub fn any_text(&self, mut look: impl FnMut(&str) -> bool) -> bool {
        let texts = [Some(&self.text), self.exception.as_ref(), self.stack.as_ref(), self.logger.as_ref()];
        texts.into_iter().flatten().any(|text| look(text)) || self.extra.iter().any(|(_, value)| look(&readable(value)))
    }
}

/// A value of JSON as people read it: a text is without its quotes and escapes.
pub fn readable(value: &str) -> Cow<'_, str> {
    match value.starts_with('"').then(|| serde_json::from_str::<String>(value)) {
        Some(Ok(text)) => Cow::Owned(text),
        _ => Cow::Borrowed(value),
    }
}
