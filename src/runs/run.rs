//! One run as everybody but its own task sees it: its journal, where it stands, the means to cancel it.

use std::sync::{Arc, Mutex, OnceLock, Weak};

use jiff::Timestamp;
use tokio::sync::{Notify, watch};
use tokio_util::sync::CancellationToken;

use super::{Hold, Live, Place, Reading, Receipt, RunRecord, lock_live, shown};
use crate::config::Job;
use crate::journal::Journal;
use crate::parameters::Values;
use crate::record::{RunId, Start, State};

/// A run that has not ended, or whose end is not in the history yet.
pub struct Run {
    /// Its name.
    pub id: RunId,
    /// What it runs, as configured when it was asked for.
    pub job: Arc<Job>,
    /// When it was asked for.
    pub started: Timestamp,
    /// Who asked for it, and how.
    pub trigger: String,
    /// The values of its job's parameters.
    pub values: Values,
    /// Where it stands in the queue, while it does.
    pub(super) place: watch::Sender<Option<Place>>,
    /// Its turn has come.
    pub(super) turn: Notify,
    /// The run that began in its stead.
    pub(super) replaced_by: OnceLock<RunId>,
    /// Its output. Whoever reads it later than at once has hold of it by [`Run::read`].
    pub journal: Arc<Journal>,
    pub(super) hold: Hold,
    /// Where it stands before its end, once that is known; its end is the journal's.
    pub(super) begun: watch::Sender<Option<State>>,
    pub(super) cannot_start: OnceLock<String>,
    pub(super) cancel: CancellationToken,
    /// Those that it waits among.
    pub(super) live: Weak<Mutex<Live>>,
}

impl Run {
    /// Where it stands.
    pub fn state(&self) -> State {
        let ended = self.journal.end().map(|end| end.state);
        ended.or(*self.begun.borrow()).unwrap_or(State::Running)
    }

    /// Waits until it is known whether its command could be started, or that it has to wait for its turn.
    ///
    /// # Errors
    /// Why the command could not be started.
    pub async fn begun(&self) -> Result<(), String> {
        let mut begun = self.begun.subscribe();
        tokio::select! {
            biased;
            () = self.journal.ended() => {}
            _ = begun.wait_for(Option::is_some) => {}
        }
        self.cannot_start.get().map_or(Ok(()), |why| Err(why.clone()))
    }

    /// Where it stands in the queue, and every change of that; `None` once it waits no longer.
    pub fn place(&self) -> watch::Receiver<Option<Place>> {
        self.place.subscribe()
    }

    /// Waits until its command runs, or it has ended without.
    pub async fn running(&self) {
        let mut begun = self.begun.subscribe();
        tokio::select! {
            biased;
            () = self.journal.ended() => {}
            _ = begun.wait_for(|state| *state == Some(State::Running)) => {}
        }
    }

    /// Waits until it has ended.
    pub async fn ended(&self) {
        self.journal.ended().await;
    }

    /// Its output, for as long as the answer is held, also where the run is to be kept no longer meanwhile.
    pub fn read(&self) -> Reading {
        Reading::new(Arc::clone(&self.journal), self.hold.clone())
    }

    /// Asks for its end; where it waits for its turn, it is out of the queue at once. `false` where it has ended already.
    pub fn cancel(&self) -> bool {
        let runs = !self.state().is_final();
        self.cancel.cancel();
        if self.place.borrow().is_some()
            && let Some(live) = self.live.upgrade()
        {
            lock_live(&live).take_out(self);
        }
        runs
    }

    /// It stands somewhere else in the queue now, if it still stands there.
    pub(super) fn move_to(&self, place: Place) {
        self.place.send_if_modified(|now| match now {
            Some(old) if *old != place => {
                *old = place;
                true
            }
            _ => false,
        });
    }

    /// Its beginning, as the views tell it.
    pub fn start(&self) -> Start {
        Start { run: self.id, job: self.job.name.clone(), state: self.state(), started: self.started }
    }

    /// Its record as it is now.
    pub fn record(&self) -> RunRecord {
        let totals = self.journal.totals();
        let end = self.journal.end();
        RunRecord {
            id: self.id,
            job: self.job.name.clone(),
            state: self.state(),
            started: self.started,
            trigger: self.trigger.clone(),
            params: shown(&self.values),
            ended: end.as_deref().map(Receipt::from),
            lines: totals.lines,
            bytes: totals.bytes,
            index_bytes: self.journal.index_bytes(),
        }
    }
}
