//! Passwords that stand in a `jobs.toml`, kept out of what is said about it. It judges nothing, and hides too much rather
//! than too little.

use std::borrow::Cow;
use std::ops::Range;

/// What stands before `://` in the URL of a Redis server.
const SCHEMES: [&str; 3] = ["redis", "rediss", "redis+unix"];

/// `text` with asterisks for whatever may be a password in it, byte for byte, so that every place in it stays what it was.
pub(super) fn hide_passwords(text: &str) -> String {
    text.split_inclusive('\n').map(hide_in_line).collect()
}

fn hide_in_line(line: &str) -> Cow<'_, str> {
    let content = line.trim_end_matches(['\n', '\r']);
    let ranges: Vec<_> = in_urls(content).into_iter().chain(after_keys(content)).collect();
    if ranges.is_empty() {
        return Cow::Borrowed(line);
    }
    let is_hidden = |at: usize| ranges.iter().any(|range| range.contains(&at));
    let hidden =
        line.char_indices().map(|(at, c)| if is_hidden(at) { "*".repeat(c.len_utf8()) } else { c.to_string() });
    Cow::Owned(hidden.collect())
}

/// What may be a user and a password in the URLs of Redis servers: all up to the last `@`, as a password may have one too.
fn in_urls(line: &str) -> Option<Range<usize>> {
    let mut starts = line.match_indices("://").filter(|(at, _)| {
        let before = line.get(..*at).unwrap_or_default().to_ascii_lowercase();
        SCHEMES.iter().any(|scheme| before.ends_with(scheme))
    });
    let (at, separator) = starts.next()?;
    let start = at + separator.len();
    let rest = line.get(start..)?;
    if let Some(end) = rest.rfind('@') {
        return Some(start..start + end);
    }
    let is_plain = |(at, _): (usize, &str)| is_plain(line.get(at + separator.len()..).unwrap_or_default());
    let suspicious =
        rest.contains('\\') || rest.contains("pass=") || !is_plain((at, separator)) || !starts.all(is_plain);
    suspicious.then_some(start..line.len())
}

/// Whether this is a host, and a port if anything, up to where a URL cannot go on: `:hunter2` is neither.
fn is_plain(url: &str) -> bool {
    let end = url.find(|c: char| c.is_whitespace() || "/?#\"'`,".contains(c)).unwrap_or(url.len());
    let authority = url.get(..end).unwrap_or_default();
    let host = match authority.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => host,
        Some(_) if authority.ends_with(']') => authority,
        Some(_) => return false,
        None => authority,
    };
    host.starts_with('[') || (!host.contains(':') && (host.is_empty() == authority.is_empty()))
}

/// The rest of the line after `password = "`, a key that no table has and some will try.
fn after_keys(line: &str) -> Option<Range<usize>> {
    let lower = line.to_ascii_lowercase();
    lower.match_indices("password").find_map(|(at, word)| {
        let after = line.get(at + word.len()..)?.trim_start_matches(['"', '\'']);
        let value = after.trim_start().strip_prefix('=')?.trim_start();
        value.starts_with(['"', '\'']).then(|| line.len() - value.len()..line.len())
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_may_be_a_password_is_hidden_and_all_places_stay() {
        for (text, hidden) in [
            ("redis = \"redis://:hunter2@h:1/0\"\r\nx = 1\n", "redis = \"redis://********@h:1/0\"\r\nx = 1\n"),
            ("rediss://user:p@s@h", "rediss://********@h"),
            ("redis+unix://ü:hunter2@/x", "redis+unix://**********@/x"),
            ("REDIS://:hun ter2\"@h", "REDIS://**********@h"),
            ("redis = \"redis://:hunter2\"", "redis = \"redis://*********"),
            ("redis = \"redis://user:hunter2:h\"", "redis = \"redis://***************"),
            ("redis = \"redis://:hunter2\\u0040h\"", "redis = \"redis://****************"),
            ("redis+unix:///x?pass=hunter2", "redis+unix://***************"),
            ("password = 'hunter2'", "password = *********"),
            ("{ \"Password\"=\"hunter2\" }", "{ \"Password\"=***********"),
        ] {
            assert_eq!(hide_passwords(text), hidden);
        }
    }

    #[test]
    fn what_is_no_password_stays() {
        for text in [
            "redis = \"redis://127.0.0.1:6379/2\"",
            "redis = 'redis://[::1]'",
            "redis = 'redis://[::1]:6379'",
            "redis = \"redis+unix:///run/redis.sock\"",
            "write `redis://host:6379` or `rediss://host`, please",
            "command = 'curl http://u:p@h' # ü",
            "password_file = 'x'",
            "params.password = { type = 'secret' }",
            "",
        ] {
            assert_eq!(hide_passwords(text), text);
        }
    }

    proptest! {
        #[test]
        fn no_password_is_seen_and_no_text_changes_its_length(
            before in "\\PC{0,10}",
            scheme in "redis|rediss|redis\\+unix",
            user in "[a-z]{0,4}",
            password in "SECRET\\PC{0,10}SECRET",
            after in "[^@\n]{0,10}",
        ) {
            let text = format!("{before}{scheme}://{user}:{password}@{after}\nnext\n");
            let hidden = hide_passwords(&text);
            prop_assert!(!hidden.contains("SECRET"), "{}", hidden);
            prop_assert_eq!(hidden.len(), text.len());
            prop_assert!(hidden.ends_with("\nnext\n"));
        }

        #[test]
        fn no_text_makes_it_panic(text in "(redis|://|@|:|/|password|=|\"|\\PC|\n){0,30}") {
            prop_assert_eq!(hide_passwords(&text).len(), text.len());
        }
    }
}
