//! The terms `since` and `until`: which span of time lines came in. It finds no line.

use jiff::Timestamp;

use super::{Query, Refusal, Wrong, duration};
use crate::record::stamp;

/// What both allow.
const TIMES: &str = "a time such as 2026-11-21T12:00:00Z (the + of another zone is %2B in a URL), or how long ago, such as 90s, \
                     15m, 2h or 1d";

/// A span of time; each end may be open.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub(super) struct Times {
    /// From here on.
    pub(super) since: Option<Timestamp>,
    /// Up to what came before this.
    pub(super) until: Option<Timestamp>,
}

impl Times {
    /// What `query` asks for at the time `now`; an empty value, as a form sends it, asks for nothing.
    pub(super) fn of_query(query: &Query, now: Timestamp) -> Result<Times, Refusal> {
        let given = |name: &str| match query.value(name).filter(|value| !value.is_empty()) {
            Some(value) => read(value, now).map(Some).ok_or_else(|| Wrong::value(name, value, TIMES)),
            None => Ok(None),
        };
        let times = Times { since: given("since")?, until: given("until")? };
        if let (Some(since), Some(until)) = (times.since, times.until)
            && since > until
        {
            let value = query.value("since").unwrap_or_default();
            return Err(Wrong::value("since", value, format!("a time before `until`, {}", stamp(until))).into());
        }
        Ok(times)
    }

    /// Whether what came at this time is too early, or too late.
    pub(super) fn leave_out(&self, time: Timestamp) -> Option<Outside> {
        if self.until.is_some_and(|until| time >= until) {
            return Some(Outside::After);
        }
        self.since.is_some_and(|since| time < since).then_some(Outside::Before)
    }

    /// Both as they stand in a query, with the times that they mean now.
    pub(super) fn pairs(&self) -> [(&'static str, String); 2] {
        let text = |time: Option<Timestamp>| time.map(stamp).unwrap_or_default();
        [("since", text(self.since)), ("until", text(self.until))]
    }
}

/// On which side of a span of time.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Outside {
    Before,
    After,
}

fn read(text: &str, now: Timestamp) -> Option<Timestamp> {
    match duration(text) {
        Ok(ago) => now.checked_sub(ago).ok(),
        Err(_) => text.parse().ok(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const NOW: &str = "2026-11-21T12:00:00Z";

    fn times(query: &str) -> Result<Times, String> {
        Times::of_query(&Query::parse(query).unwrap(), NOW.parse().unwrap()).map_err(|refusal| refusal.line())
    }

    fn since(text: &str) -> String {
        times(&format!("since={text}")).unwrap().since.unwrap().to_string()
    }

    #[test]
    fn a_time_is_itself_and_a_span_goes_back_from_now() {
        for (text, expected) in [
            ("2026-11-21T11:00:00Z", "2026-11-21T11:00:00Z"),
            ("2026-11-21T11:00:00.25%2B01:00", "2026-11-21T10:00:00.25Z"),
            ("15m", "2026-11-21T11:45:00Z"),
            ("2h", "2026-11-21T10:00:00Z"),
            ("1d", "2026-11-20T12:00:00Z"),
            ("1h+30m", "2026-11-21T10:30:00Z"),
            ("90s", "2026-11-21T11:58:30Z"),
            ("0s", "2026-11-21T12:00:00Z"),
        ] {
            assert_eq!(since(text), expected, "{text}");
        }
        assert_eq!(times("since=&until="), Ok(Times::default()));
    }

    #[test]
    fn what_is_no_time_is_refused_with_what_is_one() {
        for (query, expected) in [
            ("since=yesterday", "`since` cannot be `yesterday`; allowed: a time such as 2026-11-21T12:00:00Z"),
            ("until=15", "`until` cannot be `15`; allowed: a time"),
            ("since=-15m", "`since` cannot be `-15m`"),
            ("since=2026-11-21", "`since` cannot be `2026-11-21`"),
            ("since=2026-11-21T11:00:00", "`since` cannot be `2026-11-21T11:00:00`"),
            ("since=2026-11-21T11:00:00+01:00", "`since` cannot be `2026-11-21T11:00:00 01:00`"),
            ("since=36500d+1ms", "`since` cannot be"),
            (
                "since=1m&until=2m",
                "`since` cannot be `1m`; allowed: a time before `until`, 2026-11-21T11:58:00.000000Z",
            ),
        ] {
            let refused = times(query).unwrap_err();
            assert!(refused.starts_with(expected), "{query}: {refused}");
        }
    }

    #[test]
    fn a_span_has_its_beginning_and_not_its_end() {
        let times = times("since=2m&until=1m").unwrap();
        let (since, until) = (times.since.unwrap(), times.until.unwrap());
        let micro = std::time::Duration::from_micros(1);
        let found = [since - micro, since, until - micro, until].map(|time| times.leave_out(time));
        assert_eq!(found, [Some(Outside::Before), None, None, Some(Outside::After)]);
    }

    proptest! {
        #[test]
        fn what_links_say_means_the_same(micros in 0..4_102_444_800_000_000_i64, length in 0..1_000_000_000_i64) {
            let some = |micros| Timestamp::from_microsecond(micros).ok();
            let times = Times { since: some(micros), until: some(micros + length) };
            let query: Vec<String> = times.pairs().iter().map(|(name, value)| format!("{name}={value}")).collect();
            let query = Query::parse(&query.join("&")).unwrap();
            prop_assert_eq!(Times::of_query(&query, Timestamp::UNIX_EPOCH).ok(), Some(times));
        }

        #[test]
        fn no_text_panics(text in "[0-9a-zTZ:.+ -]{0,24}|\\PC{0,12}") {
            let _ = read(&text, NOW.parse().unwrap());
        }
    }
}
