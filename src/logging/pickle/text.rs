//! The texts of pickles as UTF-8, whichever of Python's ways they were written in. None is ever refused: what is no
//! character becomes U+FFFD.

use std::borrow::Cow;

use super::{Id, Node, Tree};

impl<'f> Tree<'_, 'f> {
    /// The text that this node is; `None` where it is something else.
    pub(super) fn text(&self, id: Id) -> Option<Cow<'f, str>> {
        Some(match self.node(id) {
            Node::Text(span) => of_utf8(self.bytes(span)),
            Node::Str(span) => of_str(Cow::Borrowed(self.bytes(span))),
            Node::RawText(span) => Cow::Owned(of_raw_escapes(self.bytes(span))),
            Node::Quoted(span) => of_str(Cow::Owned(of_string_escapes(self.bytes(span)))),
            _ => return None,
        })
    }

    /// The bytes of a `str` of Python 2 that is written as in a program.
    pub(super) fn quoted_bytes(&self, id: Id) -> Option<Vec<u8>> {
        match self.node(id) {
            Node::Quoted(span) => Some(of_string_escapes(self.bytes(span))),
            _ => None,
        }
    }
}

/// UTF-8 in which lone surrogates may stand, as Python writes file names that are none.
fn of_utf8(bytes: &[u8]) -> Cow<'_, str> {
    if let Ok(text) = std::str::from_utf8(bytes) {
        return Cow::Borrowed(text);
    }
    let (mut whole, mut rest) = (Vec::with_capacity(bytes.len()), bytes);
    let is_surrogate = |three: &[u8]| matches!(three, [0xED, 0xA0..=0xBF, 0x80..=0xBF]);
    while let Some(at) = rest.windows(3).position(is_surrogate) {
        let (before, behind) = rest.split_at(at);
        whole.extend_from_slice(before);
        whole.extend_from_slice("\u{FFFD}".as_bytes());
        rest = behind.get(3..).unwrap_or_default();
    }
    whole.extend_from_slice(rest);
    Cow::Owned(String::from_utf8_lossy(&whole).into_owned())
}

/// A `str` of Python 2, which has no encoding: UTF-8 where it is that, else Latin-1.
fn of_str(bytes: Cow<'_, [u8]>) -> Cow<'_, str> {
    match bytes {
        Cow::Borrowed(bytes) => match std::str::from_utf8(bytes) {
            Ok(text) => Cow::Borrowed(text),
            Err(_) => Cow::Owned(of_latin1(bytes)),
        },
        Cow::Owned(bytes) => Cow::Owned(String::from_utf8(bytes).unwrap_or_else(|bad| of_latin1(bad.as_bytes()))),
    }
}

fn of_latin1(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| char::from(*byte)).collect()
}

/// Latin-1 with `\uXXXX` and `\UXXXXXXXX` for the rest; any other backslash, and what is behind it, stands for itself.
fn of_raw_escapes(bytes: &[u8]) -> String {
    let (mut units, mut rest) = (Vec::with_capacity(bytes.len()), bytes);
    while let Some((byte, behind)) = rest.split_first() {
        rest = behind;
        let length = match (byte, behind.first()) {
            (b'\\', Some(b'u')) => 4,
            (b'\\', Some(b'U')) => 8,
            (b'\\', Some(next)) => {
                units.extend([u16::from(*byte), u16::from(*next)]);
                rest = behind.get(1..).unwrap_or_default();
                continue;
            }
            _ => {
                units.push(u16::from(*byte));
                continue;
            }
        };
        match hexadecimal(behind.get(1..1 + length)) {
            Some(code) => {
                push_code(&mut units, code);
                rest = behind.get(1 + length..).unwrap_or_default();
            }
            None => units.push(u16::from(*byte)),
        }
    }
    String::from_utf16_lossy(&units)
}

/// Adds a code point in UTF-16, so that two halves of a pair become one character.
fn push_code(units: &mut Vec<u16>, code: u32) {
    match (u16::try_from(code), char::from_u32(code)) {
        (Ok(unit), _) => units.push(unit),
        (Err(_), Some(character)) => units.extend_from_slice(character.encode_utf16(&mut [0; 2])),
        (Err(_), None) => units.push(0xFFFD),
    }
}

fn hexadecimal(digits: Option<&[u8]>) -> Option<u32> {
    let digits = digits.filter(|digits| digits.iter().all(u8::is_ascii_hexdigit))?;
    u32::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
}

/// The escapes of a string in a program of Python 2.
fn of_string_escapes(bytes: &[u8]) -> Vec<u8> {
    let (mut out, mut rest) = (Vec::with_capacity(bytes.len()), bytes);
    while let Some((byte, behind)) = rest.split_first() {
        rest = behind;
        let Some((next, after)) = behind.split_first().filter(|_| *byte == b'\\') else {
            out.push(*byte);
            continue;
        };
        rest = after;
        match next {
            b'\\' | b'\'' | b'"' => out.push(*next),
            b'n' => out.push(b'\n'),
            b'r' => out.push(b'\r'),
            b't' => out.push(b'\t'),
            b'a' => out.push(7),
            b'b' => out.push(8),
            b'v' => out.push(11),
            b'f' => out.push(12),
            b'0'..=b'7' => {
                let length = behind.iter().take(3).take_while(|digit| matches!(digit, b'0'..=b'7')).count();
                let (digits, after) = behind.split_at(length);
                // \400 and above lose their high bit, as in Python
                out.push(digits.iter().fold(0u8, |value, digit| value.wrapping_mul(8).wrapping_add(digit - b'0')));
                rest = after;
            }
            b'x' if let Some(code) = hexadecimal(after.get(..2)) => {
                out.push(u8::try_from(code).unwrap_or_default());
                rest = after.get(2..).unwrap_or_default();
            }
            _ => out.extend([b'\\', *next]),
        }
    }
    out
}
