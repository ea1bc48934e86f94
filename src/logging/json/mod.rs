//! Objects of JSON as records, whoever made them: python-redis-log, rlog, dicts of Python's records, pino, bunyan, and
//! whatever else names its keys as they do. It never guesses from the text itself.

mod fields;
mod records;
#[cfg(test)]
mod tests;
mod time;

use std::borrow::Cow;

use self::fields::{Fields, sound, text_of};
use self::time::{time_of, utc_time_of};
use super::{Fields as PythonFields, Saying, Value, merge_json};
use crate::record::{Entry, Level, Thread};

pub use self::records::{BadRecord, Records, read_records};

/// The keys of each field, the best first.
const TEXT: [&str; 7] = ["message", "msg", "text", "event", "short_message", "@m", "log"];
const LEVEL_NUMBER: [&str; 4] = ["level", "severity", "lvl", "log.level"];
const LEVEL_NAME: [&str; 8] = ["levelname", "level_name", "level", "severity", "lvl", "log.level", "loglevel", "@l"];
const LOGGER: [&str; 5] = ["logger", "logger_name", "loggerName", "log.logger", "name"];
const TIME: [&str; 8] = ["time", "timestamp", "ts", "@timestamp", "@t", "datetime", "date", "created"];

/// The record in `payload`, which is one object of JSON; `None` where it is none, or none that any reader of JSON would
/// take (`NaN`), and so is a line of text.
///
/// Keys that are none of a record's own become extra fields, their values as they were written. An object without any
/// message is its own.
pub fn read_json(payload: &[u8]) -> Option<Entry<'_>> {
    let text = std::str::from_utf8(payload).ok()?;
    read_object(text.strip_prefix('\u{feff}').unwrap_or(text))
}

fn read_object(text: &str) -> Option<Entry<'_>> {
    let fields = Fields::read(text)?;
    Some(match () {
        _ if !fields.has("msg") && !fields.has("message") => of_any(fields, text),
        _ if fields.has("levelno") || fields.has("levelname") => of_python(fields),
        _ if fields.has("line_no") && fields.has("funcname") && fields.has("msg") => of_redis_log(fields),
        _ => of_any(fields, text),
    })
}

/// The attributes of a record of Python's logging, as a `Formatter` or an `emit` of somebody's own writes them. rlog's
/// message has its arguments in it already, and still sends them.
fn of_python(mut fields: Fields<'_>) -> Entry<'_> {
    let is_rlog = fields.has("username") && fields.has("host");
    let user = fields.take(&["username"], text_of);
    let host = fields.take(&["host", "hostname"], text_of);
    let time = if fields.has("created") { None } else { fields.take(&TIME, time_of) };
    let mut python = PythonFields::new(Saying::Typed);
    if let Some(msg) = fields.take(&["msg"], Some) {
        let args = if is_rlog { None } else { fields.take(&["args"], Some) };
        python.set("msg".into(), Value::Text(merged(msg, args)));
    }
    for (name, value) in fields.into_rest() {
        let value = match text_of(&value) {
            Some(text) => Value::Text(Cow::Owned(text.into_owned())),
            None if value == "null" => Value::None,
            None => Value::Json(value),
        };
        python.set(name, value);
    }
    let entry = python.into_entry();
    Entry { user, host, time: entry.time.or(time), ..entry }
}

/// What python-redis-log publishes: the message and its arguments apart, the time in UTC without saying so.
fn of_redis_log(mut fields: Fields<'_>) -> Entry<'_> {
    let time = fields.take(&["time"], utc_time_of);
    let user = fields.take(&["username"], text_of);
    let msg = fields.take(&["msg"], Some).unwrap_or_default();
    let text = merged(msg, fields.take(&["args"], Some));
    let exception = fields.take(&["traceback"], text_of).filter(|text| text != "None");
    Entry { time, user, exception, text, ..of_common(fields) }
}

/// The message with its arguments in it; where they do not fit, behind it.
fn merged<'a>(msg: &'a str, args: Option<&'a str>) -> Cow<'a, str> {
    let msg = shown(msg);
    let Some(args) = args.map(sound) else { return msg };
    match merge_json(&msg, &args) {
        Some(Cow::Owned(merged)) => Cow::Owned(merged),
        Some(Cow::Borrowed(_)) => msg,
        None => Cow::Owned(format!("{msg} {args}")),
    }
}

/// A text as it is, anything else as JSON.
fn shown(value: &str) -> Cow<'_, str> {
    text_of(value).unwrap_or_else(|| sound(value))
}

/// Any object with a message in it.
fn of_any<'a>(mut fields: Fields<'a>, text: &'a str) -> Entry<'a> {
    match fields.take(&TEXT, text_of).or_else(|| fields.take(&TEXT, |value| Some(sound(value)))) {
        Some(message) => Entry { text: message, ..of_common(fields) },
        None => Entry { text: sound(text.trim_ascii()), extra: Vec::new(), ..of_common(fields) },
    }
}

/// What has the same keys everywhere, and all that is left as extra fields.
fn of_common(mut fields: Fields<'_>) -> Entry<'_> {
    let (level, level_name) = take_level(&mut fields);
    let thread = |value| match integer(value) {
        Some(number) => Some(Thread::Number(number)),
        None => text_of(value).map(Thread::Text),
    };
    Entry {
        level,
        level_name,
        logger: fields.take(&LOGGER, text_of),
        time: fields.take(&TIME, time_of),
        file: fields.take(&["pathname", "file", "filename"], text_of),
        line: fields.take(&["lineno", "line_no", "line"], integer),
        func: fields.take(&["funcName", "funcname", "function", "func"], text_of),
        host: fields.take(&["hostname", "host"], text_of),
        pid: fields.take(&["pid"], integer),
        thread: fields.take(&["thread", "thread_id", "threadId"], thread),
        thread_name: fields.take(&["threadName", "thread_name"], text_of),
        exception: take_exception(&mut fields),
        stack: fields.take(&["stack_info"], text_of),
        extra: fields.into_rest().collect(),
        ..Entry::default()
    }
}

/// The exception with its stack; pino's and bunyan's is in an object, which stays among the extra fields.
fn take_exception<'a>(fields: &mut Fields<'a>) -> Option<Cow<'a, str>> {
    const EXCEPTION: [&str; 6] = ["exception", "exc_info", "traceback", "stack_trace", "stacktrace", "stack"];
    let nested = |name| Fields::read(fields.value(name)?)?.take(&["stack"], text_of);
    nested("err").or_else(|| nested("error")).or_else(|| fields.take(&EXCEPTION, text_of))
}

fn integer<T: std::str::FromStr>(value: &str) -> Option<T> {
    value.parse().ok()
}

/// The level and what it is called. A word wins over a number, and beside a name that is no level's the number is
/// Python's.
fn take_level<'a>(fields: &mut Fields<'a>) -> (Option<Level>, Option<Cow<'a, str>>) {
    let name = fields.take(&LEVEL_NAME, text_of).filter(|name| !name.is_empty());
    let number = fields.take(&LEVEL_NUMBER, integer);
    let levelno = fields.take(&["levelno"], integer).map(Level::new);
    let level = name.as_deref().and_then(|name| name.parse().ok()).or(levelno).or(match (&name, number) {
        (Some(_), number) => number.map(Level::new),
        (None, number) => number.and_then(Level::of_json_number),
    });
    (level, name)
}
