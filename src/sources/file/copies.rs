//! Copies that rotation made of a file before it truncated it (`copytruncate`): which of the files beside it is one. It has
//! what was read of the file, and may have more. It reads no more of them than that.
//!
//! Logs begin alike, so an old one may have what was read of a new one too. But one that was finished before the last read to
//! the end has nothing that is missing, whatever it is; and no program can set back when a file was changed (its ctime).

use std::fs::File;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use super::{Opened, Place, Position, beside, holds_at};

/// A copy is known by no fewer bytes.
const TELLING: usize = 64;

/// The kernel takes the times of files from a clock that ticks so far apart at most.
const TICK: Duration = Duration::from_millis(20);

/// The youngest copy of the file at `place` as it was at `position`, and its path. `cut` is what is left of that file, or
/// what took its place.
pub(super) fn find_copy(place: &Place, position: &Position, cut: Option<&File>) -> Option<(PathBuf, Opened)> {
    if position.before.len() < TELLING {
        return None;
    }
    // where that was changed before it was read, the clock of its file system is not ours: bytes have to do
    let seen = position.seen.filter(|seen| cut.is_some_and(|cut| is_changed_since(cut, *seen)));
    beside(&place.root, &place.path).into_iter().rev().filter(|file| file.age.is_some()).find_map(|file| {
        let opened = file.open(&place.root)?;
        let is_copy = opened.identity != position.identity
            && seen.is_none_or(|seen| is_changed_since(&opened.file, seen))
            && holds_at(&opened.file, position.offset, &position.before);
        is_copy.then_some((file.path, opened))
    })
}

fn is_changed_since(file: &File, time: SystemTime) -> bool {
    let changed = file.metadata().ok().and_then(|found| {
        let whole = Duration::from_secs(u64::try_from(found.ctime()).ok()?);
        let rest = Duration::from_nanos(u64::try_from(found.ctime_nsec()).ok()?);
        SystemTime::UNIX_EPOCH.checked_add(whole + rest + TICK)
    });
    changed.is_none_or(|changed| changed >= time)
}
