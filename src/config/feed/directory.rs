//! A feed of a folder's files as written → as meant. It never looks whether the folder is there.

use crate::config::{Invalid, Mistake, Table, Value, absolute};
use crate::sources::file::Folder;

use super::{Reading, check_glob};

/// What joblines' own addresses begin with, below the base path: nothing else can.
pub const OWN_ADDRESSES: [&str; 7] = ["assets", "feeds", "healthz", "jobs", "metrics", "openapi.json", "runs"];

/// What the addresses of flask-log-viewer begin with where nothing else is said.
const FLASK: &str = "/logs";

/// Reads the folder and its keys; `None` only together with a mistake.
pub(super) fn take<'t>(table: &mut Table<'t, '_>, reading: &mut Reading<'t, '_>) -> Option<Folder> {
    let path =
        table.take("directory", |value| value.parsed("/var/log/app", None, |path| absolute(reading.folder, path)));
    let follow_symlinks = table.take("follow_symlinks", Value::boolean).unwrap_or(false);
    let hidden = table.take("hidden", Value::boolean).unwrap_or(false);
    let mut patterns = |key, example: &str| {
        table.take_list(key, 0, example, |item| item.parsed("*.log", None, glob)).unwrap_or_default()
    };
    let (allow, deny) = (patterns("allow", "[\"*.log\"]"), patterns("deny", "[\"*.gz\"]"));
    let flask = take_flask(table, reading);
    Some(Folder { path: path?, follow_symlinks, hidden, allow, deny, flask })
}

/// A pattern of paths below the folder, as written.
fn glob(text: &str) -> Result<String, Invalid> {
    if text.is_empty() {
        return Err(Invalid::new("the pattern is empty", "write one such as `\"*.log\"`"));
    }
    if let Some(below) = text.strip_prefix('/') {
        let remedy = format!("write `\"{below}\"`: a pattern is of the path below the folder");
        return Err(Invalid::new(format!("no file matches `{text}`"), remedy));
    }
    check_glob(text).map(|()| text.to_owned())
}

/// What the addresses of flask-log-viewer that lead to the folder begin with: `"flask"`, or `{ flask = "/prefix" }`.
fn take_flask<'t>(table: &mut Table<'t, '_>, reading: &mut Reading<'t, '_>) -> Option<String> {
    let value = table.value("paths")?;
    if !value.is_table() {
        return table.take("paths", |value| {
            value.choice(&[("flask", ())])?;
            take_prefix(value, FLASK.to_owned(), reading)
        });
    }
    let header = table.header_below("paths");
    let mut paths = table.take_table("paths", &header)?;
    let is_there = paths.seems_to_have("flask", &[]) || paths.value("flask").is_some();
    let prefix = paths.take("flask", |value| {
        let prefix = value.parsed("/logs", None, check_prefix)?;
        take_prefix(value, prefix, reading)
    });
    if !is_there {
        let remedy = "write `paths = { flask = \"/logs\" }`, or take it out";
        paths.miss(value.mistake_about_key("`paths` has no `flask`", remedy));
    }
    paths.finish(|_, _| None);
    prefix
}

/// A path below the base path; empty where it is that itself.
fn check_prefix(text: &str) -> Result<String, Invalid> {
    let prefix = text.strip_suffix('/').unwrap_or(text);
    if text.is_empty() || !text.starts_with('/') {
        return Err(Invalid::new(format!("`{text}` is no path"), "it begins with a slash: write `\"/logs\"`"));
    }
    let stands = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    let is_name = |name: &str| !matches!(name, "" | "." | "..") && name.bytes().all(stands);
    let mut names = prefix.split('/').skip(1);
    if !names.clone().all(is_name) {
        let remedy = "it is made of names with a slash before each, of letters, digits and `-._~`";
        return Err(Invalid::new(format!("no address begins with `{text}`"), remedy));
    }
    match names.next().filter(|first| OWN_ADDRESSES.contains(first)) {
        Some(first) => {
            let problem = format!("joblines' own addresses begin with `/{first}`");
            Err(Invalid::new(problem, "choose another, such as `\"/logs\"`"))
        }
        None => Ok(prefix.to_owned()),
    }
}

/// Takes a prefix for the feed that is being read, unless the addresses of another can be the same.
fn take_prefix<'t>(value: &Value<'t>, prefix: String, reading: &mut Reading<'t, '_>) -> Result<String, Mistake> {
    let other = reading.flask.iter().find(|(other, _)| meet(other, &prefix) || meet(&prefix, other));
    if let Some((other, feed)) = other {
        let problem = format!("feed `{feed}` has the addresses of flask-log-viewer below `{other}/` already");
        let remedy = "give this one others, as in `paths = { flask = \"/more-logs\" }`, or take it out";
        return Err(value.mistake(problem, remedy));
    }
    reading.flask.push((prefix.clone(), reading.name()));
    Ok(prefix)
}

/// Whether an address below `prefix` can be one below `other` too: that is one of its files.
fn meet(prefix: &str, other: &str) -> bool {
    let Some(rest) = other.strip_prefix(prefix) else { return false };
    let is_word =
        |rest: &str, word: &str| rest.strip_prefix(word).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
    rest.is_empty() || ["/stream", "/stream_log", "/view"].iter().any(|word| is_word(rest, word))
}
