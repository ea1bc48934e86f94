//! The objects of the API that the verbs show, as far as they show them, and their numbers in words. Values only.

use std::time::Duration;

use jiff::Timestamp;
use serde::Deserialize;

/// A run as the history tells it.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
pub struct RunRecord {
    /// Its id.
    pub run: String,
    /// Its job.
    pub job: String,
    /// Where it stands.
    pub state: String,
    /// When it was asked for (RFC 3339).
    pub started: String,
    /// The command's exit code, where it has one.
    pub exit_code: Option<i64>,
    /// The signal that ended it, where one did.
    pub signal_name: Option<String>,
    /// From start to end, once there is one.
    pub duration_ms: Option<u64>,
    /// Lines so far.
    #[serde(default)]
    pub lines: u64,
}

impl RunRecord {
    /// How its command ended: an exit code, a signal, or nothing that is known.
    pub fn outcome(&self) -> String {
        match (self.exit_code, &self.signal_name) {
            (Some(code), _) => code.to_string(),
            (None, Some(signal)) => signal.clone(),
            (None, None) => "-".to_owned(),
        }
    }

    /// Whether it goes on or waits.
    pub fn is_on(&self) -> bool {
        matches!(self.state.as_str(), "running" | "queued")
    }
}

/// A job as the first page tells it.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
pub struct JobRecord {
    /// Its name.
    pub name: String,
    /// What people read about it.
    pub description: Option<String>,
    /// Its newest run.
    pub last: Option<RunRecord>,
}

/// How long ago `time` was, at `now`: "3 min ago"; the time itself where it is none.
pub fn ago(time: &str, now: Timestamp) -> String {
    let Ok(then) = time.parse::<Timestamp>() else { return time.to_owned() };
    match u64::try_from(now.duration_since(then).as_secs()).unwrap_or(0) {
        seconds @ 0..60 => format!("{seconds} s ago"),
        seconds @ 60..3600 => format!("{} min ago", seconds / 60),
        seconds @ 3600..172_800 => format!("{} h ago", seconds / 3600),
        seconds => format!("{} days ago", seconds / 86_400),
    }
}

/// How long something took, as short as it can be read.
pub fn took(time: Duration) -> String {
    match time.as_secs() {
        0..60 => format!("{:.1} s", time.as_secs_f64()),
        seconds @ 60..3600 => format!("{} min {:02} s", seconds / 60, seconds % 60),
        seconds => format!("{} h {:02} min", seconds / 3600, seconds % 3600 / 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_told_in_words() {
        let now: Timestamp = "2026-11-21T12:00:00Z".parse().unwrap();
        for (time, said) in [
            ("2026-11-21T11:59:59.5Z", "0 s ago"),
            ("2026-11-21T12:00:09Z", "0 s ago"), // another machine's clock
            ("2026-11-21T11:50:01Z", "9 min ago"),
            ("2026-11-20T11:00:00Z", "25 h ago"),
            ("2026-11-18T12:00:00Z", "3 days ago"),
            ("no time", "no time"),
        ] {
            assert_eq!(ago(time, now), said);
        }
    }

    #[test]
    fn durations_are_told_in_words() {
        for (seconds, said) in [(0.04, "0.0 s"), (3.21, "3.2 s"), (61.0, "1 min 01 s"), (3660.0, "1 h 01 min")] {
            assert_eq!(took(Duration::from_secs_f64(seconds)), said);
        }
    }
}
