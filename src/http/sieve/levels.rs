//! The term `level`: a least level, a range of levels, or just some of them. It looks at no line.

use std::str::FromStr;

use crate::record::Level;

/// What `level` allows.
pub(super) const LEVELS: &str = "trace, debug, info, notice, warning, error, critical or a number for it and all above \
                                 it, a range such as debug..info, or several such as warning,error for just these";

/// Levels that pass.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Levels(Vec<Range>);

/// The levels from one to another, both among them.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Range {
    from: Option<Level>,
    to: Option<Level>,
}

impl Levels {
    pub(super) fn contain(&self, level: Level) -> bool {
        self.0.iter().any(|range| range.from.is_none_or(|from| from <= level) && range.to.is_none_or(|to| level <= to))
    }
}

impl FromStr for Levels {
    type Err = ();

    fn from_str(text: &str) -> Result<Levels, ()> {
        // one alone is the least; among several each is just itself
        let is_least = !text.contains(',');
        text.split(',').map(|part| Range::read(part, is_least)).collect::<Result<_, ()>>().map(Levels)
    }
}

impl Range {
    fn read(text: &str, is_least: bool) -> Result<Range, ()> {
        let one = |text: &str| (!text.is_empty()).then(|| text.parse()).transpose();
        let range = match text.split_once("..") {
            Some((from, to)) => Range { from: one(from)?, to: one(to)? },
            None => {
                let level = one(text)?;
                Range { from: level, to: level.filter(|_| !is_least) }
            }
        };
        let is_some = range.from.is_some() || range.to.is_some();
        let is_ordered = range.from.zip(range.to).is_none_or(|(from, to)| from <= to);
        (is_some && is_ordered).then_some(range).ok_or(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_level_is_a_least_one_a_range_or_one_of_several() {
        for (text, contains) in [
            ("warning", &[30, 33, 50][..]),
            ("WARN", &[30, 33, 50]),
            ("30", &[30, 33, 50]),
            ("31", &[33, 50]),
            ("0", &[0, 5, 30, 33, 50]),
            ("debug..warning", &[30]),
            ("33..33", &[33]),
            ("..trace", &[0, 5]),
            ("error..", &[50]),
            ("warning,critical", &[30, 50]),
            ("33,trace", &[5, 33]),
            ("0,40..", &[0, 50]),
            ("info,notice", &[]),
            ("..trace,31..40", &[0, 5, 33]),
        ] {
            let levels: Levels = text.parse().unwrap();
            let found: Vec<_> =
                [0, 5, 30, 33, 50].into_iter().filter(|level| levels.contain(Level::new(*level))).collect();
            assert_eq!(found, contains, "{text}");
        }
    }

    #[test]
    fn what_is_no_level_is_none_among_several_either() {
        for wrong in
            ["", "..", "loud", "error..info", ",", "warning,", ",warning", "warning,,error", "info,loud", "1,3..2"]
        {
            assert_eq!(wrong.parse::<Levels>(), Err(()), "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn several_are_each_of_them(numbers in proptest::collection::vec(0..60_i32, 2..6), level in 0..60_i32) {
            let text = numbers.iter().map(i32::to_string).collect::<Vec<_>>().join(",");
            let levels: Levels = text.parse().unwrap();
            prop_assert_eq!(levels.contain(Level::new(level)), numbers.contains(&level));
        }

        #[test]
        fn no_text_panics(text in "[a-z0-9.,]{0,12}|\\PC{0,12}") {
            let _ = text.parse::<Levels>();
        }
    }
}
