//! A folder as its files are found: beneath it, on open descriptors, past its patterns, and only regular files. It
//! follows a symbolic link only where that is allowed and stays beneath, and reads nothing.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::path::{Component, Path, PathBuf};

use globset::{GlobBuilder, GlobSet, GlobSetBuilder};
use rustix::fs::{FileType, OFlags, Stat, fstat};
use rustix::io::Errno;
use thiserror::Error;

use super::{Folder, Pattern, Several, open_beneath, seconds};

/// See the module.
#[derive(Debug)]
pub struct Root {
    path: PathBuf,
    follow_symlinks: bool,
    hidden: bool,
    allow: Option<GlobSet>,
    deny: GlobSet,
}

/// What tells one file from another while it is there.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) struct Identity {
    pub(super) device: u64,
    pub(super) inode: u64,
}

/// A regular file, open for reading.
#[derive(Debug)]
pub struct Opened {
    pub(super) file: File,
    pub(super) identity: Identity,
    /// When it was made, in seconds since 1970; 0 where its file system does not know.
    pub(super) born: u32,
}

/// Why a file or folder cannot be had.
#[derive(Error, Debug)]
pub enum Refused {
    /// There is nothing of that name.
    #[error("{} is not there", .0.display())]
    NotFound(PathBuf),
    /// It may not be shown.
    #[error("{} is not shown: {why}", path.display())]
    Forbidden {
        /// What was asked for.
        path: PathBuf,
        /// Which rule forbids it.
        why: Why,
    },
    /// It is a folder, a pipe, a device or a socket.
    #[error("{} is not a regular file, and only those are followed: name a file", .0.display())]
    NotRegular(PathBuf),
    /// It is not a folder.
    #[error("{} is not a folder, and only those can be listed: name a folder", .0.display())]
    NotAFolder(PathBuf),
    /// The system does not let us.
    #[error("{} cannot be read: {error}; see that the user that joblines runs as may read it", path.display())]
    Failed {
        /// What was asked for.
        path: PathBuf,
        /// What the system says.
        error: io::Error,
    },
}

/// Which rule forbids a path.
#[derive(Error, Clone, Copy, PartialEq, Eq, Debug)]
pub enum Why {
    /// It is absolute, or has `.` or `..` in it, or a NUL.
    #[error("a path is made of names below its folder, without `.` and `..`")]
    NotBeneath,
    /// A name in it begins with a dot.
    #[error("hidden files are not, unless the feed has `hidden = true`")]
    Hidden,
    /// No pattern of `allow` matches.
    #[error("no pattern of the feed's `allow` matches it")]
    NotAllowed,
    /// A pattern of `deny` matches.
    #[error("a pattern of the feed's `deny` matches it")]
    Denied,
    /// A part of it is a symbolic link.
    #[error("a symbolic link is in its way; name what it leads to, or set `follow_symlinks = true` for the feed")]
    Link,
    /// And that leads out of the folder.
    #[error("its symbolic link leads out of the folder; make a feed of what it leads to")]
    LinkOutside,
}

impl Root {
    /// `folder`, with its patterns read. In a pattern `*` matches `/` too, and what is denied is so with all below it.
    ///
    /// # Errors
    /// Where a pattern is none.
    pub fn new(folder: &Folder) -> Result<Root, globset::Error> {
        Ok(Root {
            path: folder.path.clone(),
            follow_symlinks: folder.follow_symlinks,
            hidden: folder.hidden,
            allow: (!folder.allow.is_empty()).then(|| patterns(&folder.allow)).transpose()?,
            deny: patterns(&folder.deny)?,
        })
    }

    /// What the one file at `path` is found in, and its path below that. A symbolic link is followed as far as it stays
    /// in the file's folder.
    pub fn of_file(path: &Path) -> (Root, PathBuf) {
        let folder = path.parent().unwrap_or(Path::new("/")).to_owned();
        let root = Root { path: folder, follow_symlinks: true, hidden: true, allow: None, deny: GlobSet::empty() };
        (root, path.file_name().map(PathBuf::from).unwrap_or_default())
    }

