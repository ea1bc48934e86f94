//! Cuts what a stream brings into whole lines, and keeps the piece that still waits for its newline. It neither reads
//! nor waits: whoever reads also owns the clock.

use bytes::{Bytes, BytesMut};

/// A line longer than this does not wait for its newline.
const LONGEST_WAIT: usize = 64 << 10;

/// The bytes of one stream between its reads and its journal.
#[derive(Default, Debug)]
pub struct LineCutter {
    buffer: BytesMut,
}

impl LineCutter {
    /// Where the next read goes: behind the piece that waits.
    pub fn buffer(&mut self) -> &mut BytesMut {
        &mut self.buffer
    }

    /// After a read that brought `new` bytes: the whole lines, and a waiting piece that grew too long; without a copy.
    pub fn cut(&mut self, new: usize) -> [Option<Bytes>; 2] {
        let old = self.buffer.len().saturating_sub(new);
        let fresh = self.buffer.get(old..).unwrap_or_default();
        let lines = memchr::memrchr(b'\n', fresh).map(|end| self.buffer.split_to(old + end + 1).freeze());
        let long = (self.buffer.len() >= LONGEST_WAIT).then(|| self.buffer.split().freeze());
        [lines, long]
    }

    /// Whether a piece waits for its newline.
    pub fn is_waiting(&self) -> bool {
        !self.buffer.is_empty()
    }

    /// The piece that waits, without waiting further.
    pub fn flush(&mut self) -> Option<Bytes> {
        (!self.buffer.is_empty()).then(|| self.buffer.split().freeze())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn feed(cutter: &mut LineCutter, bytes: &[u8]) -> Vec<Bytes> {
        cutter.buffer().extend_from_slice(bytes);
        cutter.cut(bytes.len()).into_iter().flatten().collect()
    }

    #[test]
    fn whole_lines_go_and_the_rest_waits() {
        let mut cutter = LineCutter::default();
        assert_eq!(feed(&mut cutter, b"one\ntwo\nthr"), ["one\ntwo\n"]);
        assert!(cutter.is_waiting());
        assert_eq!(feed(&mut cutter, b"ee\n"), ["three\n"]);
        assert!(!cutter.is_waiting());
    }

    #[test]
    fn a_prompt_can_be_had_without_its_newline() {
        let mut cutter = LineCutter::default();
        assert!(feed(&mut cutter, b"name? ").is_empty());
        assert_eq!(cutter.flush().unwrap(), "name? ");
        assert_eq!(cutter.flush(), None);
        assert_eq!(feed(&mut cutter, b"bob\n"), ["bob\n"]);
    }

    #[test]
    fn a_long_line_does_not_wait() {
        let mut cutter = LineCutter::default();
        let long = vec![b'x'; LONGEST_WAIT - 1];
        assert!(feed(&mut cutter, &long).is_empty());
        assert_eq!(feed(&mut cutter, b"x").len(), 1);
        assert!(!cutter.is_waiting());
    }

    proptest! {
        #[test]
        fn however_it_is_read_every_byte_comes_out_in_order(reads in proptest::collection::vec("[a\n]{0,9}", 0..20)) {
            let mut cutter = LineCutter::default();
            let mut seen = Vec::new();
            for read in &reads {
                for piece in feed(&mut cutter, read.as_bytes()) {
                    prop_assert!(piece.ends_with(b"\n"));
                    seen.extend_from_slice(&piece);
                }
            }
            seen.extend_from_slice(&cutter.flush().unwrap_or_default());
            prop_assert_eq!(seen, reads.concat().into_bytes());
        }
    }
}
