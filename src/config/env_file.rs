//! The text of an `env_file`: `NAME=VALUE` lines. It never expands anything, and never repeats a value in a message,
//! for such files hold secrets.
//!
//! Programs that read such files disagree on backslashes outside quotes, on comments after a value and on lines that
//! go on; whatever would mean different things to two of them is refused here rather than guessed.

use std::ops::Range;

use super::Invalid;

/// A variable: its name and its value.
type Variable = (String, String);

/// The variables in the order of the file, and what is wrong, each with its place in bytes.
pub(super) fn read_variables(text: &str) -> (Vec<Variable>, Vec<(Range<usize>, Invalid)>) {
    let (mut variables, mut mistakes) = (Vec::new(), Vec::new());
    let without_mark = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut start = text.len() - without_mark.len();
    for line in without_mark.split_inclusive('\n') {
        match read_line(line.trim_end()) {
            Ok(variable) => variables.extend(variable),
            Err((at, invalid)) => mistakes.push((start + at..start + line.trim_end().len().max(at), invalid)),
        }
        start += line.len();
    }
    (variables, mistakes)
}

/// Where in a line something is wrong, and what.
type At<T> = Result<T, (usize, Invalid)>;

fn read_line(line: &str) -> At<Option<Variable>> {
    let content = line.trim_start();
    if content.is_empty() || content.starts_with('#') {
        return Ok(None);
    }
    let exported = content.strip_prefix("export").filter(|rest| rest.starts_with([' ', '\t']));
    let content = exported.unwrap_or(content).trim_start();
    let start = line.len() - content.len();
    let Some((name, value)) = content.split_once('=') else {
        return Err((start, Invalid::new("this line is not NAME=VALUE", "begin it with `#` if it is a comment")));
    };
    let name = name.trim_end();
    if name.is_empty() || name.contains(|c: char| c.is_whitespace() || c == '\0') {
        return Err((
            start,
            Invalid::new("this is not the name of a variable", "write NAME=VALUE, without spaces in NAME"),
        ));
    }
    if value.contains('\0') {
        return Err((start, Invalid::new("this value contains a NUL", "no program can be given one")));
    }
    let value_start = line.len() - value.len();
    let value = read_value(value).map_err(|(at, invalid)| (value_start + at, invalid))?;
    Ok(Some((name.to_owned(), value)))
}

fn read_value(written: &str) -> At<String> {
    let value = written.trim_start();
    let start = written.len() - value.len();
    let quoted = match value.chars().next() {
        Some('\'') => read_single_quoted(value),
        Some('"') => read_double_quoted(value),
        _ => return read_bare(written),
    };
    let (meant, length) = quoted.map_err(|(at, invalid)| (start + at, invalid))?;
    let after = value.get(length..).unwrap_or_default();
    let comment = after.trim_start();
    if comment.is_empty() || (comment.starts_with('#') && comment.len() < after.len()) {
        return Ok(meant);
    }
    Err((
        start + length,
        Invalid::new("there is something after the closing quote", "put the whole value in one pair of quotes"),
    ))
}

fn read_bare(written: &str) -> At<String> {
    let mut before = None;
    for (at, found) in written.char_indices() {
        if found == '#' && before.is_some_and(char::is_whitespace) {
            let remedy = "put the value in quotes, or the comment on a line of its own";
            return Err((at, Invalid::new("this `#` may begin a comment or belong to the value", remedy)));
        }
        before = Some(found);
    }
    Ok(written.trim().to_owned())
}

/// The value, and how long it is with its quotes.
fn read_single_quoted(value: &str) -> At<(String, usize)> {
    let inner = value.get(1..).unwrap_or_default();
    let end = inner.find('\'').ok_or_else(|| (0, unclosed()))?;
    Ok((inner.get(..end).unwrap_or_default().to_owned(), end + 2))
}

/// The value, and how long it is with its quotes.
fn read_double_quoted(value: &str) -> At<(String, usize)> {
    let mut meant = String::new();
    let mut chars = value.char_indices().skip(1);
    while let Some((at, found)) = chars.next() {
        match found {
            '"' => return Ok((meant, at + 1)),
            '\\' => match chars.next().and_then(|(_, escaped)| unescape(escaped)) {
                Some(escaped) => meant.push(escaped),
                None => {
                    let remedy = "write `\\\\` for a backslash, or use single quotes";
                    return Err((at, Invalid::new("this backslash means nothing", remedy)));
                }
            },
            _ => meant.push(found),
        }
    }
    Err((0, unclosed()))
}

fn unescape(escaped: char) -> Option<char> {
    match escaped {
        '\\' | '"' | '$' | '`' => Some(escaped),
        'n' => Some('\n'),
        'r' => Some('\r'),
        't' => Some('\t'),
        _ => None,
    }
}

fn unclosed() -> Invalid {
    Invalid::new("this quote is not closed on its line", "close it; write a newline in double quotes as `\\n`")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn variables(text: &str) -> Vec<Variable> {
        let (variables, mistakes) = read_variables(text);
        assert_eq!(mistakes, []);
        variables
    }

    fn value(line: &str) -> String {
        variables(&format!("X={line}")).pop().map(|(_, value)| value).expect("one variable")
    }

    #[test]
    fn names_and_values_come_in_order_without_comments_and_blank_lines() {
        let text = "\u{feff}# one\n\nA=1\r\n  export B = two words \nexport\tC=\n  # last\nexport=x\nA=2";
        let found = variables(text);
        let found: Vec<_> = found.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        assert_eq!(found, [("A", "1"), ("B", "two words"), ("C", ""), ("export", "x"), ("A", "2")]);
    }

    #[test]
    fn quotes_keep_spaces_and_hashes() {
        assert_eq!(value("' a #b\\n$X '  # comment"), " a #b\\n$X ");
        assert_eq!(value(r#""a \"b\" \\ \$HOME\n" "#), "a \"b\" \\ $HOME\n");
        assert_eq!(value("''"), "");
    }

    #[test]
    fn a_bare_value_is_taken_as_it_is() {
        assert_eq!(value(r#"a=b\n${X}#{"c":1}"#), r#"a=b\n${X}#{"c":1}"#);
        assert_eq!(value("#fff"), "#fff");
    }

    #[test]
    fn what_two_programs_would_read_differently_is_refused_at_its_place() {
        for (text, place) in [
            ("A=1\nhunter2\n", 4..11),
            ("A B=1", 0..5),
            ("=1", 0..2),
            ("A=1 # one", 4..9),
            ("A= # one", 3..8),
            ("A='1", 2..4),
            ("A=\"1\\\"", 2..6),
            ("A=\"\\x\"", 3..6),
            ("A='1'2", 5..6),
            ("A='1'#2", 5..7),
            ("A=\0", 0..3),
        ] {
            let (_, mistakes) = read_variables(text);
            let places: Vec<_> = mistakes.into_iter().map(|(place, _)| place).collect();
            assert_eq!(places, [place], "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn every_mistake_is_inside_the_text(text in "([A-B= #'\"\\\\n\r\n\u{feff}é]|export ){0,40}") {
            for (place, _) in read_variables(&text).1 {
                prop_assert!(text.get(place).is_some());
            }
        }

        #[test]
        fn single_quotes_keep_every_value(written in "[^'\r\n\0]*") {
            prop_assert_eq!(value(&format!("'{written}'")), written);
        }
    }
}
