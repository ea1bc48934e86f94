//! Messages out of a connection's bytes. A state machine over the caller's buffer: no socket, no clock, no copy.

use bytes::{Bytes, BytesMut};
use memchr::{memchr, memchr2_iter};

use super::{may_be_priority, read_priority};

/// Cuts the messages out of one connection, however its sender separates them.
///
/// Nothing in syslog over a stream says where a message ends, so what comes first decides, once for the connection:
///
/// | first | then messages end |
/// |---|---|
/// | a count, a blank and `<` | after so many bytes (RFC 6587 §3.4.1) |
/// | a NUL | at each NUL (Python's SysLogHandler): line feeds belong to the text |
/// | a line feed, and after it a `<PRI>`; or text that does not begin with a `<PRI>`, then a line feed | at each line feed (§3.4.2); a NUL still ends one, and from then on only NULs do |
/// | nothing of these before the connection falls [quiet](Framer::settle) | when it falls quiet, and before each `<PRI>` (Python's `append_nul = False`) |
///
/// A message that is longer than the bound comes in pieces; the later ones have no `<PRI>`. Empty messages are left out.
#[derive(Debug)]
pub struct Framer {
    framing: Framing,
    longest: usize,
    /// How much at the buffer's beginning has no separator.
    searched: usize,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Framing {
    /// The buffer begins with a message, or within one whose beginning has been cut off already.
    Undecided {
        is_within: bool,
    },
    /// So many bytes of the message are still to come.
    Counted {
        left: usize,
    },
    Nul,
    Line,
    /// By silence.
    Quiet,
}

const UNDECIDED: Framing = Framing::Undecided { is_within: false };

/// What the bytes at the beginning of the buffer are.
enum Found {
    /// A message of so many bytes, and so many behind it that separate.
    Message(usize, usize),
    /// The framing has become clear; these bytes are passed over.
    Framing(Framing, usize),
    /// More bytes have to come. So many have been looked at.
    Nothing(usize),
}

impl Framer {
    /// For a new connection, whose messages are kept whole up to `longest` bytes.
    pub fn new(longest: usize) -> Self {
        Framer { framing: UNDECIDED, longest: longest.max(1), searched: 0 }
    }

    /// The next message at the beginning of `buffer`, which is taken out of it; `None` when more has to be read first.
    /// The buffer never has to hold more than the bound and twenty bytes.
    pub fn cut(&mut self, buffer: &mut BytesMut) -> Option<Bytes> {
        self.searched = self.searched.min(buffer.len());
        loop {
            let (length, separator) = match self.find(buffer) {
                Found::Message(length, separator) => (length, separator),
                Found::Framing(framing, passed) => {
                    self.framing = framing;
                    self.take(buffer, 0, passed);
                    continue;
                }
                Found::Nothing(searched) if searched <= self.longest => {
                    self.searched = searched;
                    return None;
                }
                Found::Nothing(_) => {
                    if let Framing::Undecided { is_within } = &mut self.framing {
                        *is_within = true;
                    }
                    (whole_characters(&buffer[..self.longest]), 0)
                }
            };
            let message = self.take(buffer, length, separator);
            if !message.is_empty() {
                return Some(message);
            }
        }
    }

    /// The connection has brought nothing for a moment: what is in `buffer` is a message, where nothing has said yet how
    /// messages end. To be called until it gives `None`.
    pub fn settle(&mut self, buffer: &mut BytesMut) -> Option<Bytes> {
        let message = self.cut(buffer).or_else(|| {
            self.decide_by_silence(buffer);
            self.cut(buffer)
        });
        message.or_else(|| if self.framing == Framing::Quiet { self.take_rest(buffer) } else { None })
    }

    /// The connection has ended: the messages that are left, the last one without its end. To be called until it gives
    /// `None`.
    pub fn finish(&mut self, buffer: &mut BytesMut) -> Option<Bytes> {
        self.settle(buffer).or_else(|| self.take_rest(buffer))
    }

    /// Decides by what has come so far how messages end, where that is open.
    fn decide_by_silence(&mut self, buffer: &[u8]) {
        if !buffer.is_empty() && matches!(self.framing, Framing::Undecided { .. }) {
            let is_line = memchr(b'\n', buffer).is_some_and(|at| at + 1 == buffer.len());
            self.framing = if is_line { Framing::Line } else { Framing::Quiet };
            self.searched = 0;
        }
    }

    fn take_rest(&mut self, buffer: &mut BytesMut) -> Option<Bytes> {
        let message = self.take(buffer, buffer.len(), 0);
        let line = message.strip_suffix(b"\n").unwrap_or(&message);
        let end = line.strip_suffix(b"\r").unwrap_or(line).len();
        (end > 0).then(|| message.slice(..end))
    }

    fn take(&mut self, buffer: &mut BytesMut, length: usize, separator: usize) -> Bytes {
        self.searched = 0;
        if let Framing::Counted { left } = &mut self.framing {
            *left = left.saturating_sub(length);
        }
        let message = buffer.split_to(length).freeze();
        let _ = buffer.split_to(separator);
        message
    }

