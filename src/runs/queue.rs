//! Whose turn it is: how many runs may be on, who waits behind whom, which jobs run one at a time. A plain state machine:
//! it starts nothing, wakes nobody and reads no clock.
//!
//! Within a job the first to come is the first to begin. Over the jobs turns go round: the job that began a run stands
//! behind all others that have somebody waiting, so five hundred waiting runs of one job hold up another job's by one
//! turn. A job that cannot begin (its run has to be alone, and another is on) keeps its place in the round and is passed
//! over until it can.

use std::collections::{HashMap, VecDeque};

use super::Place;
use crate::record::RunId;

/// How a run gets on with the others of its job.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Rule {
    /// Others may be on.
    Beside,
    /// It begins once no other is on.
    Alone,
    /// As `Alone`, and in the place of those that wait.
    Instead,
}

/// What a run that entered has to do.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Entered {
    /// Begin.
    Begins,
    /// Wait; it is here now.
    Waits(Place),
}

/// As many as may wait are waiting.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Full(pub(super) usize);

/// The runs that are on and those that wait for their turn.
#[derive(Debug)]
pub(super) struct Queue {
    max_running: usize,
    max_queued: usize,
    running: usize,
    waiting: usize,
    /// Kept when a job has no run any more: its name is needed again.
    jobs: HashMap<String, Line>,
    /// The jobs that have somebody waiting; the first has its turn first.
    round: VecDeque<String>,
}

/// The runs of one job.
#[derive(Default, Debug)]
struct Line {
    on: Vec<RunId>,
    waiting: VecDeque<Waiting>,
}

#[derive(Clone, Copy, Debug)]
struct Waiting {
    run: RunId,
    alone: bool,
}

impl Line {
    /// Whether the first that waits could begin if there were a turn.
    fn can_begin(&self) -> bool {
        self.waiting.front().is_some_and(|first| !first.alone || self.on.is_empty())
    }
}

impl Queue {
    /// An empty one.
    pub(super) fn new(max_running: usize, max_queued: usize) -> Queue {
        Queue { max_running, max_queued, running: 0, waiting: 0, jobs: HashMap::new(), round: VecDeque::new() }
    }

    /// Other limits; what is on stays on, and what waits goes on waiting. [`Queue::begin`] tells who begins now.
    pub(super) fn limit(&mut self, max_running: usize, max_queued: usize) {
        (self.max_running, self.max_queued) = (max_running, max_queued);
        self.jobs.retain(|_, line| !line.on.is_empty() || !line.waiting.is_empty());
    }

    /// Takes a run in.
    ///
    /// # Errors
    /// Where it would have to wait, and too many wait already; nothing has changed then.
    pub(super) fn enter(&mut self, job: &str, run: RunId, rule: Rule) -> Result<Entered, Full> {
        if !self.jobs.contains_key(job) {
            self.jobs.insert(job.to_owned(), Line::default());
        }
        let line = self.jobs.get_mut(job).expect("it was put there if it was not");
        let alone = rule != Rule::Beside;
        let replaced = if rule == Rule::Instead { line.waiting.len() } else { 0 };
        let is_next = line.waiting.len() == replaced && (!alone || line.on.is_empty());
        if is_next && self.running < self.max_running {
            line.on.push(run);
            self.running += 1;
            self.take_waiting(job);
            return Ok(Entered::Begins);
        }
        if self.waiting - replaced >= self.max_queued {
            return Err(Full(self.max_queued));
        }
        if line.waiting.is_empty() {
            self.round.push_back(job.to_owned());
        }
        // whoever replaces others has their place in the round too
        line.waiting.drain(..replaced);
        line.waiting.push_back(Waiting { run, alone });
        self.waiting = self.waiting - replaced + 1;
        Ok(Entered::Waits(self.last_place(job)))
    }

    /// Lets go of a run that waits or is on. `false` where it is neither.
    pub(super) fn leave(&mut self, job: &str, run: RunId) -> bool {
        let Some(line) = self.jobs.get_mut(job) else { return false };
        if let Some(at) = line.on.iter().position(|on| *on == run) {
            line.on.swap_remove(at);
            self.running -= 1;
            return true;
        }
        let Some(at) = line.waiting.iter().position(|waiting| waiting.run == run) else { return false };
        line.waiting.remove(at);
        self.waiting -= 1;
        if line.waiting.is_empty() {
            self.round.retain(|waits| waits != job);
        }
        true
    }

    /// The next run that begins now, if any can.
    pub(super) fn begin(&mut self) -> Option<RunId> {
        if self.is_full() {
            return None;
        }
        let at = self.round.iter().position(|job| self.jobs.get(job).is_some_and(Line::can_begin))?;
        let job = self.round.remove(at)?;
        let line = self.jobs.get_mut(&job)?;
        let first = line.waiting.pop_front()?;
        line.on.push(first.run);
        if !line.waiting.is_empty() {
            self.round.push_back(job);
        }
        self.running += 1;
        self.waiting -= 1;
        Some(first.run)
    }

    /// The runs of a job: those that are on, then those that wait, in their order.
    pub(super) fn of(&self, job: &str) -> impl Iterator<Item = RunId> {
        let line = self.jobs.get(job).into_iter();
        line.flat_map(|line| line.on.iter().copied().chain(line.waiting.iter().map(|waiting| waiting.run)))
    }

    /// Every run that is on.
    pub(super) fn on(&self) -> impl Iterator<Item = RunId> {
        self.jobs.values().flat_map(|line| line.on.iter().copied())
    }

    /// Whether every turn is taken.
    pub(super) fn is_full(&self) -> bool {
        self.running >= self.max_running
    }

    /// How many wait.
    pub(super) fn waiting(&self) -> usize {
        self.waiting
    }

    /// Those that wait, in the order in which they begin if nobody comes or goes.
    pub(super) fn order(&self) -> Vec<RunId> {
        let mut order = Vec::with_capacity(self.waiting);
        let mut lines: Vec<_> = self.round.iter().filter_map(|job| Some(self.jobs.get(job)?.waiting.iter())).collect();
        while !lines.is_empty() {
            lines.retain_mut(|line| line.next().map(|waiting| order.push(waiting.run)).is_some());
        }
        order
    }

    /// Where the last of those of `job` that wait stands, without putting all of them in order.
    fn last_place(&self, job: &str) -> Place {
        let mine = self.jobs.get(job).map_or(0, |line| line.waiting.len());
        // in a full round before its own, each job begins one; in its own round, those that stand before it do
        let mut before = true;
        let ahead = self.round.iter().map(|other| {
            before &= other != job;
            let others = self.jobs.get(other).map_or(0, |line| line.waiting.len());
            others.min(if before { mine } else { mine - 1 })
        });
        Place { ahead: ahead.sum(), waiting: self.waiting }
    }

    /// Takes out all of a job's that wait.
    fn take_waiting(&mut self, job: &str) {
        let Some(line) = self.jobs.get_mut(job).filter(|line| !line.waiting.is_empty()) else { return };
        self.waiting -= line.waiting.len();
        line.waiting.clear();
        self.round.retain(|waits| waits != job);
    }

    /// Takes out all that wait.
    pub(super) fn clear(&mut self) {
        self.jobs.values_mut().for_each(|line| line.waiting.clear());
        self.round.clear();
        self.waiting = 0;
    }
}

#[cfg(test)]
mod tests;
