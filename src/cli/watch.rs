//! Notices that a file was saved, in whatever way: written in place, replaced, or by a symbolic link that was turned. It
//! tells that something happened, never what, and reads nothing.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use notify::{EventKind, RecommendedWatcher, RecursiveMode, Watcher};
use tokio::sync::Notify;
use tokio::time::sleep;

/// A file that is being saved is left alone for so long: it comes in pieces.
const SETTLE: Duration = Duration::from_millis(100);

/// A watch on one file.
pub(super) struct Watch {
    path: PathBuf,
    seen: Stamp,
    news: Arc<Notify>,
    /// Ends the watch when it is dropped.
    _watcher: RecommendedWatcher,
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
    /// Watches the file at `path`, by its folder: a file that is replaced is another file. `seen` is what it was when it
    /// was read; a change since then counts.
    ///
    /// # Errors
    /// Where the system has no watch left (inotify(7)), or the folder is gone.
    pub(super) fn new(path: &Path, seen: Stamp) -> notify::Result<Watch> {
        let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
        let news = Arc::<Notify>::default();
        let bell = Arc::clone(&news);
        let mut watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
            if !event.is_ok_and(|event| matches!(event.kind, EventKind::Access(_))) {
                bell.notify_one();
            }
        })?;
        watcher.watch(path.parent().unwrap_or(Path::new("/")), RecursiveMode::NonRecursive)?;
        if Stamp::of(&path) != seen {
            news.notify_one();
        }
        Ok(Watch { path, seen, news, _watcher: watcher })
    }

    /// Waits until the file is another than it was at the last call, and has been left alone for a moment.
    pub(super) async fn changed(&mut self) {
        loop {
            self.news.notified().await;
            let mut now = Stamp::of(&self.path);
            loop {
                sleep(SETTLE).await;
                let later = Stamp::of(&self.path);
                if later == now {
                    break;
                }
                now = later;
            }
            // other files of the folder ring too
            if now != self.seen {
                self.seen = now;
                return;
            }
        }
    }
}
