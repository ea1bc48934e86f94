//! Several files that are written, rotated and read over restarts and kills in any order.

use proptest::prelude::*;

use super::*;

const NAMES: [&str; 3] = ["a.log", "b.log", "c.log"];

#[derive(Clone, Debug)]
enum Act {
    Write(usize, usize),
    Rename(usize),
    CopyAndTruncate(usize),
    Settle,
    Restart,
    /// Killed after an append that was not saved.
    Kill(usize, usize),
}

fn act() -> impl Strategy<Value = Act> {
    let name = || 0..NAMES.len();
    prop_oneof![
        5 => (name(), 1_usize..60).prop_map(|(name, count)| Act::Write(name, count)),
        2 => name().prop_map(Act::Rename),
        1 => name().prop_map(Act::CopyAndTruncate),
        3 => Just(Act::Settle),
        1 => Just(Act::Restart),
        2 => (name(), 1_usize..60).prop_map(|(name, count)| Act::Kill(name, count)),
    ]
}

/// Files with what was written to each, by the number of its lines.
struct Model {
    many: Many,
    written: [usize; NAMES.len()],
}

impl Model {
    fn write(&mut self, name: usize, count: usize) {
        self.many.write(NAMES[name], &lines(self.written[name], count));
        self.written[name] += count;
    }

    fn shift(&self, name: &str) {
        for number in (1..20).rev().filter(|number| self.many.log(&format!("{name}.{number}")).exists()) {
            self.many.rename(&format!("{name}.{number}"), &format!("{name}.{}", number + 1));
        }
    }

    fn kill(&mut self, name: usize, count: usize) {
        // what else is new is saved
        self.many.look();
        let files = fs::read_dir(self.many.positions()).unwrap().map(|file| file.unwrap().path());
        let saved: Vec<_> = files.map(|path| (fs::read(&path).unwrap(), path)).collect();
        self.write(name, count);
        self.many.now += SOON * 3;
        self.many.joint.as_mut().unwrap().step(self.many.now);
        self.many.joint = None;
        saved.iter().for_each(|(bytes, path)| fs::write(path, bytes).unwrap());
        self.many.start();
    }

    fn act(&mut self, act: Act) {
        match act {
            Act::Write(name, count) => self.write(name, count),
            Act::Rename(name) => {
                let name = NAMES[name];
                self.shift(name);
                if self.many.log(name).exists() {
                    self.many.rename(name, &format!("{name}.1"));
                    self.many.write(name, "");
                }
            }
            Act::CopyAndTruncate(at) => {
                let name = NAMES[at];
                self.shift(name);
                if self.many.log(name).exists() {
                    fs::copy(self.many.log(name), self.many.log(&format!("{name}.1"))).unwrap();
                    fs::write(self.many.log(name), "").unwrap();
                    // no fewer bytes tell that it is the copy
                    self.write(at, 20);
                }
            }
            Act::Settle => self.many.look(),
            Act::Restart => self.many.start(),
            Act::Kill(name, count) => self.kill(name, count),
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, ..ProptestConfig::default() })]
    #[test]
    fn each_line_of_each_file_comes_once_and_in_order(acts in proptest::collection::vec(act(), 1..20)) {
        let mut model = Model { many: Many::new(&["*.log*"]), written: [0; 3] };
        for name in 0..NAMES.len() {
            model.write(name, 20);
        }
        model.many.start();
        for act in acts {
            // a rotation before the one before was seen can take away what nobody has read
            if matches!(act, Act::Rename(_) | Act::CopyAndTruncate(_)) {
                model.many.look();
            }
            model.act(act);
        }
        model.many.settle(Duration::from_secs(20));
        for (name, written) in NAMES.into_iter().zip(model.written) {
            prop_assert_eq!(model.many.of(name), lines(0, written), "{}: {}", name, model.many.said());
        }
        let others: Vec<_> =
            model.many.by_name().into_keys().filter(|name| !NAMES.contains(&&**name) && name != "[]").collect();
        prop_assert!(others.is_empty(), "{:?}", others);
    }
}
