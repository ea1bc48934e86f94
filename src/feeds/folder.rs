//! The files of a folder as feeds: each is followed from the moment somebody watches it until a while after the last has
//! left, by one tailer however many watch. What was read of it is kept, and goes on the next time.

use std::collections::HashMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use tokio::task::{JoinHandle, spawn_blocking};
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use tracing::warn;

use super::{Opened, Watched};
use crate::config;
use crate::record::FeedStart;
use crate::sources::Bells;
use crate::sources::file::{self, Folder, Listing, Memory, Place, Refused, Root, Signals};

/// A file that nobody watches any more is followed for so long.
const GRACE: Duration = Duration::from_secs(30);

/// So long the first who watches a file waits for what is in it.
const PATIENCE: Duration = Duration::from_secs(2);

/// The longest name of a file by Linux's file systems, less what stands before and behind.
const LONGEST_NAME: usize = 240;

/// See the module.
pub struct Files {
    config: Arc<config::Feed>,
    root: Arc<Root>,
    bells: Arc<Bells>,
    /// Where the journals are.
    journals: PathBuf,
    followed: Mutex<HashMap<String, Followed>>,
    /// Held while a file begins or ceases to be followed: two must not have the same journal.
    changing: tokio::sync::Mutex<()>,
    stop: CancellationToken,
}

/// A file that is followed.
struct Followed {
    opened: Opened,
    watchers: usize,
    /// How often it was watched: tells a watch that began meanwhile.
    watched: u64,
    stop: CancellationToken,
    task: JoinHandle<()>,
}

/// Why a file cannot be watched.
#[derive(Debug, thiserror::Error)]
pub enum NotThere {
    /// The folder does not give it.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// Its path is longer than the state directory has a name for.
    #[error("the path is too long to be followed")]
    TooLong,
    /// The feed is configured otherwise now, or the server stops.
    #[error("the feed has stopped")]
    Stopped,
    /// What was read of it cannot be kept.
    #[error("its lines cannot be kept: {0}")]
    Journal(io::Error),
}

impl Files {
    /// The files of `folder`, whose journals are below `journals`; `bells` tell of them.
    ///
    /// # Errors
    /// Where a pattern of the folder is none.
    pub(super) fn new(
        config: Arc<config::Feed>,
        folder: &Folder,
        journals: PathBuf,
        bells: Arc<Bells>,
    ) -> anyhow::Result<Arc<Files>> {
        Ok(Arc::new(Files {
            config,
            root: Arc::new(Root::new(folder)?),
            bells,
            journals,
            followed: Mutex::default(),
            changing: tokio::sync::Mutex::default(),
            stop: CancellationToken::new(),
        }))
    }

    /// What is in the folder at `path` below this one; in this one itself where `path` is empty.
    ///
    /// # Errors
    /// Why it is not shown.
    pub async fn list(&self, path: &str) -> Result<Listing, NotThere> {
        let (root, path) = (Arc::clone(&self.root), PathBuf::from(path));
        Ok(spawn_blocking(move || root.list(&path)).await.map_err(|_| NotThere::Stopped)??)
    }

    /// The lines of the file at `path` below the folder, which is followed as long as what this returns is held.
    ///
    /// # Errors
    /// Why it cannot be.
    pub async fn watch(self: &Arc<Self>, path: &str) -> Result<Watched, NotThere> {
        let name = name_of(path).ok_or(NotThere::TooLong)?;
        let (root, below) = (Arc::clone(&self.root), PathBuf::from(path));
        // whoever may not see it, or any more, sees nothing of what was kept of it either
        drop(spawn_blocking(move || root.open(&below)).await.map_err(|_| NotThere::Stopped)??);
        let changing = self.changing.lock().await;
        if self.stop.is_cancelled() {
            return Err(NotThere::Stopped);
        }
        if let Some(watched) = self.join(path) {
            return Ok(watched);
        }
        let (folder, feed, keep) = (self.journals.join(name), self.config.name.clone(), self.config.keep_bytes);
        let position = folder.join("position");
        let opening = spawn_blocking(move || Opened::open(folder, &feed, keep)).await;
        let opened = opening.map_err(|_| NotThere::Stopped)?.map_err(NotThere::Journal)?;
        let signals = Signals { stop: self.stop.child_token(), ..Signals::default() };
        let Signals { stop, caught_up } = signals.clone();
        let place = Place { root: Arc::clone(&self.root), path: path.into(), bells: Arc::clone(&self.bells) };
        let memory = Memory { position, keep_bytes: keep };
        let task = tokio::spawn(file::follow(place, opened.sink.clone(), memory, signals));
        self.lock().insert(path.to_owned(), Followed { opened, watchers: 0, watched: 0, stop, task });
        let watched = self.join(path).ok_or(NotThere::Stopped)?;
        self.make_room().await;
        drop(changing);
        // who wants only what there is now gets it
        let _ = timeout(PATIENCE, caught_up.cancelled()).await;
        Ok(watched)
    }

    /// Watches a file that is followed already.
    fn join(self: &Arc<Self>, path: &str) -> Option<Watched> {
        let mut followed = self.lock();
        let file = followed.get_mut(path)?;
        file.watchers += 1;
        file.watched += 1;
        let start = FeedStart {
            feed: self.config.name.clone(),
            path: Some(path.to_owned()),
            journal: file.opened.id,
            started: file.opened.started,
        };
        let journal = Arc::clone(file.opened.sink.journal());
        Some(Watched { start, journal, _hold: Some(Hold { files: Arc::clone(self), path: path.to_owned() }) })
    }

