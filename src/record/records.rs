//! Which record the lines of one stream belong to: a traceback, and whatever else is indented, stays with the line that
//! it explains. It remembers the last line that began a record, and no text.

use std::time::Duration;

use jiff::Timestamp;

use super::{Level, Said, read_said};

/// A record reaches no further than so many lines, so that whoever begins so much earlier finds the same.
pub const LONGEST_RECORD: u64 = 2000;

/// A traceback that comes so soon behind a line belongs to it; a later one is nobody's, and an error.
const SOON: Duration = Duration::from_millis(100);

/// What begins a traceback of Python's. The line behind its frames, which is not indented, ends it.
const TRACEBACK: &[u8] = b"Traceback (";

/// What goes on with a record, beside blanks.
const FOLLOWING: [&[u8]; 4] = [b"}", b"Caused by:", b"During handling", b"The above exception"];

/// Where in its records a stream is.
#[derive(Clone, Default, Debug)]
pub struct Records {
    /// The line that began the record.
    head: Option<u64>,
    /// When the line before came.
    last: Option<Timestamp>,
    in_traceback: bool,
}

impl Records {
    /// What line `number` says of the record that it begins; `None` where it goes on with the record before it. `text` is
    /// without its newline and without escape sequences.
    pub fn begin<'a>(&mut self, number: u64, time: Timestamp, text: &'a [u8]) -> Option<Said<'a>> {
        let has_head = self.head.is_some_and(|head| number.saturating_sub(head) <= LONGEST_RECORD);
        let was_in_traceback = self.in_traceback && has_head;
        let is_soon = self.last.is_some_and(|last| time.duration_since(last).unsigned_abs() <= SOON);
        self.last = Some(time);
        let is_indented = text.first().is_none_or(u8::is_ascii_whitespace);
        let (own, follows) = if text.starts_with(TRACEBACK) {
            self.in_traceback = true;
            (Said { level: Some(Level::ERROR), logger: None }, was_in_traceback || is_soon)
        } else if was_in_traceback && is_indented {
            (Said::default(), true)
        } else {
            self.in_traceback = false;
            let own = read_said(text);
            (own, own.level.is_none() && (was_in_traceback || is_indented || is_following(text)))
        };
        if has_head && follows {
            return None;
        }
        self.head = Some(number);
        Some(own)
    }
}

/// Whether a line begins what explains the lines before it in its record: a traceback, an exception, its cause.
pub fn begins_exception(text: &[u8]) -> bool {
    text.starts_with(TRACEBACK) || text.starts_with(b"Caused by:") || is_exception(text)
}

/// Whether a line without a level goes on with the record before it, though it is not indented.
fn is_following(text: &[u8]) -> bool {
    FOLLOWING.iter().any(|start| text.starts_with(start)) || is_exception(text)
}

/// Whether it begins with the full name of an exception: `java.lang.IllegalStateException: gone`.
fn is_exception(text: &[u8]) -> bool {
    let end = text.iter().take(256).position(|&byte| byte == b':' || byte == b' ').unwrap_or(text.len().min(256));
    let name = &text[..end];
    name.contains(&b'.')
        && name.iter().all(|byte| byte.is_ascii_alphanumeric() || b"_.$".contains(byte))
        && [&b"Exception"[..], b"Error", b"Throwable"].iter().any(|last| name.ends_with(last))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The lines of `text` that pass at `level`, each so many milliseconds after the one before.
    fn passing(text: &str, level: Level, millis: i64) -> Vec<&str> {
        let mut records = Records::default();
        let mut passes = false;
        let mut passing = Vec::new();
        for (at, line) in text.lines().enumerate() {
            let time = Timestamp::from_millisecond(at as i64 * millis).unwrap();
            if let Some(said) = records.begin(at as u64 + 1, time, line.as_bytes()) {
                passes = said.level.is_some_and(|own| own >= level);
            }
            passing.extend(passes.then_some(line));
        }
        passing
    }

    const PYTHON: &str = "\
INFO:root:begun
ERROR:root:failed
Traceback (most recent call last):
  File \"/app/a.py\", line 3, in work
    ERROR = 1 / 0
            ~~^~~
ZeroDivisionError: division by zero

During handling of the above exception, another exception occurred:

Traceback (most recent call last):
  File \"/app/a.py\", line 5, in <module>
KeyError: 'x'
INFO:root:done
plain";

    #[test]
    fn a_traceback_stays_with_its_error() {
        let lines: Vec<_> = PYTHON.lines().collect();
        assert_eq!(passing(PYTHON, Level::ERROR, 0), lines[1..13]);
        assert_eq!(passing(PYTHON, Level::INFO, 0), lines[..14]);
        assert_eq!(passing(PYTHON, Level::CRITICAL, 0), [""; 0]);
    }

    #[test]
    fn a_traceback_goes_with_the_line_before_it_or_is_an_error_of_its_own() {
        let text = "DEBUG:root:tried\nTraceback (most recent call last):\n  File \"a\"\nKeyError: 1\nINFO:root:on";
        assert_eq!(passing(text, Level::ERROR, 10), [""; 0]);
        let lines: Vec<_> = text.lines().collect();
        assert_eq!(passing(text, Level::ERROR, 200), lines[1..4]);
        assert_eq!(passing(&lines[1..4].join("\n"), Level::ERROR, 10), lines[1..4]);
    }

    #[test]
    fn causes_and_frames_of_java_stay_with_their_error() {
        let text = "\
12:00:00.000 [main] ERROR com.example.Main - failed
java.lang.IllegalStateException: gone
\tat com.example.Main.run(Main.java:3)
Caused by: java.io.IOException: closed
\t... 12 more
12:00:00.001 [main] INFO com.example.Main - on";
        let lines: Vec<_> = text.lines().collect();
        assert_eq!(passing(text, Level::ERROR, 500), lines[..5]);
    }

    #[test]
    fn an_indented_line_with_a_level_is_a_record_and_one_without_goes_on() {
        let text = "WARNING a\n  of two\n    INFO b\n   lines\n   ERROR c\n{\n  x\n}";
        assert_eq!(passing(text, Level::WARNING, 500), ["WARNING a", "  of two", "   ERROR c"]);
    }

    #[test]
    fn a_record_reaches_so_far_and_no_further() {
        let text = format!("ERROR a\n{}", " b\n".repeat(5000));
        assert_eq!(passing(&text, Level::ERROR, 0).len() as u64, 1 + LONGEST_RECORD);
        let text = format!("Traceback (most\n{}KeyError: 1\n", " b\n".repeat(5000));
        assert_eq!(passing(&text, Level::ERROR, 0).len() as u64, 1 + LONGEST_RECORD);
    }
}
