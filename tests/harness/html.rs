//! Reads the pages: whether every element is closed in order, and what text an element shows.

/// Elements that have no end (WHATWG HTML §13.1.2).
const VOID: [&str; 8] = ["meta", "link", "br", "hr", "img", "input", "wbr", "col"];

/// Elements whose end tag may be left out, and what ends them where it is (WHATWG HTML §13.1.2.4); so does the end of what
/// they are in.
const ENDED_BY: [(&str, &[&str]); 5] = [
    ("td", &["td", "th", "tr"]),
    ("th", &["td", "th", "tr"]),
    ("tr", &["tr"]),
    ("dt", &["dt", "dd"]),
    ("dd", &["dt", "dd"]),
];

/// What ends an element without an end tag.
fn ended_by(name: &str) -> Option<&'static [&'static str]> {
    ENDED_BY.iter().find(|(known, _)| *known == name).map(|(_, by)| *by)
}

/// One piece of a page.
#[derive(PartialEq, Eq, Debug)]
enum Piece<'a> {
    Open { name: &'a str, attributes: &'a str },
    Close(&'a str),
    Text(&'a str),
}

/// Cuts a page into tags and text; comments and the doctype are left out.
fn pieces(page: &str) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    let mut rest = page;
    while let Some(at) = rest.find('<') {
        if at > 0 {
            pieces.push(Piece::Text(&rest[..at]));
        }
        rest = &rest[at..];
        if let Some(comment) = rest.strip_prefix("<!--") {
            rest = comment.split_once("-->").expect("a comment is closed").1;
            continue;
        }
        let end = tag_end(rest);
        let inside = &rest[1..end];
        rest = &rest[end + 1..];
        if let Some(name) = inside.strip_prefix('/') {
            pieces.push(Piece::Close(name.trim()));
        } else if !inside.starts_with('!') {
            let (name, attributes) = inside.split_once(|c: char| c.is_ascii_whitespace()).unwrap_or((inside, ""));
            pieces.push(Piece::Open { name, attributes });
        }
    }
    if !rest.is_empty() {
        pieces.push(Piece::Text(rest));
    }
    pieces
}

/// Where the tag that `text` begins with is closed: the first `>` outside quotes.
fn tag_end(text: &str) -> usize {
    let mut quote = None;
    for (at, char) in text.char_indices() {
        match (quote, char) {
            (None, '"' | '\'') => quote = Some(char),
            (None, '>') => return at,
            (Some(open), _) if open == char => quote = None,
            _ => {}
        }
    }
    panic!("a tag is not closed: {}", text.chars().take(80).collect::<String>())
}

/// The value of an attribute, with or without its quotes.
fn attribute<'a>(attributes: &'a str, name: &str) -> Option<&'a str> {
    let mut rest = attributes.trim_start();
    while !rest.is_empty() {
        let end = rest.find(|c: char| c == '=' || c.is_ascii_whitespace()).unwrap_or(rest.len());
        let (found, after) = rest.split_at(end);
        let (value, after) = match after.strip_prefix('=') {
            None => ("", after),
            Some(value) => match value.chars().next() {
                Some(quote @ ('"' | '\'')) => value[1..].split_once(quote).expect("a quote is closed"),
                _ => value.split_at(value.find(|c: char| c.is_ascii_whitespace()).unwrap_or(value.len())),
            },
        };
        if found == name {
            return Some(value);
        }
        rest = after.trim_start();
    }
    None
}

