//! Whether the head of a request says in two ways where its body ends. Hyper obeys one of them and hides the other; a
//! proxy in front may have obeyed that one (request smuggling, RFC 9112 §11.2), so such a request is refused. And how its
//! first line begins, for hyper tells nobody of a head that is too long. It only looks at what goes by.

const LENGTH: &[u8] = b"content-length:";
const CODING: &[u8] = b"transfer-encoding:";

/// So much of the first line is remembered.
const BEGINNING: usize = 256;

/// What of a head has gone by.
#[derive(Debug)]
pub(super) struct Framing {
    beginning: [u8; BEGINNING],
    /// Bytes of the first line, as far as they are remembered.
    begun: usize,
    is_behind_first: bool,
    /// As much of the present line as tells its name.
    line: [u8; CODING.len()],
    /// Bytes of the present line.
    length: usize,
    has_length: bool,
    has_coding: bool,
    is_over: bool,
}

impl Default for Framing {
    fn default() -> Self {
        Framing {
            beginning: [0; BEGINNING],
            begun: 0,
            is_behind_first: false,
            line: Default::default(),
            length: 0,
            has_length: false,
            has_coding: false,
            is_over: false,
        }
    }
}

impl Framing {
    /// Looks at further bytes of a head; those behind its end are not looked at.
    pub(super) fn look(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            if self.is_over {
                return;
            }
            match byte {
                b'\n' => self.end_line(),
                b'\r' => {}
                _ => {
                    if !self.is_behind_first
                        && let Some(place) = self.beginning.get_mut(self.begun)
                    {
                        *place = byte;
                        self.begun += 1;
                    }
                    if let Some(place) = self.line.get_mut(self.length) {
                        *place = byte.to_ascii_lowercase();
                    }
                    self.length += 1;
                }
            }
        }
    }

    /// Whether both `Content-Length` and `Transfer-Encoding` were there.
    pub(super) fn is_ambiguous(&self) -> bool {
        self.has_length && self.has_coding
    }

    /// How the first line begins.
    pub(super) fn beginning(&self) -> &[u8] {
        self.beginning.get(..self.begun).unwrap_or_default()
    }

    fn end_line(&mut self) {
        // empty lines may stand before the first one (RFC 9112 §2.2)
        self.is_over = self.length == 0 && self.is_behind_first;
        self.is_behind_first |= self.length > 0;
        self.has_length |= self.length >= LENGTH.len() && self.line.starts_with(LENGTH);
        self.has_coding |= self.length >= CODING.len() && self.line.starts_with(CODING);
        self.length = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_ambiguous(head: &str) -> bool {
        let mut framing = Framing::default();
        // however it is cut
        head.as_bytes().chunks(7).for_each(|piece| framing.look(piece));
        framing.is_ambiguous()
    }

    #[test]
    fn two_ways_to_end_a_body_are_noticed_in_any_order_and_case() {
        assert!(is_ambiguous("POST / HTTP/1.1\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n"));
        assert!(is_ambiguous("POST / HTTP/1.1\r\ntransfer-ENCODING:chunked\r\nHost: a\r\ncontent-length:5\r\n\r\n"));
    }

    #[test]
    fn a_head_is_looked_at_behind_empty_lines_too() {
        let head = "\r\n\nPOST / HTTP/1.1\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n";
        assert!(is_ambiguous(head));
        let mut framing = Framing::default();
        head.as_bytes().chunks(3).for_each(|piece| framing.look(piece));
        assert_eq!(framing.beginning(), b"POST / HTTP/1.1");
        framing = Framing::default();
        framing.look(&[b'x'; 3 * BEGINNING]);
        assert_eq!(framing.beginning(), [b'x'; BEGINNING]);
    }

    #[test]
    fn one_way_is_none_too_many_and_a_body_is_not_looked_at() {
        assert!(!is_ambiguous("POST / HTTP/1.1\r\nContent-Length: 5\r\nX-Transfer-Encoding: chunked\r\n\r\n"));
        assert!(!is_ambiguous("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nContent-Length: 5\r\n\r\n"));
        assert!(!is_ambiguous("POST / HTTP/1.1\r\nContent-Length: 30\r\n\r\nTransfer-Encoding: chunked\r\n"));
    }
}
