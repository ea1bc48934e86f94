//! An entry as one line of JSON, written straight into the bytes it goes to; there is no tree between.

use std::borrow::Cow;
use std::io::Write;

use jiff::Timestamp;
use jiff::fmt::temporal::DateTimePrinter;

use super::{Entry, Thread};

impl Entry<'_> {
    /// Appends it as one line of JSON, newline included, as it stands in a feed's journal. Line feeds and other control
    /// characters of its texts are escaped, and those between the tokens of a value of `extra` left out, so that it is
    /// one line whatever it says.
    pub fn write(&self, out: &mut Vec<u8>) {
        out.push(b'{');
        text(out, "\"feed\":", &self.feed);
        if self.goes_on {
            out.extend_from_slice(b"\"goes_on\":true,");
        }
        number(out, "\"level\":", self.level.map(|level| i64::from(level.number())));
        text(out, "\"level_name\":", &self.level_name);
        text(out, "\"logger\":", &self.logger);
        out.extend_from_slice(b"\"text\":");
        string(out, &self.text);
        out.extend_from_slice(b",\"record\":{");
        self.write_origin(out);
        self.write_process(out);
        text(out, "\"exception\":", &self.exception);
        text(out, "\"stack\":", &self.stack);
        self.write_extra(out);
        close(out);
        out.extend_from_slice(b"}\n");
    }

    /// When and where it was logged.
    fn write_origin(&self, out: &mut Vec<u8>) {
        if let Some(time) = self.time.and_then(|time| Timestamp::from_microsecond(time).ok()) {
            stamp(out, time);
        }
        text(out, "\"file\":", &self.file);
        number(out, "\"line\":", self.line);
        text(out, "\"func\":", &self.func);
    }

    /// Which program logged it.
    fn write_process(&self, out: &mut Vec<u8>) {
        text(out, "\"host\":", &self.host);
        text(out, "\"user\":", &self.user);
        number(out, "\"pid\":", self.pid);
        text(out, "\"process\":", &self.process);
        match &self.thread {
            Some(Thread::Number(id)) => number(out, "\"thread\":", Some(*id)),
            Some(Thread::Text(name)) => text(out, "\"thread\":", &Some(Cow::Borrowed(name))),
            None => {}
        }
        text(out, "\"thread_name\":", &self.thread_name);
        text(out, "\"task\":", &self.task);
    }

    fn write_extra(&self, out: &mut Vec<u8>) {
        if self.extra.is_empty() {
            return;
        }
        out.extend_from_slice(b"\"extra\":{");
        for (name, value) in &self.extra {
            string(out, name);
            out.push(b':');
            json(out, value);
            out.push(b',');
        }
        close(out);
        out.push(b',');
    }
}

/// A member whose value is a text, and the comma behind it.
fn text(out: &mut Vec<u8>, key: &str, value: &Option<Cow<'_, str>>) {
    if let Some(value) = value {
        out.extend_from_slice(key.as_bytes());
        string(out, value);
        out.push(b',');
    }
}

/// A member whose value is a number, and the comma behind it.
fn number(out: &mut Vec<u8>, key: &str, value: Option<impl std::fmt::Display>) {
    if let Some(value) = value {
        out.extend_from_slice(key.as_bytes());
        write!(out, "{value},").expect("a vector takes everything");
    }
}

/// The time, as every format writes it.
fn stamp(out: &mut Vec<u8>, time: Timestamp) {
    const PRINTER: DateTimePrinter = DateTimePrinter::new().precision(Some(6));
    out.extend_from_slice(b"\"time\":\"");
    PRINTER.print_timestamp(&time, &mut *out).expect("a vector takes everything");
    out.extend_from_slice(b"\",");
}

/// The end of an object, in the place of the comma of its last member.
fn close(out: &mut Vec<u8>) {
    match out.last_mut() {
        Some(last) if *last == b',' => *last = b'}',
        _ => out.push(b'}'),
    }
}

/// A value that is JSON already. Control bytes in it can only be white space between its tokens.
fn json(out: &mut Vec<u8>, value: &str) {
    if value.bytes().all(|byte| byte >= b' ') {
        out.extend_from_slice(value.as_bytes());
    } else {
        out.extend(value.bytes().filter(|byte| *byte >= b' '));
    }
}

/// A text in quotes, its control characters, quotes and backslashes escaped (RFC 8259 §7).
fn string(out: &mut Vec<u8>, text: &str) {
    out.push(b'"');
    let mut rest = text.as_bytes();
    loop {
        let (plain, behind) = rest.split_at(plain_length(rest));
        out.extend_from_slice(plain);
        let Some((special, behind)) = behind.split_first() else { break };
        escape(out, *special);
        rest = behind;
    }
    out.push(b'"');
}

fn escape(out: &mut Vec<u8>, byte: u8) {
    match byte {
        b'"' => out.extend_from_slice(b"\\\""),
        b'\\' => out.extend_from_slice(b"\\\\"),
        b'\n' => out.extend_from_slice(b"\\n"),
        b'\r' => out.extend_from_slice(b"\\r"),
        b'\t' => out.extend_from_slice(b"\\t"),
        _ => write!(out, "\\u{byte:04x}").expect("a vector takes everything"),
    }
}

/// How many bytes from the first on stand for themselves in a string of JSON.
fn plain_length(bytes: &[u8]) -> usize {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const HIGH: u64 = 0x8080_8080_8080_8080;
    let below = |word: u64, limit: u64| word.wrapping_sub(ONES * limit) & !word & HIGH;
    let (words, tail) = bytes.as_chunks::<8>();
    for (at, word) in words.iter().enumerate() {
        let word = u64::from_le_bytes(*word);
        let quote = below(word ^ (ONES * u64::from(b'"')), 1);
        let backslash = below(word ^ (ONES * u64::from(b'\\')), 1);
        // a borrow can only mark bytes behind one that is marked rightly, so the first mark is right
        let marks = below(word, 0x20) | quote | backslash;
        if marks != 0 {
            return at * 8 + marks.trailing_zeros() as usize / 8;
        }
    }
    let special = |byte: &u8| *byte < b' ' || *byte == b'"' || *byte == b'\\';
    words.len() * 8 + tail.iter().position(special).unwrap_or(tail.len())
}
