//! Times in JSON, as microseconds since 1970. A time that tells no zone is none, but where the sender is known.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use super::text_of;

/// The time that a value names whole: RFC 3339, or a number since 1970 in seconds, milliseconds, microseconds or
/// nanoseconds, which its size tells apart.
pub(super) fn time_of(value: &str) -> Option<i64> {
    match text_of(value) {
        Some(text) => text.parse::<Timestamp>().ok().map(|time| time.as_microsecond()),
        None => of_number(value),
    }
}

/// The same, where a time without a zone is UTC.
pub(super) fn utc_time_of(value: &str) -> Option<i64> {
    time_of(value).or_else(|| {
        let time: DateTime = text_of(value)?.parse().ok()?;
        TimeZone::UTC.to_timestamp(time).ok().map(|time| time.as_microsecond())
    })
}

fn of_number(value: &str) -> Option<i64> {
    let number: f64 = value.parse().ok()?;
    // the first 1973 in seconds, then the same year in milliseconds, microseconds, nanoseconds
    let (times, over) = match number.abs() {
        size if size < 1e8 => return None,
        size if size < 1e11 => (1_000_000, 1),
        size if size < 1e14 => (1_000, 1),
        size if size < 1e17 => (1, 1),
        _ => (1, 1_000),
    };
    let time = match value.parse::<i64>() {
        Ok(whole) => whole.checked_mul(times)?.div_euclid(over),
        Err(_) => (number * times as f64 / over as f64).round() as i64,
    };
    Timestamp::from_microsecond(time).ok().map(|time| time.as_microsecond())
}
