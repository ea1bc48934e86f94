//! The head of a syslog message, behind its `<PRI>`: RFC 5424's, RFC 3164's, or none. What is not quite one stays text.

use jiff::Timestamp;

use super::{Elements, read_structured};

/// What stands before the text.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Header<'a> {
    /// The moment, where the head names it whole.
    pub(super) time: Option<Timestamp>,
    /// `Mmm dd hh:mm:ss`, which tells neither year nor zone.
    pub(super) clock: Option<&'a [u8]>,
    pub(super) host: Option<&'a [u8]>,
    /// The program.
    pub(super) name: Option<&'a [u8]>,
    /// Its process, mostly by number.
    pub(super) process: Option<&'a [u8]>,
    pub(super) message_id: Option<&'a [u8]>,
    pub(super) structured: Elements,
}

/// The head that `bytes` begins with, and the text behind it; `None` where there is none.
pub(super) fn read_header(bytes: &[u8]) -> Option<(Header<'_>, &[u8])> {
    read_rfc5424(bytes).or_else(|| read_rfc3164(bytes))
}

/// `1 TIME HOST APP PROCID MSGID STRUCTURED-DATA TEXT` (RFC 5424 §6); a dash stands for nothing.
fn read_rfc5424(bytes: &[u8]) -> Option<(Header<'_>, &[u8])> {
    let (time, rest) = split_word(bytes.strip_prefix(b"1 ")?)?;
    let (host, rest) = split_word(rest)?;
    let (name, rest) = split_word(rest)?;
    let (process, rest) = split_word(rest)?;
    let (message_id, rest) = split_word(rest)?;
    let (structured, rest) = read_structured(rest)?;
    let time = match said(time) {
        Some(time) => Some(read_time(time)?),
        None => None,
    };
    let text = match rest {
        [b' ', text @ ..] => text,
        [] => rest,
        _ => return None,
    };
    let [host, name, process, message_id] = [host, name, process, message_id].map(said);
    Some((Header { time, clock: None, host, name, process, message_id, structured }, text))
}

/// `TIME [HOST] [NAME[PID]:] TEXT` (RFC 3164 §4.1), with the time of that page or, as rsyslog writes it, of RFC 3339.
/// What syslog(3) writes to a socket of the same machine has no host.
fn read_rfc3164(bytes: &[u8]) -> Option<(Header<'_>, &[u8])> {
    let (mut header, rest) = match read_clock(bytes) {
        Some((clock, rest)) => (Header { clock: Some(clock), ..Header::default() }, rest),
        None => {
            let (time, rest) = split_word(bytes)?;
            (Header { time: Some(read_time(time)?), ..Header::default() }, rest)
        }
    };
    let mut text = rest;
    if read_tag(text).is_none()
        && let Some((host, rest)) = split_word(text).filter(|(host, _)| is_host(host))
    {
        header.host = Some(host);
        text = rest;
    }
    if let Some((tag, rest)) = read_tag(text) {
        header.name = Some(tag.name);
        header.process = tag.process;
        text = rest;
    }
    Some((header, text))
}

/// The word before the next blank, and what follows that.
fn split_word(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = memchr::memchr(b' ', bytes).filter(|end| *end > 0)?;
    Some((&bytes[..end], &bytes[end + 1..]))
}

fn said(word: &[u8]) -> Option<&[u8]> {
    (word != b"-").then_some(word)
}

fn read_time(word: &[u8]) -> Option<Timestamp> {
    // the shortest is 2026-11-21T12:00:00Z
    std::str::from_utf8(word).ok().filter(|word| word.len() >= 20)?.parse().ok()
}

/// `Nov 21 12:00:00 `, and what follows it.
fn read_clock(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    const MONTHS: [&[u8; 4]; 12] =
        [b"Jan ", b"Feb ", b"Mar ", b"Apr ", b"May ", b"Jun ", b"Jul ", b"Aug ", b"Sep ", b"Oct ", b"Nov ", b"Dec "];
    let (clock, rest) = bytes.split_at_checked(15)?;
    let is_digit = |at: usize| clock[at].is_ascii_digit();
    let is_clock = MONTHS.iter().any(|month| clock.starts_with(*month))
        && (clock[4] == b' ' || is_digit(4))
        && [5, 7, 8, 10, 11, 13, 14].into_iter().all(is_digit)
        && (clock[6], clock[9], clock[12]) == (b' ', b':', b':');
    Some((clock, rest.strip_prefix(b" ")?)).filter(|_| is_clock)
}

fn is_host(word: &[u8]) -> bool {
    word.iter().all(|byte| byte.is_ascii_alphanumeric() || b".-_:%".contains(byte)) && !word.ends_with(b":")
}

struct Tag<'a> {
    name: &'a [u8],
    process: Option<&'a [u8]>,
}

/// `name:` or `name[process]:`, and the text behind it.
fn read_tag(bytes: &[u8]) -> Option<(Tag<'_>, &[u8])> {
    let is_in_name = |byte: &u8| byte.is_ascii_alphanumeric() || b"._-/".contains(byte);
    let end = bytes.iter().take(128).position(|byte| !is_in_name(byte)).filter(|end| *end > 0)?;
    let (name, rest) = bytes.split_at(end);
    let (process, rest) = match rest.strip_prefix(b"[") {
        Some(inside) => {
            let end = inside.iter().take(64).position(|byte| *byte == b']')?;
            (Some(&inside[..end]), &inside[end + 1..])
        }
        None => (None, rest),
    };
    let rest = rest.strip_prefix(b":")?;
    let text = if rest.is_empty() { rest } else { rest.strip_prefix(b" ")? };
    Some((Tag { name, process }, text))
}
