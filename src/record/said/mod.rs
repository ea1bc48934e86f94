//! What a plain line says of itself: its level and its logger, guessed from the shapes that logging libraries print. It
//! never fails, and never takes a word in the middle of a message for a level.
//!
//! # The tiers
//!
//! What stands before the message decides: times, and groups in brackets that are no level, are passed over first.
//! The first tier that has something wins; two levels that differ in one tier are none.
//!
//! 1. Keys: a JSON object's (`{"level":"warn","logger":"app"}`) or logfmt's (`time=… level=warn`): `level`, `severity`,
//!    `lvl`, `levelname`, `level_name`, `log.level`, `loglevel`, `@l`. A number is syslog's from 0 to 7, Python's under
//!    `levelno`, and else from 10 on pino's and bunyan's, where 30 is info; a word wins over a number.
//! 2. A level at the start: `WARNING:app.db:message` (Python's basicConfig), `WARN message`, `warning: message`,
//!    `INFO crate::part: message`, `[… INFO crate::part] message`, `… [main] ERROR com.example.Main - message`, klog's
//!    `W0229 12:00:00`. Without a colon or a bracket behind it, it is in capitals.
//! 3. A level in brackets: `[error]`, `[core:error]`, `[W 12:00:00 App]`.
//! 4. A level between dashes or bars: `app.db - ERROR - message` (Python's usual format), `x | ERROR | message`.
//! 5. A level behind the logger: `app.db:ERROR:message`.

mod fields;
mod keys;
mod times;

#[cfg(test)]
mod tests;

pub use self::fields::any_field;

use self::keys::{Pair, of_json, of_pairs, pairs};
use self::times::past_times;
use super::{Level, readable};

/// What stands before a message is looked for in so many bytes.
const BEFORE: usize = 256;

/// See [`said`].
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Said<'a> {
    /// Its level, where it shows one.
    pub level: Option<Level>,
    /// The name of its logger, where it shows one; as it stands in the line.
    pub logger: Option<&'a [u8]>,
}

/// The level and the logger of `line`, which is without its newline and without escape sequences.
pub fn said(line: &[u8]) -> Said<'_> {
    let text = past_times(line);
    if text.first() == Some(&b'{') {
        return of_json(text);
    }
    of_pairs(text)
        .or_else(|| of_klog(line.trim_ascii_start()))
        .or_else(|| at_start(past_groups(text)))
        .or_else(|| in_brackets(line.get(..BEFORE).unwrap_or(line)))
        .or_else(|| between(text.get(..BEFORE).unwrap_or(text)))
        .or_else(|| behind_logger(text))
        .unwrap_or_default()
}

/// What follows the groups in brackets that are no level, such as a thread's name.
fn past_groups(mut text: &[u8]) -> &[u8] {
    for _ in 0..3 {
        let Some(end) = group(text) else { break };
        if of_group(&text[1..end]).is_some() {
            break;
        }
        text = past_separators(&text[end + 1..]);
    }
    text
}

/// Where the group ends that `text` begins with.
fn group(text: &[u8]) -> Option<usize> {
    let inner = text.strip_prefix(b"[")?;
    inner.iter().take(BEFORE).position(|&byte| byte == b']').map(|at| at + 1)
}

/// What follows blanks, dashes, bars and colons.
fn past_separators(text: &[u8]) -> &[u8] {
    let blank = |byte: &u8| matches!(byte, b' ' | b'\t');
    let mut rest = text.trim_ascii_start();
    while let [b'-' | b'|' | b':', after @ ..] = rest
        && after.first().is_none_or(blank)
    {
        rest = after.trim_ascii_start();
    }
    rest
}

/// The letters that `text` begins with.
fn word(text: &[u8]) -> &[u8] {
    let end = text.iter().take(16).position(|byte| !byte.is_ascii_alphabetic());
    &text[..end.unwrap_or(text.len().min(16))]
}

fn is_capital(word: &[u8]) -> bool {
    word.iter().all(u8::is_ascii_uppercase)
}

fn at_start(text: &[u8]) -> Option<Said<'_>> {
    let word = word(text);
    let level = Level::of_word(word)?;
    let rest = &text[word.len()..];
    let stands_apart = match rest.first() {
        Some(b':' | b'[') => true,
        None | Some(b' ' | b'\t' | b']' | b')' | b'|' | b',' | b'/') => {
            // `INFO = 20` is a line of a program
            is_capital(word) && rest.trim_ascii_start().first() != Some(&b'=')
        }
        Some(_) => false,
    };
    stands_apart.then(|| Said { level: Some(level), logger: logger_behind(rest) })
}

