//! The places of an argument that values fill. It never meets a shell, and a value is never looked into for further places.
//!
//! A placeholder is the name of a parameter in braces, `{name}`, anywhere in an argument of a command that is a list:
//! `"{target}"` is all of it, `"--to={target}/daily"` a part. A word in braces that is no parameter, and any other
//! brace, stays as it is, as in `awk '{print $1}'`; so `{{name}}` is a value in braces. What fills a placeholder stays
//! within its argument, whatever it contains, and a value that contains `{other}` is not filled in turn.

use std::borrow::Cow;
use std::ops::Range;

use super::Values;

/// The most letters that the name of a parameter has.
const LONGEST_NAME: usize = 64;

/// Whether a parameter may have this name: `[A-Za-z][A-Za-z0-9_]{0,63}`.
pub fn is_name(text: &str) -> bool {
    !text.is_empty() && name_length(text) == Some(text.len())
}

/// `argument` with the values in the places of their names, each once.
pub fn fill<'a>(argument: &'a str, values: &Values) -> Cow<'a, str> {
    let mut filled = String::new();
    let mut kept = 0;
    for (span, name) in find(argument) {
        if let Some(value) = values.of(name) {
            filled.push_str(argument.get(kept..span.start).unwrap_or_default());
            filled.push_str(&value.text);
            kept = span.end;
        }
    }
    if kept == 0 {
        return Cow::Borrowed(argument);
    }
    filled.push_str(argument.get(kept..).unwrap_or_default());
    Cow::Owned(filled)
}

/// The words of `argument` that stand in braces and may be names of parameters, in order; a word that is there twice comes
/// twice.
pub fn placeholders(argument: &str) -> impl Iterator<Item = &str> {
    find(argument).map(|(_, name)| name)
}

/// The words that `argument` begins with: the first decides how it begins, or, where that is empty, the next.
pub fn leading_placeholders(argument: &str) -> impl Iterator<Item = &str> {
    let mut end = 0;
    find(argument).map_while(move |(span, name)| {
        let follows = span.start == end;
        end = span.end;
        follows.then_some(name)
    })
}

/// Each word in braces, with the place of it and its braces, in bytes.
fn find(argument: &str) -> impl Iterator<Item = (Range<usize>, &str)> {
    memchr::memchr_iter(b'{', argument.as_bytes()).filter_map(|open| {
        let inner = argument.get(open + 1..)?;
        let name = inner.get(..name_length(inner)?)?;
        let end = open + 1 + name.len();
        (argument.as_bytes().get(end) == Some(&b'}')).then_some((open..end + 1, name))
    })
}

/// How long the name is that `text` begins with; `None` where it begins with none, or with too long a one.
fn name_length(text: &str) -> Option<usize> {
    text.bytes().next().filter(u8::is_ascii_alphabetic)?;
    let of_name = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
    let length = text.bytes().take(LONGEST_NAME + 1).take_while(of_name).count();
    (length <= LONGEST_NAME).then_some(length)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::parameters::Value;

    fn values(pairs: &[(&str, &str)]) -> Values {
        let value = |&(name, text): &(&str, &str)| Value { name: name.into(), text: text.into(), secret: false };
        Values::new(pairs.iter().map(value).collect())
    }

    #[test]
    fn a_value_fills_the_whole_or_a_part_of_an_argument() {
        let values = values(&[("target", "full"), ("n", "3"), ("empty", "")]);
        for (argument, filled) in [
            ("{target}", "full"),
            ("--to={target}/{n}.tar", "--to=full/3.tar"),
            ("{n}{n}", "33"),
            ("{{n}}", "{3}"),
            ("{empty}", ""),
            ("x{empty}y", "xy"),
            ("größe={n}é", "größe=3é"),
        ] {
            assert_eq!(fill(argument, &values), filled, "{argument}");
        }
    }

    #[test]
    fn every_other_brace_stays_as_it_is() {
        let values = values(&[("n", "3")]);
        for argument in ["", "{", "}", "{}", "{N}", "{print $1}", "{print}", "{ n }", "{n", "n}", "{1n}", "{é}", "${x}"]
        {
            assert!(matches!(fill(argument, &values), Cow::Borrowed(same) if same == argument), "{argument}");
        }
        assert_eq!(fill("{a{n}", &values), "{a3");
    }

    #[test]
    fn a_value_that_looks_like_a_placeholder_is_not_filled() {
        let values = values(&[("a", "{b}"), ("b", "{a}"), ("c", "{")]);
        assert_eq!(fill("{a} {b}", &values), "{b} {a}");
        assert_eq!(fill("{c}a}", &values), "{a}");
    }

    #[test]
    fn the_placeholders_of_an_argument_are_its_words_in_braces() {
        let words: Vec<_> = placeholders("{a} {b_1}{a}{{c}} {print $1} {}").collect();
        assert_eq!(words, ["a", "b_1", "a", "c"]);
    }

    #[test]
    fn an_argument_begins_with_the_placeholders_before_its_first_letter() {
        let leading = |argument| leading_placeholders(argument).collect::<Vec<_>>();
        assert_eq!(leading("{a}{b}-{c}"), ["a", "b"]);
        assert_eq!(leading("--to={a}"), [""; 0]);
        assert_eq!(leading("{{a}}"), [""; 0]);
    }

    #[test]
    fn names_are_letters_digits_and_underscores() {
        let longest = "a".repeat(64);
        for name in ["a", "A9_", longest.as_str()] {
            assert!(is_name(name), "{name}");
        }
        let too_long = "a".repeat(65);
        for name in ["", "9a", "_a", "a-b", "a.b", "é", "a ", too_long.as_str()] {
            assert!(!is_name(name), "{name}");
        }
        assert_eq!(placeholders(&format!("{{{too_long}}}")).count(), 0);
    }

    proptest! {
        #[test]
        fn no_argument_panics_and_one_without_placeholders_stays(argument in "(\\{|\\}|[a-c]|\\PC){0,40}", text in "\\PC{0,8}") {
            let values = values(&[("a", &text), ("bc", &text)]);
            let filled = fill(&argument, &values);
            let some = placeholders(&argument).filter(|name| values.of(name).is_some()).count();
            prop_assert_eq!(matches!(filled, Cow::Borrowed(_)), some == 0);
            prop_assert!(leading_placeholders(&argument).count() <= placeholders(&argument).count());
        }

        #[test]
        fn a_value_stands_where_its_name_was(before in "[^{}]{0,12}", text in "\\PC{0,12}", after in "[^{}]{0,12}") {
            let values = values(&[("name", &text)]);
            let argument = format!("{before}{{name}}{after}");
            prop_assert_eq!(fill(&argument, &values), format!("{before}{text}{after}"));
        }
    }
}
