//! The fields of a record of Python's logging, whatever they came in (a pickle, a form, JSON), as an entry. What its
//! fields are called stands in the documentation of `logging.LogRecord`; all others are kept under their own names.

use std::borrow::Cow;

use super::{BadPickle, Item, Reader, Tree, Value};
use crate::record::{Entry, Level, Thread};

/// The fields that every record has, or may have, and that are more to an entry than a name and a value.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Field {
    Args,
    Created,
    ExcInfo,
    ExcText,
    Filename,
    FuncName,
    LevelName,
    LevelNo,
    LineNo,
    Message,
    Module,
    Msecs,
    Msg,
    Name,
    PathName,
    Process,
    ProcessName,
    RelativeCreated,
    StackInfo,
    TaskName,
    Thread,
    ThreadName,
}

/// Every field with its name.
const FIELDS: [(Field, &str); 22] = [
    (Field::Args, "args"),
    (Field::Created, "created"),
    (Field::ExcInfo, "exc_info"),
    (Field::ExcText, "exc_text"),
    (Field::Filename, "filename"),
    (Field::FuncName, "funcName"),
    (Field::LevelName, "levelname"),
    (Field::LevelNo, "levelno"),
    (Field::LineNo, "lineno"),
    (Field::Message, "message"),
    (Field::Module, "module"),
    (Field::Msecs, "msecs"),
    (Field::Msg, "msg"),
    (Field::Name, "name"),
    (Field::PathName, "pathname"),
    (Field::Process, "process"),
    (Field::ProcessName, "processName"),
    (Field::RelativeCreated, "relativeCreated"),
    (Field::StackInfo, "stack_info"),
    (Field::TaskName, "taskName"),
    (Field::Thread, "thread"),
    (Field::ThreadName, "threadName"),
];

impl Field {
    fn of(name: &[u8]) -> Option<Field> {
        let is_one = |(_, known): &&(Field, &str)| known.as_bytes() == name;
        FIELDS.iter().find(is_one).map(|(field, _)| *field)
    }

    fn name(self) -> &'static str {
        FIELDS[self as usize].1
    }

    /// Whether the text `None` means that there is nothing, where all values are texts.
    fn may_be_none(self) -> bool {
        matches!(
            self,
            Field::ExcInfo
                | Field::ExcText
                | Field::StackInfo
                | Field::TaskName
                | Field::Thread
                | Field::ThreadName
                | Field::ProcessName
                | Field::Process
                | Field::FuncName
        )
    }
}

/// How a sender says its values.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Saying {
    /// Each as what it is: pickles, JSON.
    Typed,
    /// All as texts, made by `str()`: forms. The text `None` is nothing then, where the field can be nothing.
    Texts,
}

/// Reads the pickle of one record, as SocketHandler and DatagramHandler send it.
pub fn read_pickle<'f>(reader: &mut Reader, pickle: &'f [u8]) -> Result<Entry<'f>, BadPickle> {
    Ok(of_tree(&reader.read(pickle)?))
}

/// The name of the field that says that fields were left out.
const LEFT_OUT: &str = "…";

fn of_tree<'f>(tree: &Tree<'_, 'f>) -> Entry<'f> {
    let mut items: [Option<Item>; FIELDS.len()] = [None; FIELDS.len()];
    let mut others = Vec::new();
    for (key, item) in tree.pairs() {
        match tree.plain(key).and_then(Field::of) {
            // of a key that comes again the last value counts, as in Python
            Some(field) => items[field as usize] = Some(item),
            None => others.push((key, item)),
        }
    }
    let (mut fields, mut budget) = (Fields::new(Saying::Typed), tree.budget());
    for ((field, _), item) in FIELDS.iter().zip(items) {
        let Some(item) = item else { continue };
        let value = match (field, tree.whole(item)) {
            (Field::LevelNo | Field::LineNo, Some(number)) => Value::Int(number),
            _ => tree.value(item, &mut budget),
        };
        fields.put(*field, value);
    }
    for (key, item) in others {
        if budget.is_spent() {
            fields.set(LEFT_OUT.into(), Value::Text("there was too much: fields were left out".into()));
            break;
        }
        let name = tree.name(key, &mut budget);
        // a name may be written in more ways than one, and only the plain ones were looked at
        fields.set(name, tree.value(item, &mut budget));
    }
    fields.into_entry()
}

