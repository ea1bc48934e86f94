//! One feed: its journal, or those of its folder's files, and the source that brings its lines.

use std::ops::Deref;
use std::path::PathBuf;
use std::sync::Arc;

use jiff::Timestamp;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::config::{self, FeedSource};
use crate::journal::{Journal, Origin, Resumed, Selection, Step};
use crate::record::{FeedStart, RunId, Stream};
use crate::sources::Sink;

/// See the module.
pub struct Feed {
    /// What `jobs.toml` says of it.
    pub config: Arc<config::Feed>,
    lines: Lines,
    stop: CancellationToken,
    tasks: TaskTracker,
}

/// Where its lines are.
enum Lines {
    Journal(Box<Opened>),
    /// The journal cannot be opened, for this reason.
    Failed(String),
}

/// A journal that lines are brought to.
pub(super) struct Opened {
    pub(super) sink: Sink,
    pub(super) id: RunId,
    pub(super) started: Timestamp,
}

impl Opened {
    /// Goes on with the journal in `folder`, or begins it.
    pub(super) fn open(folder: PathBuf, name: &str, keep: u64) -> std::io::Result<Opened> {
        std::fs::create_dir_all(&folder)?;
        let origin = Origin {
            run: RunId::new(),
            job: name.to_owned(),
            trigger: String::new(),
            started: Timestamp::now(),
            child: None,
        };
        let Resumed { writer, origin, cut, .. } = Journal::resume(folder.join("lines"), origin, keep)?;
        let sink = Sink::new(writer);
        if cut > 0 {
            sink.say(&format!("{cut} bytes were cut off: the server died while it wrote them"));
        }
        Ok(Opened { sink, id: origin.run, started: origin.started })
    }
}

/// A feed's journal that somebody reads.
pub struct Watched {
    /// What a stream of it begins with.
    pub start: FeedStart,
    pub(super) journal: Arc<Journal>,
}

impl Watched {
    /// When its newest line came; `None` where there is none, or it cannot be read.
    pub async fn newest(&self) -> Option<Timestamp> {
        let selection = Selection { tail: Some(1), follow: false, ..Selection::default() };
        match self.journal.read(&selection).ok()?.next().await.ok()? {
            Step::Chunk(chunk) => Some(chunk.time),
            Step::End(_) | Step::Pause => None,
        }
    }
}

impl Deref for Watched {
    type Target = Arc<Journal>;

    fn deref(&self) -> &Arc<Journal> {
        &self.journal
    }
}

impl Feed {
    /// Opens its journal in `folder`; nothing brings it lines yet.
    pub(super) fn open(config: Arc<config::Feed>, folder: PathBuf) -> Feed {
        let (stop, tasks) = (CancellationToken::new(), TaskTracker::new());
        let lines = match Opened::open(folder.clone(), &config.name, config.keep_bytes) {
            Ok(opened) => Lines::Journal(Box::new(opened)),
            Err(error) => Lines::Failed(format!("its journal in {} cannot be used: {error}", folder.display())),
        };
        Feed { config, lines, stop, tasks }
    }

    /// Why its journal cannot be used, where that is so.
    pub fn failure(&self) -> Option<&str> {
        match &self.lines {
            Lines::Failed(why) => Some(why),
            Lines::Journal(_) => None,
        }
    }

    pub(super) fn has_failed(&self) -> bool {
        self.failure().is_some()
    }

    /// What appends to its journal; `None` where it is a folder, or cannot be used.
    pub fn sink(&self) -> Option<Sink> {
        match &self.lines {
            Lines::Journal(opened) => Some(opened.sink.clone()),
            Lines::Failed(_) => None,
        }
    }

    /// Its journal; `None` where it is a folder, or cannot be used.
    pub fn watch(&self) -> Option<Watched> {
        let Lines::Journal(opened) = &self.lines else { return None };
        let start =
            FeedStart { feed: self.config.name.clone(), path: None, journal: opened.id, started: opened.started };
        Some(Watched { start, journal: Arc::clone(opened.sink.journal()) })
    }

    /// Begins to bring its lines.
    pub(super) fn begin(&self) {
        let Lines::Journal(opened) = &self.lines else { return };
        let (sink, stop) = (opened.sink.clone(), self.stop.clone());
        match &self.config.source {
            // lines come by themselves
            FeedSource::Push | FeedSource::Merge(_) | FeedSource::Directory(_) => {}
            _ => {
                let _ = (sink, stop);
            }
        }
    }

    /// Asks its source to stop.
    pub(super) fn leave(&self) {
        self.stop.cancel();
    }

    /// Stops its source, and ends every page that shows it.
    pub(super) async fn stop(&self) {
        self.stop.cancel();
        self.tasks.close();
        self.tasks.wait().await;
        match &self.lines {
            Lines::Journal(opened) => opened.sink.end(),
            Lines::Failed(_) => {}
        }
    }

    /// Which streams its lines are of, mostly: what a filter offers.
    pub fn streams(&self) -> [Stream; 2] {
        match self.config.source {
            FeedSource::File(_) | FeedSource::Directory(_) | FeedSource::Push => [Stream::Stdout, Stream::System],
            _ => [Stream::Record, Stream::System],
        }
    }
}