    /// The folder of a pattern, which alone says which of its files may be had. In it `*` does not match `/`, as in a shell.
    ///
    /// # Errors
    /// Where a pattern is none.
    pub(super) fn of_pattern(pattern: &Pattern, several: &Several) -> Result<Root, globset::Error> {
        let allow = GlobBuilder::new(&pattern.below).literal_separator(true).build()?;
        Ok(Root {
            path: pattern.folder.clone(),
            follow_symlinks: several.follow_symlinks,
            hidden: several.hidden,
            allow: Some(GlobSetBuilder::new().add(allow).build()?),
            deny: patterns(&several.deny)?,
        })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The file at `path` below the folder, open for reading. A pipe cannot hold this up.
    ///
    /// # Errors
    /// Why it is not shown.
    pub fn open(&self, path: &Path) -> Result<Opened, Refused> {
        self.judge(path, Kind::File)?;
        self.open_judged(path)
    }

    /// As [`open`](Root::open), for what was beside an allowed file once: it needs no `allow` of its own.
    pub(super) fn open_rotated(&self, path: &Path) -> Result<Opened, Refused> {
        self.judge(path, Kind::Folder)?;
        self.open_judged(path)
    }

    /// Which file is at `path` now; it is not opened, so that nobody who watches it is told of us.
    pub(super) fn find(&self, path: &Path) -> Result<Identity, Refused> {
        self.judge(path, Kind::File)?;
        let (_, fd) = self.resolve(path)?;
        regular(path, &fd)
    }

    fn open_judged(&self, path: &Path) -> Result<Opened, Refused> {
        let (target, fd) = self.resolve(path)?;
        regular(path, &fd)?;
        let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY;
        let file = open_beneath(&self.path, &target, flags).map_err(|error| refuse(path, error))?;
        // it may be another by now
        let identity = regular(path, &file)?;
        let file = File::from(file);
        let born = file.metadata().and_then(|found| found.created()).map_or(0, seconds);
        Ok(Opened { file, identity, born })
    }

    /// What is at `path`, behind links where they are allowed, and where that is.
    pub(super) fn resolve(&self, path: &Path) -> Result<(PathBuf, OwnedFd), Refused> {
        match open_beneath(&self.path, path, OFlags::PATH) {
            Ok(fd) => Ok((path.to_owned(), fd)),
            Err(error) if is_link(&error) && self.follow_symlinks => {
                let target = self.target(path)?;
                let fd = open_beneath(&self.path, &target, OFlags::PATH).map_err(|error| refuse(path, error))?;
                Ok((target, fd))
            }
            Err(error) => Err(refuse(path, error)),
        }
    }

    /// Where the links in `path` lead, by names alone: if they are turned after this, it is still beneath.
    fn target(&self, path: &Path) -> Result<PathBuf, Refused> {
        let real = |path: &Path| fs::canonicalize(path).map_err(|error| refuse(path, error));
        let (folder, target) = (real(&self.path)?, real(&self.path.join(path))?);
        let outside = |_| Refused::Forbidden { path: path.to_owned(), why: Why::LinkOutside };
        let target = target.strip_prefix(&folder).map_err(outside)?;
        // it is named by the link, so `allow` has been asked; but what is not shown is not shown under another name
        self.judge(target, Kind::Folder)?;
        Ok(target.to_owned())
    }

    /// Whether a path of names may be shown, by the names alone.
    pub(super) fn judge(&self, path: &Path, kind: Kind) -> Result<(), Refused> {
        let forbid = |why| Err(Refused::Forbidden { path: path.to_owned(), why });
        let plain = path.components().all(|part| matches!(part, Component::Normal(_)));
        if !plain || path.as_os_str().as_bytes().contains(&0) {
            return forbid(Why::NotBeneath);
        }
        if !self.hidden && path.iter().any(is_hidden) {
            return forbid(Why::Hidden);
        }
        if path.ancestors().any(|path| !path.as_os_str().is_empty() && self.deny.is_match(path)) {
            return forbid(Why::Denied);
        }
        if kind == Kind::File && self.allow.as_ref().is_some_and(|allow| !allow.is_match(path)) {
            return forbid(Why::NotAllowed);
        }
        Ok(())
    }
}

/// What is judged: `allow` speaks of files alone.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Kind {
    File,
    Folder,
}

impl Identity {
    pub(super) fn of(found: &Stat) -> Identity {
        Identity { device: found.st_dev, inode: found.st_ino }
    }
}

fn patterns(texts: &[String]) -> Result<GlobSet, globset::Error> {
    let mut set = GlobSetBuilder::new();
    for text in texts {
        set.add(GlobBuilder::new(text).build()?);
    }
    set.build()
}

fn is_hidden(name: &OsStr) -> bool {
    name.as_bytes().starts_with(b".")
}

fn regular(path: &Path, fd: &OwnedFd) -> Result<Identity, Refused> {
    let found = fstat(fd).map_err(|error| refuse(path, error.into()))?;
    match FileType::from_raw_mode(found.st_mode) {
        FileType::RegularFile => Ok(Identity::of(&found)),
        _ => Err(Refused::NotRegular(path.to_owned())),
    }
}

fn is_link(error: &io::Error) -> bool {
    Errno::from_io_error(error) == Some(Errno::LOOP)
}

/// What the system's `error` means for whoever asked for `path`.
pub(super) fn refuse(path: &Path, error: io::Error) -> Refused {
    let path = path.to_owned();
    match Errno::from_io_error(&error) {
        Some(Errno::NOENT | Errno::NOTDIR | Errno::NAMETOOLONG) => Refused::NotFound(path),
        Some(Errno::LOOP) => Refused::Forbidden { path, why: Why::Link },
        // between our look and our opening it became a socket or a device that nobody serves
        Some(Errno::NXIO | Errno::NODEV) => Refused::NotRegular(path),
        _ => Refused::Failed { path, error },
    }
}