/// The fields of one record, gathered one by one in any order.
#[derive(Debug)]
pub struct Fields<'a> {
    saying: Saying,
    values: [Option<Value<'a>>; FIELDS.len()],
    extra: Vec<(Cow<'a, str>, Cow<'a, str>)>,
}

impl<'a> Fields<'a> {
    /// None yet.
    pub fn new(saying: Saying) -> Self {
        Fields { saying, values: [const { None }; FIELDS.len()], extra: Vec::new() }
    }

    /// Adds one. The message is `message`, where there is one, else `msg`, which is expected to have its `args` in it
    /// already; `args` that are given nevertheless, and no `message`, are kept as an extra field.
    pub fn set(&mut self, name: Cow<'a, str>, value: Value<'a>) {
        match Field::of(name.as_bytes()) {
            Some(field) => self.put(field, value),
            None => self.extra.push((name, json(value))),
        }
    }

    fn put(&mut self, field: Field, value: Value<'a>) {
        self.values[field as usize] = Some(value);
    }

    /// The entry. Every field is in it, in its place or among the extra ones, but those that only say again what others
    /// say: `filename` and `module` of `pathname`, `msecs` and `relativeCreated` of `created`, `args` and `exc_info` of
    /// the texts that were made of them.
    pub fn into_entry(mut self) -> Entry<'a> {
        let (message, msg) = (self.text(Field::Message), self.text(Field::Msg));
        let args = self.take(Field::Args);
        if message.is_none() {
            self.keep_unless(Field::Args, args, |value| is_empty(value));
        }
        let level_name = self.text(Field::LevelName);
        let level = self.level(level_name.as_deref());
        let exception = self.exception();
        let (time, file) = (self.time(), self.file());
        let line = self.number(Field::LineNo, |number| u64::try_from(number).ok());
        Entry {
            level,
            level_name,
            logger: self.text(Field::Name),
            text: message.or(msg).unwrap_or_default(),
            time,
            feed: None,
            goes_on: false,
            file,
            line,
            func: self.text(Field::FuncName),
            host: None,
            user: None,
            pid: self.number(Field::Process, Some),
            process: self.text(Field::ProcessName),
            thread: self.thread(),
            thread_name: self.text(Field::ThreadName),
            task: self.text(Field::TaskName),
            exception,
            stack: self.text(Field::StackInfo),
            extra: self.extra,
        }
    }

    /// The value of a field, unless it is nothing.
    fn take(&mut self, field: Field) -> Option<Value<'a>> {
        match self.values[field as usize].take()? {
            Value::None => None,
            Value::Text(text) if self.saying == Saying::Texts && text == "None" && field.may_be_none() => None,
            value => Some(value),
        }
    }

    fn text(&mut self, field: Field) -> Option<Cow<'a, str>> {
        self.take(field).map(into_text)
    }

    /// Keeps a value as an extra field.
    fn keep(&mut self, field: Field, value: Value<'a>) {
        self.extra.push((field.name().into(), json(value)));
    }

    fn keep_unless(&mut self, field: Field, value: Option<Value<'a>>, is_said: impl FnOnce(&Value<'a>) -> bool) {
        if let Some(value) = value.filter(|value| !is_said(value)) {
            self.keep(field, value);
        }
    }

    /// A whole number of the right kind; any other value is kept as an extra field.
    fn number<T>(&mut self, field: Field, convert: impl FnOnce(i64) -> Option<T>) -> Option<T> {
        let value = self.take(field)?;
        let number = whole(&value).and_then(convert);
        if number.is_none() {
            self.keep(field, value);
        }
        number
    }

    fn level(&mut self, name: Option<&str>) -> Option<Level> {
        let level = self.number(Field::LevelNo, |number| i32::try_from(number).ok().map(Level::new));
        level.or_else(|| Level::of_word(name?.as_bytes()))
    }

    fn thread(&mut self) -> Option<Thread<'a>> {
        let value = self.take(Field::Thread)?;
        Some(whole(&value).map_or_else(|| Thread::Text(into_text(value)), Thread::Number))
    }

    /// The time, and what else is said of it.
    fn time(&mut self) -> Option<i64> {
        let created = self.take(Field::Created);
        let time = created.as_ref().and_then(micros);
        let others = [Field::Msecs, Field::RelativeCreated].map(|field| (field, self.take(field)));
        self.keep_unless(Field::Created, created, |_| time.is_some());
        for (field, value) in others {
            self.keep_unless(field, value, |_| time.is_some());
        }
        time
    }

    /// The path, and what else is said of the file.
    fn file(&mut self) -> Option<Cow<'a, str>> {
        let (path, name) = (self.text(Field::PathName), self.text(Field::Filename));
        let module = self.text(Field::Module);
        let file = match (path, name) {
            (Some(path), Some(name)) => {
                if last_of(&path) != name {
                    self.keep(Field::Filename, Value::Text(name));
                }
                Some(path)
            }
            (path, name) => path.or(name),
        };
        let stem = file.as_deref().map(last_of).map(|name| name.rsplit_once('.').map_or(name, |(stem, _)| stem));
        if module.is_some() && module.as_deref() != stem {
            self.keep_unless(Field::Module, module.map(Value::Text), |_| false);
        }
        file
    }

    /// The text of the exception; where nobody made one, what `exc_info` shows of it.
    fn exception(&mut self) -> Option<Cow<'a, str>> {
        let text = self.text(Field::ExcText).filter(|text| !is_no_exception(text));
        match (text, self.take(Field::ExcInfo)) {
            (Some(text), _) => Some(text),
            (None, Some(Value::Text(info))) => (info != "(None, None, None)").then(|| middle(info)),
            (None, info) => {
                self.keep_unless(Field::ExcInfo, info, |value| matches!(value, Value::Json(text) if text == "false"));
                None
            }
        }
    }
}

