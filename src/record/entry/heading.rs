//! The level and the logger of an entry, read off the beginning of its line: what a filter asks of each of a million
//! lines. It reads nothing behind them.

use std::borrow::Cow;

use super::{Level, Said};

/// What stands at the beginning of an entry's line.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Heading<'a> {
    /// How grave it is.
    pub level: Option<Level>,
    /// The logger's name.
    pub logger: Option<Cow<'a, str>>,
}

impl<'a> Heading<'a> {
    /// The heading of a line that [`Entry::write`](super::Entry::write) made; of any other line it says nothing.
    pub fn of(line: &'a [u8]) -> Heading<'a> {
        Heading::read(line).unwrap_or_default()
    }

    /// The same in the words of a plain line.
    pub fn said(&self) -> Said<'_> {
        Said { level: self.level, logger: self.logger.as_deref().map(str::as_bytes) }
    }

    fn read(line: &'a [u8]) -> Option<Heading<'a>> {
        let mut rest = line.strip_prefix(b"{")?;
        let mut heading = Heading::default();
        if let Some(value) = rest.strip_prefix(b"\"feed\":\"") {
            rest = text(value)?.1;
        }
        rest = rest.strip_prefix(b"\"goes_on\":true,").unwrap_or(rest);
        if let Some(value) = rest.strip_prefix(b"\"level\":") {
            let end = memchr::memchr(b',', value)?;
            heading.level = Some(Level::new(std::str::from_utf8(&value[..end]).ok()?.parse().ok()?));
            rest = &value[end + 1..];
        }
        if let Some(value) = rest.strip_prefix(b"\"level_name\":\"") {
            rest = text(value)?.1;
        }
        if let Some(value) = rest.strip_prefix(b"\"logger\":\"") {
            heading.logger = Some(unescape(text(value)?.0)?);
        }
        Some(heading)
    }
}

/// The inside of a string, as it stands, and what follows the comma behind it.
fn text(value: &[u8]) -> Option<(&[u8], &[u8])> {
    let mut from = 0;
    loop {
        let at = from + memchr::memchr2(b'"', b'\\', value.get(from..)?)?;
        match value[at] {
            b'"' => return Some((&value[..at], value.get(at + 2..)?)),
            _ => from = at + 2,
        }
    }
}

fn unescape(inside: &[u8]) -> Option<Cow<'_, str>> {
    let inside = std::str::from_utf8(inside).ok()?;
    match memchr::memchr(b'\\', inside.as_bytes()) {
        None => Some(Cow::Borrowed(inside)),
        Some(_) => serde_json::from_str(&format!("\"{inside}\"")).ok().map(Cow::Owned),
    }
}
