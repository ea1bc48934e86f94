//! One stream's lines as the inside of rows: what is carried over from line to line (colours) and from piece to piece
//! (a sequence or a character cut in two, the row as it stands). It never opens or closes a row.

use bytes::BytesMut;

use super::{Cells, Parser, Pen, Token, escape_bytes, incomplete_tail, is_plain};

const SPAN_END: &[u8] = b"</span>";

/// See the module.
#[derive(Default)]
pub(in crate::views) struct Strand {
    pen: Pen,
    parser: Parser,
    cells: Cells,
    /// The first bytes of a character whose rest has not come.
    tail: Vec<u8>,
    /// The line that has a row and is not complete.
    unfinished: Option<u64>,
}

impl Strand {
    /// The tags around an unfinished row's states: the style sheet shows only the one that no `<wbr>` follows.
    pub(super) const STATE: &[u8] = b"<span class=was>";
    const NEXT_STATE: &[u8] = b"</span><wbr><span class=was>";

    /// Whether lines that need no care may go out as they are.
    pub(super) fn is_default(&self) -> bool {
        self.pen.is_default()
    }

    /// Whether this line has a row already.
    pub(super) fn is_within(&self, line: u64) -> bool {
        self.unfinished == Some(line)
    }

    /// A new line begins; only the pen is carried over.
    pub(super) fn begin(&mut self, unfinished: Option<u64>) {
        self.unfinished = unfinished;
        self.parser.reset();
        self.cells.clear();
        self.tail.clear();
    }

    /// A whole line, without its newline.
    pub(in crate::views) fn line(&mut self, line: &[u8], out: &mut BytesMut) {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if self.pen.is_default() && is_plain(line) {
            out.extend_from_slice(line);
            return;
        }
        let (pen, length) = (self.pen, out.len());
        if memchr::memchr2(b'\r', 8, line).is_some() || !self.straight(line, out) {
            self.pen = pen;
            out.truncate(length);
            self.parser.reset();
            self.cells.clear();
            self.feed(line);
            self.cells.render(b"", out);
            self.cells.clear();
        }
        self.parser.reset();
    }

    /// A line from left to right; gives up where a sequence moves within it.
    fn straight(&mut self, mut line: &[u8], out: &mut BytesMut) -> bool {
        let mut drawn = Pen::default();
        while let Some(token) = self.parser.next(&mut line) {
            match token {
                Token::Text(text) => {
                    if drawn != self.pen {
                        close(drawn, out);
                        drawn = self.pen;
                        open(drawn, out);
                    }
                    escape_bytes(text, out);
                }
                Token::Csi(last) => match self.parser.params() {
                    Some(params) if last == b'm' => self.pen.apply(params),
                    Some(params) if Cells::is_moved_by(last, params) => return false,
                    _ => {}
                },
            }
        }
        close(drawn, out);
        true
    }

    /// One piece of a line, without its newline. `fresh`: its row has nothing in it yet; `open`: more may come.
    pub(super) fn piece(&mut self, piece: &[u8], fresh: bool, open: bool, out: &mut BytesMut) {
        let only_grows = self.cells.only_grows() && self.tail.is_empty() && self.parser.is_ground();
        if only_grows && self.pen.is_default() && is_plain(piece) {
            out.extend_from_slice(piece);
            return;
        }
        let joined;
        let mut piece = piece;
        if !self.tail.is_empty() {
            joined = [&self.tail, piece].concat();
            self.tail.clear();
            piece = &joined;
        }
        let kept = if open { piece.len() - incomplete_tail(piece) } else { piece.len() };
        let (whole, tail) = piece.split_at(kept);
        self.feed(whole);
        if self.parser.is_ground() {
            self.tail.extend_from_slice(tail);
        } else {
            self.feed(tail);
        }
        self.cells.render(if fresh { b"" } else { Self::NEXT_STATE }, out);
    }

    /// Whether a character was cut in two and its rest never came.
    pub(super) fn has_tail(&self) -> bool {
        !self.tail.is_empty()
    }

    fn feed(&mut self, mut bytes: &[u8]) {
        while let Some(token) = self.parser.next(&mut bytes) {
            match token {
                Token::Text(text) => self.cells.write(text, self.pen),
                Token::Csi(last) => match self.parser.params() {
                    Some(params) if last == b'm' => self.pen.apply(params),
                    Some(params) => self.cells.follow(last, params),
                    None => {}
                },
            }
        }
    }
}

fn open(pen: Pen, out: &mut BytesMut) {
    if !pen.is_default() {
        pen.open(out);
    }
}

fn close(pen: Pen, out: &mut BytesMut) {
    if !pen.is_default() {
        out.extend_from_slice(SPAN_END);
    }
}
