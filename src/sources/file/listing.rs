//! What is in a folder: the files that can be followed and the folders below. It opens no file.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use jiff::Timestamp;
use rustix::fs::{AtFlags, Dir, FileType, OFlags, Stat, fstat, statat};

use super::{Kind, Refused, Root, open_beneath, refuse};

/// A folder of more is cut.
const MOST: usize = 10_000;

/// What is in a folder.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Listing {
    /// In the order of their names, folders first.
    pub entries: Vec<Listed>,
    /// There are more: only the first 10,000 that the system named were looked at.
    pub cut: bool,
}

/// A file or a folder in it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Listed {
    /// Its name, without the folder's.
    pub name: OsString,
    /// In bytes.
    pub size: u64,
    /// When it was last written.
    pub modified: Timestamp,
    /// It can be listed, not followed.
    pub is_folder: bool,
}

impl Root {
    /// What is in the folder at `path` below this one; in this one itself where `path` is empty. Looks at each file, so
    /// it may wait for the disk.
    ///
    /// # Errors
    /// Why it is not shown.
    pub fn list(&self, path: &Path) -> Result<Listing, Refused> {
        self.judge(path, Kind::Folder)?;
        let (target, fd) = self.resolve(path)?;
        let found = fstat(&fd).map_err(|error| refuse(path, error.into()))?;
        if FileType::from_raw_mode(found.st_mode) != FileType::Directory {
            return Err(Refused::NotAFolder(path.to_owned()));
        }
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NONBLOCK;
        let failed = |error| refuse(path, error);
        let fd = open_beneath(self.path(), &target, flags).map_err(failed)?;
        let names = Dir::read_from(&fd).map_err(|error| failed(error.into()))?;
        let mut listing = Listing { entries: Vec::new(), cut: false };
        for (count, name) in names.enumerate() {
            let name = name.map_err(|error| failed(error.into()))?;
            let name = OsStr::from_bytes(name.file_name().to_bytes());
            listing.cut = count >= MOST + 2;
            if listing.cut {
                break;
            }
            // what has gone since is not there
            if let Ok(found) = statat(&fd, name, AtFlags::SYMLINK_NOFOLLOW) {
                listing.entries.extend(self.look(path, name, found));
            }
        }
        listing.entries.sort_by(|a, b| (!a.is_folder, &a.name).cmp(&(!b.is_folder, &b.name)));
        Ok(listing)
    }

    /// `name` in the folder at `path`, if it is shown.
    fn look(&self, path: &Path, name: &OsStr, mut found: Stat) -> Option<Listed> {
        let path = path.join(name);
        if name == "." || name == ".." {
            return None;
        }
        if FileType::from_raw_mode(found.st_mode) == FileType::Symlink {
            found = fstat(self.resolve(&path).ok()?.1).ok()?;
        }
        let kind = match FileType::from_raw_mode(found.st_mode) {
            FileType::RegularFile => Kind::File,
            FileType::Directory => Kind::Folder,
            _ => return None,
        };
        self.judge(&path, kind).ok()?;
        Some(Listed {
            name: name.to_owned(),
            size: u64::try_from(found.st_size).unwrap_or(0),
            modified: Timestamp::new(found.st_mtime, i32::try_from(found.st_mtime_nsec).unwrap_or(0))
                .unwrap_or_default(),
            is_folder: kind == Kind::Folder,
        })
    }
}