/// The logger that stands behind a level at the start.
fn logger_behind(rest: &[u8]) -> Option<&[u8]> {
    if let [b':', named @ ..] = rest
        && named.first().is_some_and(|byte| !byte.is_ascii_whitespace())
    {
        let end = named.iter().take(BEFORE).position(|&byte| byte == b':' || byte.is_ascii_whitespace())?;
        return (named[end] == b':').then_some(&named[..end]).filter(|name| !name.is_empty());
    }
    let rest = past_separators(rest);
    let rest = rest.strip_prefix(b"in ").unwrap_or(rest);
    let end = rest.iter().take(BEFORE).position(u8::is_ascii_whitespace).unwrap_or(rest.len().min(BEFORE));
    let (token, after) = rest.split_at(end);
    if let Some(name) = token.strip_suffix(b":").or_else(|| token.strip_suffix(b"]")) {
        return Some(name).filter(|name| is_logger(name));
    }
    let mut parts = token.split(|&byte| byte == b':');
    if let (Some(name), Some(_), Some(line), None) = (parts.next(), parts.next(), parts.next(), parts.next())
        && !line.is_empty()
        && line.iter().all(u8::is_ascii_digit)
    {
        return Some(name).filter(|name| !name.is_empty());
    }
    (after.starts_with(b" - ") && is_logger(token)).then_some(token)
}

/// Whether a word before a message is a logger's name rather than the message's first word.
fn is_logger(name: &[u8]) -> bool {
    let (Some(&first), has) = (name.first(), |part: &[u8]| name.windows(part.len()).any(|window| window == part))
    else {
        return false;
    };
    name.iter().all(|byte| byte.is_ascii_alphanumeric() || b"_.:$-/".contains(byte))
        && (first.is_ascii_lowercase() || first == b'_' || first.is_ascii_alphabetic() && (has(b".") || has(b"::")))
}

/// Google's: `W0229 12:00:00.000000 1 file.go:10] message`.
fn of_klog(line: &[u8]) -> Option<Said<'_>> {
    let (letter, rest) = line.split_first()?;
    let (date, time) = rest.split_at_checked(4)?;
    let is_klog = date.iter().all(u8::is_ascii_digit) && matches!(time, [b' ', b'0'..=b'9', ..]);
    let level = of_letter(*letter).filter(|_| is_klog)?;
    Some(Said { level: Some(level), logger: None })
}

fn of_letter(letter: u8) -> Option<Level> {
    Some(match letter {
        b'D' => Level::DEBUG,
        b'I' => Level::INFO,
        b'W' => Level::WARNING,
        b'E' => Level::ERROR,
        b'F' | b'C' => Level::CRITICAL,
        _ => return None,
    })
}

/// The one level in brackets; none where there are two that differ.
fn in_brackets(text: &[u8]) -> Option<Said<'_>> {
    let mut found: Option<Said<'_>> = None;
    let mut rest = text;
    while let Some(at) = memchr::memchr(b'[', rest) {
        rest = &rest[at..];
        let Some(end) = memchr::memchr(b']', rest) else { break };
        if let Some(said) = of_group(&rest[1..end]) {
            if found.is_some_and(|found| found.level != said.level) {
                return None;
            }
            found = found.or(Some(said));
        }
        // a bracket within the group may begin another
        rest = &rest[1..];
    }
    found
}

/// What the inside of brackets says: `error`, `core:error`, `W 12:00:00 App`.
fn of_group(inside: &[u8]) -> Option<Said<'_>> {
    let inside = inside.trim_ascii();
    if let [letter, b' ', b'0'..=b'9', ..] = inside {
        let logger = inside.rsplit(|&byte| byte == b' ').next().filter(|name| word(name).len() > 1);
        return of_letter(*letter).map(|level| Said { level: Some(level), logger });
    }
    let mut parts = inside.rsplitn(2, |&byte| byte == b':');
    let level = Level::of_word(parts.next()?)?;
    Some(Said { level: Some(level), logger: parts.next().filter(|name| !name.is_empty()) })
}

/// The one level between dashes or bars, with the logger in the field before it.
fn between(text: &[u8]) -> Option<Said<'_>> {
    let mut found: Option<Said<'_>> = None;
    for separator in [&b" - "[..], b"|"] {
        let mut before = None;
        for field in fields(past_separators(text), separator) {
            if let Some(level) = Level::of_word(field).filter(|_| is_capital(field)) {
                if found.is_some_and(|found| found.level != Some(level)) {
                    return None;
                }
                let logger = before.filter(|name: &&[u8]| !name.is_empty() && !name.contains(&b' '));
                found = found.or(Some(Said { level: Some(level), logger }));
            }
            before = Some(field);
        }
    }
    found
}

/// The fields of `text` that a separator follows.
fn fields<'a>(text: &'a [u8], separator: &'a [u8]) -> impl Iterator<Item = &'a [u8]> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let at = memchr::memmem::find(rest, separator)?;
        let field = rest[..at].trim_ascii();
        rest = &rest[at + separator.len()..];
        Some(field)
    })
}

fn behind_logger(text: &[u8]) -> Option<Said<'_>> {
    let at = text.iter().take(BEFORE).position(|&byte| byte == b':' || byte == b' ')?;
    let (name, rest) = (&text[..at], text[at..].strip_prefix(b":")?);
    let word = word(rest);
    let stands_apart = matches!(rest.get(word.len()), None | Some(b':' | b' '));
    let level = Level::of_word(word).filter(|_| is_capital(word) && stands_apart)?;
    let is_name = name.iter().all(|byte| byte.is_ascii_alphanumeric() || b"_.$-/".contains(byte));
    (is_name && !name.is_empty()).then_some(Said { level: Some(level), logger: Some(name) })
}
