//! How grave a line is: a number first, for programs make their own, and a name where there is one. It never looks at
//! the line itself.

use std::fmt;
use std::str::FromStr;

/// A level on the scale of Python's logging, which has room between its names: 30 is a warning, 35 is one of somebody's
/// own above it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Level(i32);

/// The names that are shown, by number.
const NAMES: [(i32, &str); 7] =
    [(5, "trace"), (10, "debug"), (20, "info"), (25, "notice"), (30, "warning"), (40, "error"), (50, "critical")];

/// Further words for them that programs print.
const WORDS: [(&str, Level); 20] = [
    ("notset", Level::NOTSET),
    ("verbose", Level::TRACE),
    ("trc", Level::TRACE),
    ("dbg", Level::DEBUG),
    ("inf", Level::INFO),
    ("information", Level::INFO),
    ("informational", Level::INFO),
    ("success", Level::NOTICE),
    ("warn", Level::WARNING),
    ("wrn", Level::WARNING),
    ("err", Level::ERROR),
    ("eror", Level::ERROR),
    ("severe", Level::ERROR),
    ("crit", Level::CRITICAL),
    ("fatal", Level::CRITICAL),
    ("ftl", Level::CRITICAL),
    ("panic", Level::CRITICAL),
    ("alert", Level::CRITICAL),
    ("emerg", Level::CRITICAL),
    ("emergency", Level::CRITICAL),
];

/// The longest of all these words.
const LONGEST: usize = "informational".len();

impl Level {
    /// No level at all, which is below every other.
    pub const NOTSET: Level = Level(0);
    /// More than one ever wants to read.
    pub const TRACE: Level = Level(5);
    /// For whoever looks for a fault.
    pub const DEBUG: Level = Level(10);
    /// What goes on.
    pub const INFO: Level = Level(20);
    /// Usual, but worth a look.
    pub const NOTICE: Level = Level(25);
    /// Something is not as it should be.
    pub const WARNING: Level = Level(30);
    /// Something did not work.
    pub const ERROR: Level = Level(40);
    /// The program cannot go on.
    pub const CRITICAL: Level = Level(50);

    /// The levels with names, from the lowest on.
    pub const NAMED: [Level; 7] =
        [Level::TRACE, Level::DEBUG, Level::INFO, Level::NOTICE, Level::WARNING, Level::ERROR, Level::CRITICAL];

    /// The level of this number.
    pub fn new(number: i32) -> Level {
        Level(number)
    }

    /// Its number.
    pub fn number(self) -> i32 {
        self.0
    }

    /// Its name, where it has one.
    pub fn name(self) -> Option<&'static str> {
        NAMES.iter().find(|(number, _)| *number == self.0).map(|(_, name)| *name)
    }

    /// The highest level with a name that is not above it: 33 is among the warnings. `None` below all of them.
    pub fn band(self) -> Option<Level> {
        Level::NAMED.into_iter().rev().find(|named| *named <= self)
    }

    /// The level that a word names, whatever its case: `warning`, `WARN`, `Fatal`.
    pub fn of_word(word: &[u8]) -> Option<Level> {
        if !(3..=LONGEST).contains(&word.len()) {
            return None;
        }
        let named = NAMES.iter().find(|(_, name)| word.eq_ignore_ascii_case(name.as_bytes()));
        let other = || WORDS.iter().find(|(other, _)| word.eq_ignore_ascii_case(other.as_bytes()));
        named.map(|(number, _)| Level(*number)).or_else(|| other().map(|(_, level)| *level))
    }

    /// The level of a severity of syslog (RFC 5424 §6.2.1), 0 to 7.
    pub fn of_severity(severity: i32) -> Option<Level> {
        Some(match severity {
            0..=2 => Level::CRITICAL,
            3 => Level::ERROR,
            4 => Level::WARNING,
            5 => Level::NOTICE,
            6 => Level::INFO,
            7 => Level::DEBUG,
            _ => return None,
        })
    }

    /// The level of a number that stands under a key of JSON, such as `level`: syslog's from 0 to 7, and from 10 on
    /// pino's and bunyan's, where 30 is info.
    pub fn of_json_number(number: i32) -> Option<Level> {
        match number {
            0..=7 => Level::of_severity(number),
            10 => Some(Level::TRACE),
            11.. => Some(Level(number - 10)),
            _ => None,
        }
    }
}

impl fmt::Display for Level {
    /// Its name, or its number where it has none.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => f.pad(name),
            None => self.0.fmt(f),
        }
    }
}

impl FromStr for Level {
    type Err = ();

    /// A name, another word for it, or a number.
    fn from_str(text: &str) -> Result<Level, ()> {
        match text.bytes().all(|byte| byte.is_ascii_digit()) {
            true => text.parse().map(Level).map_err(drop),
            false => Level::of_word(text.as_bytes()).ok_or(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_are_ordered_by_their_numbers_and_have_names() {
        assert!(Level::NOTSET < Level::TRACE && Level::TRACE < Level::DEBUG && Level::ERROR < Level::CRITICAL);
        assert_eq!(Level::WARNING.to_string(), "warning");
        assert_eq!(Level::new(33).to_string(), "33");
        assert_eq!((Level::new(25).name(), Level::new(33).name()), (Some("notice"), None));
        let bands = [4, 5, 29, 33, 49, 99].map(|number| Level::new(number).band().and_then(Level::name));
        assert_eq!(bands, [None, Some("trace"), Some("notice"), Some("warning"), Some("error"), Some("critical")]);
    }

    #[test]
    fn a_level_is_read_from_a_name_a_word_or_a_number() {
        for (text, number) in [
            ("warning", 30),
            ("WARN", 30),
            ("Fatal", 50),
            ("critical", 50),
            ("notset", 0),
            ("0", 0),
            ("33", 33),
            ("5", 5),
        ] {
            assert_eq!(text.parse(), Ok(Level::new(number)), "{text}");
        }
        for wrong in ["", "-1", "+5", "x", "loud", "3.5", "99999999999", "warnings"] {
            assert_eq!(wrong.parse::<Level>(), Err(()), "{wrong}");
        }
        assert_eq!(NAMES.map(|(number, _)| Level::new(number)), Level::NAMED);
        for (number, name) in NAMES {
            assert_eq!(name.parse(), Ok(Level::new(number)));
            assert_eq!(Level::new(number).to_string(), name);
        }
    }

    #[test]
    fn severities_of_syslog_have_their_levels() {
        let levels: Vec<_> = (0..9).map(|severity| Level::of_severity(severity).map(Level::number)).collect();
        let expected = [50, 50, 50, 40, 30, 25, 20, 10].map(Some);
        assert_eq!(levels[..8], expected);
        assert_eq!((levels[8], Level::of_severity(-1)), (None, None));
    }

    #[test]
    fn numbers_in_json_are_those_of_syslog_or_of_pino() {
        let levels =
            [3, 7, 8, 9, 10, 20, 30, 35, 60, -1].map(|number| Level::of_json_number(number).map(Level::number));
        let expected = [Some(40), Some(10), None, None, Some(5), Some(10), Some(20), Some(25), Some(50), None];
        assert_eq!(levels, expected);
    }
}
