//! The feeds: endless journals that are there as long as `jobs.toml` names them, each with what brings its lines. They
//! start with the server, follow a changed `jobs.toml`, and go on where they were after a restart. They never start a job.

mod feed;
mod folder;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tracing::{error, info};

pub use feed::{Feed, Watched};
pub use folder::{Files, NotThere};

use crate::config::{self, FeedSource};
use crate::sources::Bells;
use crate::sources::Onward;
use feed::Opened;
use folder::Hold;

/// All feeds.
pub struct Feeds {
    /// Where their journals are.
    folder: PathBuf,
    /// The watch that all of their files share.
    bells: Arc<Bells>,
    feeds: Mutex<Vec<Arc<Feed>>>,
}

impl Feeds {
    /// The feeds that `configured` names, with their journals in `state_dir`, which this server has for itself. Wants a
    /// runtime.
    pub fn open(state_dir: &Path, configured: &[Arc<config::Feed>]) -> Arc<Feeds> {
        let folder = state_dir.join("feeds");
        let feeds = Arc::new(Feeds { folder, bells: Arc::default(), feeds: Mutex::default() });
        feeds.place(configured, Vec::new());
        feeds
    }

    /// Has the feeds that `configured` names from here on. One that is as it was goes on; one that is gone or changed stops
    /// first, with the pages that show it.
    pub async fn apply(&self, configured: &[Arc<config::Feed>]) {
        // what goes on is found all the while
        let (kept, gone): (Vec<_>, Vec<_>) =
            self.list().into_iter().partition(|feed| configured.contains(&feed.config) && !feed.has_failed());
        self.lock().clone_from(&kept);
        // before what goes ends: the lines that are under way are in it by then
        tie(&kept);
        stop(&gone).await;
        for feed in gone {
            info!(feed = feed.config.name, "stopped a feed that is configured otherwise now");
        }
        self.place(configured, kept);
    }

    /// Stops all of them.
    pub async fn shut_down(&self) {
        let feeds = std::mem::take(&mut *self.lock());
        stop(&feeds).await;
    }

    /// All of them, in the order of the file.
    pub fn list(&self) -> Vec<Arc<Feed>> {
        self.lock().clone()
    }

    /// The feed of this name.
    pub fn find(&self, name: &str) -> Option<Arc<Feed>> {
        self.lock().iter().find(|feed| feed.config.name == name).cloned()
    }

    /// Opens what is not among `kept`, and ties the feeds that others merge.
    fn place(&self, configured: &[Arc<config::Feed>], kept: Vec<Arc<Feed>>) {
        let mut kept: HashMap<String, Arc<Feed>> =
            kept.into_iter().map(|feed| (feed.config.name.clone(), feed)).collect();
        let mut fresh = Vec::new();
        let feeds: Vec<Arc<Feed>> = configured
            .iter()
            .map(|config| {
                kept.remove(&config.name).unwrap_or_else(|| {
                    let folder = self.folder.join(&config.name);
                    let feed = Arc::new(Feed::open(Arc::clone(config), folder, Arc::clone(&self.bells)));
                    fresh.push(Arc::clone(&feed));
                    feed
                })
            })
            .collect();
        tie(&feeds);
        // not before they are tied: what comes first goes to those that merge it, too
        for feed in fresh {
            if let Some(error) = feed.failure() {
                error!(feed = feed.config.name, error, "a feed cannot be opened");
            }
            feed.begin();
        }
        *self.lock() = feeds;
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Arc<Feed>>> {
        self.feeds.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Tells each feed which others take its lines too.
fn tie(feeds: &[Arc<Feed>]) {
    for feed in feeds {
        let merging = feeds.iter().filter(|other| match &other.config.source {
            FeedSource::Merge(members) => members.contains(&feed.config.name),
            _ => false,
        });
        let onward = merging.filter_map(|other| other.sink()).map(|sink| Onward::new(&feed.config.name, sink));
        if let Some(sink) = feed.sink() {
            sink.lead_to(onward.collect());
        }
    }
}

/// Stops these, none of them before what its members had is in it.
async fn stop(feeds: &[Arc<Feed>]) {
    for feed in feeds {
        feed.leave();
    }
    for feed in feeds {
        feed.left().await;
    }
    for feed in feeds {
        feed.settle();
    }
    for feed in feeds {
        feed.end().await;
    }
}
