//! Numbers as people read them: durations, sizes, counts. Never for programs, which get plain digits.

use std::time::Duration;

/// `40 ms`, `3.2 s`, `2 min 5 s`, `3 h 12 min`, `2 d 4 h`.
pub(super) fn in_duration(duration: Duration) -> String {
    let (seconds, millis) = (duration.as_secs(), duration.subsec_millis());
    match seconds {
        0 if millis < 100 => format!("{millis} ms"),
        0..60 => format!("{seconds}.{} s", millis / 100),
        60..3600 => format!("{} min {} s", seconds / 60, seconds % 60),
        3600..86_400 => format!("{} h {} min", seconds / 3600, seconds % 3600 / 60),
        _ => format!("{} d {} h", seconds / 86_400, seconds % 86_400 / 3600),
    }
}

/// `512 bytes`, `1.5 KiB`, `3.0 GiB`.
pub(super) fn in_bytes(bytes: u64) -> String {
    const UNITS: [&str; 6] = ["KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
    match bytes {
        1 => return "1 byte".to_owned(),
        0..1024 => return format!("{bytes} bytes"),
        _ => {}
    }
    let mut tenths = u128::from(bytes) * 10 / 1024;
    let mut unit = UNITS[0];
    for next in &UNITS[1..] {
        if tenths < 10_240 {
            break;
        }
        tenths /= 1024;
        unit = next;
    }
    format!("{}.{} {unit}", tenths / 10, tenths % 10)
}

/// `1,234,567`.
pub(super) fn in_digits(number: u64) -> String {
    let digits = number.to_string();
    let mut grouped = String::with_capacity(digits.len() * 4 / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_the_precision_people_want() {
        let words = |millis| in_duration(Duration::from_millis(millis));
        assert_eq!(words(0), "0 ms");
        assert_eq!(words(99), "99 ms");
        assert_eq!(words(100), "0.1 s");
        assert_eq!(words(3_299), "3.2 s");
        assert_eq!(words(125_000), "2 min 5 s");
        assert_eq!(words(11_520_000), "3 h 12 min");
        assert_eq!(words(187_200_000), "2 d 4 h");
    }

    #[test]
    fn sizes_go_from_one_byte_to_all_there_can_be() {
        assert_eq!(in_bytes(0), "0 bytes");
        assert_eq!(in_bytes(1), "1 byte");
        assert_eq!(in_bytes(1023), "1023 bytes");
        assert_eq!(in_bytes(1536), "1.5 KiB");
        assert_eq!(in_bytes(1 << 30), "1.0 GiB");
        assert_eq!(in_bytes(u64::MAX), "15.9 EiB");
    }

    #[test]
    fn long_numbers_are_grouped() {
        assert_eq!(in_digits(0), "0");
        assert_eq!(in_digits(999), "999");
        assert_eq!(in_digits(1000), "1,000");
        assert_eq!(in_digits(1_234_567), "1,234,567");
    }
}
