//! The structured data of RFC 5424 §6.3, as JSON. Nothing in it is looked up: an element is its name and its values.

use serde_json::{Map, Value};

/// The names of elements, each with an object of JSON.
pub(super) type Elements = Vec<(String, String)>;

/// The elements at the beginning of `bytes`, each an object of JSON under its name, and what follows them. A parameter
/// that stands there more than once is a list.
pub(super) fn read_structured(bytes: &[u8]) -> Option<(Elements, &[u8])> {
    if let Some(rest) = bytes.strip_prefix(b"-") {
        return Some((Vec::new(), rest));
    }
    let (mut elements, mut rest) = (Vec::new(), bytes);
    while let Some(inside) = rest.strip_prefix(b"[") {
        let (name, after) = read_name(inside)?;
        let (values, after) = read_values(after)?;
        elements.push((name, Value::Object(values).to_string()));
        rest = after;
    }
    (!elements.is_empty()).then_some((elements, rest))
}

/// Parameters up to the bracket that closes their element.
fn read_values(mut rest: &[u8]) -> Option<(Map<String, Value>, &[u8])> {
    let mut values = Map::new();
    loop {
        match rest {
            [b']', after @ ..] => return Some((values, after)),
            [b' ', after @ ..] => {
                let (name, after) = read_name(after)?;
                let (value, after) = read_value(after.strip_prefix(b"=\"")?)?;
                match values.get_mut(&name) {
                    None => drop(values.insert(name, Value::String(value))),
                    Some(Value::Array(list)) => list.push(Value::String(value)),
                    Some(first) => *first = Value::Array(vec![first.take(), Value::String(value)]),
                }
                rest = after;
            }
            _ => return None,
        }
    }
}

/// Printable ASCII but for `=`, blank, `]` and `"`.
fn read_name(bytes: &[u8]) -> Option<(String, &[u8])> {
    let is_in_name = |byte: &u8| byte.is_ascii_graphic() && !b"=]\"".contains(byte);
    let end = bytes.iter().position(|byte| !is_in_name(byte)).filter(|end| *end > 0)?;
    let (name, rest) = bytes.split_at(end);
    Some((String::from_utf8_lossy(name).into_owned(), rest))
}

/// A value up to its closing quote. A backslash escapes `"`, `\` and `]`, and is itself before anything else.
fn read_value(bytes: &[u8]) -> Option<(String, &[u8])> {
    let (mut value, mut rest) = (Vec::new(), bytes);
    loop {
        let end = memchr::memchr2(b'"', b'\\', rest)?;
        value.extend_from_slice(&rest[..end]);
        match &rest[end..] {
            [b'"', after @ ..] => return Some((String::from_utf8_lossy(&value).into_owned(), after)),
            [b'\\', escaped @ (b'"' | b'\\' | b']'), after @ ..] => {
                value.push(*escaped);
                rest = after;
            }
            after => {
                value.push(b'\\');
                rest = &after[1..];
            }
        }
    }
}
