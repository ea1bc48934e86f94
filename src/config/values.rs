//! What a single string means: durations, sizes, names. Pure functions from text to value; nothing here knows a file.

use std::time::Duration;

use super::Invalid;

/// From large to small, as they are written; in milliseconds.
const DURATION_UNITS: [(&str, u64); 5] = [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1000), ("ms", 1)];

/// No clock of the program overflows with it.
const LONGEST_DURATION: u64 = 36_500 * 86_400_000;

const SIZE_UNITS: [(&str, u64); 10] = [
    ("", 1),
    ("B", 1),
    ("kB", 1000),
    ("MB", 1000 * 1000),
    ("GB", 1000 * 1000 * 1000),
    ("TB", 1000 * 1000 * 1000 * 1000),
    ("KiB", 1 << 10),
    ("MiB", 1 << 20),
    ("GiB", 1 << 30),
    ("TiB", 1 << 40),
];

/// A duration such as `90s`, `10m`, `1h 30m` or `250ms`, exact to the millisecond.
///
/// # Errors
/// What is wrong with the text, and what to write.
pub fn duration(text: &str) -> Result<Duration, Invalid> {
    let mut units = DURATION_UNITS.iter();
    let mut total = Some(0_u64);
    let mut rest = text.trim();
    if rest.is_empty() {
        return Err(not_a_duration(text));
    }
    while !rest.is_empty() {
        let (number, unit, after) = quantity(rest).ok_or_else(|| not_a_duration(text))?;
        if unit.is_empty() && after.starts_with(['.', ',']) {
            return Err(Invalid::new(
                format!("`{text}` is not made of whole numbers"),
                "write `\"1h 30m\"` for an hour and a half, `\"1500ms\"` for a second and a half",
            ));
        }
        if unit.is_empty() {
            return Err(Invalid::new(
                format!("`{text}` has no unit"),
                "write `\"90s\"` for seconds, `\"10m\"` for minutes",
            ));
        }
        // each unit is looked for after the one before it: from large to small, none twice
        let (_, millis) = units.find(|(name, _)| *name == unit).ok_or_else(|| not_a_duration(text))?;
        let part = number.and_then(|number| number.checked_mul(*millis));
        total = total.zip(part).and_then(|(total, part)| total.checked_add(part));
        rest = after;
    }
    let within = total.filter(|total| *total <= LONGEST_DURATION);
    let millis = within.ok_or_else(|| Invalid::new(format!("`{text}` is too long"), "at most `\"36500d\"`"))?;
    Ok(Duration::from_millis(millis))
}

/// A duration that is more than nothing.
pub(super) fn positive_duration(text: &str) -> Result<Duration, Invalid> {
    let duration = duration(text)?;
    if duration.is_zero() {
        return Err(Invalid::new(format!("`{text}` is no time at all"), "leave the key out for no limit"));
    }
    Ok(duration)
}

fn not_a_duration(text: &str) -> Invalid {
    Invalid::new(
        format!("`{text}` is not a duration"),
        "write one such as `\"90s\"`, `\"10m\"`, `\"1h 30m\"` or `\"250ms\"`: whole numbers of d, h, m, s, ms, from large to small",
    )
}

/// A size in bytes that is more than nothing, such as `64MiB`, `10kB` or `1024`.
pub(super) fn size(text: &str) -> Result<u64, Invalid> {
    let (number, unit, rest) = quantity(text.trim()).ok_or_else(|| not_a_size(text))?;
    if !rest.is_empty() {
        return Err(not_a_size(text));
    }
    let found = SIZE_UNITS.iter().find(|(name, _)| *name == unit);
    let (_, factor) = found.ok_or_else(|| not_a_size_unit(text, unit))?;
    let bytes = number.and_then(|number| number.checked_mul(*factor));
    match bytes {
        None => Err(Invalid::new(format!("`{text}` is too large"), format!("at most `\"{}B\"`", u64::MAX))),
        Some(0) => Err(Invalid::new(format!("`{text}` is no space at all"), "leave the key out to get its default")),
        Some(bytes) => Ok(bytes),
    }
}

fn not_a_size(text: &str) -> Invalid {
    Invalid::new(
        format!("`{text}` is not a size"),
        "write one such as `\"64MiB\"`, `\"1GiB\"`, `\"10kB\"` or `\"512B\"`",
    )
}

/// `64M` and `64KB` may mean two things: names both.
fn not_a_size_unit(text: &str, unit: &str) -> Invalid {
    let prefix = unit.chars().next().map(|first| first.to_ascii_uppercase());
    let Some(prefix) = prefix.filter(|prefix| "KMGT".contains(*prefix)) else {
        return not_a_size(text);
    };
    let decimal = if prefix == 'K' { 'k' } else { prefix };
    Invalid::new(
        format!("`{text}` has an unknown unit, `{unit}`"),
        format!("write `{prefix}iB` for steps of 1024, or `{decimal}B` for steps of 1000"),
    )
}

/// The number at the beginning (`None` in it where it is too large), the letters after it, and what follows.
fn quantity(text: &str) -> Option<(Option<u64>, &str, &str)> {
    let (digits, rest) = text.split_at(text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len()));
    if digits.is_empty() {
        return None;
    }
    let rest = rest.trim_start();
    let (unit, rest) = rest.split_at(rest.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(rest.len()));
    Some((digits.parse().ok(), unit, rest.trim_start()))
}

/// Whether a job may have this name.
pub fn job_name(name: &str) -> Result<(), Invalid> {
    name_of("job", name)
}

/// Whether a feed may have this name: any that a job may have.
pub(super) fn feed_name(name: &str) -> Result<(), Invalid> {
    name_of("feed", name)
}

