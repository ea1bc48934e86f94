//! Notices that a file was saved, in whatever way: written in place, replaced, or by a symbolic link that was turned. It
//! tells that something happened, never what, and reads nothing.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::time::sleep;

use crate::sources::{Bell, Bells, Names};

/// A file that is being saved is left alone for so long: it comes in pieces.
const SETTLE: Duration = Duration::from_millis(100);

/// A watch on one file.
pub(super) struct Watch {
    path: PathBuf,
    seen: Stamp,
    bell: Bell,
}

/// What tells one content of a file from another: its device, number, time and length; `None` where there is no file.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Stamp(Option<(u64, u64, i64, i64, u64)>);

impl Stamp {
    /// Of the file at `path`, or what a link there leads to.
    pub(super) fn of(path: &Path) -> Stamp {
        let found = fs::metadata(path).ok();
        Stamp(found.map(|found| (found.dev(), found.ino(), found.mtime(), found.mtime_nsec(), found.len())))
    }
}

impl Watch {
    /// Watches the file at `path`: it may be written in place, replaced, or a link that is turned, itself or one on the
    /// way. `seen` is what it was when it was read; a change since then counts. `None` where the system has no watch left
    /// (inotify(7)), or the folder is gone.
    pub(super) fn new(path: &Path, seen: Stamp) -> Option<Watch> {
        let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
        let bell = Bells::default().hang(path.clone(), Names::All);
        bell.is_tied().then_some(Watch { path, seen, bell })
    }

    /// Waits until the file is another than it was at the last call, and has been left alone for a moment.
    pub(super) async fn changed(&mut self) {
        loop {
            // the file may be another one by now: whatever happens to it from here on rings
            self.bell.hang_anew();
            let mut now = Stamp::of(&self.path);
            if now == self.seen {
                self.bell.rung().await;
                continue;
            }
            loop {
                sleep(SETTLE).await;
                let later = Stamp::of(&self.path);
                if later == now {
                    break;
                }
                now = later;
            }
            if now != self.seen {
                self.seen = now;
                return;
            }
        }
    }
}