    fn find(&self, buffer: &[u8]) -> Found {
        match self.framing {
            Framing::Undecided { is_within } => self.decide(buffer, is_within),
            Framing::Counted { left: 0 } => next_count(buffer),
            Framing::Counted { left } if left <= buffer.len().min(self.longest) => Found::Message(left, 0),
            Framing::Counted { .. } => Found::Nothing(buffer.len()),
            Framing::Nul => match memchr(0, &buffer[self.searched..]) {
                Some(at) if self.searched + at <= self.longest => Found::Message(self.searched + at, 1),
                _ => Found::Nothing(buffer.len()),
            },
            Framing::Line => self.find_line(buffer),
            Framing::Quiet => self.find_priority(buffer),
        }
    }

    /// What the first separator says.
    fn decide(&self, buffer: &[u8], is_within: bool) -> Found {
        match count(buffer) {
            Count::Is(..) if !is_within => return Found::Framing(Framing::Counted { left: 0 }, 0),
            Count::MayBe if !is_within => return Found::Nothing(0),
            _ => {}
        }
        let is_message = match read_priority(buffer) {
            Some(_) => true,
            None if !is_within && may_be_priority(buffer) => return Found::Nothing(0),
            None => is_within,
        };
        for at in memchr2_iter(0, b'\n', &buffer[self.searched..]).map(|at| self.searched + at) {
            if at > self.longest {
                break;
            }
            let behind = &buffer[at + 1..];
            match buffer[at] {
                0 => return Found::Framing(Framing::Nul, 0),
                _ if !is_message || read_priority(behind).is_some() => return Found::Framing(Framing::Line, 0),
                _ if may_be_priority(behind) => return Found::Nothing(at),
                _ => {}
            }
        }
        Found::Nothing(buffer.len())
    }

    fn find_line(&self, buffer: &[u8]) -> Found {
        match memchr2_iter(0, b'\n', &buffer[self.searched..]).next().map(|at| self.searched + at) {
            Some(at) if at > self.longest => Found::Nothing(buffer.len()),
            Some(at) if buffer[at] == 0 => Found::Framing(Framing::Nul, 0),
            Some(at) if buffer[..at].ends_with(b"\r") => Found::Message(at - 1, 2),
            Some(at) => Found::Message(at, 1),
            None => Found::Nothing(buffer.len()),
        }
    }

    /// The next `<PRI>` behind the one that the buffer begins with, or a NUL.
    fn find_priority(&self, buffer: &[u8]) -> Found {
        let from = self.searched.max(1).min(buffer.len());
        for at in memchr2_iter(0, b'<', &buffer[from..]).map(|at| from + at) {
            if at > self.longest {
                break;
            }
            if buffer[at] == 0 {
                return Found::Framing(Framing::Nul, 0);
            }
            if read_priority(&buffer[at..]).is_some() {
                let is_line = buffer[..at].ends_with(b"\n");
                return Found::Message(at - usize::from(is_line), usize::from(is_line));
            }
            if may_be_priority(&buffer[at..]) {
                return Found::Nothing(at);
            }
        }
        Found::Nothing(buffer.len())
    }
}

/// Whether octets are counted (RFC 6587 §3.4.1).
enum Count {
    /// So many bytes follow the count, which itself has so many.
    Is(usize, usize),
    MayBe,
    IsNot,
}

/// The first message of a connection has a `<` behind its count, or it is a text that begins with a number.
fn count(buffer: &[u8]) -> Count {
    match read_count(buffer) {
        Count::Is(count, length) => match buffer.get(length) {
            Some(b'<') => Count::Is(count, length),
            Some(_) => Count::IsNot,
            None => Count::MayBe,
        },
        other => other,
    }
}

fn read_count(buffer: &[u8]) -> Count {
    let digits = buffer.iter().take(11).take_while(|byte| byte.is_ascii_digit()).count();
    if digits > 10 || buffer.first() == Some(&b'0') {
        return Count::IsNot;
    }
    let count = std::str::from_utf8(&buffer[..digits]).ok().and_then(|digits| digits.parse().ok());
    match (buffer.get(digits), count) {
        (Some(b' '), Some(count)) => Count::Is(count, digits + 1),
        (Some(_), _) => Count::IsNot,
        (None, _) => Count::MayBe,
    }
}

/// The count of the next message. Line feeds and NULs that a sender puts behind a message are passed over; where a count
/// should be and is none, the rest is decided anew.
fn next_count(buffer: &[u8]) -> Found {
    if let Some(b'\n' | b'\r' | 0) = buffer.first() {
        return Found::Message(0, 1);
    }
    match read_count(buffer) {
        Count::Is(count, length) => Found::Framing(Framing::Counted { left: count }, length),
        Count::MayBe => Found::Nothing(0),
        Count::IsNot => Found::Framing(UNDECIDED, 0),
    }
}

/// How much of `bytes` is whole characters, if they are text.
fn whole_characters(bytes: &[u8]) -> usize {
    let last = bytes.iter().rev().take(4).position(|byte| byte & 0xC0 != 0x80).map_or(0, |back| bytes.len() - 1 - back);
    match std::str::from_utf8(&bytes[last..]) {
        Err(error) if error.error_len().is_none() && last > 0 => last,
        _ => bytes.len(),
    }
}
