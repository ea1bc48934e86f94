//! Numbers and foreign texts as people read them: durations, sizes, counts. Never for programs, which get plain ones.

use std::time::Duration;

use super::is_unsafe;

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

/// `1 line`, `1,234,567 lines`.
pub(super) fn in_lines(number: u64) -> String {
    match number {
        1 => "1 line".to_owned(),
        _ => format!("{} lines", in_digits(number)),
    }
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

/// `text` on one line, every character that would steer, break or reorder it replaced by a picture of it.
pub(super) fn legible(text: &str) -> String {
    let picture = |char: char| match u32::from(char) {
        code @ 0..0x20 => char::from_u32(0x2400 + code).unwrap_or(char::REPLACEMENT_CHARACTER),
        _ if is_unsafe(char) => char::REPLACEMENT_CHARACTER,
        _ => char,
    };
    text.chars().map(picture).collect()
}

/// The first `most` characters of `text`, and a sign where there are more.
pub(super) fn shortened(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some((at, _)) => format!("{}…", text.get(..at).unwrap_or_default()),
        None => text.to_owned(),
    }
}

/// A value in a query (RFC 3986 §2.3): everything but letters, digits and `-._~` with percent signs.
pub(super) fn encode(value: &str) -> String {
    let mut encoded = String::with_capacity(value.len());
    for byte in value.bytes() {
        match byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            true => encoded.push(char::from(byte)),
            false => encoded += &format!("%{byte:02X}"),
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_steer_a_page_is_shown_as_a_picture() {
        assert_eq!(legible("a\u{1b}[1m\n\0ä"), "a␛[1m␊␀ä");
        assert_eq!(legible("a\u{202e}b\u{85}"), "a\u{fffd}b\u{fffd}");
    }

    #[test]
    fn long_texts_are_cut_between_characters() {
        assert_eq!(shortened("äöü", 3), "äöü");
        assert_eq!(shortened("äöüß", 3), "äöü…");
    }

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
    fn one_is_no_plural() {
        assert_eq!([0, 1, 2, 5000].map(in_lines), ["0 lines", "1 line", "2 lines", "5,000 lines"]);
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
