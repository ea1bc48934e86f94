//! Finds the paths in Rust source: in `use` with all its groups, and in the code. Comments, strings and unit tests are left out.

/// A word, a string of the source's punctuation of which only one character matters at a time, or nothing of interest.
#[derive(Clone, PartialEq, Eq, Debug)]
enum Token {
    Word(String),
    Mark(char),
    PathSeparator,
}

/// Every path with at least one `::` or in a `use`, as its segments; a glob ends with `*`.
pub(crate) fn paths(source: &str) -> Vec<Vec<String>> {
    let tokens = without_unit_tests(&tokens(source));
    let (mut found, mut at) = (Vec::new(), 0);
    while at < tokens.len() {
        match &tokens[at] {
            Token::Word(word) if word == "use" => at = read_tree(&tokens, at + 1, &[], &mut found),
            Token::Word(_) if tokens.get(at + 1) == Some(&Token::PathSeparator) => {
                at = read_tree(&tokens, at, &[], &mut found);
            }
            _ => at += 1,
        }
    }
    found
}

/// Reads one tree of `a::{b, c::d}` from `at`, and tells where it ends.
fn read_tree(tokens: &[Token], mut at: usize, before: &[String], found: &mut Vec<Vec<String>>) -> usize {
    let mut path = before.to_vec();
    loop {
        match tokens.get(at) {
            Some(Token::PathSeparator) => {
                at += 1;
                continue;
            }
            Some(Token::Word(word)) if word != "as" => {
                path.push(word.clone());
                at += 1;
            }
            Some(Token::Mark('*')) => {
                path.push("*".to_owned());
                at += 1;
            }
            Some(Token::Mark('{')) => {
                at += 1;
                while tokens.get(at).is_some_and(|token| *token != Token::Mark('}')) {
                    at = read_tree(tokens, at, &path, found).max(at);
                    if tokens.get(at) == Some(&Token::Mark(',')) {
                        at += 1;
                    }
                }
                return at + 1;
            }
            _ => break,
        }
        if tokens.get(at) != Some(&Token::PathSeparator) {
            break;
        }
    }
    if tokens.get(at) == Some(&Token::Word("as".to_owned())) {
        at += 2;
    }
    if path.len() > before.len() {
        found.push(path);
        return at;
    }
    at + 1
}

/// The tokens without those of `#[cfg(test)] mod NAME { … }`.
fn without_unit_tests(tokens: &[Token]) -> Vec<Token> {
    let word = |text: &str| Token::Word(text.to_owned());
    let start = [
        Token::Mark('#'),
        Token::Mark('['),
        word("cfg"),
        Token::Mark('('),
        word("test"),
        Token::Mark(')'),
        Token::Mark(']'),
        word("mod"),
    ];
    let (mut kept, mut at) = (Vec::new(), 0);
    while at < tokens.len() {
        if !tokens[at..].starts_with(&start) {
            kept.push(tokens[at].clone());
            at += 1;
            continue;
        }
        at += start.len() + 1;
        let mut depth = 0;
        while let Some(token) = tokens.get(at) {
            at += 1;
            match token {
                Token::Mark('{') => depth += 1,
                Token::Mark('}') => depth -= 1,
                _ => {}
            }
            if depth == 0 {
                break;
            }
        }
    }
    kept
}

fn tokens(source: &str) -> Vec<Token> {
    let chars: Vec<char> = source.chars().collect();
    let (mut tokens, mut at) = (Vec::new(), 0);
    while at < chars.len() {
        let rest = &chars[at..];
        match rest {
            ['/', '/', ..] => at += rest.iter().position(|c| *c == '\n').unwrap_or(rest.len()),
            ['/', '*', ..] => at += block_comment(rest),
            ['r', '"' | '#', ..] if raw_string(rest).is_some() => at += raw_string(rest).unwrap(),
            ['b', 'r', '"' | '#', ..] if raw_string(&rest[1..]).is_some() => at += 1 + raw_string(&rest[1..]).unwrap(),
            ['"', ..] => at += string(rest),
            ['\'', ..] => at += char_or_lifetime(rest),
            [':', ':', ..] => {
                tokens.push(Token::PathSeparator);
                at += 2;
            }
            [first, ..] if first.is_alphanumeric() || *first == '_' => {
                let word: String = rest.iter().take_while(|c| c.is_alphanumeric() || **c == '_').collect();
                at += word.chars().count();
                tokens.push(Token::Word(word));
            }
            [first, ..] => {
                if !first.is_whitespace() {
                    tokens.push(Token::Mark(*first));
                }
                at += 1;
            }
            [] => break,
        }
    }
    tokens
}

/// The length of a comment that may hold others.
fn block_comment(chars: &[char]) -> usize {
    let (mut depth, mut at) = (0, 0);
    while at < chars.len() {
        match chars[at..] {
            ['/', '*', ..] => (depth, at) = (depth + 1, at + 2),
            ['*', '/', ..] => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
        if depth == 0 {
            break;
        }
    }
    at
}

/// The length of `r#"…"#`, if that is what `chars` begins with.
fn raw_string(chars: &[char]) -> Option<usize> {
    let hashes = chars[1..].iter().take_while(|c| **c == '#').count();
    if chars.get(1 + hashes) != Some(&'"') {
        return None;
    }
    let end: Vec<char> = std::iter::once('"').chain(std::iter::repeat_n('#', hashes)).collect();
    let body = 2 + hashes;
    let length = chars[body..].windows(end.len()).position(|window| window == end)?;
    Some(body + length + end.len())
}

fn string(chars: &[char]) -> usize {
    let mut at = 1;
    while at < chars.len() && chars[at] != '"' {
        at += if chars[at] == '\\' { 2 } else { 1 };
    }
    at + 1
}

fn char_or_lifetime(chars: &[char]) -> usize {
    match chars {
        ['\'', '\\', _, rest @ ..] => 3 + rest.iter().position(|c| *c == '\'').map_or(0, |at| at + 1),
        ['\'', _, '\'', ..] => 3,
        _ => 1,
    }
}