/// What Python makes of an exception that is asked for where there is none.
fn is_no_exception(text: &str) -> bool {
    matches!(text.trim_end(), "NoneType: None" | "None" | "")
}

/// The exception in the `repr` of `(class, exception, traceback)`.
fn middle(info: Cow<'_, str>) -> Cow<'_, str> {
    let class = info.strip_prefix("(<class '").or_else(|| info.strip_prefix("(<type '"));
    let inner = class.and_then(|rest| rest.split_once("'>, "));
    let shown = inner.and_then(|(_, rest)| rest.rsplit_once(", <traceback object at 0x"));
    match shown {
        Some((shown, _)) => Cow::Owned(shown.to_owned()),
        None => info,
    }
}

/// The last part of a path.
fn last_of(path: &str) -> &str {
    path.rsplit(['/', '\\']).next().unwrap_or(path)
}

/// Arguments of a message that has none.
fn is_empty(args: &Value<'_>) -> bool {
    match args {
        Value::Text(text) => matches!(&**text, "()" | "{}" | "None" | ""),
        Value::Json(json) => matches!(&**json, "[]" | "{}"),
        Value::None => true,
        Value::Int(_) | Value::Float(_) => false,
    }
}

fn whole(value: &Value<'_>) -> Option<i64> {
    match value {
        Value::Int(number) => Some(*number),
        Value::Text(text) | Value::Json(text) => text.trim().parse().ok(),
        Value::Float(_) | Value::None => None,
    }
}

/// Seconds since 1970 as microseconds, rounded as `datetime.fromtimestamp` does.
fn micros(seconds: &Value<'_>) -> Option<i64> {
    const MILLION: i64 = 1_000_000;
    // the years 0 to 9999, which RFC 3339 can write
    const YEARS: std::ops::Range<f64> = -62_167_219_200.0..253_402_207_200.0;
    let seconds = match seconds {
        Value::Float(seconds) => *seconds,
        Value::Int(seconds) => *seconds as f64,
        Value::Text(text) | Value::Json(text) => text.trim().parse().ok()?,
        Value::None => return None,
    };
    if !YEARS.contains(&seconds) {
        return None;
    }
    // the fraction is exact, and a product of the whole would not be
    let whole = seconds.floor();
    Some(whole as i64 * MILLION + ((seconds - whole) * 1e6).round_ties_even() as i64)
}

/// A value where only texts make sense.
fn into_text(value: Value<'_>) -> Cow<'_, str> {
    match value {
        Value::Text(text) => text,
        Value::Json(json) => match serde_json::from_str::<String>(&json) {
            Ok(text) => Cow::Owned(text),
            Err(_) => json,
        },
        value => json(value),
    }
}

fn json(value: Value<'_>) -> Cow<'_, str> {
    match value {
        Value::None => "null".into(),
        Value::Text(text) => serde_json::to_string(&text).expect("a text is JSON").into(),
        Value::Int(number) => number.to_string().into(),
        Value::Float(number) if number.is_finite() => serde_json::to_string(&number).expect("it is finite").into(),
        Value::Float(number) => format!("\"{}\"", number.to_string().to_lowercase()).into(),
        Value::Json(json) => json,
    }
}
