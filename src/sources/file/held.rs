//! What a tail brings to its journal, and what waits where that has no room: the tail reads no further meanwhile, and saves
//! only what the journal has. It never reads a file.

use bytes::Bytes;

use super::{Followed, Tail};

/// Bytes that wait for room.
#[derive(Debug)]
pub(super) enum Held {
    /// Of the file that is read.
    OfFile(Bytes),
    /// Of another one, or an end of a line.
    Other(Bytes),
}

impl Tail {
    /// Appends what the file brought, then saves how far that is. Whether the journal has all of it.
    pub(super) fn append(&mut self, pieces: [Option<Bytes>; 2]) -> bool {
        let mut any = false;
        for piece in pieces.into_iter().flatten() {
            self.put(Held::OfFile(piece));
            any = true;
        }
        if any {
            self.save();
        }
        self.held.is_empty()
    }

    /// Appends what waits for room, as far as there is some; whether nothing waits any more.
    pub(super) fn catch_up(&mut self) -> bool {
        if self.held.is_empty() {
            return true;
        }
        for held in std::mem::take(&mut self.held) {
            self.put(held);
        }
        self.save();
        self.held.is_empty()
    }

    /// Appends as much as there is room for, behind what waits; the rest waits too.
    pub(super) fn put(&mut self, held: Held) {
        if !self.held.is_empty() {
            return self.held.push_back(held);
        }
        let (Held::OfFile(bytes) | Held::Other(bytes)) = &held;
        let rest = self.outlet.offer(bytes.clone());
        let kept = bytes.slice(..bytes.len() - rest.len());
        let is_of_file = matches!(held, Held::OfFile(_));
        if let Some(at) = self.at.as_mut().filter(|_| is_of_file && !kept.is_empty()) {
            at.note(&kept);
            let is_open = !kept.ends_with(b"\n");
            // where others may come next, a piece is a line of its own
            match self.outlet.is_shared() {
                true => at.closed = is_open,
                false => self.open = is_open,
            }
        }
        if !rest.is_empty() {
            self.held.push_back(if is_of_file { Held::OfFile(rest) } else { Held::Other(rest) });
        }
    }

    /// Appends the piece that waits for its newline. Whether the journal has it.
    pub(super) fn flush(&mut self) -> bool {
        let piece = self.at.as_mut().and_then(Followed::flush);
        self.append([piece, None])
    }

    /// Ends the journal's line, for what comes is not of it.
    pub(super) fn end_line(&mut self) {
        if std::mem::take(&mut self.open) {
            self.put(Held::Other(Bytes::from_static(b"\n")));
        }
    }
}
