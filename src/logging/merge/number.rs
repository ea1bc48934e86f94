//! Numbers in `msg % args`: what Python's repr of one says, and how its placeholders write it. Never a text that only
//! looks like a number: `%d` of `'3'` is an error there.

use super::Spec;

/// A number as Python wrote it.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) enum Number<'a> {
    /// A whole one of any size, in decimal digits.
    Int { is_negative: bool, digits: &'a str },
    /// A float.
    Float(f64),
}

impl<'a> Number<'a> {
    /// The number that a repr shows. `True` and `False` are numbers there.
    pub(super) fn read(repr: &'a str) -> Option<Number<'a>> {
        match repr {
            "True" => return Some(Number::Int { is_negative: false, digits: "1" }),
            "False" => return Some(Number::Int { is_negative: false, digits: "0" }),
            "nan" | "NaN" => return Some(Number::Float(f64::NAN)),
            "inf" | "Infinity" => return Some(Number::Float(f64::INFINITY)),
            "-inf" | "-Infinity" => return Some(Number::Float(f64::NEG_INFINITY)),
            _ => {}
        }
        let digits = repr.strip_prefix('-').unwrap_or(repr);
        let whole = digits.strip_suffix('L').unwrap_or(digits);
        if !whole.is_empty() && whole.bytes().all(|byte| byte.is_ascii_digit()) {
            let digits = whole.trim_start_matches('0');
            let digits = if digits.is_empty() { &whole[whole.len() - 1..] } else { digits };
            return Some(Number::Int { is_negative: digits != "0" && repr.starts_with('-'), digits });
        }
        let is_float = digits.starts_with(|first: char| first.is_ascii_digit())
            && digits.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'.' | b'e' | b'E' | b'+' | b'-'));
        is_float.then(|| repr.parse().ok().map(Number::Float)).flatten()
    }

    /// As a float; `None` where it is too large for one.
    fn as_float(&self) -> Option<f64> {
        match *self {
            Number::Float(value) => Some(value),
            Number::Int { is_negative, digits } => {
                let size: f64 = digits.parse().ok().filter(|size: &f64| size.is_finite())?;
                Some(if is_negative { -size } else { size })
            }
        }
    }
}

/// The sign with its prefix (`-0x`), and the digits, which the placeholder's letter asks for.
pub(super) fn format_number(letter: char, spec: &Spec, number: &Number<'_>) -> Option<(String, String)> {
    match letter {
        'd' | 'i' | 'u' => {
            let (is_negative, digits) = match *number {
                Number::Int { is_negative, digits } => (is_negative, digits.to_owned()),
                Number::Float(value) if value.is_finite() => (value <= -1.0, format!("{:.0}", value.trunc().abs())),
                Number::Float(_) => return None,
            };
            Some((sign(is_negative, spec).to_owned(), at_least(spec.precision, digits)))
        }
        'x' | 'X' | 'o' => format_based(letter, spec, number),
        'e' | 'E' | 'f' | 'F' | 'g' | 'G' => {
            let value = number.as_float()?;
            let is_negative = value.is_sign_negative() && !value.is_nan();
            let digits = format_float(letter.to_ascii_lowercase(), spec, value.abs());
            let digits = if letter.is_ascii_uppercase() { digits.to_ascii_uppercase() } else { digits };
            Some((sign(is_negative, spec).to_owned(), digits))
        }
        _ => None,
    }
}

fn sign(is_negative: bool, spec: &Spec) -> &'static str {
    match (is_negative, spec.has_plus, spec.has_blank) {
        (true, _, _) => "-",
        (false, true, _) => "+",
        (false, false, true) => " ",
        (false, false, false) => "",
    }
}

/// Zeros before the digits until there are as many as the precision says.
fn at_least(precision: Option<usize>, digits: String) -> String {
    let missing = precision.unwrap_or(0).saturating_sub(digits.len());
    if missing == 0 { digits } else { "0".repeat(missing) + &digits }
}

/// `%x`, `%X` and `%o`, of whole numbers of up to 128 bits.
fn format_based(letter: char, spec: &Spec, number: &Number<'_>) -> Option<(String, String)> {
    let Number::Int { is_negative, digits } = *number else { return None };
    let value: u128 = digits.parse().ok()?;
    let (prefix, digits) = match letter {
        'x' => ("0x", format!("{value:x}")),
        'X' => ("0X", format!("{value:X}")),
        _ => ("0o", format!("{value:o}")),
    };
    let prefix = if spec.is_alternate { prefix } else { "" };
    Some((format!("{}{prefix}", sign(is_negative, spec)), at_least(spec.precision, digits)))
}

/// `%e`, `%f` and `%g` of a float that is not negative.
fn format_float(letter: char, spec: &Spec, value: f64) -> String {
    if !value.is_finite() {
        return if value.is_nan() { "nan" } else { "inf" }.to_owned();
    }
    let precision = spec.precision.unwrap_or(6);
    match letter {
        'f' => with_point(format!("{value:.precision$}"), spec),
        'e' => scientific(value, precision, spec),
        _ => general(value, precision.max(1), spec),
    }
}

/// C's `%e`: an exponent of a sign and at least two digits.
fn scientific(value: f64, precision: usize, spec: &Spec) -> String {
    let written = format!("{value:.precision$e}");
    let (mantissa, exponent) = written.split_once('e').unwrap_or((&written, "0"));
    with_exponent(with_point(mantissa.to_owned(), spec), exponent)
}

fn with_exponent(mantissa: String, exponent: &str) -> String {
    match exponent.strip_prefix('-') {
        Some(exponent) => format!("{mantissa}e-{exponent:0>2}"),
        None => format!("{mantissa}e+{exponent:0>2}"),
    }
}

/// C's `%g`: so many significant digits, in whichever of the two forms suits the size, without zeros at the end.
fn general(value: f64, significant: usize, spec: &Spec) -> String {
    let written = format!("{value:.*e}", significant - 1);
    let (mantissa, exponent) = written.split_once('e').unwrap_or((&written, "0"));
    let size: i64 = exponent.parse().unwrap_or(0);
    let decimals = i64::try_from(significant).unwrap_or(i64::MAX).saturating_sub(1).saturating_sub(size);
    if size < -4 || decimals < 0 {
        return with_exponent(without_zeros(mantissa.to_owned(), spec), exponent);
    }
    without_zeros(format!("{value:.*}", usize::try_from(decimals).unwrap_or(0)), spec)
}

/// `#` asks for a point even where nothing follows it.
fn with_point(mut digits: String, spec: &Spec) -> String {
    if spec.is_alternate && !digits.contains('.') {
        digits.push('.');
    }
    digits
}

fn without_zeros(digits: String, spec: &Spec) -> String {
    match digits.contains('.') && !spec.is_alternate {
        true => digits.trim_end_matches('0').trim_end_matches('.').to_owned(),
        false => with_point(digits, spec),
    }
}
