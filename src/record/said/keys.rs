//! Levels and loggers under the keys of a JSON object or of logfmt's pairs, read in one pass without a tree. What is
//! nested is passed over, and what is broken ends the search.

use super::{Level, Said};

/// The keys that hold a level.
const LEVELS: [&[u8]; 9] =
    [b"level", b"severity", b"lvl", b"levelname", b"level_name", b"log.level", b"loglevel", b"@l", b"levelno"];

/// The keys of an object that hold a logger's name.
const LOGGERS: [&[u8]; 5] = [b"logger", b"logger_name", b"loggerName", b"log.logger", b"name"];

/// What was found so far.
#[derive(Default)]
struct Found<'a> {
    word: Option<Level>,
    number: Option<Level>,
    logger: Option<(usize, &'a [u8])>,
}

impl<'a> Found<'a> {
    fn take(&mut self, key: &[u8], value: &'a [u8]) {
        if LEVELS.contains(&key) {
            match std::str::from_utf8(value).ok().and_then(|value| value.parse().ok()) {
                Some(number) => self.number = self.number.or(of_number(key, number)),
                None => self.word = self.word.or(Level::of_word(value)),
            }
        }
        if let Some(rank) = LOGGERS.iter().position(|logger| *logger == key)
            && self.logger.is_none_or(|(other, _)| rank < other)
            && !value.is_empty()
        {
            self.logger = Some((rank, value));
        }
    }

    fn said(self) -> Said<'a> {
        Said { level: self.word.or(self.number), logger: self.logger.map(|(_, name)| name) }
    }
}

fn of_number(key: &[u8], number: i32) -> Option<Level> {
    if key == b"levelno" { Some(Level::new(number)) } else { Level::of_json_number(number) }
}

/// A JSON object's; whatever else it is, nothing in it is looked at as text.
pub(super) fn of_json(text: &[u8]) -> Said<'_> {
    let mut found = Found::default();
    let (mut depth, mut key, mut rest) = (0_usize, None, text);
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        match byte {
            b'"' => {
                let Some((string, after)) = string(rest) else { break };
                rest = after.trim_ascii_start();
                match (depth, key.take()) {
                    (1, Some(key)) => found.take(key, string),
                    (1, None) if rest.first() == Some(&b':') => {
                        rest = rest[1..].trim_ascii_start();
                        key = Some(string);
                    }
                    _ => {}
                }
            }
            b'{' | b'[' => (depth, key) = (depth + 1, None),
            b'}' | b']' => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    break;
                }
            }
            b',' => key = None,
            b'-' | b'0'..=b'9' => {
                let digits = rest.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(rest.len());
                let number = text.len() - rest.len() - 1;
                rest = &rest[digits..];
                if let Some(key) = key.take().filter(|_| depth == 1) {
                    found.take(key, &text[number..number + digits + 1]);
                }
            }
            _ => {}
        }
    }
    found.said()
}

/// The inside of a string, as it stands, and what follows its closing quote.
fn string(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let mut from = 0;
    loop {
        let at = from + memchr::memchr2(b'"', b'\\', text.get(from..)?)?;
        match text[at] {
            b'"' => return Some((&text[..at], &text[at + 1..])),
            _ => from = at + 2,
        }
    }
}

/// What logfmt's pairs say, up to what is none; `None` where there is no level among them.
pub(super) fn of_pairs(text: &[u8]) -> Option<Said<'_>> {
    let mut found = Found::default();
    // `name=` is anything in logfmt
    pairs(text).filter(|pair| pair.key != b"name").for_each(|pair| found.take(pair.key, pair.value));
    let said = found.said();
    said.level.is_some().then_some(said)
}

/// One of logfmt's pairs.
pub(super) struct Pair<'a> {
    pub(super) key: &'a [u8],
    /// Without its quotes, as it stands in them.
    pub(super) value: &'a [u8],
    pub(super) is_quoted: bool,
}

/// The pairs that `text` begins with.
pub(super) fn pairs(text: &[u8]) -> impl Iterator<Item = Pair<'_>> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let end = rest.iter().position(|byte| !(byte.is_ascii_alphanumeric() || b"_.-@".contains(byte)));
        let end = end.filter(|&end| end > 0 && rest[end] == b'=')?;
        let (key, value) = (&rest[..end], &rest[end + 1..]);
        let quoted = value.strip_prefix(b"\"");
        let (value, after) = match quoted {
            Some(quoted) => string(quoted)?,
            None => value.split_at(value.iter().position(u8::is_ascii_whitespace).unwrap_or(value.len())),
        };
        rest = after.trim_ascii_start();
        Some(Pair { key, value, is_quoted: quoted.is_some() })
    })
}
