//! How far files have been read by all the tails that share a journal, so that one that gets the name of another is not
//! read again. It remembers a bounded number, and only as long as the server runs.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use super::{Followed, Identity, Opened, Position};

/// Of no more files is anything remembered; with one more, all of it is forgotten.
const MOST: usize = 10_000;

/// See the module. Clones remember together; one that is not shared remembers nothing.
#[derive(Clone, Default, Debug)]
pub(super) struct Read(Option<Arc<Mutex<HashMap<Identity, Position>>>>);

impl Read {
    /// One that can be shared.
    pub(super) fn shared() -> Read {
        Read(Some(Arc::default()))
    }

    /// A file has been read so far.
    pub(super) fn note(&self, position: Position) {
        let Some(positions) = &self.0 else { return };
        let mut positions = positions.lock().unwrap_or_else(PoisonError::into_inner);
        if positions.len() >= MOST && !positions.contains_key(&position.identity) {
            positions.clear();
        }
        positions.insert(position.identity, position);
    }

    /// How far `opened` has been read, where it is known and has still what was read.
    pub(super) fn find(&self, opened: &Opened) -> Option<Position> {
        let positions = self.0.as_ref()?.lock().unwrap_or_else(PoisonError::into_inner);
        let position = positions.get(&opened.identity)?;
        (!position.before.is_empty() && Followed::holds(opened, position)).then(|| position.clone())
    }
}
