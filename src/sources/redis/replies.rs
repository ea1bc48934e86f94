//! What a server says, as it goes by byte for byte (RESP2, <https://redis.io/docs/latest/develop/reference/protocol-spec/>):
//! of a string that is longer than what is kept only the beginning goes on, so that nobody ever holds the whole. It judges
//! nothing else.

use std::mem::take;

/// The longest string that goes on as it is: no payload of more bytes is kept.
pub(super) const LONGEST: usize = 1 << 20;

/// A string of exactly so many bytes is none that a server sent: it stands for a longer one, whose length its first
/// [`DIGITS`] bytes say.
const CUT: usize = LONGEST + 1;

/// As many digits as any length has.
const DIGITS: usize = 20;

/// No line that says how long a string is has more bytes.
const LONGEST_LENGTH: usize = 32;

/// How long the string was that stands in `string`, in bytes.
pub(super) fn length_of(string: &[u8]) -> u64 {
    let said = string.get(..DIGITS).filter(|_| string.len() == CUT);
    let said = said.and_then(|digits| str::from_utf8(digits).ok()?.parse().ok());
    said.unwrap_or(string.len() as u64)
}

/// See the module.
#[derive(Default, Debug)]
pub struct Replies {
    at: Place,
}

/// Where in its replies a server is.
#[derive(Default, Debug)]
enum Place {
    /// Before one, or before an element of one.
    #[default]
    Before,
    /// In a line that goes on as it is.
    Line,
    /// In the line that says how long a string is: what of it has come.
    Length(Vec<u8>),
    /// In a string: so many bytes of it go on, and so many behind those do not. A line's end follows.
    String { passing: u64, dropped: u64 },
}

impl Replies {
    /// Adds to `passed` what goes on of a server's next `bytes`, however those are cut into calls.
    pub fn pass(&mut self, mut bytes: &[u8], passed: &mut Vec<u8>) {
        while let Some(first) = bytes.first() {
            let count = match &mut self.at {
                Place::Before => {
                    self.at = if *first == b'$' { Place::Length(Vec::new()) } else { Place::Line };
                    0
                }
                Place::Line => self.pass_line(bytes, passed),
                Place::Length(_) => self.read_length(bytes, passed),
                Place::String { passing, dropped } => {
                    let (passing, dropped) = (*passing, *dropped);
                    self.pass_string(bytes, (passing, dropped), passed)
                }
            };
            bytes = bytes.get(count..).unwrap_or_default();
        }
    }

    /// Returns how many bytes were looked at, as its siblings do.
    fn pass_line(&mut self, bytes: &[u8], passed: &mut Vec<u8>) -> usize {
        let count = match memchr::memchr(b'\n', bytes) {
            Some(end) => {
                self.at = Place::Before;
                end + 1
            }
            None => bytes.len(),
        };
        passed.extend_from_slice(&bytes[..count]);
        count
    }

    fn read_length(&mut self, bytes: &[u8], passed: &mut Vec<u8>) -> usize {
        let Place::Length(line) = &mut self.at else { return 0 };
        let bytes = &bytes[..bytes.len().min(LONGEST_LENGTH - line.len())];
        let count = memchr::memchr(b'\n', bytes).map_or(bytes.len(), |end| end + 1);
        line.extend_from_slice(&bytes[..count]);
        let is_whole = line.ends_with(b"\n");
        if !is_whole && line.len() < LONGEST_LENGTH {
            return count;
        }
        let line = take(line);
        let length = str::from_utf8(&line).ok().and_then(|line| line.strip_prefix('$')?.trim_end().parse().ok());
        self.at = match length {
            Some(length) if is_whole && length > LONGEST as u64 => {
                passed.extend_from_slice(format!("${CUT}\r\n{length:0DIGITS$}").as_bytes());
                let passing = (CUT - DIGITS) as u64;
                self.at = Place::String { passing, dropped: length - passing };
                return count;
            }
            Some(length) if is_whole => Place::String { passing: length, dropped: 0 },
            // no string, or nothing that a server says: whoever reads it tells
            _ if is_whole => Place::Before,
            _ => Place::Line,
        };
        passed.extend_from_slice(&line);
        count
    }

