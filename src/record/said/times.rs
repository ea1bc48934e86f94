//! The times that lines begin with, passed over. It never reads what a time says.

/// What follows the times at the beginning of `line`, and the blanks, dashes, bars and colons behind them.
pub(super) fn past_times(line: &[u8]) -> &[u8] {
    let mut text = line.trim_ascii_start();
    let mut was_time = false;
    for _ in 0..8 {
        let opened = text.strip_prefix(b"[").or_else(|| text.strip_prefix(b"("));
        let inner = opened.unwrap_or(text);
        let end = inner.iter().take(40).position(|byte| b" \t]|)".contains(byte));
        let token = &inner[..end.unwrap_or(inner.len().min(40))];
        if !(is_time(token) || is_name(token) || was_time && is_zone(token)) {
            break;
        }
        was_time |= is_time(token);
        let rest = &inner[token.len()..];
        text = rest.strip_prefix(b"]").or_else(|| rest.strip_prefix(b")")).unwrap_or(rest).trim_ascii_start();
    }
    match was_time {
        true => super::past_separators(text),
        false => line.trim_ascii_start(),
    }
}

/// `2024-02-29T12:00:00.123Z`, `12:00:00,123`, `29/Feb/2024:12:00:00`, `1709208000.5`, `+0100`.
fn is_time(token: &[u8]) -> bool {
    let digits = token.iter().filter(|byte| byte.is_ascii_digit()).count();
    let separators = token.iter().filter(|byte| b"-:/.+".contains(byte)).count();
    if digits < 4 || separators == 0 || !token.first().is_some_and(|byte| byte.is_ascii_digit() || b"+-".contains(byte))
    {
        return false;
    }
    let is_letter = |byte: &u8| byte.is_ascii_alphabetic() && !b"TZ".contains(byte);
    let known = |byte: u8| byte.is_ascii_alphanumeric() || b"-:/.,+_".contains(&byte);
    match token.iter().position(is_letter) {
        None => token.iter().all(|&byte| known(byte)),
        Some(at) => {
            let (before, month) = token.split_at(at);
            let Some((month, after)) = month.split_at_checked(3) else { return false };
            is_month(month) && before.iter().chain(after).all(|byte| known(*byte) && !is_letter(byte))
        }
    }
}

fn is_month(word: &[u8]) -> bool {
    const MONTHS: [&[u8]; 12] =
        [b"Jan", b"Feb", b"Mar", b"Apr", b"May", b"Jun", b"Jul", b"Aug", b"Sep", b"Oct", b"Nov", b"Dec"];
    MONTHS.contains(&word)
}

/// A month's or a day's name, or the number of a day or a year: `Thu Feb 29 12:00:00 2024`.
fn is_name(token: &[u8]) -> bool {
    const DAYS: [&[u8]; 7] = [b"Mon", b"Tue", b"Wed", b"Thu", b"Fri", b"Sat", b"Sun"];
    let token = token.strip_suffix(b",").unwrap_or(token);
    let is_number = matches!(token.len(), 1 | 2 | 4) && token.iter().all(u8::is_ascii_digit);
    is_number || is_month(token) || DAYS.contains(&token)
}

fn is_zone(token: &[u8]) -> bool {
    [&b"UTC"[..], b"GMT", b"CET", b"CEST", b"AM", b"PM"].contains(&token)
}
