//! The queue under everything that may come, in any order.

use proptest::prelude::*;

use super::*;

const JOBS: [&str; 4] = ["a", "b", "c", "d"];

/// A queue and what an honest observer knows of it.
struct Watched {
    queue: Queue,
    max_running: usize,
    on: Vec<(RunId, usize, Rule)>,
    waiting: Vec<(RunId, usize, Rule)>,
}

impl Watched {
    fn new(max_running: usize, max_queued: usize) -> Watched {
        let queue = Queue::new(max_running, max_queued);
        Watched { queue, max_running, on: Vec::new(), waiting: Vec::new() }
    }

    fn enter(&mut self, job: usize, rule: Rule) {
        let run = RunId::new();
        let replaced = self.waiting.iter().filter(|(_, of, _)| *of == job && rule == Rule::Instead).count();
        match self.queue.enter(JOBS[job], run, rule) {
            Err(Full(limit)) => assert!(self.waiting.len() - replaced >= limit),
            Ok(entered) => {
                self.waiting.retain(|(_, of, _)| *of != job || rule != Rule::Instead);
                match entered {
                    Entered::Begins => {
                        assert!(self.waiting.iter().all(|(_, of, _)| *of != job), "the first to come begins first");
                        self.begins((run, job, rule));
                    }
                    Entered::Waits(place) => {
                        self.waiting.push((run, job, rule));
                        assert_eq!(self.queue.order().iter().position(|other| *other == run), Some(place.ahead));
                        assert_eq!(place.waiting, self.waiting.len());
                    }
                }
            }
        }
    }

    fn begins(&mut self, run: (RunId, usize, Rule)) {
        assert!(self.on.len() < self.max_running, "never more than max_running");
        let others = self.on.iter().filter(|(_, of, _)| *of == run.1).count();
        assert!(run.2 == Rule::Beside || others == 0, "no other of its job is on");
        self.on.push(run);
    }

    /// Lets those begin whose turn it is; who they are, in order.
    fn begin(&mut self) -> Vec<RunId> {
        let mut begun = Vec::new();
        while let Some(run) = self.queue.begin() {
            let at = self.waiting.iter().position(|(id, ..)| *id == run).expect("it waited");
            let of = self.waiting[at].1;
            assert!(self.waiting[..at].iter().all(|(_, other, _)| *other != of), "the first of its job");
            let one = self.waiting.remove(at);
            self.begins(one);
            begun.push(run);
        }
        begun
    }

    /// Ends or cancels the one of this number, whether it is on or waits.
    fn leave(&mut self, number: usize) {
        let all = self.on.len() + self.waiting.len();
        let Some(at) = number.checked_rem(all) else { return };
        let (run, job, _) = match at.checked_sub(self.on.len()) {
            Some(at) => self.waiting.remove(at),
            None => self.on.remove(at),
        };
        assert!(self.queue.leave(JOBS[job], run));
        assert!(!self.queue.leave(JOBS[job], run), "it left once");
    }

    fn check(&self) {
        let mut order = self.queue.order();
        assert_eq!((order.len(), self.queue.waiting()), (self.waiting.len(), self.waiting.len()));
        order.sort();
        let mut waiting: Vec<_> = self.waiting.iter().map(|(run, ..)| *run).collect();
        waiting.sort();
        assert_eq!(order, waiting, "the places are a permutation of those that wait");
        let mut on: Vec<_> = self.queue.on().collect();
        on.sort();
        let mut known: Vec<_> = self.on.iter().map(|(run, ..)| *run).collect();
        known.sort();
        assert_eq!(on, known);
        for job in JOBS {
            let of = self.on.iter().chain(&self.waiting).filter(|(_, of, _)| JOBS[*of] == job).count();
            assert_eq!(self.queue.of(job).count(), of);
        }
    }
}

#[derive(Clone, Debug)]
enum Event {
    Enter(usize, Rule),
    Leave(usize),
    Limit(usize, usize),
}

fn rule() -> impl Strategy<Value = Rule> {
    prop_oneof![Just(Rule::Beside), Just(Rule::Alone), Just(Rule::Instead)]
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        6 => (0..JOBS.len(), rule()).prop_map(|(job, rule)| Event::Enter(job, rule)),
        4 => any::<usize>().prop_map(Event::Leave),
        1 => (1..5usize, 0..12usize).prop_map(|(running, queued)| Event::Limit(running, queued)),
    ]
}

