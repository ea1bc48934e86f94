//! A feed of a folder's files as written → as meant. It never looks whether the folder is there.

use globset::{Glob, GlobSetBuilder};

use crate::config::{Invalid, Table, Value, absolute};
use crate::sources::file::Folder;

use super::Reading;

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
    let flask_paths = take_flask(table, reading);
    Some(Folder { path: path?, follow_symlinks, hidden, allow, deny, flask_paths })
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
    // only a whole set says whether a pattern is too large to be compiled
    let checked = Glob::new(text).and_then(|glob| GlobSetBuilder::new().add(glob).build());
    checked.map(|_| text.to_owned()).map_err(|error| {
        let problem = format!("`{text}` is not a pattern: {}", error.kind());
        Invalid::new(problem, "`*` is any text, `?` one character, `[ab]` and `{a,b}` one of some; `\\\\` before it takes the meaning away")
    })
}

/// Whether the addresses of flask-log-viewer lead to the folder: there is one `/logs/` only.
fn take_flask<'t>(table: &mut Table<'t, '_>, reading: &mut Reading<'t, '_>) -> bool {
    let taken = table.take("paths", |value| {
        value.choice(&[("flask", ())])?;
        match reading.flask.replace(reading.name()) {
            None => Ok(()),
            Some(other) => {
                let problem = format!("feed `{other}` has the addresses of flask-log-viewer already");
                Err(value
                    .mistake(problem, "they begin with /logs/ and can lead to one folder: take one of the two out"))
            }
        }
    });
    taken.is_some()
}
