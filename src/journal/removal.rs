//! Takes a journal's files away, in steps, so that a crash leaves either all of them or something that is found again:
//! its index gets another name, `RUN.removed`, by which nobody finds the journal any more; the other files go, from the
//! last to the first; and whoever keeps a record of the run takes that away before the marker goes too.

use std::ffi::OsStr;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::Files;
use crate::record::RunId;

const REMOVED: &str = "removed";

/// Takes away everything but the marker; what an earlier try has done is not done again.
///
/// # Errors
/// Where a file cannot be renamed or removed.
pub fn retire(base: &Path) -> io::Result<()> {
    if_there(Files::rename_index(base, &marker(base)))?;
    let mut last = 0;
    while Files::exist(base, last + 1) {
        last += 1;
    }
    (0..=last).rev().try_for_each(|number| Files::remove(base, number).map(drop))
}

/// Takes the marker away, with which the last of the journal is gone.
///
/// # Errors
/// Where it cannot be removed.
pub fn forget(base: &Path) -> io::Result<()> {
    if_there(fs::remove_file(marker(base)))
}

/// The run that a file of this name is the marker of.
pub fn retired(name: &OsStr) -> Option<RunId> {
    let name = Path::new(name);
    name.extension().filter(|extension| *extension == REMOVED)?;
    name.file_stem()?.to_str()?.parse().ok()
}

fn marker(base: &Path) -> PathBuf {
    base.with_extension(REMOVED)
}

fn if_there(done: io::Result<()>) -> io::Result<()> {
    match done {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        done => done,
    }
}
