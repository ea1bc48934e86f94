//! `msg % args` as Python does it, from arguments that came as text: the repr of a tuple or a dict (HTTPHandler), or
//! JSON (Redis). It never guesses: what does not fit, as Python sees it, is not merged.
//!
//! `%s` of an object of somebody's own gives its repr, for its `str()` was never sent.

mod args;
mod literal;
mod number;
#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::collections::HashMap;

use self::args::{of_json, of_repr};
use self::literal::{escape_non_ascii, quote, read_literal};
use self::number::{Number, format_number};

/// No merged message is longer, in bytes: a placeholder costs a sender four bytes, and what it stands for may be long.
const LONGEST: usize = 1 << 20;

/// So many bytes are gone through, beyond each argument once: a precision lets little of them into the message, and a
/// name may stand in it any number of times.
const MOST_WORK: usize = 4 * LONGEST;

/// A width or precision beyond it is no format of a log message.
const WIDEST: usize = 1 << 12;

/// `msg` with its placeholders filled by `args`, which is the repr of a tuple, of a dict, or of one value.
///
/// `None` where Python would raise an error, where `args` cannot be read, or where the result would be too long or too
/// much work: then both are to be shown as they are. Without arguments (`()`, `{}`, `[]`, `None`, nothing) `msg` stays untouched.
pub fn merge_repr<'a>(msg: &'a str, args: &str) -> Option<Cow<'a, str>> {
    match args.trim() {
        "" | "()" | "{}" | "[]" | "None" => Some(Cow::Borrowed(msg)),
        args => merge(msg, &of_repr(args)?).map(Cow::Owned),
    }
}

/// The same with `args` as JSON: a list for a tuple, in which one object alone is the dict, or that object itself.
pub fn merge_json<'a>(msg: &'a str, args: &str) -> Option<Cow<'a, str>> {
    match of_json(args)? {
        Args::Tuple(args) if args.is_empty() => Some(Cow::Borrowed(msg)),
        args => merge(msg, &args).map(Cow::Owned),
    }
}

/// What fills the placeholders.
#[derive(Debug)]
enum Args<'a> {
    /// One after the other.
    Tuple(Vec<Arg<'a>>),
    /// By name; or the whole of it, once.
    Dict { whole: Arg<'a>, values: HashMap<Cow<'a, str>, Arg<'a>> },
    /// A single one that stands in no tuple.
    Single(Arg<'a>),
}

impl Args<'_> {
    /// How many bytes they are.
    fn size(&self) -> usize {
        match self {
            Args::Tuple(args) => args.iter().map(Arg::size).sum(),
            Args::Dict { whole, values } => whole.size() + values.values().map(Arg::size).sum::<usize>(),
            Args::Single(arg) => arg.size(),
        }
    }
}

/// One argument.
#[derive(Clone, Debug)]
enum Arg<'a> {
    /// A text, and its repr where that is how it came.
    Text { content: Cow<'a, str>, repr: Option<&'a str> },
    /// Anything else, by its repr, which is also its `str()`.
    Other(Cow<'a, str>),
}

impl Arg<'_> {
    /// How many bytes are gone through, at most, for what a placeholder shows of it.
    fn size(&self) -> usize {
        match self {
            Arg::Text { content, .. } => content.len(),
            Arg::Other(repr) => repr.len(),
        }
    }

    /// What `%s` shows.
    fn shown(&self) -> &str {
        match self {
            Arg::Text { content, .. } => content,
            Arg::Other(repr) => without_long_suffix(repr),
        }
    }

    /// What `%r` shows.
    fn repr(&self) -> Cow<'_, str> {
        match self {
            Arg::Text { repr: Some(repr), .. } => Cow::Borrowed(repr),
            Arg::Text { content, repr: None } => Cow::Owned(quote(content)),
            Arg::Other(repr) => Cow::Borrowed(repr),
        }
    }

    /// The number that it is, if it is one.
    fn number(&self) -> Option<Number<'_>> {
        match self {
            Arg::Text { .. } => None,
            Arg::Other(repr) => Number::read(repr),
        }
    }
}

