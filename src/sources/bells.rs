//! Tells that something happened to a file, as far as the system tells (inotify(7)). It never says what happened, and it
//! may miss things, on a network's file system above all: who listens looks now and then anyway.
//!
//! A bell watches its file for what is written to it, and its folder for what takes the file's name: so whatever else
//! is written beside it (a log of the server's own, a job's output) wakes nobody.

use std::collections::HashMap;
use std::ffi::{OsStr, OsString};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::{FutureExt, StreamExt};
use inotify::{EventMask, EventOwned, EventStream, Inotify, WatchDescriptor, WatchMask, Watches};
use tokio::sync::Notify;
use tokio::time::sleep;
use tokio_util::task::AbortOnDropHandle;
use tracing::debug;

/// What happens is told of no more often: meanwhile the system makes one event of those that are alike.
const SETTLE: Duration = Duration::from_millis(2);

/// Room for so many bytes of events; the longest is 16 and a name of 255.
const EVENTS: usize = 4096;

/// What of a folder is heeded: names that come and go, and its own end.
const FOLDER: WatchMask = WatchMask::CREATE
    .union(WatchMask::DELETE)
    .union(WatchMask::MOVED_FROM)
    .union(WatchMask::MOVED_TO)
    .union(WatchMask::DELETE_SELF)
    .union(WatchMask::MOVE_SELF);

/// What of a file is heeded.
const FILE: WatchMask = WatchMask::MODIFY.union(WatchMask::CLOSE_WRITE).union(WatchMask::ATTRIB);

/// Hangs bells. All of one program's share what the system allows a user little of.
#[derive(Default, Debug)]
pub struct Bells {
    tower: Mutex<Option<Arc<Tower>>>,
}

/// Rings when something happens to its file.
#[derive(Debug)]
pub struct Bell {
    /// `None` where the system has no watch left.
    tower: Option<Arc<Tower>>,
    path: PathBuf,
    names: Names,
    news: Arc<Notify>,
    /// Is told as well: one who listens to many bells.
    listener: Option<Arc<Notify>>,
}

/// Which names of its folder a bell rings for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Names {
    /// Its own file's.
    Own,
    /// Any: the file may be reached by a link of another name.
    All,
}

/// What the bells hang in. It ends with the last of them.
#[derive(Debug)]
struct Tower {
    ropes: Arc<Mutex<Ropes>>,
    /// Rings.
    _ringer: AbortOnDropHandle<()>,
}

/// Who is told of the events of each watch.
#[derive(Debug)]
struct Ropes {
    watches: Watches,
    tied: HashMap<WatchDescriptor, Vec<Rope>>,
}

#[derive(Debug)]
struct Rope {
    news: Arc<Notify>,
    listener: Option<Arc<Notify>>,
    /// In a folder: only of this name.
    name: Option<OsString>,
}

impl Bells {
    /// A bell for the file at `path`, which need not be there. It wants a runtime. Where the system has no watch left, or
    /// there is no such folder, it never rings.
    pub fn hang(&self, path: PathBuf, names: Names) -> Bell {
        self.hang_for(path, names, None)
    }

    /// The same, for one who listens to many: `listener` is told whenever any of them rings.
    pub fn hang_among(&self, path: PathBuf, names: Names, listener: &Arc<Notify>) -> Bell {
        self.hang_for(path, names, Some(Arc::clone(listener)))
    }

    fn hang_for(&self, path: PathBuf, names: Names, listener: Option<Arc<Notify>>) -> Bell {
        let mut tower = lock(&self.tower);
        if tower.is_none() {
            *tower =
                Tower::new().inspect_err(|error| debug!(%error, "no inotify: files are looked at now and then")).ok();
        }
        let bell = Bell { tower: tower.clone(), path, names, news: Arc::default(), listener };
        drop(tower);
        bell.tie();
        bell
    }

    #[cfg(test)]
    fn is_idle(&self) -> bool {
        lock(&self.tower).as_ref().is_some_and(|tower| lock(&tower.ropes).tied.is_empty())
    }
}

