//! Several files as one feed as written → as meant. It never looks whether they are there.

use std::path::Path;

use crate::config::{Invalid, Table, Value, absolute};
use crate::sources::file::{Pattern, Several};

use super::check_glob;

/// Reads the files and their keys; `None` only together with a mistake.
pub(super) fn take(table: &mut Table<'_, '_>, folder: &Path) -> Option<Several> {
    let example = "[\"/var/log/app-*.log\", \"worker.log\"]";
    let mut seen = Vec::new();
    let patterns = table.take_list("files", 1, example, |item| {
        let pattern = item.parsed("app-*.log", None, |text| pattern(folder, text))?;
        if seen.contains(&pattern) {
            let written = format!("{}{}", pattern.shown, pattern.below);
            return Err(item.mistake(format!("`{written}` is listed twice"), "take one of the two out"));
        }
        seen.push(pattern.clone());
        Ok(pattern)
    });
    let follow_symlinks = table.take("follow_symlinks", Value::boolean).unwrap_or(false);
    let hidden = table.take("hidden", Value::boolean).unwrap_or(false);
    let deny = table.take_list("deny", 0, "[\"*.gz\"]", |item| item.parsed("*.gz", None, denied)).unwrap_or_default();
    Some(Several { patterns: patterns?, follow_symlinks, hidden, deny })
}

/// A path whose last names may be a pattern, and the folder above these.
fn pattern(folder: &Path, text: &str) -> Result<Pattern, Invalid> {
    if text.is_empty() {
        return Err(Invalid::new("the name is empty", "write one such as `\"app-*.log\"`, or take it out"));
    }
    if text.ends_with('/') {
        return Err(Invalid::new(format!("`{text}` is a folder"), format!("write `\"{text}*.log\"`")));
    }
    // the name alone, or everything from the first name on that has something of a pattern
    let last = text.rfind('/').map_or(0, |at| at + 1);
    let names = text.split_inclusive('/').scan(0, |at, name| {
        let begin = *at;
        *at += name.len();
        Some((begin, name))
    });
    let first = names.filter(|(_, name)| Pattern::is_glob(name)).map(|(at, _)| at).next();
    let (above, below) = text.split_at(first.unwrap_or(last).min(last));
    if Pattern::is_glob(below) {
        check_glob(below)?;
    }
    if below.split('/').any(|name| matches!(name, "" | "." | "..")) {
        let remedy = "behind a pattern stand names alone, with one slash between them";
        return Err(Invalid::new(format!("no file matches `{text}`"), remedy));
    }
    let folder = if above.is_empty() { folder.to_owned() } else { absolute(folder, above)? };
    Ok(Pattern { folder, shown: above.to_owned(), below: below.to_owned() })
}

/// A pattern of paths below the folders, as written.
fn denied(text: &str) -> Result<String, Invalid> {
    if text.is_empty() {
        return Err(Invalid::new("the pattern is empty", "write one such as `\"*.gz\"`"));
    }
    if text.starts_with('/') {
        let remedy = "a pattern of `deny` is of the path below the folder that is written before the first `*`";
        return Err(Invalid::new(format!("no file matches `{text}`"), remedy));
    }
    check_glob(text).map(|()| text.to_owned())
}
