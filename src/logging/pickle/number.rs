//! Python's integers, which have no bound: as 64 bits where they fit, else as decimal digits, and never more than
//! a hundred of those, for the way there is quadratic.

/// Integers with more digits are only described.
const DIGITS: usize = 100;

/// An integer in decimal digits, as `int(…)` takes them, with the `L` of Python 2 behind it: its value where 64 bits hold
/// it, `Some(None)` where it is beyond; `None` where it is no integer.
pub(super) fn integer(text: &[u8]) -> Option<Option<i64>> {
    let (is_negative, digits) = split(text);
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let step = |value: i64, digit: &u8| {
        let digit = i64::from(digit - b'0');
        let value = value.checked_mul(10)?;
        if is_negative { value.checked_sub(digit) } else { value.checked_add(digit) }
    };
    Some(digits.iter().try_fold(0, step))
}

/// Whether there is a minus, and the digits.
fn split(text: &[u8]) -> (bool, &[u8]) {
    let text = text.trim_ascii();
    let text = text.strip_suffix(b"L").unwrap_or(text);
    match text.split_first() {
        Some((b'-', digits)) => (true, digits),
        Some((b'+', digits)) => (false, digits),
        _ => (false, text),
    }
}

/// An integer as a number of JSON, or how long it is where that is too long.
pub(super) enum Decimal {
    Number(String),
    TooLong(String),
}

/// Of decimal digits.
pub(super) fn of_digits(text: &[u8]) -> Decimal {
    let (is_negative, digits) = split(text);
    let zeros = digits.iter().take_while(|digit| **digit == b'0').count();
    let digits = digits.get(zeros..).unwrap_or_default();
    if digits.len() > DIGITS {
        return Decimal::TooLong(format!("<integer of {} digits>", digits.len()));
    }
    let digits = std::str::from_utf8(digits).unwrap_or_default();
    let minus = if is_negative && !digits.is_empty() { "-" } else { "" };
    Decimal::Number(if digits.is_empty() { "0".to_owned() } else { format!("{minus}{digits}") })
}

/// Of bytes, little-endian in two's complement.
pub(super) fn of_bytes(bytes: &[u8]) -> Decimal {
    const BILLION: u64 = 1_000_000_000;
    // a hundred digits are 333 bits
    if bytes.len() > 42 {
        return Decimal::TooLong(format!("<integer of {} bytes>", bytes.len()));
    }
    let is_negative = bytes.last().is_some_and(|byte| *byte >= 0x80);
    let mut carry = is_negative;
    let mut magnitude: Vec<u8> = bytes.iter().map(|byte| if is_negative { !byte } else { *byte }).collect();
    for byte in &mut magnitude {
        (*byte, carry) = byte.overflowing_add(u8::from(carry));
    }
    let mut limbs = vec![u64::from(carry)];
    for byte in magnitude.iter().rev() {
        let mut carry = u64::from(*byte);
        for limb in &mut limbs {
            let value = *limb * 256 + carry;
            (*limb, carry) = (value % BILLION, value / BILLION);
        }
        if carry > 0 {
            limbs.push(carry);
        }
    }
    let digits: String = limbs.iter().rev().map(|limb| format!("{limb:09}")).collect();
    of_digits(format!("{}{digits}", if is_negative { "-" } else { "" }).as_bytes())
}