    /// Somebody has left; the last one is followed by the end of it, unless somebody else comes soon.
    fn leave(self: &Arc<Self>, path: &str) {
        let mut followed = self.lock();
        let Some(file) = followed.get_mut(path) else { return };
        file.watchers -= 1;
        if file.watchers > 0 {
            return;
        }
        let (watched, path, files) = (file.watched, path.to_owned(), Arc::clone(self));
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(async move {
                tokio::select! {
                    () = sleep(GRACE) => files.cease(&path, watched).await,
                    () = files.stop.cancelled() => {}
                }
            });
        }
    }

    /// Follows a file no longer, unless it was watched again since it had been watched so often.
    async fn cease(self: &Arc<Self>, path: &str, watched: u64) {
        let _changing = self.changing.lock().await;
        let is_left = |file: &mut Followed| file.watchers == 0 && file.watched == watched;
        let Some(file) =
            self.lock().extract_if(|name, file| name == path && is_left(file)).next().map(|(_, file)| file)
        else {
            return;
        };
        end(file).await;
        self.make_room().await;
    }

    /// Removes what was kept of files that nobody watches, beyond what the feed keeps: it may keep less than it did.
    pub(super) async fn tidy(&self) {
        let _changing = self.changing.lock().await;
        self.make_room().await;
    }

    /// The same, while nothing is changing.
    async fn make_room(&self) {
        let kept: Vec<_> = self.lock().keys().filter_map(|path| name_of(path)).collect();
        let (journals, keep) = (self.journals.clone(), self.config.keep_bytes);
        let tidied = spawn_blocking(move || tidy(&journals, &kept, keep)).await;
        if let Ok(Err(error)) = tidied {
            warn!(feed = self.config.name, %error, "old lines of files cannot be removed");
        }
    }

    /// Follows none any more, and ends every page that shows one.
    pub(super) async fn stop(&self) {
        self.stop.cancel();
        let _changing = self.changing.lock().await;
        let followed = std::mem::take(&mut *self.lock());
        for (_, file) in followed {
            end(file).await;
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Followed>> {
        self.followed.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn end(file: Followed) {
    file.stop.cancel();
    // a task that failed has said why
    let _ = file.task.await;
    file.opened.sink.end();
}

/// Keeps a file followed.
pub(super) struct Hold {
    files: Arc<Files>,
    path: String,
}

impl Drop for Hold {
    fn drop(&mut self) {
        self.files.leave(&self.path);
    }
}

/// The folder of the journal of the file at `path`; `None` where it would be too long.
fn name_of(path: &str) -> Option<String> {
    let mut name = String::with_capacity(path.len());
    for byte in path.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' if !name.is_empty() || byte != b'.' => {
                name.push(char::from(byte));
            }
            _ => name.push_str(&format!("%{byte:02X}")),
        }
    }
    (!name.is_empty() && name.len() <= LONGEST_NAME).then_some(name)
}

/// Removes the journals that were longest not written to, of those that are not `in_use`, until they take `keep` bytes.
fn tidy(journals: &Path, in_use: &[String], keep: u64) -> io::Result<()> {
    let folders = match fs::read_dir(journals) {
        // no file was watched yet
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        folders => folders?,
    };
    let mut idle: Vec<(SystemTime, u64, PathBuf)> = Vec::new();
    for folder in folders {
        let folder = folder?;
        let is_used = folder.file_name().to_str().is_some_and(|name| in_use.iter().any(|used| used == name));
        if is_used || !folder.file_type()?.is_dir() {
            continue;
        }
        let (mut written, mut bytes) = (SystemTime::UNIX_EPOCH, 0);
        for file in fs::read_dir(folder.path())? {
            let found = file?.metadata()?;
            written = written.max(found.modified()?);
            bytes += found.len();
        }
        idle.push((written, bytes, folder.path()));
    }
    idle.sort();
    let mut all: u64 = idle.iter().map(|(_, bytes, _)| bytes).sum();
    for (_, bytes, folder) in idle {
        if all <= keep {
            break;
        }
        fs::remove_dir_all(folder)?;
        all -= bytes;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn two_paths_have_two_names_and_no_name_leads_elsewhere(one in "[a.%/-]{1,12}", other in "[a.%/-]{1,12}") {
            let names = [&one, &other].map(|path| name_of(path).unwrap());
            prop_assert_eq!(one == other, names[0] == names[1]);
            prop_assert!(names.iter().all(|name| !name.contains('/') && !name.starts_with('.')));
        }
    }

    #[test]
    fn journals_that_nobody_watches_go_from_the_one_that_was_longest_not_written() {
        let folder = tempfile::tempdir().unwrap();
        for (age, name) in ["young", "old", "oldest", "used"].into_iter().enumerate() {
            fs::create_dir(folder.path().join(name)).unwrap();
            let file = fs::File::create(folder.path().join(name).join("lines.output")).unwrap();
            file.set_len(100).unwrap();
            let age = Duration::from_secs(1000 * age as u64);
            file.set_modified(SystemTime::now() - age).unwrap();
        }
        fs::write(folder.path().join("no folder"), "").unwrap();
        tidy(&folder.path().join("none"), &[], 150).unwrap();
        tidy(folder.path(), &["used".to_owned()], 150).unwrap();
        let mut left: Vec<_> = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        left.sort();
        assert_eq!(left, ["no folder", "used", "young"]);
    }
}
