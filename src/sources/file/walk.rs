//! Opens a path beneath a folder without following any symbolic link, by the kernel where it can (openat2(2)), else one
//! folder after another. It judges neither names nor what is opened.

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;

use rustix::fs::{AtFlags, CWD, FileType, Mode, OFlags, ResolveFlags, openat, openat2, statat};
use rustix::io::Errno;

/// The file or folder at `path`, made of plain names, beneath `folder`; that itself where there are no names.
///
/// # Errors
/// `ELOOP` where any part of `path` is a symbolic link; else as open(2).
pub(super) fn open_beneath(folder: &Path, path: &Path, flags: OFlags) -> io::Result<OwnedFd> {
    let base = openat(CWD, folder, OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())?;
    let flags = flags | OFlags::CLOEXEC;
    let path = if path.as_os_str().is_empty() { Path::new(".") } else { path };
    let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_MAGICLINKS | ResolveFlags::NO_SYMLINKS;
    match openat2(&base, path, flags, Mode::empty(), resolve) {
        // an older kernel, or a filter that does not know the call
        Err(Errno::NOSYS | Errno::PERM) => Ok(step_by_step(base, path, flags | OFlags::NOFOLLOW)?),
        opened => Ok(opened?),
    }
}

fn step_by_step(base: OwnedFd, path: &Path, flags: OFlags) -> Result<OwnedFd, Errno> {
    let mut folder = base;
    let mut names = path.components().peekable();
    while let Some(name) = names.next() {
        let name = name.as_os_str();
        let flags = match names.peek() {
            Some(_) => OFlags::PATH | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC,
            None => flags,
        };
        let link = || statat(folder.as_fd(), name, AtFlags::SYMLINK_NOFOLLOW).map(|found| is_link(found.st_mode));
        folder = match openat(&folder, name, flags, Mode::empty()) {
            Err(Errno::NOTDIR) if link()? => return Err(Errno::LOOP),
            // `O_PATH` opens the link itself
            Ok(_) if flags.contains(OFlags::PATH) && link()? => return Err(Errno::LOOP),
            opened => opened?,
        };
    }
    Ok(folder)
}

fn is_link(mode: u32) -> bool {
    FileType::from_raw_mode(mode) == FileType::Symlink
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn the_kernels_way_and_ours_open_and_refuse_the_same() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::create_dir_all(at("a/b")).unwrap();
        fs::write(at("a/b/c"), "x").unwrap();
        symlink("a", at("link")).unwrap();
        symlink("c", at("a/b/last")).unwrap();
        symlink("/etc/hostname", at("out")).unwrap();
        let ours = |path: &str, flags| {
            let base = openat(CWD, folder.path(), OFlags::PATH | OFlags::DIRECTORY, Mode::empty()).unwrap();
            step_by_step(base, Path::new(path), flags | OFlags::NOFOLLOW | OFlags::CLOEXEC).map(drop)
        };
        let theirs = |path: &str, flags| {
            open_beneath(folder.path(), Path::new(path), flags)
                .map(drop)
                .map_err(|error| Errno::from_io_error(&error).unwrap())
        };
        for flags in [OFlags::PATH, OFlags::RDONLY | OFlags::NONBLOCK] {
            for (path, expected) in [
                ("a/b/c", Ok(())),
                ("a/b", Ok(())),
                ("link/b/c", Err(Errno::LOOP)),
                ("a/b/last", Err(Errno::LOOP)),
                ("out", Err(Errno::LOOP)),
                ("a/b/c/d", Err(Errno::NOTDIR)),
                ("no", Err(Errno::NOENT)),
                ("no/no", Err(Errno::NOENT)),
            ] {
                assert_eq!(theirs(path, flags), expected, "{path}");
                assert_eq!(ours(path, flags), expected, "{path}");
            }
        }
    }
}
