//! Whether the head of a request says in two ways where its body ends. Hyper obeys one of them and hides the other; a
//! proxy in front may have obeyed that one (request smuggling, RFC 9112 §11.2), so such a request is refused. And how its
//! first line begins, for hyper tells nobody of a head that is too long. It only looks at what goes by.
//!
//! A client may send its next request without waiting for the answer, and hyper reads ahead. So every byte of a
//! connection is looked at, and heads are found behind the bodies before them, by their lengths or by those of their chunks
//! (RFC 9112 §7.1). Where that cannot be, the request is to be the connection's last.

const LENGTH: &[u8] = b"content-length:";
const CODING: &[u8] = b"transfer-encoding:";

/// So much of a line tells its name and, where it is a length, that.
const TELLING: usize = 48;

/// So much of the first line is remembered.
const BEGINNING: usize = 256;

/// What has gone by of a connection.
#[derive(Debug)]
pub(super) struct Framing {
    beginning: [u8; BEGINNING],
    /// Bytes of the first line, as far as they are remembered; of the last head's until another one begins.
    begun: usize,
    is_within_head: bool,
    is_behind_first: bool,
    /// As much of the present line as tells something.
    line: [u8; TELLING],
    /// Bytes of the present line, as far as they tell something.
    length: usize,
    body: Body,
    has_coding: bool,
    /// Bytes of a body, or of a chunk of it, that are yet to go by.
    to_come: u64,
    /// Where in a body that comes in chunks.
    chunks: Option<Chunks>,
    /// Heads that are over, whose requests have not begun; all but the last one's tell plainly where the next one begins.
    over: usize,
    /// The last of them: nothing behind it is looked at.
    last: Option<Seen>,
}

/// What the present head has said of the length of its body.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Body {
    Unsaid,
    Long(u64),
    /// More than once, or in other words than digits: hyper is to judge that.
    Unclear,
}

/// What the next line of a body in chunks is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Chunks {
    Size,
    Trailer,
}

/// What was seen of a request's head.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub(super) struct Seen {
    /// Both `Content-Length` and `Transfer-Encoding` were there.
    pub(super) is_ambiguous: bool,
    /// No further request can be taken from its connection.
    pub(super) is_last: bool,
}

impl Default for Framing {
    fn default() -> Self {
        Framing {
            beginning: [0; BEGINNING],
            begun: 0,
            is_within_head: false,
            is_behind_first: false,
            line: [0; TELLING],
            length: 0,
            body: Body::Unsaid,
            has_coding: false,
            to_come: 0,
            chunks: None,
            over: 0,
            last: None,
        }
    }
}

impl Framing {
    /// Looks at the bytes that follow.
    pub(super) fn look(&mut self, mut bytes: &[u8]) {
        while self.last.is_none() && !bytes.is_empty() {
            let skipped = self.to_come.min(bytes.len() as u64);
            self.to_come -= skipped;
            bytes = &bytes[skipped as usize..];
            let Some(end) = memchr::memchr(b'\n', bytes) else { return self.add(bytes) };
            self.add(&bytes[..end]);
            self.end_line();
            bytes = &bytes[end + 1..];
        }
    }

    /// A request begins: what was seen of its head.
    pub(super) fn begin(&mut self) -> Seen {
        if self.over > 0 {
            self.over -= 1;
            return Seen::default();
        }
        // hyper begins none whose head has not gone by; if it did, that would be one that nobody has judged
        self.last.unwrap_or(Seen { is_ambiguous: true, is_last: true })
    }

    /// Whether a head has begun, and is not over.
    pub(super) fn is_within_head(&self) -> bool {
        self.is_within_head
    }

    /// How the first line of the present head begins, or of the last one where none does.
    pub(super) fn beginning(&self) -> &[u8] {
        self.beginning.get(..self.begun).unwrap_or_default()
    }

    /// A part of the present line.
    fn add(&mut self, part: &[u8]) {
        let mut telling = part.iter().filter(|&&byte| byte != b'\r');
        if !self.is_behind_first && self.chunks.is_none() {
            if !self.is_within_head && telling.clone().next().is_some() {
                (self.is_within_head, self.begun) = (true, 0);
            }
            let room = self.beginning.iter_mut().skip(self.begun);
            self.begun += room.zip(telling.clone()).map(|(place, byte)| *place = *byte).count();
        }
        let room = self.line.iter_mut().skip(self.length);
        self.length += room.zip(&mut telling).map(|(place, byte)| *place = byte.to_ascii_lowercase()).count();
    }

