//! What stands beside a log file under the names that rotation gives: which are there, and which is older. It goes by
//! names alone, and reads no file.

use std::ffi::OsStr;
use std::mem::discriminant;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use rustix::fs::{OFlags, RawDir};

use super::{Opened, Refused, Root, open_beneath};

/// More files of a folder are not looked at.
const MOST: usize = 10_000;

/// So many bytes of names are read at once. The kernel holds a folder still for one getdents(2), not between two: a file
/// that is renamed meanwhile may then be passed over.
const AT_ONCE: usize = 1 << 20;

/// A file that is renamed between our look and our opening is looked for so often.
const TRIES: usize = 32;

/// What the name of a packed file ends with.
const PACKED: [&str; 7] = [".gz", ".bz2", ".xz", ".zst", ".lz4", ".Z", ".zip"];

/// A file that was beside another when the folder was read.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Rotated {
    pub(super) path: PathBuf,
    pub(super) inode: u64,
    /// Where its name puts it among the rotated ones; `None` where it is not a name of those.
    pub(super) age: Option<Age>,
}

/// The rotated ones in order, oldest first: where names are of both kinds, those with a number come last.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Age {
    /// `NAME-YYYYMMDD`, `NAME-YYYYMMDD-epoch`, `NAME.YYYY-MM-DD`, and with a time behind it.
    Dated(String),
    /// `NAME.1`: the larger the older.
    Numbered(std::cmp::Reverse<u32>),
}

/// The files beside the one at `path`, oldest rotated first, then those of other names. None where they cannot be read.
pub(super) fn beside(root: &Root, path: &Path) -> Vec<Rotated> {
    let Some(name) = path.file_name() else { return Vec::new() };
    let others = in_folder(root, path.parent().unwrap_or(Path::new(""))).into_iter().filter(|(other, _)| other != path);
    let mut found: Vec<Rotated> = others
        .map(|(path, inode)| Rotated { age: path.file_name().and_then(|other| age(name, other)), path, inode })
        .collect();
    found.sort_by(|a, b| (a.age.is_none(), &a.age).cmp(&(b.age.is_none(), &b.age)));
    found
}

/// What is in `folder`: its path below the root, and its number.
fn in_folder(root: &Root, folder: &Path) -> Vec<(PathBuf, u64)> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY;
    let Ok((target, _)) = root.resolve(folder) else { return Vec::new() };
    let Ok(fd) = open_beneath(root.path(), &target, flags) else { return Vec::new() };
    let mut buffer = Vec::with_capacity(AT_ONCE);
    let mut names = RawDir::new(fd, buffer.spare_capacity_mut());
    let mut found = Vec::new();
    while let Some(Ok(entry)) = names.next()
        && found.len() < MOST
    {
        let name = entry.file_name().to_bytes();
        if !matches!(name, b"." | b"..") {
            found.push((folder.join(OsStr::from_bytes(name)), entry.ino()));
        }
    }
    found
}

impl Rotated {
    /// Whether rotation gave this one and `other` names of the same kind.
    pub(super) fn is_rotated_as(&self, other: &Rotated) -> bool {
        let kinds = [&self.age, &other.age].map(|age| age.as_ref().map(discriminant));
        kinds[0].is_some() && kinds[0] == kinds[1]
    }

    /// Opens this file, under another name where rotation has gone on since it was found. `None` where it cannot be had
    /// any more.
    pub(super) fn open(&self, root: &Root) -> Option<Opened> {
        let folder = self.path.parent().unwrap_or(Path::new(""));
        let mut path = self.path.clone();
        for _ in 0..TRIES {
            let opened = match root.open_rotated(&path) {
                Ok(opened) if opened.identity.inode == self.inode => return Some(opened),
                Ok(opened) => Some(opened),
                Err(Refused::NotFound(_)) => None,
                Err(_) => return None,
            };
            let (now, _) = in_folder(root, folder).into_iter().find(|(_, inode)| *inode == self.inode)?;
            // a link's own number is not that of the file it leads to, and an overlay's folders may tell other numbers
            if now == path && opened.is_some() {
                return opened;
            }
            path = now;
        }
        None
    }
}