/// A `long` of Python 2 is written with an `L` that it does not show.
fn without_long_suffix(repr: &str) -> &str {
    match repr.strip_suffix('L') {
        Some(digits) if matches!(Number::read(digits), Some(Number::Int { .. })) => digits,
        _ => repr,
    }
}

/// What stands between the `%` and the letter of a placeholder.
#[derive(Clone, Copy, Default, Debug)]
struct Spec {
    /// `-`
    is_left: bool,
    /// `+`
    has_plus: bool,
    /// A blank.
    has_blank: bool,
    /// `#`
    is_alternate: bool,
    /// `0`
    has_zeros: bool,
    width: usize,
    precision: Option<usize>,
}

/// The arguments on their way into the placeholders.
struct Feed<'a> {
    args: &'a Args<'a>,
    taken: usize,
    /// What the next placeholder without a name gets, unless it is out of a tuple.
    single: Option<&'a Arg<'a>>,
    /// So many bytes may still be gone through.
    work: usize,
}

impl<'a> Feed<'a> {
    fn new(args: &'a Args<'a>) -> Self {
        let single = match args {
            Args::Tuple(_) => None,
            Args::Dict { whole: arg, .. } | Args::Single(arg) => Some(arg),
        };
        Feed { args, taken: 0, single, work: args.size() + MOST_WORK }
    }

    /// Makes the value called `name` the next one.
    fn choose(&mut self, name: &str) -> Option<()> {
        let Args::Dict { values, .. } = self.args else { return None };
        self.single = Some(values.get(name)?);
        Some(())
    }

    fn next(&mut self) -> Option<&'a Arg<'a>> {
        let next = match self.args {
            Args::Tuple(args) => {
                self.taken += 1;
                args.get(self.taken - 1)
            }
            Args::Dict { .. } | Args::Single(_) => self.single.take(),
        }?;
        self.spend(next.size())?;
        Some(next)
    }

    /// Goes through so many bytes, or gives up.
    fn spend(&mut self, work: usize) -> Option<()> {
        self.work = self.work.checked_sub(work)?;
        Some(())
    }

    /// The next one where a `*` stands.
    fn next_size(&mut self) -> Option<i64> {
        match self.next()?.number()? {
            Number::Int { is_negative, digits } => {
                let size: i64 = digits.parse().ok()?;
                Some(if is_negative { -size } else { size })
            }
            Number::Float(_) => None,
        }
    }

    /// Whether Python is content: an argument that nothing asked for is an error, but for a dict.
    fn is_used_up(&self) -> bool {
        match self.args {
            Args::Tuple(args) => self.taken == args.len(),
            Args::Dict { .. } => true,
            Args::Single(_) => self.single.is_none(),
        }
    }
}

/// `msg % args`; `None` where that is an error.
fn merge(msg: &str, args: &Args<'_>) -> Option<String> {
    let mut out = String::with_capacity(msg.len());
    let mut feed = Feed::new(args);
    let mut rest = msg;
    while let Some((before, after)) = rest.split_once('%') {
        out.push_str(before);
        rest = read_placeholder(after, &mut feed, &mut out)?;
        if out.len() > LONGEST {
            return None;
        }
    }
    out.push_str(rest);
    (feed.is_used_up() && out.len() <= LONGEST).then_some(out)
}

/// Fills the placeholder that `text` begins with, its `%` left out; what follows it.
fn read_placeholder<'a>(text: &'a str, feed: &mut Feed<'_>, out: &mut String) -> Option<&'a str> {
    let is_named = text.starts_with('(');
    let text = match text.strip_prefix('(') {
        Some(named) => {
            let (name, rest) = split_name(named)?;
            feed.choose(name)?;
            rest
        }
        None => text,
    };
    let (spec, text) = read_spec(text, feed)?;
    // the digits of a number are made before its zeros are left out
    feed.spend(spec.precision.unwrap_or(0))?;
    let text = text.strip_prefix(['h', 'l', 'L']).unwrap_or(text);
    let mut letters = text.chars();
    match letters.next()? {
        '%' if is_named => return None,
        '%' => out.push('%'),
        letter => push_value(letter, &spec, feed.next()?, out)?,
    }
    Some(letters.as_str())
}