    fn end_line(&mut self) {
        let line = self.line.get(..self.length).unwrap_or(&self.line);
        if let Some(chunks) = self.chunks {
            match chunks {
                Chunks::Size => match chunk_size(line) {
                    Some(0) => self.chunks = Some(Chunks::Trailer),
                    // and the end of its line
                    Some(size) => self.to_come = size.saturating_add(2),
                    // hyper refuses that
                    None => self.last = Some(Seen { is_ambiguous: false, is_last: true }),
                },
                Chunks::Trailer if self.length == 0 => self.chunks = None,
                Chunks::Trailer => {}
            }
            self.length = 0;
            return;
        }
        if let Some(value) = line.strip_prefix(LENGTH) {
            let length = if self.length < TELLING { digits(value) } else { None };
            self.body = match (self.body, length) {
                (Body::Unsaid, Some(length)) => Body::Long(length),
                _ => Body::Unclear,
            };
        }
        self.has_coding |= line.starts_with(CODING);
        // empty lines may stand before the first one (RFC 9112 §2.2)
        if self.length == 0 && self.is_behind_first {
            return self.end_head();
        }
        self.is_behind_first |= self.length > 0;
        self.length = 0;
    }

    fn end_head(&mut self) {
        match self.body {
            Body::Unsaid if !self.has_coding => self.over += 1,
            Body::Long(length) if !self.has_coding => {
                self.over += 1;
                self.to_come = length;
            }
            Body::Unsaid => {
                self.over += 1;
                self.chunks = Some(Chunks::Size);
            }
            body => {
                let is_ambiguous = self.has_coding && body != Body::Unsaid;
                self.last = Some(Seen { is_ambiguous, is_last: true });
            }
        }
        (self.is_within_head, self.is_behind_first) = (false, false);
        (self.body, self.has_coding, self.length) = (Body::Unsaid, false, 0);
    }
}

/// The length of a chunk as the line before it says it, its extensions aside.
fn chunk_size(line: &[u8]) -> Option<u64> {
    let end = line.iter().position(|byte| b"; \t".contains(byte)).unwrap_or(line.len());
    let digits =
        str::from_utf8(line.get(..end)?).ok().filter(|text| text.bytes().all(|byte| byte.is_ascii_hexdigit()))?;
    u64::from_str_radix(digits, 16).ok()
}

