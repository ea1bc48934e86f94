//! A line that rewrites itself, as a terminal shows it: carriage returns, backspaces and cursor movements within one
//! row. It never knows about other rows, and every character takes one cell.

use bytes::BytesMut;

use super::{Pen, escape_char, visible_char};

/// See the module.
#[derive(Default, Debug)]
pub(super) struct Cells {
    cells: Vec<(char, Pen)>,
    column: usize,
    /// So many cells of the row are on the page already.
    shown: usize,
    /// What is on the page is not what the row shows now.
    changed: bool,
    /// There was more to the left, which is on the page and forgotten here.
    cut: bool,
    /// The cursor went to the left of the cut.
    returned: bool,
}

impl Cells {
    /// A row that is longer is shown, but no longer remembered: what rewrites it then begins with an empty row.
    const LONGEST: usize = 4096;

    /// An empty row.
    pub(super) fn clear(&mut self) {
        self.cells.clear();
        *self = Cells { cells: std::mem::take(&mut self.cells), ..Cells::default() };
    }

    /// Takes up text.
    pub(super) fn write(&mut self, text: &[u8], pen: Pen) {
        for part in text.utf8_chunks() {
            part.valid().chars().for_each(|char| self.put(char, pen));
            if !part.invalid().is_empty() {
                self.put(char::REPLACEMENT_CHARACTER, pen);
            }
        }
    }

    fn put(&mut self, char: char, pen: Pen) {
        match char {
            '\r' => self.move_to(0),
            '\u{8}' => self.column = self.column.saturating_sub(1),
            _ => {
                self.restart_behind_cut();
                let cell = (visible_char(char), pen);
                match self.cells.get_mut(self.column) {
                    Some(old) if *old == cell => {}
                    Some(old) => {
                        *old = cell;
                        self.changed |= self.column < self.shown;
                    }
                    None => {
                        self.cells.resize(self.column, (' ', Pen::default()));
                        self.cells.push(cell);
                    }
                }
                self.column += 1;
            }
        }
    }

    /// Whether a control sequence does something within a row: erase in line, cursor column, right, left.
    pub(super) fn is_moved_by(last: u8, params: &[u8]) -> bool {
        matches!(last, b'G' | b'C' | b'D')
            || last == b'K' && !matches!(params.split(|&byte| byte == b':').next(), Some(b"" | b"0"))
    }

    /// Follows a control sequence.
    pub(super) fn follow(&mut self, last: u8, params: &[u8]) {
        let digits = params.split(|&byte| matches!(byte, b';' | b':')).next().unwrap_or_default();
        let number = std::str::from_utf8(digits).ok().and_then(|digits| digits.parse().ok()).unwrap_or(0_usize);
        let steps = number.clamp(1, Self::LONGEST);
        match (last, number) {
            (b'G', _) => self.move_to(steps - 1),
            (b'C', _) => self.column = (self.column + steps).min(self.column.max(Self::LONGEST)),
            (b'D', _) => self.column = self.column.saturating_sub(steps),
            (b'K', 0) => {
                self.restart_behind_cut();
                self.truncate(self.column);
            }
            (b'K', 1) => {
                self.returned = true;
                self.restart_behind_cut();
                let column = self.column;
                let end = self.cells.len();
                match self.cells.get_mut(..=column) {
                    Some(erased) => {
                        erased.fill((' ', Pen::default()));
                        self.changed |= self.shown > 0;
                    }
                    None if end > 0 => self.truncate(0),
                    None => {}
                }
            }
            (b'K', 2) => {
                self.returned = true;
                self.restart_behind_cut();
                self.truncate(0);
            }
            _ => {}
        }
    }

    fn move_to(&mut self, column: usize) {
        self.column = column;
        self.returned = true;
    }

    fn truncate(&mut self, length: usize) {
        self.changed |= length < self.shown;
        self.cells.truncate(length);
    }

    fn restart_behind_cut(&mut self) {
        if self.cut && self.returned {
            let column = self.column;
            self.clear();
            self.column = column;
            self.changed = true;
        }
        self.returned = false;
    }

    /// Whether more text simply follows a row that is too long to be remembered.
    pub(super) fn only_grows(&self) -> bool {
        self.cut && !self.returned && self.cells.is_empty()
    }

    /// Appends what is new, or after `anew` the whole row where something changed that is on the page.
    pub(super) fn render(&mut self, anew: &[u8], out: &mut BytesMut) {
        if self.changed {
            out.extend_from_slice(anew);
            self.shown = 0;
        }
        let new = self.cells.get(self.shown..).unwrap_or_default();
        for same in new.chunk_by(|(_, one), (_, other)| one == other) {
            let pen = same.first().map(|&(_, pen)| pen).filter(|pen| !pen.is_default());
            if let Some(pen) = pen {
                pen.open(out);
            }
            same.iter().for_each(|&(char, _)| escape_char(char, out));
            if pen.is_some() {
                out.extend_from_slice(b"</span>");
            }
        }
        self.changed = false;
        self.shown = self.cells.len();
        if self.cells.len() > Self::LONGEST {
            self.returned |= self.column < self.cells.len();
            self.cut = true;
            self.column = 0;
            self.shown = 0;
            self.cells = Vec::new();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(pieces: &[&str]) -> String {
        let mut cells = Cells::default();
        let mut out = BytesMut::new();
        for piece in pieces {
            match piece.strip_prefix("\x1b[") {
                Some(csi) => cells.follow(csi.as_bytes()[csi.len() - 1], &csi.as_bytes()[..csi.len() - 1]),
                None => cells.write(piece.as_bytes(), Pen::default()),
            }
            cells.render(b"|", &mut out);
        }
        String::from_utf8(out.to_vec()).unwrap()
    }

    #[test]
    fn a_return_overwrites_from_the_first_column() {
        assert_eq!(row(&["10%\r20%"]), "20%");
        assert_eq!(row(&["loading\rdone"]), "doneing");
        assert_eq!(row(&["ab\u{8}c"]), "ac");
    }

    #[test]
    fn a_row_in_pieces_is_appended_to_or_written_anew() {
        assert_eq!(row(&["name? ", "Bob"]), "name? Bob");
        assert_eq!(row(&["10%", "\r20%", "\r20%", "!"]), "10%|20%!");
        assert_eq!(row(&["10%\r", "\r"]), "10%");
    }

    #[test]
    fn sequences_erase_and_move() {
        assert_eq!(row(&["abcdef\r", "\x1b[K", "x"]), "abcdef|x");
        assert_eq!(row(&["abc", "\x1b[2K", "\x1b[1G", "x"]), "abc|x");
        assert_eq!(row(&["abc", "\x1b[2D", "\x1b[1K", "x"]), "abc|  c| xc");
        assert_eq!(row(&["a", "\x1b[3C", "b"]), "a   b");
    }

    #[test]
    fn a_row_is_not_remembered_without_bound() {
        let long = "x".repeat(5000);
        assert_eq!(row(&[&long, "y", "\rz", "w"]), format!("{long}y|zw"));
        assert_eq!(row(&[&long, "\r"]), long);
        assert_eq!(row(&["a", "\x1b[99999999C", "\x1b[99999999C", "b"]).len(), Cells::LONGEST + 1);
    }
}
