//! Several files to be followed by a test, under a clock that it holds.

use std::collections::HashMap;
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

use crate::journal::{Journal, Origin, Selection, Step};
use crate::record::{Entry, RunId, Stream};
use crate::sources::Sink;
use crate::sources::file::tests::bench::SOON;
use crate::sources::file::{Joint, Memory, Pattern, Places, Several};

/// Files whose clock the test holds.
pub(super) struct Many {
    pub(super) folder: TempDir,
    pub(super) now: Instant,
    pub(super) patterns: Vec<&'static str>,
    pub(super) journal: Option<Arc<Journal>>,
    pub(super) joint: Option<Joint>,
}

impl Many {
    pub(super) fn new(patterns: &[&'static str]) -> Many {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir_all(folder.path().join("logs")).unwrap();
        fs::create_dir_all(folder.path().join("state/journal")).unwrap();
        Many { folder, now: Instant::now(), patterns: patterns.to_vec(), journal: None, joint: None }
    }

    pub(super) fn log(&self, name: &str) -> PathBuf {
        self.folder.path().join("logs").join(name)
    }

    pub(super) fn write(&self, name: &str, text: &str) {
        let mut file = OpenOptions::new().create(true).append(true).open(self.log(name)).unwrap();
        file.write_all(text.as_bytes()).unwrap();
    }

    pub(super) fn rename(&self, old: &str, new: &str) {
        fs::rename(self.log(old), self.log(new)).unwrap();
    }

    pub(super) fn places(&self) -> Places {
        let pattern = |text: &&str| Pattern { folder: self.log(""), shown: String::new(), below: text.to_string() };
        let patterns = self.patterns.iter().map(pattern).collect();
        let several = Several { patterns, follow_symlinks: false, hidden: false, deny: Vec::new() };
        Places { several, bells: Default::default() }
    }

    pub(super) fn positions(&self) -> PathBuf {
        self.folder.path().join("state/positions")
    }

    /// How many positions are saved.
    pub(super) fn saved(&self) -> usize {
        fs::read_dir(self.positions()).unwrap().count() - 1
    }

    pub(super) fn start(&mut self) {
        self.begin(CancellationToken::new());
        self.settle(SOON);
    }

    pub(super) fn begin(&mut self, stop: CancellationToken) {
        self.joint = None;
        let (run, job, started) = (RunId::new(), "x".to_owned(), Timestamp::now());
        let origin = Origin { run, job, trigger: String::new(), started, child: None };
        let resumed = Journal::resume(self.folder.path().join("state/journal/lines"), origin, 64 << 20).unwrap();
        self.journal = Some(resumed.journal);
        let memory = Memory { position: self.positions(), keep_bytes: 64 << 20 };
        self.now = self.now.max(Instant::now());
        let sink = Sink::new(resumed.writer);
        self.joint = Some(Joint::begin(self.places(), sink, memory, stop).unwrap());
        self.now = self.now.max(Instant::now());
    }

    pub(super) fn settle(&mut self, time: Duration) {
        let until = self.now + time;
        while self.now < until {
            let due = self.joint.as_mut().unwrap().step(self.now);
            self.now += due.saturating_duration_since(self.now).min(Duration::from_millis(60));
        }
    }

    /// Long enough for new names to be seen.
    pub(super) fn look(&mut self) {
        self.settle(Duration::from_secs(2));
    }

    /// The name and the text of each line, in the order of the journal; joblines' own in brackets.
    pub(super) fn told(&self) -> Vec<(String, String)> {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let selection = Selection { follow: false, ..Selection::default() };
            let mut reader = self.journal.as_ref().unwrap().read(&selection).unwrap();
            let mut told = Vec::new();
            while let Step::Chunk(chunk) = reader.next().await.unwrap() {
                for (_, line) in chunk.lines() {
                    match chunk.stream {
                        Stream::Record => {
                            let entry = Entry::read(line).unwrap();
                            let file = entry.log_file().unwrap().to_owned();
                            let text = [Some(entry.text), entry.exception].into_iter().flatten();
                            let text = text.map(|text| text.into_owned()).collect::<Vec<_>>().join("\n");
                            told.extend(text.split('\n').map(|text| (file.clone(), text.to_owned())));
                        }
                        _ => told.push(("[]".to_owned(), String::from_utf8(line.to_vec()).unwrap())),
                    }
                }
            }
            told
        })
    }

    /// The lines of the files by their names, and what joblines said.
    pub(super) fn by_name(&self) -> HashMap<String, String> {
        let mut all: HashMap<String, String> = HashMap::new();
        for (name, text) in self.told() {
            *all.entry(name).or_default() += &format!("{text}\n");
        }
        all
    }

    pub(super) fn of(&self, name: &str) -> String {
        self.by_name().remove(name).unwrap_or_default()
    }

    pub(super) fn said(&self) -> String {
        self.of("[]")
    }
}
