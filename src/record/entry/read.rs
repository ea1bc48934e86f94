//! An entry back from its line in a feed's journal. Texts without escapes are borrowed from the line.

use std::borrow::Cow;
use std::fmt;

use jiff::Timestamp;
use serde::Deserialize;
use serde::de::{Deserializer, Error, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::{Entry, Thread};
use crate::record::Level;

impl<'a> Entry<'a> {
    /// The entry that [`Entry::write`] made this line of, with or without its newline; `None` where it is no such line.
    pub fn read(line: &'a [u8]) -> Option<Entry<'a>> {
        let Line { feed, goes_on, level, level_name, logger, text, record } = serde_json::from_slice(line).ok()?;
        let time = match record.time {
            Some(time) => Some(time.0.parse::<Timestamp>().ok()?.as_microsecond()),
            None => None,
        };
        Some(Entry {
            level: level.map(Level::new),
            level_name: level_name.map(Text::into),
            logger: logger.map(Text::into),
            text: text.into(),
            time,
            feed: feed.map(Text::into),
            goes_on,
            file: record.file.map(Text::into),
            line: record.line,
            func: record.func.map(Text::into),
            host: record.host.map(Text::into),
            user: record.user.map(Text::into),
            pid: record.pid,
            process: record.process.map(Text::into),
            thread: record.thread,
            thread_name: record.thread_name.map(Text::into),
            task: record.task.map(Text::into),
            exception: record.exception.map(Text::into),
            stack: record.stack.map(Text::into),
            extra: record.extra.map(|extra| extra.0).unwrap_or_default(),
        })
    }
}

/// The line as it stands there.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Line<'a> {
    #[serde(borrow)]
    feed: Option<Text<'a>>,
    #[serde(default)]
    goes_on: bool,
    level: Option<i32>,
    level_name: Option<Text<'a>>,
    logger: Option<Text<'a>>,
    text: Text<'a>,
    record: Record<'a>,
}

/// All that is not shown with every line.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Record<'a> {
    #[serde(borrow)]
    time: Option<Text<'a>>,
    file: Option<Text<'a>>,
    line: Option<u64>,
    func: Option<Text<'a>>,
    host: Option<Text<'a>>,
    user: Option<Text<'a>>,
    pid: Option<i64>,
    process: Option<Text<'a>>,
    thread: Option<Thread<'a>>,
    thread_name: Option<Text<'a>>,
    task: Option<Text<'a>>,
    exception: Option<Text<'a>>,
    stack: Option<Text<'a>>,
    extra: Option<Extra<'a>>,
}

/// A text, borrowed where it can be: serde borrows a `Cow` in an `Option` never.
struct Text<'a>(Cow<'a, str>);

impl<'a> From<Text<'a>> for Cow<'a, str> {
    fn from(text: Text<'a>) -> Self {
        text.0
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Borrow;
        impl<'de> Visitor<'de> for Borrow {
            type Value = Text<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text")
            }

            fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Text<'de>, E> {
                Ok(Text(Cow::Borrowed(text)))
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Text<'de>, E> {
                Ok(Text(Cow::Owned(text.to_owned())))
            }
        }
        deserializer.deserialize_str(Borrow)
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Thread<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;
        impl<'de> Visitor<'de> for Either {
            type Value = Thread<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number or a text")
            }

            fn visit_i64<E: Error>(self, number: i64) -> Result<Thread<'de>, E> {
                Ok(Thread::Number(number))
            }

            fn visit_u64<E: Error>(self, number: u64) -> Result<Thread<'de>, E> {
                i64::try_from(number).map(Thread::Number).map_err(E::custom)
            }

            fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Thread<'de>, E> {
                Ok(Thread::Text(Cow::Borrowed(text)))
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Thread<'de>, E> {
                Ok(Thread::Text(Cow::Owned(text.to_owned())))
            }
        }
        deserializer.deserialize_any(Either)
    }
}

/// The other fields in their order, a name that comes twice included.
struct Extra<'a>(Vec<(Cow<'a, str>, Cow<'a, str>)>);

impl<'de: 'a, 'a> Deserialize<'de> for Extra<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Pairs;
        impl<'de> Visitor<'de> for Pairs {
            type Value = Extra<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Extra<'de>, A::Error> {
                let mut pairs = Vec::new();
                while let Some((name, value)) = map.next_entry::<Text<'de>, &'de RawValue>()? {
                    pairs.push((name.into(), Cow::Borrowed(value.get())));
                }
                Ok(Extra(pairs))
            }
        }
        deserializer.deserialize_map(Pairs)
    }
}