/// What `other` says, if it is what rotation makes of `name`.
fn age(name: &OsStr, other: &OsStr) -> Option<Age> {
    let (mark, rest) = other.as_bytes().strip_prefix(name.as_bytes())?.split_first()?;
    let rest = str::from_utf8(rest).ok()?;
    if *mark == b'.' && rest.len() <= 5 && rest.bytes().all(|byte| byte.is_ascii_digit()) {
        return rest.parse().ok().map(|number| Age::Numbered(std::cmp::Reverse(number)));
    }
    let parts = rest.bytes().all(|byte| byte.is_ascii_digit() || b"-_T:".contains(&byte));
    let digits: String = rest.chars().filter(char::is_ascii_digit).collect();
    (matches!(mark, b'.' | b'-') && parts && digits.len() >= 8).then_some(Age::Dated(digits))
}

/// Whether the name of the file at `path` is what rotation, perhaps with packing, makes of that of another one, for which
/// `is_there` is true.
pub(super) fn is_rotated(path: &Path, is_there: impl Fn(&Path) -> bool) -> bool {
    let Some(name) = path.file_name() else { return false };
    let packed = PACKED.iter().find_map(|end| name.as_bytes().strip_suffix(end.as_bytes()));
    let plain = OsStr::from_bytes(packed.unwrap_or(name.as_bytes()));
    let is_base = |base: &[u8]| !base.is_empty() && is_there(&path.with_file_name(OsStr::from_bytes(base)));
    let mut marks = memchr::memchr2_iter(b'.', b'-', plain.as_bytes());
    packed.is_some_and(is_base)
        || marks.any(|at| {
            let base = &plain.as_bytes()[..at];
            age(OsStr::from_bytes(base), plain).is_some() && is_base(base)
        })
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn names(files: &[&str]) -> Vec<String> {
        let folder = tempfile::tempdir().unwrap();
        for file in files {
            fs::write(folder.path().join(file), "").unwrap();
        }
        let (root, name) = Root::of_file(&folder.path().join("app.log"));
        let rotated = beside(&root, &name).into_iter().filter(|file| file.age.is_some());
        rotated.map(|file| file.path.to_string_lossy().into_owned()).collect()
    }

    #[test]
    fn numbered_ones_are_older_the_larger_their_number() {
        let files = ["app.log", "app.log.10", "app.log.2", "app.log.0", "app.log.1"];
        assert_eq!(names(&files), ["app.log.10", "app.log.2", "app.log.1", "app.log.0"]);
    }

    #[test]
    fn dated_ones_are_older_the_earlier_their_date() {
        let files = ["app.log-20260102", "app.log-20260101-1767300000", "app.log-20260101", "app.log.2025-12-31"];
        let sorted = ["app.log.2025-12-31", "app.log-20260101", "app.log-20260101-1767300000", "app.log-20260102"];
        assert_eq!(names(&files), sorted);
        let hourly = ["app.log.2026-01-01_10-00-00", "app.log.2026-01-01_09-00-00"];
        assert_eq!(names(&hourly), [hourly[1], hourly[0]]);
    }

    #[test]
    fn a_name_that_rotation_made_of_one_that_is_there_is_told() {
        let there = |path: &Path| [Path::new("a/app.log"), Path::new("a/app-1.log"), Path::new("a/x")].contains(&path);
        for name in [
            "app.log.1",
            "app.log.12.gz",
            "app.log-20260101",
            "app.log-20260101.xz",
            "app.log.2026-01-01",
            "app.log.gz",
            "x.7",
        ] {
            assert!(is_rotated(&Path::new("a").join(name), there), "{name}");
            assert!(!is_rotated(&Path::new("b").join(name), there), "another folder's {name}");
        }
        for name in
            ["app.log", "app-1.log", "app-2.log", "app.log.old", "app.1", "x-7", ".1", "-20260101", "app.gz", "1"]
        {
            assert!(!is_rotated(&Path::new("a").join(name), there), "{name}");
        }
    }

    #[test]
    fn what_is_packed_or_another_programs_is_not_one_of_them() {
        assert_eq!(names(&["app.log.1.gz", "app.log.bak", "app.log-", "app.logs.1", "other.log.1"]), [""; 0]);
    }
}
