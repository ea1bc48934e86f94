//! A tail whose clock the test holds: it steps when it is told, through real files into a real journal.

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use tempfile::TempDir;

use crate::journal::{Journal, Origin, Selection, Step};
use crate::record::{RunId, Stream};
use crate::sources::Bells;
use crate::sources::Sink;
use crate::sources::file::{Memory, Next, Place, Root, Tail};

/// Longer than any wait but those for what is gone.
pub(super) const SOON: Duration = Duration::from_millis(300);

pub(super) struct Bench {
    pub(super) folder: TempDir,
    pub(super) keep: u64,
    pub(super) now: Instant,
    pub(super) journal: Option<Arc<Journal>>,
    pub(super) tail: Option<Tail>,
}

impl Bench {
    /// Nothing is followed yet.
    pub(super) fn new() -> Bench {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir_all(folder.path().join("logs")).unwrap();
        fs::create_dir_all(folder.path().join("state")).unwrap();
        Bench { folder, keep: 64 << 20, now: Instant::now(), journal: None, tail: None }
    }

    /// The path of a log file.
    pub(super) fn log(&self, name: &str) -> PathBuf {
        self.folder.path().join("logs").join(name)
    }

    pub(super) fn position(&self) -> PathBuf {
        self.folder.path().join("state/position")
    }

    /// Appends to `app.log`, or makes it.
    pub(super) fn write(&self, text: &str) {
        self.append("app.log").write_all(text.as_bytes()).unwrap();
    }

    pub(super) fn append(&self, name: &str) -> File {
        OpenOptions::new().create(true).append(true).open(self.log(name)).unwrap()
    }

    pub(super) fn rename(&self, old: &str, new: &str) {
        fs::rename(self.log(old), self.log(new)).unwrap();
    }

    /// Waits until a file that is made now is younger than all that are there, by more than `age`.
    pub(super) fn outlive(&self, age: Duration) {
        let path = self.folder.path().join("clock");
        let made = || {
            fs::write(&path, "").unwrap();
            let changed = fs::metadata(&path).unwrap();
            Duration::new(changed.ctime().try_into().unwrap(), changed.ctime_nsec().try_into().unwrap())
        };
        let first = made();
        while made() <= first + age {
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    /// What another start of the program makes of the journal's files.
    pub(super) fn sink(&mut self) -> Sink {
        let (run, job, started) = (RunId::new(), "app".to_owned(), Timestamp::now());
        let origin = Origin { run, job, trigger: String::new(), started, child: None };
        let resumed = Journal::resume(self.folder.path().join("state/lines"), origin, self.keep).unwrap();
        self.journal = Some(resumed.journal);
        Sink::new(resumed.writer)
    }

    pub(super) fn memory(&self) -> Memory {
        Memory { position: self.position(), keep_bytes: self.keep }
    }

    pub(super) fn place(&self) -> Place {
        let (root, path) = Root::of_file(&self.log("app.log"));
        Place { root: Arc::new(root), path, bells: Arc::new(Bells::default()) }
    }

    /// Follows `app.log`, with a journal that is opened anew.
    pub(super) fn start(&mut self) {
        self.tail = None;
        let sink = self.sink();
        self.tail = Some(Tail::begin(self.place(), sink, self.memory(), self.now));
        self.settle(SOON);
    }

    pub(super) fn step(&mut self) -> Next {
        self.tail.as_mut().unwrap().step(self.now)
    }

    /// Steps until `time` has passed.
    pub(super) fn settle(&mut self, time: Duration) {
        let until = self.now + time;
        while self.now < until {
            match self.step() {
                Next::Now => {}
                Next::Within(wait) | Next::Turning(wait) => self.now += wait.min(Duration::from_millis(60)),
            }
        }
    }

    fn texts(&self, wanted: impl Fn(Stream) -> bool) -> String {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let selection = Selection { follow: false, ..Selection::default() };
            let mut reader = self.journal.as_ref().unwrap().read(&selection).unwrap();
            let mut text = Vec::new();
            while let Step::Chunk(chunk) = reader.next().await.unwrap() {
                if wanted(chunk.stream) {
                    text.extend_from_slice(&chunk.bytes);
                }
            }
            String::from_utf8(text).unwrap()
        })
    }

    /// The file's bytes in the journal.
    pub(super) fn text(&self) -> String {
        self.texts(|stream| stream == Stream::Stdout)
    }

    /// What was said about it.
    pub(super) fn said(&self) -> String {
        self.texts(|stream| stream == Stream::System)
    }
}

/// Lines that are alike in length, from `first` on.
pub(super) fn lines(first: usize, count: usize) -> String {
    (first..first + count).map(|number| format!("line {number:08} of a log that is rotated\n")).collect()
}
