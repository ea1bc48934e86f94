//! The arguments of a message out of their text: a repr, or JSON. Nothing in them is run, and nesting costs no stack.

use std::borrow::Cow;
use std::collections::HashMap;

use serde_json::value::RawValue;

use super::{Arg, Args, quote, read_literal};

/// More arguments than this are none of a log message.
const MOST: usize = 10_000;

/// The arguments in the repr of a tuple, of a dict, or of one value. `None` where brackets or quotes do not match.
pub(super) fn of_repr(text: &str) -> Option<Args<'_>> {
    match inner(text) {
        Some((b'(', inside)) => Some(Args::Tuple(split(inside, b',')?.into_iter().map(of_value).collect())),
        Some((b'{', inside)) => {
            let pairs = split(inside, b',')?;
            Some(Args::Dict { whole: Arg::Other(Cow::Borrowed(text)), values: named(&pairs)? })
        }
        _ => split(text, b',').filter(|parts| parts.len() == 1).map(|_| Args::Single(of_value(text))),
    }
}

/// The opening bracket of a text that is in brackets as a whole, and what is between them.
fn inner(text: &str) -> Option<(u8, &str)> {
    let inside = text.get(1..text.len().checked_sub(1)?)?;
    match (text.as_bytes()[0], text.as_bytes()[text.len() - 1]) {
        (b'(', b')') => Some((b'(', inside)),
        (b'{', b'}') => Some((b'{', inside)),
        _ => None,
    }
}

fn of_value(repr: &str) -> Arg<'_> {
    match read_literal(repr) {
        Some(content) => Arg::Text { content, repr: Some(repr) },
        None => Arg::Other(Cow::Borrowed(repr)),
    }
}

/// The values of a dict whose names are texts; a set has none.
fn named<'a>(pairs: &[&'a str]) -> Option<HashMap<Cow<'a, str>, Arg<'a>>> {
    let mut values = HashMap::new();
    for pair in pairs {
        let parts = split(pair, b':')?;
        // a colon in the value is in brackets or quotes, unless it is an object's own
        let Some(name) = parts.first() else { continue };
        let value = pair.get(name.len() + 1..).map(str::trim).filter(|_| parts.len() > 1);
        if let (Some(name), Some(value)) = (read_literal(name), value) {
            values.insert(name, of_value(value));
        }
    }
    Some(values)
}

/// The parts of `text` between the separators that stand in no bracket and no quotes, trimmed; a last empty one does not
/// count.
fn split(text: &str, separator: u8) -> Option<Vec<&str>> {
    let bytes = text.as_bytes();
    let (mut parts, mut open) = (Vec::new(), Vec::new());
    let (mut start, mut at) = (0, 0);
    while let Some(&byte) = bytes.get(at) {
        match byte {
            b'\'' | b'"' => at = end_of_quotes(bytes, at)?,
            b'(' => open.push(b')'),
            b'[' => open.push(b']'),
            b'{' => open.push(b'}'),
            b'<' => open.push(b'>'),
            b')' | b']' | b'}' if open.pop() != Some(byte) => return None,
            b'>' if matches!(bytes[..at], [.., b'-' | b'=']) => {}
            // one without its like is a comparison in the repr of an object
            b'>' => drop(open.pop_if(|closing| *closing == b'>')),
            _ if byte == separator && open.is_empty() => {
                parts.push(text[start..at].trim());
                start = at + 1;
            }
            _ => {}
        }
        at += 1;
    }
    let last = text[start..].trim();
    parts.extend((!last.is_empty()).then_some(last));
    (open.is_empty() && parts.len() <= MOST).then_some(parts)
}

/// Where the quotes end that begin at `start`.
fn end_of_quotes(bytes: &[u8], start: usize) -> Option<usize> {
    let quote = *bytes.get(start)?;
    let mut at = start + 1;
    loop {
        match *bytes.get(at)? {
            b'\\' => at += 2,
            byte if byte == quote => return Some(at),
            _ => at += 1,
        }
    }
}

/// The arguments in JSON: a list for a tuple, in which one object alone is the dict, or that object, or null.
pub(super) fn of_json(text: &str) -> Option<Args<'_>> {
    let text = text.trim_ascii();
    match text.as_bytes().first()? {
        b'n' if text == "null" => Some(Args::Tuple(Vec::new())),
        b'{' => of_object(text),
        b'[' => {
            let parts: Vec<&RawValue> = serde_json::from_str(text).ok()?;
            match parts.as_slice() {
                [only] if only.get().starts_with('{') && !only.get()[1..].trim_start().starts_with('}') => {
                    of_object(only.get())
                }
                parts if parts.len() > MOST => None,
                parts => parts.iter().map(|part| of_json_value(part.get())).collect::<Option<_>>().map(Args::Tuple),
            }
        }
        _ => of_json_value(serde_json::from_str::<&RawValue>(text).ok()?.get()).map(Args::Single),
    }
}

fn of_object(text: &str) -> Option<Args<'_>> {
    let values: HashMap<String, &RawValue> = serde_json::from_str(text).ok()?;
    if values.is_empty() {
        return Some(Args::Tuple(Vec::new()));
    }
    let whole = Arg::Other(Cow::Owned(python_repr(text)?));
    let values = values.into_iter().map(|(name, value)| Some((Cow::Owned(name), of_json_value(value.get())?)));
    Some(Args::Dict { whole, values: values.collect::<Option<_>>()? })
}

fn of_json_value(text: &str) -> Option<Arg<'_>> {
    match text.as_bytes().first()? {
        b'"' => Some(Arg::Text { content: serde_json::from_str::<String>(text).ok()?.into(), repr: None }),
        b'0'..=b'9' | b'-' => Some(Arg::Other(Cow::Borrowed(text))),
        _ => python_repr(text).map(|repr| Arg::Other(Cow::Owned(repr))),
    }
}

/// JSON, which must be valid, as Python's `repr()` of the same value.
fn python_repr(json: &str) -> Option<String> {
    let bytes = json.as_bytes();
    let (mut out, mut at) = (String::with_capacity(json.len() + 16), 0);
    while let Some(&byte) = bytes.get(at) {
        let start = at;
        at += 1;
        match byte {
            b'"' => {
                at = end_of_quotes(bytes, start)? + 1;
                out.push_str(&quote(&serde_json::from_str::<String>(&json[start..at]).ok()?));
            }
            b',' => out.push_str(", "),
            b':' => out.push_str(": "),
            b'[' | b']' | b'{' | b'}' => out.push(char::from(byte)),
            b' ' | b'\t' | b'\r' | b'\n' => {}
            _ => {
                let word = &json[start..];
                let end = word.find(|c: char| !c.is_ascii_alphanumeric() && !matches!(c, '-' | '+' | '.'));
                let word = &word[..end.filter(|end| *end > 0).unwrap_or(word.len())];
                at = start + word.len();
                out.push_str(match word {
                    "true" => "True",
                    "false" => "False",
                    "null" => "None",
                    number => number,
                });
            }
        }
    }
    Some(out)
}
