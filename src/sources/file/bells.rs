//! Tells that something happened to a file, as far as the system tells (inotify(7)): one watch on a folder for all of
//! its files that are followed. It never says what happened, and it may miss things: who listens looks now and then
//! anyway.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use notify::event::ModifyKind;
use notify::{Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher};
use tokio::sync::Notify;
use tracing::debug;

/// A file that is written to again and again is told of no more often: the system makes one event of those that wait.
const SETTLE: Duration = Duration::from_millis(2);

/// The watch that all the tails of the program share.
#[derive(Default, Debug)]
pub struct Bells {
    /// The folders that are watched, and for how many bells.
    watcher: Mutex<(Option<RecommendedWatcher>, HashMap<PathBuf, usize>)>,
    hung: Arc<Mutex<Hung>>,
}

type Hung = HashMap<PathBuf, Vec<Weak<Notify>>>;

/// Rings when something happens to its file.
#[derive(Debug)]
pub(super) struct Bell {
    bells: Arc<Bells>,
    path: PathBuf,
    news: Arc<Notify>,
}

impl Bells {
    /// A bell for the file at `path`. Where the system has no watch left, or there is no such folder, it never rings.
    pub(super) fn hang(self: &Arc<Self>, path: PathBuf) -> Bell {
        let news = Arc::<Notify>::default();
        lock(&self.hung).entry(path.clone()).or_default().push(Arc::downgrade(&news));
        let bell = Bell { bells: Arc::clone(self), path, news };
        let mut guard = lock(&self.watcher);
        let (watcher, folders) = &mut *guard;
        let count = folders.entry(bell.folder().to_owned()).or_default();
        *count += 1;
        if *count == 1 {
            *watcher = watcher.take().or_else(|| self.watcher());
            watch(watcher.as_mut(), bell.folder());
        }
        drop(guard);
        bell
    }

    #[cfg(test)]
    pub(super) fn is_idle(&self) -> bool {
        lock(&self.hung).is_empty() && lock(&self.watcher).1.is_empty()
    }

    fn watcher(&self) -> Option<RecommendedWatcher> {
        let hung = Arc::clone(&self.hung);
        let mut last = None;
        let ring = move |event: notify::Result<Event>| {
            let Ok(event) = event else { return };
            let written = matches!(event.kind, EventKind::Modify(ModifyKind::Data(_)));
            let before = std::mem::replace(&mut last, event.paths.first().filter(|_| written).cloned());
            if last.is_some() && before == last {
                std::thread::sleep(SETTLE);
            }
            if matches!(event.kind, EventKind::Access(_)) {
                return;
            }
            let hung = lock(&hung);
            for news in event.paths.iter().filter_map(|path| hung.get(path)).flatten().filter_map(Weak::upgrade) {
                news.notify_one();
            }
        };
        notify::recommended_watcher(ring)
            .inspect_err(|error| debug!(%error, "no watch: files are looked at now and then"))
            .ok()
    }
}

impl Bell {
    /// Waits until it rings; one that rang since the last call rings at once.
    pub(super) async fn rung(&self) {
        self.news.notified().await;
    }

    /// Its folder may be another one of that name by now: watches that.
    pub(super) fn hang_anew(&self) {
        let mut guard = lock(&self.bells.watcher);
        if let Some(watcher) = &mut guard.0 {
            let _ = watcher.unwatch(self.folder());
            watch(Some(watcher), self.folder());
        }
    }

    fn folder(&self) -> &Path {
        self.path.parent().unwrap_or(Path::new("/"))
    }
}

impl Drop for Bell {
    fn drop(&mut self) {
        let mut hung = lock(&self.bells.hung);
        if let Some(bells) = hung.get_mut(&self.path) {
            bells.retain(|bell| !std::ptr::eq(bell.as_ptr(), Arc::as_ptr(&self.news)));
            if bells.is_empty() {
                hung.remove(&self.path);
            }
        }
        drop(hung);
        let mut guard = lock(&self.bells.watcher);
        let (watcher, folders) = &mut *guard;
        let Some(count) = folders.get_mut(self.folder()) else { return };
        *count -= 1;
        if *count == 0 {
            folders.remove(self.folder());
            if let Some(watcher) = watcher {
                let _ = watcher.unwatch(self.folder());
            }
        }
    }
}

fn watch(watcher: Option<&mut RecommendedWatcher>, folder: &Path) {
    let Some(watcher) = watcher else { return };
    if let Err(error) = watcher.watch(folder, RecursiveMode::NonRecursive) {
        debug!(folder = %folder.display(), %error, "no watch on a folder: its files are looked at now and then");
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