proptest! {
    #[test]
    fn whatever_comes_and_goes_every_rule_holds_and_everybody_gets_a_turn(
        events in proptest::collection::vec(event(), 0..120),
    ) {
        let mut watched = Watched::new(2, 8);
        for event in events {
            match event {
                Event::Enter(job, rule) => watched.enter(job, rule),
                Event::Leave(number) => watched.leave(number),
                Event::Limit(running, queued) => {
                    watched.queue.limit(running, queued);
                    watched.max_running = running;
                }
            }
            watched.begin();
            watched.check();
        }
        // nobody comes any more, and the oldest that is on ends each time: all that wait get their turn
        let most = watched.on.len() + watched.waiting.len();
        for _ in 0..most {
            watched.leave(0);
            watched.begin();
            watched.check();
        }
        prop_assert_eq!((watched.on.len(), watched.waiting.len()), (0, 0));
    }

    #[test]
    fn where_no_run_has_to_be_alone_they_begin_in_the_order_that_was_told(
        jobs in proptest::collection::vec(0..JOBS.len(), 1..60),
    ) {
        let mut watched = Watched::new(1, 100);
        jobs.iter().for_each(|job| watched.enter(*job, Rule::Beside));
        let told = watched.queue.order();
        let mut begun = Vec::new();
        while !watched.on.is_empty() {
            watched.leave(0);
            begun.extend(watched.begin());
        }
        prop_assert_eq!(begun, told);
    }
}

#[test]
fn five_hundred_of_one_job_hold_up_another_by_one_turn() {
    let mut watched = Watched::new(1, 1000);
    (0..501).for_each(|_| watched.enter(0, Rule::Beside));
    watched.enter(1, Rule::Beside);
    let other = watched.waiting.last().unwrap().0;
    assert_eq!(watched.queue.order().iter().position(|run| *run == other), Some(1));
    let mut turns = 0;
    while !watched.on.iter().any(|(run, ..)| *run == other) {
        watched.leave(0);
        watched.begin();
        turns += 1;
    }
    assert_eq!(turns, 2);
}

#[test]
fn a_job_that_has_to_wait_for_itself_holds_up_nobody_and_keeps_its_place() {
    let mut watched = Watched::new(2, 10);
    watched.enter(0, Rule::Alone);
    watched.enter(0, Rule::Alone);
    watched.enter(1, Rule::Beside);
    assert_eq!((watched.on.len(), watched.waiting.len()), (2, 1), "the second of the first job waits for the first");
    watched.enter(1, Rule::Beside);
    let first = watched.on[0].0;
    watched.leave(1);
    let begun = watched.begin();
    assert_eq!(watched.on.iter().map(|(run, ..)| *run).collect::<Vec<_>>(), [first, begun[0]]);
    watched.enter(1, Rule::Beside);
    let alone = watched.waiting[0].0;
    watched.leave(0);
    assert_eq!(watched.begin(), [alone], "it stands before the one that came later");
}

#[test]
fn the_newest_of_several_replacements_is_the_one_that_waits() {
    let mut watched = Watched::new(2, 1);
    watched.enter(0, Rule::Instead);
    (0..3).for_each(|_| watched.enter(0, Rule::Instead));
    let newest = watched.waiting[0].0;
    assert_eq!((watched.on.len(), watched.waiting.len()), (1, 1));
    watched.leave(0);
    assert_eq!(watched.begin(), [newest]);
}

#[test]
fn a_full_queue_refuses_and_forgets_nobody() {
    let mut queue = Queue::new(1, 1);
    let runs: Vec<_> = (0..3).map(|_| RunId::new()).collect();
    assert_eq!(queue.enter("a", runs[0], Rule::Beside), Ok(Entered::Begins));
    assert!(matches!(queue.enter("b", runs[1], Rule::Beside), Ok(Entered::Waits(Place { ahead: 0, waiting: 1 }))));
    assert_eq!(queue.enter("a", runs[2], Rule::Instead), Err(Full(1)));
    assert_eq!(queue.order(), [runs[1]]);
    assert_eq!(queue.of("a").collect::<Vec<_>>(), [runs[0]]);
}

#[test]
fn more_turns_are_given_out_and_fewer_take_none_back() {
    let mut watched = Watched::new(1, 10);
    (0..4).for_each(|_| watched.enter(0, Rule::Beside));
    watched.queue.limit(3, 10);
    watched.max_running = 3;
    assert_eq!(watched.begin().len(), 2);
    watched.queue.limit(1, 10);
    watched.max_running = 1;
    watched.leave(0);
    assert_eq!((watched.begin().len(), watched.on.len()), (0, 2));
}