    fn pass_string(&mut self, bytes: &[u8], (passing, dropped): (u64, u64), passed: &mut Vec<u8>) -> usize {
        let up_to = |most: u64, bytes: &[u8]| bytes.len().min(usize::try_from(most).unwrap_or(usize::MAX));
        let on = up_to(passing, bytes);
        passed.extend_from_slice(&bytes[..on]);
        let off = up_to(dropped, &bytes[on..]);
        let (passing, dropped) = (passing - on as u64, dropped - off as u64);
        self.at = if passing + dropped > 0 { Place::String { passing, dropped } } else { Place::Line };
        on + off
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn string(bytes: &[u8]) -> Vec<u8> {
        [format!("${}\r\n", bytes.len()).as_bytes(), bytes, b"\r\n"].concat()
    }

    fn pass<'a>(pieces: impl Iterator<Item = &'a [u8]>) -> Vec<u8> {
        let (mut replies, mut passed) = (Replies::default(), Vec::new());
        pieces.for_each(|piece| replies.pass(piece, &mut passed));
        passed
    }

    /// One element of a reply: a string of any bytes, no string, a number, an error, a header of a list.
    fn element() -> impl Strategy<Value = Vec<u8>> {
        prop_oneof![
            proptest::collection::vec(prop::sample::select(b"$\r\n*10a".to_vec()), 0..20)
                .prop_map(|bytes| string(&bytes)),
            "(\\$-1|:-?[0-9]{1,9}|-ERR [$a-z ]{0,9}|\\+[$a-z]{0,9}|\\*[0-9])\r\n".prop_map(String::into_bytes),
        ]
    }

    proptest! {
        #[test]
        fn what_is_short_goes_on_as_it_is_however_it_is_cut(elements in proptest::collection::vec(element(), 0..20), cut in 1_usize..9) {
            let bytes = elements.concat();
            prop_assert_eq!(&pass(bytes.chunks(cut)), &bytes);
        }

        #[test]
        fn what_no_server_says_goes_on_as_it_is(bytes in proptest::collection::vec(prop::sample::select(b"$\r\n-x ".to_vec()), 0..200), cut in 1_usize..9) {
            let whole = [&bytes[..], b"\r\n"].concat();
            prop_assert_eq!(&pass(whole.chunks(cut)), &whole);
        }

        #[test]
        fn what_is_too_long_says_how_long_it_was(more in 0_usize..3000, cut in prop_oneof![Just(usize::MAX), 1_usize..99, 4000_usize..9000]) {
            let long = vec![b'$'; CUT + more];
            let bytes = [string(b"message"), string(&long), string(&long[..LONGEST]), string(b"next")].concat();
            let passed = pass(bytes.chunks(cut.min(bytes.len())));
            let behind = [string(&long[..LONGEST]), string(b"next")].concat();
            let head = [string(b"message"), format!("${CUT}\r\n").into_bytes()].concat();
            let rest = passed.strip_prefix(&head[..]).unwrap();
            prop_assert_eq!(&rest[CUT..], &[b"\r\n", &behind[..]].concat()[..]);
            prop_assert_eq!(length_of(&rest[..CUT]), long.len() as u64);
        }
    }

    #[test]
    fn of_a_string_without_an_end_no_more_goes_on_than_is_kept() {
        let mut replies = Replies::default();
        let mut passed = Vec::new();
        replies.pass(b"$536870912\r\n", &mut passed);
        (0..536_870_912 / LONGEST).for_each(|_| replies.pass(&vec![b'x'; LONGEST], &mut passed));
        assert_eq!(passed.len(), "$1048577\r\n".len() + CUT);
        replies.pass(b"\r\n:1\r\n", &mut passed);
        assert!(passed.ends_with(b"x\r\n:1\r\n"));
        assert_eq!(length_of(&passed["$1048577\r\n".len()..][..CUT]), 536_870_912);
        assert_eq!(length_of(b"00000000000000000007"), 20);
    }
}