/// Fails unless the page is a whole one: a doctype, every element closed in order, one html, head, title and body.
pub fn assert_whole(page: &str) {
    assert!(page.trim_start().to_ascii_lowercase().starts_with("<!doctype html>"), "no doctype");
    let (mut open, mut seen): (Vec<&str>, Vec<&str>) = (Vec::new(), Vec::new());
    for piece in pieces(page) {
        match piece {
            Piece::Open { name, attributes } => {
                seen.push(name);
                while open.last().and_then(|last| ended_by(last)).is_some_and(|by| by.contains(&name)) {
                    open.pop();
                }
                if !VOID.contains(&name) && !attributes.ends_with('/') {
                    open.push(name);
                }
            }
            Piece::Close(name) => {
                while open.last().is_some_and(|last| *last != name && ended_by(last).is_some()) {
                    open.pop();
                }
                assert_eq!(open.pop(), Some(name), "elements are closed in order; open: {open:?}");
            }
            Piece::Text(text) => assert!(open.last() == Some(&"script") || !text.contains('<'), "a bare < in {text:?}"),
        }
    }
    assert!(open.is_empty(), "left open: {open:?}");
    for once in ["html", "head", "title", "body"] {
        assert_eq!(seen.iter().filter(|name| **name == once).count(), 1, "one <{once}>");
    }
}

/// The text that the first element with this id shows, as a browser's `textContent` gives it.
pub fn text_of(page: &str, id: &str) -> String {
    let pieces = pieces(page);
    let start = pieces
        .iter()
        .position(|piece| matches!(piece, Piece::Open { attributes, .. } if attribute(attributes, "id") == Some(id)));
    let start = start.unwrap_or_else(|| panic!("nothing has the id {id}"));
    let (mut depth, mut text) = (0, String::new());
    for piece in &pieces[start..] {
        match piece {
            Piece::Open { name, .. } if !VOID.contains(name) => depth += 1,
            Piece::Open { .. } => {}
            Piece::Close(_) => depth -= 1,
            Piece::Text(part) => text += &unescape(part),
        }
        if depth == 0 {
            break;
        }
    }
    text
}

/// Whether the page has this text in one piece.
pub fn shows(page: &str, text: &str) -> bool {
    pieces(page).iter().any(|piece| matches!(piece, Piece::Text(part) if unescape(part).contains(text)))
}

/// The value of an attribute of the first element with this id.
pub fn attribute_of(page: &str, id: &str, name: &str) -> Option<String> {
    pieces(page).iter().find_map(|piece| match piece {
        Piece::Open { attributes, .. } if attribute(attributes, "id") == Some(id) => {
            attribute(attributes, name).map(str::to_owned)
        }
        _ => None,
    })
}

/// The classes of the elements that directly or indirectly hold the first text with `needle`, outermost first.
pub fn classes_around(page: &str, needle: &str) -> Vec<String> {
    let mut open: Vec<(&str, &str)> = Vec::new();
    for piece in pieces(page) {
        match piece {
            Piece::Open { name, attributes } if !VOID.contains(&name) => open.push((name, attributes)),
            Piece::Open { .. } => {}
            Piece::Close(_) => drop(open.pop()),
            Piece::Text(text) if unescape(text).contains(needle) && open.iter().any(|(name, _)| *name == "body") => {
                let classes = open.iter().filter_map(|(_, attributes)| attribute(attributes, "class"));
                return classes.map(str::to_owned).collect();
            }
            Piece::Text(_) => {}
        }
    }
    panic!("{needle:?} is not on the page")
}

fn unescape(text: &str) -> String {
    let mut plain = String::new();
    let mut rest = text;
    while let Some(at) = rest.find('&') {
        plain += &rest[..at];
        rest = &rest[at..];
        let (name, after) = rest[1..].split_once(';').expect("an ampersand begins a reference");
        let code = |digits: &str, radix| u32::from_str_radix(digits, radix).ok().and_then(char::from_u32);
        let char = match name {
            "lt" => Some('<'),
            "gt" => Some('>'),
            "amp" => Some('&'),
            "quot" => Some('"'),
            "apos" => Some('\''),
            _ => match name.strip_prefix("#x") {
                Some(digits) => code(digits, 16),
                None => name.strip_prefix('#').and_then(|digits| code(digits, 10)),
            },
        };
        plain.push(char.unwrap_or_else(|| panic!("an unknown reference: &{name};")));
        rest = after;
    }
    plain + rest
}
