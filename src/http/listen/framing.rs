//! Whether the head of a request says in two ways where its body ends. Hyper obeys one of them and hides the other; a
//! proxy in front may have obeyed that one (request smuggling, RFC 9112 §11.2), so such a request is refused. It only
//! looks at what goes by.

const LENGTH: &[u8] = b"content-length:";
const CODING: &[u8] = b"transfer-encoding:";

/// What of a head has gone by.
#[derive(Debug, Default)]
pub(super) struct Framing {
    /// As much of the present line as tells its name.
    line: [u8; CODING.len()],
    /// Bytes of the present line.
    length: usize,
    has_length: bool,
    has_coding: bool,
    is_over: bool,
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

    fn end_line(&mut self) {
        self.is_over = self.length == 0;
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
    fn one_way_is_none_too_many_and_a_body_is_not_looked_at() {
        assert!(!is_ambiguous("POST / HTTP/1.1\r\nContent-Length: 5\r\nX-Transfer-Encoding: chunked\r\n\r\n"));
        assert!(!is_ambiguous("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nContent-Length: 5\r\n\r\n"));
        assert!(!is_ambiguous("POST / HTTP/1.1\r\nContent-Length: 30\r\n\r\nTransfer-Encoding: chunked\r\n"));
    }
}
