//! Where a tail begins: where it was saved last, if that is found again, else at the last lines of its file. It only
//! looks; the steps read.

use std::time::Instant;

use tracing::warn;

use super::{
    Followed, Identity, Memory, Opened, Outlet, Place, Position, PositionFile, Tail, beside, find_copy, holds_at,
};
use crate::journal::Brought;
use crate::record::Stream;
use crate::sources::Sink;

impl Tail {
    /// The tail of the file at `place`, which goes on where `memory` says that it was.
    pub(super) fn begin(place: Place, sink: Sink, memory: Memory, now: Instant) -> Tail {
        let saved = PositionFile::new(memory.position);
        let position = saved.load();
        let mut tail = Tail::new(place, Outlet::Own(sink), saved, memory.keep_bytes);
        let is_first = tail.outlet.journal().totals().lines == 0;
        if let Some(position) = position {
            match tail.brought(&position) {
                Some(brought) => {
                    tail.open = brought.open.unwrap_or(position.open);
                    tail.go_on(position, &brought, now);
                }
                // the journal is not the one that it was saved for
                None if is_first => {}
                None => tail.begin_anew(),
            }
        } else if !is_first {
            tail.begin_anew();
        }
        tail
    }

    /// What the journal got of the file after `position` was saved.
    fn brought(&self, position: &Position) -> Option<Brought> {
        let brought = self.outlet.journal().brought(Stream::Stdout, position.journal_bytes);
        brought.unwrap_or_else(|error| {
            warn!(path = %self.place.path.display(), %error, "the journal of a file cannot be read");
            None
        })
    }

    /// Goes on at `position`, or where what was `brought` after it ends.
    pub(super) fn go_on(&mut self, mut position: Position, brought: &Brought, now: Instant) {
        let Some((opened, is_named)) = self.find(&position) else { return self.begin_anew() };
        position.closed = position.closed && brought.open.is_none() || brought.closed;
        let end = position.offset.saturating_add(brought.bytes);
        let file = &opened.file;
        // else it came from a file before this one, which was still looked after
        if brought.bytes > 0 && holds_at(file, end, &brought.last) {
            position.offset = end;
        }
        let identity = opened.identity;
        let Ok(mut at) = Followed::at(opened, position.offset, now) else { return self.begin_anew() };
        at.closed = position.closed;
        self.at = Some(at);
        self.fresh = false;
        if !is_named {
            self.then(identity, now);
        }
        self.skip_if_too_much(now);
        self.save();
    }

    /// The file of `position`, and whether it has its name still.
    pub(super) fn find(&self, position: &Position) -> Option<(Opened, bool)> {
        let Place { root, path, .. } = &self.place;
        let named = match root.open(path).ok() {
            Some(named) if Followed::holds(&named, position) => return Some((named, true)),
            named => named,
        };
        let beside = beside(root, path);
        let renamed = beside.iter().filter(|file| file.inode == position.identity.inode);
        let mut opened = renamed.filter_map(|file| file.open(root)).filter(|opened| Followed::holds(opened, position));
        let copy = || find_copy(&self.place, position, named.as_ref().map(|named| &named.file)).map(|(_, copy)| copy);
        opened.next().or_else(copy).map(|opened| (opened, false))
    }

    /// After the file that is read come those that had the name since.
    fn then(&mut self, old: Identity, now: Instant) {
        let Ok(named) = self.place.root.open(&self.place.path) else { return };
        for between in self.between(old, named.identity) {
            self.next.push_back(Followed::new(between, now));
        }
        self.next.push_back(Followed::new(named, now));
    }

    /// The first file that is found is begun at its last lines, though there were lines before: this is said.
    pub(super) fn begin_anew(&mut self) {
        self.end_line();
        self.outlet.say(&format!(
            "what was read of {} before is not found again: its last {} lines follow; lines may be missing or come twice",
            self.shown(),
            self.last_lines,
        ));
    }
}