/// What stands before the parenthesis that closes a name, and what follows it.
fn split_name(text: &str) -> Option<(&str, &str)> {
    let mut depth = 1;
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'(' => depth += 1,
            b')' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return Some((&text[..at], &text[at + 1..]));
        }
    }
    None
}

fn read_spec<'a>(text: &'a str, feed: &mut Feed<'_>) -> Option<(Spec, &'a str)> {
    let mut spec = Spec::default();
    let after_flags = text.trim_start_matches(['-', '+', ' ', '#', '0']);
    for flag in text[..text.len() - after_flags.len()].bytes() {
        match flag {
            b'-' => spec.is_left = true,
            b'+' => spec.has_plus = true,
            b' ' => spec.has_blank = true,
            b'#' => spec.is_alternate = true,
            _ => spec.has_zeros = true,
        }
    }
    let (width, mut rest) = read_size(after_flags, feed)?;
    spec.is_left |= width < 0;
    spec.width = usize::try_from(width.unsigned_abs()).ok().filter(|width| *width <= WIDEST)?;
    if let Some(after_point) = rest.strip_prefix('.') {
        let (precision, after) = read_size(after_point, feed)?;
        spec.precision = Some(usize::try_from(precision.max(0)).ok().filter(|size| *size <= WIDEST)?);
        rest = after;
    }
    Some((spec, rest))
}

/// A width or a precision: digits, a `*`, or nothing, which is 0.
fn read_size<'a>(text: &'a str, feed: &mut Feed<'_>) -> Option<(i64, &'a str)> {
    if let Some(rest) = text.strip_prefix('*') {
        return Some((feed.next_size()?, rest));
    }
    let rest = text.trim_start_matches(|digit: char| digit.is_ascii_digit());
    match &text[..text.len() - rest.len()] {
        "" => Some((0, rest)),
        digits => Some((digits.parse().ok()?, rest)),
    }
}

/// Appends what the letter of a placeholder makes of `arg`.
fn push_value(letter: char, spec: &Spec, arg: &Arg<'_>, out: &mut String) -> Option<()> {
    match letter {
        's' => push_text(arg.shown(), spec, out),
        'r' => push_text(&arg.repr(), spec, out),
        'a' => push_text(&escape_non_ascii(&arg.repr()), spec, out),
        'c' => push_text(character(arg)?.encode_utf8(&mut [0; 4]), &Spec { precision: None, ..*spec }, out),
        _ => {
            let (sign, digits) = format_number(letter, spec, &arg.number()?)?;
            push_number(&sign, &digits, spec, out);
        }
    }
    Some(())
}

/// The character of `%c`: a text of one, or the one with that number.
fn character(arg: &Arg<'_>) -> Option<char> {
    match (arg, arg.number()) {
        (Arg::Text { content, .. }, _) => {
            let mut characters = content.chars();
            characters.next().filter(|_| characters.next().is_none())
        }
        (_, Some(Number::Int { is_negative: false, digits })) => char::from_u32(digits.parse().ok()?),
        _ => None,
    }
}

/// `text` cut to the precision, then filled to the width: both count characters.
fn push_text(text: &str, spec: &Spec, out: &mut String) {
    let end = spec.precision.and_then(|most| text.char_indices().nth(most)).map_or(text.len(), |(at, _)| at);
    let text = &text[..end];
    let missing = if spec.width == 0 { 0 } else { spec.width.saturating_sub(text.chars().count()) };
    let blanks = " ".repeat(missing);
    match spec.is_left {
        true => out.extend([text, &blanks]),
        false => out.extend([blanks.as_str(), text]),
    }
}

/// A number filled to the width: by zeros behind its sign and its `0x`, or by blanks.
fn push_number(sign: &str, digits: &str, spec: &Spec, out: &mut String) {
    let missing = spec.width.saturating_sub(sign.len() + digits.len());
    match (spec.is_left, spec.has_zeros) {
        (true, _) => out.extend([sign, digits, &" ".repeat(missing)]),
        (false, true) => out.extend([sign, &"0".repeat(missing), digits]),
        (false, false) => out.extend([&" ".repeat(missing), sign, digits]),
    }
}
