//! Who reads what: as long as anybody has hold of a run, its files stay. Taking hold and taking away are decided under one
//! lock, so that nobody gets hold of what is being taken away. It touches no file.

use std::collections::{HashMap, HashSet};
use std::ops::Deref;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use crate::journal::Journal;
use crate::record::RunId;

/// The holds on all runs.
#[derive(Default)]
pub(super) struct Holds {
    state: Mutex<State>,
    /// Somebody let go of a run that was to be taken away.
    released: Notify,
}

#[derive(Default)]
struct State {
    held: HashMap<RunId, Held>,
    /// Those that are being taken away.
    doomed: HashSet<RunId>,
}

#[derive(Default)]
struct Held {
    holders: usize,
    /// It would have been taken away by now.
    wanted: bool,
}

impl Holds {
    /// Takes hold of a run; `None` where it is being taken away.
    pub(super) fn hold(self: &Arc<Self>, run: RunId) -> Option<Hold> {
        let mut state = self.lock();
        if state.doomed.contains(&run) {
            return None;
        }
        state.held.entry(run).or_default().holders += 1;
        Some(Hold { holds: Arc::clone(self), run })
    }

    /// Marks a run as being taken away. `false` where somebody has hold of it: then [`Holds::released`] tells when that
    /// has changed.
    pub(super) fn doom(&self, run: RunId) -> bool {
        let mut state = self.lock();
        if let Some(held) = state.held.get_mut(&run) {
            held.wanted = true;
            return false;
        }
        state.doomed.insert(run);
        true
    }

    /// Whether it is being taken away.
    pub(super) fn is_doomed(&self, run: RunId) -> bool {
        self.lock().doomed.contains(&run)
    }

    /// Forgets a run that has been taken away.
    pub(super) fn forget(&self, run: RunId) {
        self.lock().doomed.remove(&run);
    }

    /// Waits until somebody lets go of a run that was to be taken away.
    pub(super) async fn released(&self) {
        self.released.notified().await;
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Keeps a run's files where they are.
pub(super) struct Hold {
    holds: Arc<Holds>,
    run: RunId,
}

impl Clone for Hold {
    fn clone(&self) -> Self {
        // whoever has hold of it: nobody is taking it away
        self.holds.lock().held.entry(self.run).or_default().holders += 1;
        Hold { holds: Arc::clone(&self.holds), run: self.run }
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        let mut state = self.holds.lock();
        let Some(held) = state.held.get_mut(&self.run) else { return };
        held.holders -= 1;
        if held.holders > 0 {
            return;
        }
        let wanted = held.wanted;
        state.held.remove(&self.run);
        drop(state);
        if wanted {
            self.holds.released.notify_one();
        }
    }
}

/// A journal that somebody reads: as long as this is there, so are its files, whatever is to be kept.
#[derive(Clone)]
pub struct Reading {
    journal: Arc<Journal>,
    _hold: Hold,
}

impl Reading {
    pub(super) fn new(journal: Arc<Journal>, hold: Hold) -> Reading {
        Reading { journal, _hold: hold }
    }
}

impl Deref for Reading {
    type Target = Arc<Journal>;

    fn deref(&self) -> &Arc<Journal> {
        &self.journal
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_anybody_holds_is_not_taken_away_and_what_is_taken_away_nobody_gets_hold_of() {
        let (holds, run) = (Arc::new(Holds::default()), RunId::new());
        let first = holds.hold(run).unwrap();
        let second = first.clone();
        drop(first);
        assert!(!holds.doom(run), "one still holds it");
        drop(second);
        assert!(holds.doom(run));
        assert!(holds.hold(run).is_none() && holds.is_doomed(run));
        holds.forget(run);
        assert!(!holds.is_doomed(run));
    }

    #[tokio::test]
    async fn the_last_to_let_go_of_what_is_wanted_says_so() {
        let (holds, run) = (Arc::new(Holds::default()), RunId::new());
        let hold = holds.hold(run).unwrap();
        assert!(!holds.doom(run));
        drop(hold);
        holds.released().await;
        assert!(holds.doom(run));
    }
}
