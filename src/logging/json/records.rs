//! The records in the body of a request: one object, an array of them, or one to a line. A bad one does not spoil the
//! others.

use std::fmt;

use serde_json::value::RawValue;

use super::read_object;
use crate::record::Entry;

/// Why something in a body is no record.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct BadRecord {
    place: Place,
    found: String,
}

/// Where in the body it is, from 1.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Place {
    Body,
    Element(usize),
    Line(usize),
}

impl fmt::Display for BadRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.place {
            Place::Body => f.write_str("the body")?,
            Place::Element(number) => write!(f, "element {number}")?,
            Place::Line(number) => write!(f, "line {number}")?,
        }
        write!(f, " is {}, but a record is an object of JSON", self.found)
    }
}

impl std::error::Error for BadRecord {}

/// The records of one body, in their order: see [`read_records`].
#[derive(Debug)]
pub struct Records<'a>(Parts<'a>);

#[derive(Debug)]
enum Parts<'a> {
    One(Option<&'a str>),
    Array(std::iter::Enumerate<std::vec::IntoIter<&'a RawValue>>),
    Lines(std::iter::Enumerate<std::str::Lines<'a>>),
    Bad(Option<String>),
}

/// The records in `body`: an object, an array of objects, or lines with an object each (NDJSON). Empty lines do not
/// count. An array that is broken anywhere gives no record.
pub fn read_records(body: &[u8]) -> Records<'_> {
    let text = match std::str::from_utf8(body) {
        Ok(text) => text.strip_prefix('\u{feff}').unwrap_or(text).trim_ascii(),
        Err(error) => return Records(Parts::Bad(Some(format!("not UTF-8 from byte {} on", error.valid_up_to() + 1)))),
    };
    Records(match serde_json::from_str::<&RawValue>(text) {
        Ok(_) if !text.starts_with('[') => Parts::One(Some(text)),
        Ok(_) | Err(_) if text.starts_with('[') => match serde_json::from_str::<Vec<&RawValue>>(text) {
            Ok(elements) => Parts::Array(elements.into_iter().enumerate()),
            Err(error) => Parts::Bad(Some(format!("not JSON: {error}"))),
        },
        _ => Parts::Lines(text.lines().enumerate()),
    })
}

impl<'a> Iterator for Records<'a> {
    type Item = Result<Entry<'a>, BadRecord>;

    fn next(&mut self) -> Option<Self::Item> {
        let (place, text) = match &mut self.0 {
            Parts::One(text) => (Place::Body, text.take()?),
            Parts::Array(elements) => elements.next().map(|(at, raw)| (Place::Element(at + 1), raw.get()))?,
            Parts::Lines(lines) => {
                lines.find(|(_, line)| !line.trim_ascii().is_empty()).map(|(at, line)| (Place::Line(at + 1), line))?
            }
            Parts::Bad(found) => return found.take().map(|found| Err(BadRecord { place: Place::Body, found })),
        };
        Some(read_object(text).ok_or_else(|| BadRecord { place, found: name(text) }))
    }
}

/// What a text that is no object is instead.
fn name(text: &str) -> String {
    match serde_json::from_str::<&RawValue>(text).map(|raw| raw.get().as_bytes().first().copied()) {
        Err(error) => format!("not JSON: {error}"),
        Ok(Some(b'"')) => "a text".to_owned(),
        Ok(Some(b'[')) => "an array".to_owned(),
        Ok(Some(b't' | b'f')) => "a boolean".to_owned(),
        Ok(Some(b'n')) => "null".to_owned(),
        Ok(Some(b'{')) => "an object with a name that is no text".to_owned(),
        Ok(_) => "a number".to_owned(),
    }
}