impl Bell {
    /// Whether there is anything that makes it ring.
    pub fn is_tied(&self) -> bool {
        let is_ours = |rope: &Rope| Arc::ptr_eq(&rope.news, &self.news);
        self.tower.as_ref().is_some_and(|tower| lock(&tower.ropes).tied.values().flatten().any(is_ours))
    }

    /// Waits until it rings; one that rang since the last call rings at once.
    pub async fn rung(&self) {
        self.news.notified().await;
    }

    /// Whether it rang since the last call.
    pub fn has_rung(&self) -> bool {
        self.rung().now_or_never().is_some()
    }

    /// Hangs it anew: its file, or its folder, may be another one of that name by now. What happened shortly before may
    /// not ring any more.
    pub fn hang_anew(&self) {
        self.untie();
        self.tie();
    }

    fn tie(&self) {
        let Some(tower) = &self.tower else { return };
        let folder = self.path.parent().unwrap_or(Path::new("/"));
        let name = self.path.file_name().filter(|_| self.names == Names::Own).map(OsStr::to_owned);
        let rope = |name| Rope { news: Arc::clone(&self.news), listener: self.listener.clone(), name };
        tower.tie(folder, FOLDER | WatchMask::ONLYDIR, rope(name));
        tower.tie(&self.path, FILE, rope(None));
    }

    fn untie(&self) {
        let Some(tower) = &self.tower else { return };
        let mut ropes = lock(&tower.ropes);
        let Ropes { watches, tied } = &mut *ropes;
        tied.retain(|watch, ropes| {
            ropes.retain(|rope| !Arc::ptr_eq(&rope.news, &self.news));
            if ropes.is_empty() {
                // refused where the file is gone, and its watch with it
                let _ = watches.remove(watch.clone());
            }
            !ropes.is_empty()
        });
    }
}

impl Rope {
    fn pull(&self) {
        self.news.notify_one();
        if let Some(listener) = &self.listener {
            listener.notify_one();
        }
    }
}

impl Drop for Bell {
    fn drop(&mut self) {
        self.untie();
    }
}

impl Tower {
    fn new() -> io::Result<Arc<Tower>> {
        let runtime = tokio::runtime::Handle::try_current().map_err(io::Error::other)?;
        let inotify = Inotify::init()?;
        let ropes = Arc::new(Mutex::new(Ropes { watches: inotify.watches(), tied: HashMap::new() }));
        let ringer = runtime.spawn(ring(inotify.into_event_stream(vec![0; EVENTS])?, Arc::clone(&ropes)));
        Ok(Arc::new(Tower { ropes, _ringer: AbortOnDropHandle::new(ringer) }))
    }

    fn tie(&self, path: &Path, heeded: WatchMask, rope: Rope) {
        let Ropes { watches, tied } = &mut *lock(&self.ropes);
        // a folder may be watched as somebody's file, too
        match watches.add(path, heeded | WatchMask::MASK_ADD) {
            Ok(watch) => tied.entry(watch).or_default().push(rope),
            Err(error) => debug!(path = %path.display(), %error, "no watch: it is looked at now and then"),
        }
    }
}

/// Rings, for as long as there are events to come.
async fn ring(mut events: EventStream<Vec<u8>>, ropes: Arc<Mutex<Ropes>>) {
    while let Some(event) = events.next().await {
        let mut next = Some(event);
        // all that there is: one event would be told after another, each so much later
        while let Some(event) = next {
            if let Ok(event) = event {
                ring_for(&mut lock(&ropes).tied, &event);
            }
            next = events.next().now_or_never().flatten();
        }
        sleep(SETTLE).await;
    }
}

