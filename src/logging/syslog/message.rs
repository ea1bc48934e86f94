//! A syslog message as a record. Whatever it is, it becomes one: what has no `<PRI>` is a text without a level.

use std::borrow::Cow;

use super::{Header, read_header, read_priority};
use crate::record::{Entry, Level, said};

/// The severities' names, by number (RFC 5424 §6.2.1).
const SEVERITIES: [&str; 8] = ["emergency", "alert", "critical", "error", "warning", "notice", "info", "debug"];

/// The facilities' names, by number, as Linux has them.
const FACILITIES: [&str; 24] = [
    "kern", "user", "mail", "daemon", "auth", "syslog", "lpr", "news", "uucp", "cron", "authpriv", "ftp", "ntp",
    "audit", "alert", "clock", "local0", "local1", "local2", "local3", "local4", "local5", "local6", "local7",
];

/// The record in `message`, which is one datagram, or what a [`Framer`](super::Framer) cut out of a stream.
///
/// | of the message | is in the record |
/// |---|---|
/// | severity | [`Entry::level`] and its name |
/// | facility | `facility` in [`Entry::extra`], by name |
/// | application, tag | [`Entry::logger`]; without a head, the logger that the text shows |
/// | process | [`Entry::pid`], or `procid` in the extra fields where it is no number |
/// | time | [`Entry::time`]; RFC 3164's has neither year nor zone and is `timestamp` in the extra fields |
/// | message id, structured data | extra fields: `msgid`, and each element under its name |
///
/// One NUL at the end and a byte order mark before the text are left out.
pub fn read_syslog(message: &[u8]) -> Entry<'_> {
    read(message, b"")
}

/// The record in a whole datagram: as [`read_syslog`], but a newline at its end is none of its text even where it has no
/// head. Behind it stands no NUL, for a NUL ends a message, and a newline before that is the message's own.
pub fn read_syslog_datagram(datagram: &[u8]) -> Entry<'_> {
    read(datagram, b"\n")
}

/// The record in `message`, which has `end` behind its text where it has neither NUL nor head.
fn read<'a>(message: &'a [u8], end: &[u8]) -> Entry<'a> {
    let (message, end) = match message.strip_suffix(b"\0") {
        Some(message) => (message, &b""[..]),
        None => (message, end),
    };
    let plain = |bytes: &'a [u8]| text(bytes.strip_suffix(end).unwrap_or(bytes));
    let Some((priority, rest)) = read_priority(message) else {
        return Entry { text: plain(message), ..Entry::default() };
    };
    let mut entry = match read_header(rest) {
        Some((header, body)) => {
            let mut entry = of_header(header);
            entry.text = text(body.strip_suffix(b"\n").unwrap_or(body));
            entry
        }
        None => Entry { logger: said(rest).logger.map(String::from_utf8_lossy), text: plain(rest), ..Entry::default() },
    };
    let (facility, severity) = (usize::from(priority >> 3), priority & 7);
    entry.level = Level::of_severity(severity.into());
    entry.level_name = SEVERITIES.get(usize::from(severity)).map(|name| Cow::Borrowed(*name));
    let facility = FACILITIES.get(facility).map(|name| ("facility".into(), format!("\"{name}\"").into()));
    entry.extra.splice(0..0, facility);
    entry
}

/// The text itself: behind a byte order mark, and with U+FFFD for what is not UTF-8.
fn text(bytes: &[u8]) -> Cow<'_, str> {
    String::from_utf8_lossy(bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes))
}

fn of_header(header: Header<'_>) -> Entry<'_> {
    let mut entry = Entry {
        time: header.time.map(|time| time.as_microsecond()),
        host: header.host.map(String::from_utf8_lossy),
        logger: header.name.map(String::from_utf8_lossy),
        ..Entry::default()
    };
    if let Some(process) = header.process {
        match std::str::from_utf8(process).ok().and_then(|process| process.parse().ok()) {
            Some(pid) => entry.pid = Some(pid),
            None => entry.extra.push(("procid".into(), json(process))),
        }
    }
    entry.extra.extend(header.message_id.map(|id| ("msgid".into(), json(id))));
    entry.extra.extend(header.clock.map(|clock| ("timestamp".into(), json(clock))));
    entry.extra.extend(header.structured.into_iter().map(|(name, values)| (name.into(), values.into())));
    entry
}

fn json(bytes: &[u8]) -> Cow<'static, str> {
    serde_json::Value::from(String::from_utf8_lossy(bytes)).to_string().into()
}