/// The number that these digits are, with blanks around them.
fn digits(text: &[u8]) -> Option<u64> {
    let text = text.trim_ascii();
    // `parse` takes a sign, too
    let text = str::from_utf8(text).ok().filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()))?;
    text.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAIN: Seen = Seen { is_ambiguous: false, is_last: false };
    const LAST: Seen = Seen { is_ambiguous: false, is_last: true };
    const AMBIGUOUS: Seen = Seen { is_ambiguous: true, is_last: true };

    const GET: &str = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
    const BOTH: &str = "POST / HTTP/1.1\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n";

    /// What is seen of the first heads of a connection, however its bytes are cut.
    fn seen<const N: usize>(bytes: &str) -> [Seen; N] {
        let [first, ..] = [1, 3, 7, 50, usize::MAX].map(|size| {
            let mut framing = Framing::default();
            bytes.as_bytes().chunks(size).for_each(|piece| framing.look(piece));
            let found: [Seen; N] = std::array::from_fn(|_| framing.begin());
            let mut at_once = Framing::default();
            at_once.look(bytes.as_bytes());
            assert_eq!(found, std::array::from_fn(|_| at_once.begin()), "in pieces of {size}");
            found
        });
        first
    }

    #[test]
    fn two_ways_to_end_a_body_are_noticed_in_any_order_and_case() {
        assert_eq!(seen(BOTH), [AMBIGUOUS]);
        let head = "POST / HTTP/1.1\r\ntransfer-ENCODING:chunked\r\nHost: a\r\ncontent-length:5\r\n\r\n";
        assert_eq!(seen(head), [AMBIGUOUS]);
    }

    #[test]
    fn every_head_is_looked_at_whatever_goes_by_before_it() {
        assert_eq!(seen(&format!("{GET}{GET}{BOTH}")), [PLAIN, PLAIN, AMBIGUOUS]);
        let body = "POST / HTTP/1.1\r\nContent-Length:  6 \r\n\r\nab\r\n\r\n";
        assert_eq!(seen(&format!("{body}{BOTH}")), [PLAIN, AMBIGUOUS]);
        assert_eq!(seen(&format!("{body}\r\n{body}{GET}{BOTH}")), [PLAIN, PLAIN, PLAIN, AMBIGUOUS]);
        let long = format!("GET / HTTP/1.1\r\nCookie: {}\r\n\r\n", "x".repeat(500));
        assert_eq!(seen(&format!("{long}{BOTH}")), [PLAIN, AMBIGUOUS]);
        assert_eq!(seen(&format!("GET / HTTP/1.1\n\n{BOTH}")), [PLAIN, AMBIGUOUS]);
    }

    #[test]
    fn a_head_is_found_behind_chunks() {
        let head = "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n";
        let bodies =
            ["0\r\n\r\n", "1\r\nx\r\n0\r\n\r\n", "A;b=c\r\n0\r\n\r\n\r\n789\r\n00\r\nDigest: x\r\nB: c\r\n\r\n"];
        for body in bodies {
            assert_eq!(
                seen(&format!("{GET}{head}{body}{GET}{head}{body}{BOTH}")),
                [PLAIN, PLAIN, PLAIN, PLAIN, AMBIGUOUS]
            );
        }
    }

    #[test]
    fn nothing_follows_where_the_end_of_a_body_is_not_known() {
        let chunked = "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n";
        assert_eq!(seen(&format!("{GET}{chunked}x\r\n\r\n{BOTH}")), [PLAIN, PLAIN, LAST]);
        for length in ["+5", "5, 5", "0x5", "", "5\r\nContent-Length: 5", "18446744073709551616", &"0".repeat(60)] {
            let head = format!("POST / HTTP/1.1\r\nContent-Length: {length}\r\n\r\nhello{GET}");
            assert_eq!(seen(&head), [LAST], "{length}");
        }
        assert_eq!(seen(""), [AMBIGUOUS], "what nobody has looked at is not let pass");
    }

    #[test]
    fn a_head_is_looked_at_behind_empty_lines_too() {
        assert_eq!(seen(&format!("\r\n\n{BOTH}")), [AMBIGUOUS]);
        let mut framing = Framing::default();
        b"\r\n\nPOST / HTTP/1.1\r\nHost".chunks(3).for_each(|piece| framing.look(piece));
        assert_eq!(framing.beginning(), b"POST / HTTP/1.1");
        framing = Framing::default();
        framing.look(&[b'x'; 3 * BEGINNING]);
        assert_eq!(framing.beginning(), [b'x'; BEGINNING]);
    }

    #[test]
    fn a_head_is_begun_from_its_first_byte_to_its_end() {
        let mut framing = Framing::default();
        framing.look(b"\r\n");
        assert!(!framing.is_within_head());
        framing.look(GET.as_bytes());
        assert!(!framing.is_within_head());
        assert_eq!(framing.beginning(), b"GET / HTTP/1.1", "a head that is too long may be over");
        framing.look(b"GET /hea");
        assert!(framing.is_within_head());
        assert_eq!(framing.beginning(), b"GET /hea");
    }

    #[test]
    fn one_way_is_none_too_many_and_a_body_is_not_looked_at() {
        assert_eq!(seen("POST / HTTP/1.1\r\nContent-Length: 5\r\nX-Transfer-Encoding: chunked\r\n\r\n"), [PLAIN]);
        let chunked = "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n11\r\nContent-Length: 5\r\n0\r\n\r\n";
        assert_eq!(seen(&format!("{chunked}{GET}")), [PLAIN, PLAIN]);
        let head = "POST / HTTP/1.1\r\nContent-Length: 30\r\n\r\nTransfer-Encoding: chunked\r\n\r\n";
        assert_eq!(seen(&format!("{head}{GET}")), [PLAIN, PLAIN]);
    }
}