fn name_of(what: &str, name: &str) -> Result<(), Invalid> {
    let well_begun = name.starts_with(|c: char| c.is_ascii_alphanumeric());
    let well_made = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte));
    if well_begun && well_made && name.len() <= 64 {
        return Ok(());
    }
    Err(Invalid::new(
        format!("a {what} cannot be named `{name}`"),
        "a name is 1 to 64 of the characters a-z, A-Z, 0-9, `_`, `.` and `-`, the first a letter or a digit",
    ))
}

/// Whether a variable of the environment may have this name.
pub(super) fn variable_name(name: &str) -> Result<(), Invalid> {
    if name.is_empty() || name.contains(['=', '\0']) {
        return Err(Invalid::new(
            format!("a variable cannot be named `{name}`"),
            "a name is not empty and has neither `=` nor NUL in it",
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The shortest way to write a duration.
    fn show_duration(duration: Duration) -> String {
        let mut rest = duration.as_millis() as u64;
        let mut parts = Vec::new();
        for (unit, millis) in DURATION_UNITS {
            if rest / millis > 0 {
                parts.push(format!("{}{unit}", rest / millis));
            }
            rest %= millis;
        }
        if parts.is_empty() { "0s".to_owned() } else { parts.join(" ") }
    }

    /// The shortest way to write a size with a unit of 1024.
    fn show_size(bytes: u64) -> String {
        let exact =
            SIZE_UNITS.iter().rev().find(|(_, factor)| factor.is_power_of_two() && bytes.is_multiple_of(*factor));
        exact.map_or_else(|| bytes.to_string(), |(unit, factor)| format!("{}{unit}", bytes / factor))
    }

    #[test]
    fn durations_are_whole_numbers_of_units_from_large_to_small() {
        for (text, millis) in [
            ("90s", 90_000),
            ("10m", 600_000),
            ("1h 30m", 5_400_000),
            ("1h30m", 5_400_000),
            ("250ms", 250),
            ("2d", 172_800_000),
            ("1d 2h 3m 4s 5ms", 93_784_005),
            (" 90 s ", 90_000),
            ("0s", 0),
            ("36500d", LONGEST_DURATION),
        ] {
            assert_eq!(duration(text), Ok(Duration::from_millis(millis)), "{text}");
        }
    }

    #[test]
    fn what_is_no_duration_is_refused() {
        for text in [
            "", " ", "s", "90", "-1s", "+1s", "1.5h", "1y", "1mo", "30m 1h", "1s 1s", "1h 30", "1h,30m", "1 0s", "９s",
            "1S",
        ] {
            assert!(duration(text).is_err(), "{text}");
        }
        for text in ["1.5h", "0.5s", "1h 1.5m", "1,5h"] {
            let invalid = duration(text).unwrap_err();
            assert_eq!(invalid.problem, format!("`{text}` is not made of whole numbers"));
            assert!(invalid.remedy.contains("`\"1h 30m\"`"), "{}", invalid.remedy);
        }
        for text in ["36500d 1ms", "99999999999999999999999s", "18446744073709551615d"] {
            assert_eq!(duration(text).map_err(|invalid| invalid.problem), Err(format!("`{text}` is too long")));
        }
        assert!(positive_duration("0s").is_err());
        assert!(positive_duration("1ms").is_ok());
    }

    #[test]
    fn sizes_have_units_of_1000_and_of_1024() {
        for (text, bytes) in [
            ("1024", 1024),
            ("512B", 512),
            ("10kB", 10_000),
            ("64MiB", 64 << 20),
            ("64 MiB", 64 << 20),
            ("1GiB", 1 << 30),
            ("2TB", 2_000_000_000_000),
            ("18446744073709551615", u64::MAX),
        ] {
            assert_eq!(size(text), Ok(bytes), "{text}");
        }
    }

    #[test]
    fn what_is_no_size_is_refused() {
        for text in
            ["", "MiB", "0", "0B", "-1", "1.5GiB", "1GiB 5MiB", "1 2", "18446744073709551616", "16777216TiB", "5x"]
        {
            assert!(size(text).is_err(), "{text}");
        }
        assert_eq!(
            size("64M").map_err(|invalid| invalid.to_string()),
            Err("`64M` has an unknown unit, `M`; write `MiB` for steps of 1024, or `MB` for steps of 1000".to_owned())
        );
        assert_eq!(
            size("1KB").map_err(|invalid| invalid.remedy),
            Err("write `KiB` for steps of 1024, or `kB` for steps of 1000".to_owned())
        );
    }

    #[test]
    fn job_names_are_safe_in_urls_and_file_names() {
        let longest = "x".repeat(64);
        for name in ["a", "0", "backup", "a.b_c-d", longest.as_str()] {
            assert!(job_name(name).is_ok(), "{name}");
        }
        let too_long = "x".repeat(65);
        for name in ["", ".", "..", "-a", "_a", "a b", "a/b", "é", "a\n", too_long.as_str()] {
            assert!(job_name(name).is_err(), "{name}");
        }
    }

    proptest! {
        #[test]
        fn every_duration_reads_back(millis in 0..=LONGEST_DURATION) {
            let written = Duration::from_millis(millis);
            prop_assert_eq!(duration(&show_duration(written)), Ok(written));
        }

        #[test]
        fn every_size_reads_back(bytes in 1..=u64::MAX, zeros in 0_u32..64) {
            let written = (bytes >> zeros << zeros).max(1);
            prop_assert_eq!(size(&show_size(written)), Ok(written));
        }

        #[test]
        fn no_text_makes_a_value_panic(text in "\\PC*|[0-9dhms kKMGTiB.]{0,24}") {
            let _ = (duration(&text), size(&text), job_name(&text), variable_name(&text));
        }
    }
}
