//! How far several files had come when the server ended: their positions, and what the journal got after the last of them
//! was saved. It changes none of them.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fs;
use std::os::unix::ffi::OsStringExt;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use tracing::warn;

use super::{Opened, Position};
use crate::journal::Journal;
use crate::record::{Entry, Stream};
use crate::sources::first_line;

/// One append is never more.
const MOST: usize = 8 << 20;

/// A file whose position is saved.
#[derive(Debug)]
pub(super) struct Saved {
    /// The file in the state folder.
    pub(super) file: PathBuf,
    /// What people know the followed one by.
    pub(super) name: PathBuf,
    /// `None` where it is damaged.
    pub(super) position: Option<Position>,
}

/// The positions in `folder`, brought up to what `journal` has; `None` where it is not the journal that they are of.
/// Files that have none are removed.
pub(super) fn load(folder: &Path, journal: &Journal, keep: &str) -> Option<(Vec<Saved>, Appended)> {
    let mut saved = Vec::new();
    let entries = fs::read_dir(folder).into_iter().flatten().map_while(Result::ok);
    for file in entries.filter(|entry| entry.file_name() != keep).map(|entry| entry.path()) {
        match super::PositionFile::read(&file) {
            Some((position, name)) => {
                let name = PathBuf::from(std::ffi::OsString::from_vec(name));
                saved.push(Saved { file, name, position });
            }
            None => drop(fs::remove_file(&file)),
        }
    }
    let latest = saved.iter().filter_map(|saved| Some(saved.position.as_ref()?.journal_bytes)).max();
    let appended = match latest {
        Some(latest) => Appended::after(journal, latest)?,
        None => Appended::default(),
    };
    Some((saved, appended))
}

/// What the journal got after the last position was saved: the lines of each file, by its name.
#[derive(Default, Debug)]
pub(super) struct Appended(HashMap<String, Vec<String>>);

impl Appended {
    fn after(journal: &Journal, offset: u64) -> Option<Appended> {
        let brought = journal.brought_with(Stream::Record, offset, MOST).unwrap_or_else(|error| {
            warn!(%error, "the journal of several files cannot be read");
            None
        })?;
        let mut lines: HashMap<String, Vec<String>> = HashMap::new();
        for entry in brought.last.split(|&byte| byte == b'\n').filter_map(Entry::read) {
            let Some(file) = entry.log_file() else { continue };
            let texts = [Some(&entry.text), entry.exception.as_ref()].into_iter().flatten();
            let texts = texts.flat_map(|text| text.split('\n')).map(str::to_owned);
            lines.entry(file.to_owned()).or_default().extend(texts);
        }
        Some(Appended(lines))
    }

    /// `position` of the file that is known by `name`, moved behind those of its lines that the journal has.
    pub(super) fn move_on(&self, name: &str, mut position: Position, opened: &Opened) -> Position {
        let Some(lines) = self.0.get(name) else { return position };
        let mut block = vec![0; MOST];
        let Ok(count) = opened.file.read_at(&mut block, position.offset) else { return position };
        let (taken, closed) = behind(lines, &block[..count], position.closed);
        let read = block.get(..taken).unwrap_or_default();
        position.offset += taken as u64;
        position.closed = closed;
        position.before.extend_from_slice(read);
        let surplus = position.before.len().saturating_sub(super::REMEMBERED);
        position.before.drain(..surplus);
        position
    }
}

/// How many of `bytes` the journal has as `lines`, and whether a newline that comes next ends the last of these. `closed`:
/// the same before the first.
fn behind(lines: &[String], bytes: &[u8], mut closed: bool) -> (usize, bool) {
    let mut at = 0;
    for line in lines {
        let next = at + usize::from(closed && bytes.get(at) == Some(&b'\n'));
        let rest = bytes.get(next..).unwrap_or_default();
        let whole = &rest[..first_line(rest)];
        let text = whole.strip_suffix(b"\n").unwrap_or(whole);
        let text = text.strip_suffix(b"\r").unwrap_or(text);
        let length = match String::from_utf8_lossy(text) {
            Cow::Borrowed(text) if text == line => whole.len(),
            Cow::Owned(text) if text == *line => whole.len(),
            // it was appended before its end was there
            _ if !line.is_empty() && text.starts_with(line.as_bytes()) => line.len(),
            _ => break,
        };
        // what an empty file does not have is not there
        if length == 0 {
            break;
        }
        at = next + length;
        closed = bytes.get(at - 1) != Some(&b'\n');
    }
    (at, closed)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::sources::FileLines;

    fn lines_of(records: &[u8]) -> Vec<String> {
        let entries = records.split(|&byte| byte == b'\n').filter_map(Entry::read);
        let texts = entries.flat_map(|entry| {
            [Some(entry.text), entry.exception].into_iter().flatten().map(Cow::into_owned).collect::<Vec<_>>()
        });
        texts.flat_map(|text| text.split('\n').map(str::to_owned).collect::<Vec<_>>()).collect()
    }

    #[test]
    fn a_piece_without_its_newline_is_passed_and_what_is_not_in_the_file_is_not() {
        let lines = |texts: &[&str]| texts.iter().map(|text| text.to_string()).collect::<Vec<_>>();
        assert_eq!(behind(&lines(&["one", "tw"]), b"one\ntwo\n", false), (6, true));
        assert_eq!(behind(&lines(&["", "one"]), b"\n\none\n", true), (6, false));
        assert_eq!(behind(&lines(&["one", "other"]), b"one\r\ntwo\n", false), (5, false));
        assert_eq!(behind(&lines(&["", "x"]), b"", true), (0, true));
    }

    const PIECES: &[&[u8]] =
        &[b"\n", b"\r\n", b"x", b" y", b"ERROR:a:b", b"Traceback (most", b"\xff\xe4", "é".as_bytes(), &[b'z'; 40_000]];

    proptest! {
        #[test]
        fn whatever_was_made_of_a_files_lines_is_found_again(
            text in proptest::collection::vec(prop::sample::select(PIECES), 0..40),
            more in "[a\n]{0,5}",
        ) {
            let mut text = text.concat();
            text.push(b'\n');
            let mut lines = FileLines::new("app.log");
            let (mut records, mut rest) = (Vec::new(), &text[..]);
            while !rest.is_empty() {
                let (made, taken) = lines.records(rest);
                records.extend(made);
                rest = &rest[taken..];
            }
            let whole = [&text[..], more.as_bytes()].concat();
            prop_assert_eq!(behind(&lines_of(&records), &whole, false), (text.len(), false));
        }
    }
}
