//! Python's literals of texts: what one stands for, and how Python would write a text. Names are never looked up.

use std::borrow::Cow;
use std::fmt::Write;

/// The text that a whole literal stands for: `'it'`, `"it's"`, `u'it'`. `None` for anything else, bytes (`b'it'`) too.
///
/// Python 2 writes its byte texts as `'h\xc3\xa9'`: escapes that are UTF-8 are read as that, unless a `u` says that they
/// are characters. Half of a pair of surrogates becomes U+FFFD.
pub(super) fn read_literal(text: &str) -> Option<Cow<'_, str>> {
    let (is_unicode, quoted) = match text.strip_prefix(['u', 'U']) {
        Some(quoted) => (true, quoted),
        None => (false, text),
    };
    let quote = quoted.chars().next().filter(|first| matches!(first, '\'' | '"'))?;
    let inner = quoted.get(1..)?.strip_suffix(quote)?;
    if !inner.contains(['\\', quote]) {
        return Some(Cow::Borrowed(inner));
    }
    unescape(inner, quote, is_unicode).map(Cow::Owned)
}

fn unescape(inner: &str, quote: char, is_unicode: bool) -> Option<String> {
    let mut text = Unescaped { text: String::with_capacity(inner.len()), bytes: Vec::new(), high: None, is_unicode };
    let mut rest = inner;
    while let Some(at) = rest.find(['\\', quote]) {
        text.push_str(&rest[..at]);
        let mut after = rest[at..].strip_prefix('\\')?.chars();
        let letter = after.next()?;
        rest = after.as_str();
        let digits = match letter {
            'x' => 2,
            'u' => 4,
            'U' => 8,
            _ => {
                text.push_str(simple_escape(letter).encode_utf8(&mut [0; 4]));
                continue;
            }
        };
        let digits = rest.get(..digits).filter(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()))?;
        text.push_code(u32::from_str_radix(digits, 16).ok()?, letter == 'x');
        rest = &rest[digits.len()..];
    }
    text.push_str(rest);
    text.settle();
    Some(text.text)
}

fn simple_escape(letter: char) -> char {
    match letter {
        'n' => '\n',
        'r' => '\r',
        't' => '\t',
        // a backslash or a quote, for repr() writes no others
        letter => letter,
    }
}

/// A text on its way, with the escapes of which it is not known yet what they make together.
struct Unescaped {
    text: String,
    /// `\x80` to `\xff`, one after the other.
    bytes: Vec<u8>,
    /// The first half of a pair of surrogates: Python 2 may write a character as two escapes.
    high: Option<u32>,
    is_unicode: bool,
}

impl Unescaped {
    fn push_str(&mut self, text: &str) {
        if !text.is_empty() {
            self.settle();
            self.text.push_str(text);
        }
    }

    fn push_code(&mut self, code: u32, is_byte: bool) {
        match (u8::try_from(code), self.high, code) {
            (Ok(byte), ..) if is_byte && byte >= 0x80 && !self.is_unicode => {
                self.settle_high();
                self.bytes.push(byte);
            }
            (_, None, 0xD800..=0xDBFF) => {
                self.settle();
                self.high = Some(code);
            }
            (_, Some(high), 0xDC00..=0xDFFF) => {
                let whole = 0x1_0000 + ((high - 0xD800) << 10) + (code - 0xDC00);
                self.text.extend(char::from_u32(whole));
                self.high = None;
            }
            _ => {
                self.settle();
                if (0xD800..=0xDBFF).contains(&code) {
                    self.high = Some(code);
                } else {
                    self.text.push(char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER));
                }
            }
        }
    }

    fn settle_high(&mut self) {
        if self.high.take().is_some() {
            self.text.push(char::REPLACEMENT_CHARACTER);
        }
    }

    /// Nothing more belongs to the escapes before.
    fn settle(&mut self) {
        self.settle_high();
        match std::str::from_utf8(&self.bytes) {
            Ok(text) => self.text.push_str(text),
            Err(_) => self.text.extend(self.bytes.iter().map(|byte| char::from(*byte))),
        }
        self.bytes.clear();
    }
}

/// `text` as Python 3's `repr()` writes it.
pub(super) fn quote(text: &str) -> String {
    let quote = if text.contains('\'') && !text.contains('"') { '"' } else { '\'' };
    let mut out = String::with_capacity(text.len() + 2);
    out.push(quote);
    for character in text.chars() {
        match character {
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\\' => out.push_str("\\\\"),
            _ if character == quote => out.extend(['\\', character]),
            _ if is_printable(character) => out.push(character),
            _ => push_escape(character, &mut out),
        }
    }
    out.push(quote);
    out
}

/// As `str.isprintable` has it, which is what the standard library's `escape_debug` goes by, but at the beginning of a
/// text, where it escapes marks that join what is before them.
fn is_printable(character: char) -> bool {
    if character.is_ascii() {
        return !character.is_ascii_control();
    }
    let mut text = [b'a'; 5];
    let length = 1 + character.encode_utf8(&mut text[1..]).len();
    str::from_utf8(&text[..length]).is_ok_and(|text| text.escape_debug().eq(text.chars()))
}

/// `text` with everything beyond ASCII escaped, as `ascii()` does with a repr.
pub(super) fn escape_non_ascii(text: &str) -> Cow<'_, str> {
    if text.is_ascii() {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() * 2);
    for character in text.chars() {
        match character.is_ascii() {
            true => out.push(character),
            false => push_escape(character, &mut out),
        }
    }
    Cow::Owned(out)
}

fn push_escape(character: char, out: &mut String) {
    let written = match u32::from(character) {
        code @ 0..=0xFF => write!(out, "\\x{code:02x}"),
        code @ 0x100..=0xFFFF => write!(out, "\\u{code:04x}"),
        code => write!(out, "\\U{code:08x}"),
    };
    written.expect("a string takes all that is written to it");
}
