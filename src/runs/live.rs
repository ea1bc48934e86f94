//! The runs that are on or wait, under one lock: what an order comes to beside them, and whose turn comes next. It runs
//! no command and waits for nothing.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use tokio::sync::Notify;
use tokio::time::sleep;

use super::{Entered, Limits, Place, Queue, Refused, Rule, Run};
use crate::config::{Job, Overlap};
use crate::parameters::Values;
use crate::record::RunId;

/// Places are told anew after so many times as long as it took to tell them: a queue of many thousands has no more than
/// its share of a core for it.
const REST: u32 = 10;

/// The runs that have not ended, or whose end is not in the history yet.
pub(super) struct Live {
    runs: HashMap<RunId, Arc<Run>>,
    queue: Queue,
    /// No run is begun any more.
    closed: bool,
    /// Somebody's place in the queue is another now.
    moved: Arc<Notify>,
}

/// Takes the lock.
pub(super) fn lock(live: &Mutex<Live>) -> MutexGuard<'_, Live> {
    live.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Live {
    pub(super) fn new(limits: &Limits) -> Live {
        let queue = Queue::new(limits.max_running, limits.max_queued);
        Live { runs: HashMap::new(), queue, closed: false, moved: Arc::default() }
    }

    /// The run that an order joins instead of beginning one of its own.
    ///
    /// # Errors
    /// Where the job allows no other run beside the one that is on, or the server is going down.
    pub(super) fn look_for(&mut self, job: &Job, values: &Values) -> Result<Option<Arc<Run>>, Refused> {
        if self.closed {
            return Err(Refused::ShuttingDown);
        }
        if job.overlap != Overlap::Allow || self.queue.is_full() {
            self.let_go_of_ended();
        }
        match job.overlap {
            Overlap::Allow | Overlap::Queue | Overlap::Replace => Ok(None),
            Overlap::Refuse => self.queue.of(&job.name).next().map_or(Ok(None), |run| Err(Refused::InProgress(run))),
            Overlap::Attach => {
                let mut runs = self.queue.of(&job.name).filter_map(|id| self.runs.get(&id));
                Ok(runs.find(|run| run.values == *values && !run.cancel.is_cancelled()).cloned())
            }
        }
    }

    /// Gives a new run its turn or its place; those that it replaces are cancelled.
    ///
    /// # Errors
    /// Where it would have to wait and too many wait already: then nothing has changed.
    pub(super) fn enter(&mut self, job: &Job, id: RunId) -> Result<Entered, Refused> {
        let rule = match job.overlap {
            Overlap::Allow | Overlap::Attach | Overlap::Refuse => Rule::Beside,
            Overlap::Queue => Rule::Alone,
            Overlap::Replace => Rule::Instead,
        };
        let replaced: Vec<_> = match rule {
            Rule::Instead => self.queue.of(&job.name).filter_map(|id| self.runs.get(&id)).cloned().collect(),
            Rule::Beside | Rule::Alone => Vec::new(),
        };
        let entered = self.queue.enter(&job.name, id, rule).map_err(|full| Refused::Full(full.0))?;
        for run in replaced {
            // the first to replace it is the one that ended it
            let _ = run.replaced_by.set(id);
            run.place.send_replace(None);
            run.cancel.cancel();
        }
        self.tell_moved();
        Ok(entered)
    }

    /// Adds a run that has entered.
    pub(super) fn add(&mut self, run: Arc<Run>) {
        self.runs.insert(run.id, run);
    }

    /// Takes a run out that is over: its turn is another's.
    pub(super) fn leave(&mut self, run: &Run) {
        if self.queue.leave(&run.job.name, run.id) {
            run.place.send_replace(None);
            self.begin();
        }
    }

    /// Takes a run out if it waits for its turn.
    pub(super) fn take_out(&mut self, run: &Run) {
        // under the lock that places are given and taken under: a turn that has come meanwhile is the task's to give back
        let waits = run.place.borrow().is_some();
        if waits {
            self.leave(run);
        }
    }

    /// Forgets a run whose end is in the history.
    pub(super) fn forget(&mut self, id: RunId) -> Option<Arc<Run>> {
        self.runs.remove(&id)
    }

    /// Other limits.
    pub(super) fn limit(&mut self, limits: &Limits) {
        self.queue.limit(limits.max_running, limits.max_queued);
        self.begin();
    }

    /// From here on no run begins, and every one is asked to end.
    pub(super) fn close(&mut self) {
        self.closed = true;
        self.queue.clear();
        for run in self.runs.values() {
            run.place.send_replace(None);
            run.cancel.cancel();
        }
    }

    /// The run of this name.
    pub(super) fn run(&self, id: RunId) -> Option<Arc<Run>> {
        self.runs.get(&id).cloned()
    }

    /// All of them.
    pub(super) fn runs(&self) -> Vec<Arc<Run>> {
        self.runs.values().cloned().collect()
    }

    /// Gives out the turns that are free.
    fn begin(&mut self) {
        while let Some(id) = self.queue.begin() {
            if let Some(run) = self.runs.get(&id) {
                run.place.send_replace(None);
                run.turn.notify_one();
            }
        }
        self.tell_moved();
    }

    /// A run whose end is in its journal is on no longer, also where its task has not come to say so: whoever has seen
    /// the end may count on it.
    fn let_go_of_ended(&mut self) {
        let on = self.queue.on().filter_map(|id| self.runs.get(&id));
        let ended: Vec<_> = on.filter(|run| run.journal.end().is_some()).cloned().collect();
        for run in ended {
            self.leave(&run);
        }
    }

    fn tell_moved(&self) {
        if self.queue.waiting() > 0 {
            self.moved.notify_one();
        }
    }
}

/// Keeps telling those that wait where they stand, as long as there is anybody to come. Safe to drop.
pub(super) async fn tell_places(live: Arc<Mutex<Live>>) {
    let moved = Arc::clone(&lock(&live).moved);
    loop {
        moved.notified().await;
        let began = Instant::now();
        let waiting: Vec<_> = {
            let live = lock(&live);
            live.queue.order().iter().filter_map(|id| live.runs.get(id)).cloned().collect()
        };
        for (ahead, run) in waiting.iter().enumerate() {
            run.move_to(Place { ahead, waiting: waiting.len() });
        }
        drop(waiting);
        sleep(began.elapsed() * REST).await;
    }
}