fn ring_for(tied: &mut HashMap<WatchDescriptor, Vec<Rope>>, event: &EventOwned) {
    // more happened than the system could note down
    if event.mask.contains(EventMask::Q_OVERFLOW) {
        return tied.values().flatten().for_each(Rope::pull);
    }
    for rope in tied.get(&event.wd).into_iter().flatten() {
        if rope.name.is_none() || event.name.is_none() || rope.name == event.name {
            rope.pull();
        }
    }
    // what was watched is gone
    if event.mask.contains(EventMask::IGNORED) {
        tied.remove(&event.wd);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::fs::{self, File};
    use std::io::Write;

    use tokio::time::timeout;

    use super::*;

    const DEADLINE: Duration = Duration::from_secs(60);

    async fn rings(bell: &Bell) {
        timeout(DEADLINE, bell.rung()).await.unwrap();
    }

    fn append(path: &Path) {
        File::options().append(true).create(true).open(path).unwrap().write_all(b"line\n").unwrap();
    }

    /// All that happened in the folder so far has been told, once this returns.
    async fn catch_up(bells: &Bells, folder: &Path) {
        let marker = folder.join("marker");
        let bell = bells.hang(marker.clone(), Names::Own);
        append(&marker);
        rings(&bell).await;
        drop(bell);
        fs::remove_file(marker).unwrap();
    }

    #[tokio::test]
    async fn a_bell_rings_for_what_happens_to_its_file() {
        let (folder, bells) = (tempfile::tempdir().unwrap(), Bells::default());
        let path = folder.path().join("app.log");
        let bell = bells.hang(path.clone(), Names::Own);
        append(&path);
        rings(&bell).await;
        bell.hang_anew();
        catch_up(&bells, folder.path()).await;
        let _ = bell.rung().now_or_never();
        append(&path);
        rings(&bell).await;
        fs::rename(&path, folder.path().join("app.log.1")).unwrap();
        rings(&bell).await;
    }

    #[tokio::test]
    async fn who_listens_to_many_bells_is_told_of_each_and_which_it_was() {
        let (folder, bells, news) = (tempfile::tempdir().unwrap(), Bells::default(), Arc::default());
        let paths = ["a", "b"].map(|name| folder.path().join(name));
        let [a, b] = paths.clone().map(|path| bells.hang_among(path, Names::Own, &news));
        for (path, rings, other) in [(&paths[0], &a, &b), (&paths[1], &b, &a)] {
            append(path);
            timeout(DEADLINE, news.notified()).await.unwrap();
            assert!(rings.has_rung() && !other.has_rung());
            catch_up(&bells, folder.path()).await;
            let _ = (rings.has_rung(), news.notified().now_or_never());
            assert!(!rings.has_rung());
        }
    }

    #[tokio::test]
    async fn what_is_written_beside_it_wakes_nobody() {
        let (folder, bells) = (tempfile::tempdir().unwrap(), Bells::default());
        let (path, other) = (folder.path().join("app.log"), folder.path().join("other.log"));
        append(&path);
        append(&other);
        let own = bells.hang(path.clone(), Names::Own);
        let all = bells.hang(path, Names::All);
        append(&other);
        assert_eq!(fs::read(&other).unwrap(), b"line\nline\n");
        catch_up(&bells, folder.path()).await;
        assert!(own.rung().now_or_never().is_none());
        assert!(all.rung().now_or_never().is_some(), "but a new name may be a link to it");
    }

    #[tokio::test]
    async fn a_file_that_is_reached_by_a_link_rings() {
        let (folder, elsewhere, bells) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap(), Bells::default());
        let (link, path) = (folder.path().join("app.log"), elsewhere.path().join("app-1.log"));
        append(&path);
        std::os::unix::fs::symlink(&path, &link).unwrap();
        let bell = bells.hang(link, Names::Own);
        append(&path);
        rings(&bell).await;
    }

    #[tokio::test]
    async fn watches_are_given_back_and_a_folder_of_the_same_name_is_another_one() {
        let (top, bells) = (tempfile::tempdir().unwrap(), Bells::default());
        let folder = top.path().join("logs");
        fs::create_dir(&folder).unwrap();
        let bell = bells.hang(folder.join("app.log"), Names::Own);
        let other = bells.hang(folder.join("other.log"), Names::Own);
        drop(bell);
        append(&folder.join("other.log"));
        rings(&other).await;
        fs::rename(&folder, top.path().join("old")).unwrap();
        rings(&other).await;
        fs::create_dir(&folder).unwrap();
        other.hang_anew();
        append(&folder.join("other.log"));
        rings(&other).await;
        assert!(other.is_tied());
        drop(other);
        assert!(bells.is_idle());
        assert!(!bells.hang(top.path().join("nowhere/app.log"), Names::Own).is_tied());
    }
}
