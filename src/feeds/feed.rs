//! One feed: its journal, or those of its folder's files, and the source that brings its lines.

use std::fs::DirBuilder;
use std::ops::Deref;
use std::os::unix::fs::DirBuilderExt;
use std::path::PathBuf;
use std::sync::Arc;

use jiff::Timestamp;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::{Instrument, info_span};

use super::{Files, Hold};
use crate::config::{self, FeedSource};
use crate::journal::{Journal, Origin, Resumed, Selection, Step};
use crate::record::{FeedStart, RunId, Stream};
use crate::sources::Bells;
use crate::sources::file::{self, Memory, Place, Places, Signals};
use crate::sources::{Counters, Sink, python, redis, syslog};

/// See the module.
pub struct Feed {
    /// What `jobs.toml` says of it.
    pub config: Arc<config::Feed>,
    /// Where its journal is.
    folder: PathBuf,
    lines: Lines,
    bells: Arc<Bells>,
    counters: Counters,
    /// What takes the records of Python's logging, where that is its source.
    receiver: Option<Arc<python::Receiver>>,
    stop: CancellationToken,
    tasks: TaskTracker,
}

/// Where its lines are.
enum Lines {
    Journal(Box<Opened>),
    Files(Arc<Files>),
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
        DirBuilder::new().recursive(true).mode(0o700).create(&folder)?;
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
    /// Where a file is followed only as long as somebody watches it.
    pub(super) _hold: Option<Hold>,
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
    /// Opens its journal in `folder`; nothing brings it lines yet. `bells` tell of its files.
    pub(super) fn open(config: Arc<config::Feed>, folder: PathBuf, bells: Arc<Bells>) -> Feed {
        let (stop, tasks) = (CancellationToken::new(), TaskTracker::new());
        let lines = match &config.source {
            FeedSource::Directory(settings) => {
                match Files::new(Arc::clone(&config), settings, folder.join("files"), Arc::clone(&bells)) {
                    Ok(files) => Lines::Files(files),
                    Err(error) => Lines::Failed(format!("{error:#}")),
                }
            }
            _ => match Opened::open(folder.clone(), &config.name, config.keep_bytes) {
                Ok(opened) => Lines::Journal(Box::new(opened)),
                Err(error) => Lines::Failed(format!("its journal in {} cannot be used: {error}", folder.display())),
            },
        };
        let counters = Counters::default();
        let receiver = match (&lines, &config.source) {
            (Lines::Journal(opened), FeedSource::Python(settings)) => {
                Some(Arc::new(python::Receiver::new(settings.clone(), opened.sink.clone(), counters.clone())))
            }
            _ => None,
        };
        Feed { config, folder, lines, bells, counters, receiver, stop, tasks }
    }

    /// Why its journal cannot be used, where that is so.
    pub fn failure(&self) -> Option<&str> {
        match &self.lines {
            Lines::Failed(why) => Some(why),
            Lines::Journal(_) | Lines::Files(_) => None,
        }
    }

    pub(super) fn has_failed(&self) -> bool {
        self.failure().is_some()
    }

    /// What appends to its journal; `None` where it is a folder, or cannot be used.
    pub fn sink(&self) -> Option<Sink> {
        match &self.lines {
            Lines::Journal(opened) => Some(opened.sink.clone()),
            Lines::Files(_) | Lines::Failed(_) => None,
        }
    }

    /// Its journal; `None` where it is a folder, or cannot be used.
    pub fn watch(&self) -> Option<Watched> {
        let Lines::Journal(opened) = &self.lines else { return None };
        let start =
            FeedStart { feed: self.config.name.clone(), path: None, journal: opened.id, started: opened.started };
        Some(Watched { start, journal: Arc::clone(opened.sink.journal()), _hold: None })
    }

    /// The files of its folder, where it is one.
    pub fn files(&self) -> Option<&Arc<Files>> {
        match &self.lines {
            Lines::Files(files) => Some(files),
            Lines::Journal(_) | Lines::Failed(_) => None,
        }
    }

    /// Begins to bring its lines.
    pub(super) fn begin(&self) {
        let span = info_span!("feed", name = self.config.name);
        let opened = match &self.lines {
            Lines::Journal(opened) => opened,
            Lines::Files(files) => {
                let files = Arc::clone(files);
                self.tasks.spawn(async move { files.tidy().await }.instrument(span));
                return;
            }
            Lines::Failed(_) => return,
        };
        let (sink, counters, stop) = (opened.sink.clone(), self.counters.clone(), self.stop.clone());
        match &self.config.source {
            // lines come by themselves
            FeedSource::Push | FeedSource::Merge(_) | FeedSource::Directory(_) => {}
            FeedSource::File(settings) => {
                let place = Place::of_file(settings, Arc::clone(&self.bells));
                let memory = Memory { position: self.folder.join("position"), keep_bytes: self.config.keep_bytes };
                let signals = Signals { stop, ..Signals::default() };
                self.tasks.spawn(file::follow(place, sink, memory, signals).instrument(span));
            }
            FeedSource::Files(settings) => {
                let places = Places { several: settings.clone(), bells: Arc::clone(&self.bells) };
                let memory = Memory { position: self.folder.join("positions"), keep_bytes: self.config.keep_bytes };
                self.tasks.spawn(file::follow_several(places, sink, memory, stop).instrument(span));
            }
            FeedSource::Redis(settings) => {
                self.tasks.spawn(redis::follow(settings.clone(), sink, counters, stop).instrument(span));
            }
            FeedSource::Python(_) => {
                if let Some(receiver) = &self.receiver {
                    self.tasks.spawn(Arc::clone(receiver).serve(stop).instrument(span));
                }
            }
            FeedSource::Syslog(settings) => {
                self.tasks.spawn(syslog::serve(settings.clone(), sink, counters, stop).instrument(span));
            }
        }
    }

    /// What takes the records of Python's logging, where that is its source.
    pub fn receiver(&self) -> Option<&python::Receiver> {
        self.receiver.as_deref()
    }

    /// How much came, and from whom.
    pub fn counters(&self) -> &Counters {
        &self.counters
    }

    /// Asks its source to stop.
    pub(super) fn leave(&self) {
        self.stop.cancel();
    }

    /// Waits until its source, which was asked to, has stopped.
    pub(super) async fn left(&self) {
        self.tasks.close();
        self.tasks.wait().await;
    }

    /// Has the feeds that merge it take the line that is under way as it is.
    pub(super) fn settle(&self) {
        if let Lines::Journal(opened) = &self.lines {
            opened.sink.settle();
        }
    }

    /// Ends every page that shows it.
    pub(super) async fn end(&self) {
        match &self.lines {
            Lines::Journal(opened) => opened.sink.end(),
            Lines::Files(files) => files.stop().await,
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
