//! Any sequence of writes, rotations, restarts and kills: each line once, in order.

use std::fs;

use proptest::prelude::*;

use super::bench::{Bench, SOON, lines};

#[derive(Clone, Copy, Debug)]
enum Act {
    Write(usize),
    /// `app.log` becomes `app.log.1`, that becomes `app.log.2`, and so on; the new one is made at once or by the
    /// writer.
    Rename(bool),
    CopyAndTruncate,
    /// Once it has been read, for what is not is gone for everybody; then it is made anew.
    Remove,
    Settle,
    Restart,
    /// After an append that was not saved.
    Kill(usize),
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        4 => (1_usize..60).prop_map(Act::Write),
        3 => any::<bool>().prop_map(Act::Rename),
        2 => Just(Act::CopyAndTruncate),
        1 => Just(Act::Remove),
        3 => Just(Act::Settle),
        2 => Just(Act::Restart),
        2 => (1_usize..60).prop_map(Act::Kill),
    ]
}

struct Model {
    bench: Bench,
    written: usize,
}

impl Model {
    fn write(&mut self, count: usize) {
        self.bench.write(&lines(self.written, count));
        self.written += count;
    }

    fn shift(&self) {
        for number in (1..20).rev().filter(|number| self.bench.log(&format!("app.log.{number}")).exists()) {
            self.bench.rename(&format!("app.log.{number}"), &format!("app.log.{}", number + 1));
        }
    }

    fn act(&mut self, act: Act) {
        match act {
            Act::Write(count) => self.write(count),
            Act::Rename(create) => {
                if self.bench.log("app.log").exists() {
                    self.shift();
                    self.bench.rename("app.log", "app.log.1");
                }
                if create {
                    self.bench.write("");
                }
            }
            Act::CopyAndTruncate => {
                // what was read of it is known by 64 bytes of it
                self.write(2);
                self.bench.settle(SOON * 8);
                self.write(3);
                self.shift();
                fs::copy(self.bench.log("app.log"), self.bench.log("app.log.1")).unwrap();
                fs::write(self.bench.log("app.log"), "").unwrap();
            }
            Act::Remove => {
                self.bench.settle(SOON * 8);
                let _ = fs::remove_file(self.bench.log("app.log"));
                // one that comes and loses its name before anybody looks is not known to be the next
                self.write(1);
                self.bench.settle(SOON);
            }
            Act::Settle => self.bench.settle(SOON),
            Act::Restart => self.bench.start(),
            Act::Kill(count) => {
                self.bench.settle(SOON * 8);
                let saved = fs::read(self.bench.position()).unwrap();
                self.write(count);
                self.bench.step();
                self.bench.tail = None;
                fs::write(self.bench.position(), saved).unwrap();
                self.bench.start();
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]
    #[test]
    fn each_line_comes_once_and_in_order(acts in proptest::collection::vec(act(), 1..14)) {
        let mut model = Model { bench: Bench::new(), written: 0 };
        model.write(5);
        model.bench.start();
        for act in acts {
            model.act(act);
        }
        model.write(1);
        model.bench.settle(SOON * 10);
        prop_assert_eq!(model.bench.text(), lines(0, model.written), "{}", model.bench.said());
    }
}
