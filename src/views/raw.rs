//! What the formats need of bytes: a number that counts up in place, lines, the characters that never go out raw. It knows
//! no format.

use bytes::BytesMut;

use crate::record::{Chunk, Stream};

/// Bytes with a number in them that counts up in place: what stands before each line's text.
pub(super) struct Counted {
    bytes: Vec<u8>,
    from: usize,
    to: usize,
}

impl Counted {
    pub(super) fn new(before: &[u8], number: u64, after: &[&[u8]]) -> Counted {
        let mut bytes = Vec::with_capacity(192);
        bytes.extend_from_slice(before);
        bytes.extend_from_slice(number.to_string().as_bytes());
        let to = bytes.len();
        bytes.extend(after.iter().copied().flatten());
        Counted { bytes, from: before.len(), to }
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Puts `lead` before it.
    pub(super) fn follow(&mut self, lead: &[u8]) {
        self.bytes.splice(..0, lead.iter().copied());
        self.from += lead.len();
        self.to += lead.len();
    }

    pub(super) fn advance(&mut self) {
        for digit in self.bytes[self.from..self.to].iter_mut().rev() {
            if *digit != b'9' {
                *digit += 1;
                return;
            }
            *digit = b'0';
        }
        self.bytes.insert(self.from, b'1');
        self.to += 1;
    }
}

/// The lines of a chunk of whole lines, each without its newline.
pub(super) fn whole_lines(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = bytes;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let (line, after) = match memchr::memchr(b'\n', rest) {
            Some(at) => (&rest[..at], &rest[at + 1..]),
            None => (rest, &rest[rest.len()..]),
        };
        rest = after;
        Some(line)
    })
}

/// The beginnings of lines whose ends have not come, of each stream.
#[derive(Default)]
pub(super) struct Pieces([Vec<u8>; Stream::ALL.len()]);

impl Pieces {
    /// Gives `take` each line that is whole with `chunk`: its number, and its bytes without the newline.
    pub(super) fn whole_lines(&mut self, chunk: &Chunk, mut take: impl FnMut(u64, &[u8])) {
        if !chunk.open && !chunk.continues {
            for (number, line) in (chunk.line..).zip(whole_lines(&chunk.bytes)) {
                take(number, line);
            }
            return;
        }
        let open = &mut self.0[chunk.stream as usize];
        open.extend_from_slice(&chunk.bytes);
        if !chunk.open {
            let line = std::mem::take(open);
            take(chunk.line, line.strip_suffix(b"\n").unwrap_or(&line));
        }
    }
}

/// Whether no byte is `special`; a loop without branches, so that the compiler makes it wide.
#[inline(always)]
pub(super) fn none(bytes: &[u8], special: impl Fn(u8) -> bool) -> bool {
    const STRIDE: usize = 64;
    let mut strides = bytes.chunks_exact(STRIDE);
    strides.by_ref().all(|stride| !stride.iter().fold(false, |found, &byte| found | special(byte)))
        && !strides.remainder().iter().fold(false, |found, &byte| found | special(byte))
}

/// The bytes at which a character may begin that does not go out as it is: controls and reordering characters always,
/// and what a format adds. Every other byte of valid UTF-8 may be copied.
pub(super) struct Care([bool; 256]);

impl Care {
    pub(super) const fn and(also: &[u8]) -> Care {
        let mut table = [false; 256];
        let mut at = 0;
        while at < 0x20 {
            table[at] = true;
            at += 1;
        }
        table[0x7F] = true;
        table[0xC2] = true; // U+0080..U+00BF: the C1 controls
        table[0xE2] = true; // U+2000..U+2FFF: separators, directions
        let mut at = 0;
        while at < also.len() {
            table[also[at] as usize] = true;
            at += 1;
        }
        Care(table)
    }

    /// Copies `text`; `replace` is asked about each character that may need care, and says whether it wrote another.
    pub(super) fn copy(&self, text: &str, out: &mut BytesMut, mut replace: impl FnMut(char, &mut BytesMut) -> bool) {
        let mut rest = text;
        let mut from = 0;
        while let Some(at) = rest.as_bytes()[from..].iter().position(|&byte| self.0[usize::from(byte)]) {
            let (before, careful) = rest.split_at(from + at);
            let Some(char) = careful.chars().next() else { break };
            out.extend_from_slice(before.as_bytes());
            let length = char.len_utf8();
            (rest, from) = match replace(char, out) {
                true => (&careful[length..], 0),
                false => (careful, length),
            };
        }
        out.extend_from_slice(rest.as_bytes());
    }
}

/// Whether a character never goes out raw: it would steer a terminal, break a line or reorder what stands around it.
pub(super) fn is_unsafe(char: char) -> bool {
    match char {
        '\t' => false,
        '\u{2028}'..='\u{202E}' | '\u{2066}'..='\u{2069}' => true,
        _ => char.is_control(),
    }
}
