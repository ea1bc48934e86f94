//! A writer at full speed, on a thread of its own, while its file is rotated in every way; and the loop that follows
//! it.

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::bench::Bench;
use crate::journal::{Reader, Selection, Step};
use crate::record::Stream;
use crate::sources::Bells;
use crate::sources::file::{Folder, Place, Root, Signals, follow};

/// Only a hang takes so long.
const DEADLINE: Duration = Duration::from_secs(120);

/// What is rotated, and how, while the writer writes.
#[derive(Clone, Copy, PartialEq, Debug)]
enum Rotation {
    Rename,
    /// The writer waits meanwhile: what comes between the copy and the truncation is lost for everybody.
    CopyTruncate,
    /// The writer waits until all is read: what is not is gone for everybody.
    Remove,
    Link,
    Folder,
}

const ALL: [Rotation; 5] =
    [Rotation::Rename, Rotation::CopyTruncate, Rotation::Remove, Rotation::Link, Rotation::Folder];

/// Writes numbers, and rotates.
struct Writer {
    folder: PathBuf,
    file: File,
    written: u64,
    files: u32,
    seen: Arc<AtomicU64>,
}

impl Writer {
    fn new(folder: &Path, seen: Arc<AtomicU64>) -> Writer {
        let file = open(&folder.join("app.log"));
        Writer { folder: folder.to_owned(), file, written: 0, files: 0, seen }
    }

    /// Lines that a new feed shows, and waits until they are.
    fn begin(&mut self) {
        self.write(500);
        self.wait_until_seen(500);
    }

    fn write(&mut self, lines: u64) {
        for _ in 0..lines {
            self.written += 1;
            self.file.write_all((line(self.written) + "\n").as_bytes()).unwrap();
        }
    }

    fn wait_until_seen(&self, number: u64) {
        while self.seen.load(Ordering::Acquire) < number {
            std::thread::yield_now();
        }
    }

    fn create(&mut self) {
        self.file = open(&self.log());
    }

    fn log(&self) -> PathBuf {
        self.folder.join("app.log")
    }

    fn numbered(&self, number: u32) -> PathBuf {
        self.folder.join(format!("app.log.{number}"))
    }

    fn shift(&self) {
        for number in (1..100).rev().filter(|number| self.numbered(*number).exists()) {
            fs::rename(self.numbered(number), self.numbered(number + 1)).unwrap();
        }
    }

    fn rotate(&mut self, rotation: Rotation) {
        self.files += 1;
        match rotation {
            Rotation::Rename => {
                self.shift();
                fs::rename(self.log(), self.numbered(1)).unwrap();
                // the old one is still written to for a while, as by a daemon that was not told yet
                self.write(500);
                self.create();
            }
            Rotation::CopyTruncate => {
                self.wait_until_seen(self.written - 100);
                self.shift();
                fs::copy(self.log(), self.numbered(1)).unwrap();
                self.file.set_len(0).unwrap();
                // it may be longer than it was before anybody looks
                self.write(u64::from(self.files) * 3000);
            }
            Rotation::Remove => {
                self.wait_until_seen(self.written);
                fs::remove_file(self.log()).unwrap();
                self.create();
            }
            Rotation::Link => {
                // the file that loses its name here, or is removed, has been found
                self.wait_until_seen(self.written - 1000);
                let name = format!("{}.log", self.files);
                self.file = open(&self.folder.join(&name));
                symlink(&name, self.folder.join("link")).unwrap();
                fs::rename(self.folder.join("link"), self.log()).unwrap();
                // names of links say nothing of the order, so the next one waits until this one is seen
                self.write(1);
                self.wait_until_seen(self.written);
            }
            Rotation::Folder => {
                self.wait_until_seen(self.written);
                let old = self.folder.with_extension(self.files.to_string());
                fs::rename(&self.folder, old).unwrap();
                fs::create_dir(&self.folder).unwrap();
                self.create();
            }
        }
    }
}

/// A new file.
fn open(path: &Path) -> File {
    OpenOptions::new().append(true).create_new(true).open(path).unwrap()
}

fn line(number: u64) -> String {
    format!("{number:012} {}", "x".repeat(number as usize % 200))
}

/// Reads numbers from the journal up to `last`, and sees that each comes once and in order.
async fn read(reader: &mut Reader, seen: &AtomicU64, last: impl Fn() -> Option<u64>) {
    let mut rest = Vec::new();
    loop {
        let number = seen.load(Ordering::Acquire);
        if last() == Some(number) {
            return;
        }
        let step = timeout(DEADLINE, reader.next()).await.unwrap_or_else(|_| panic!("nothing after line {number}"));
        let Step::Chunk(chunk) = step.unwrap() else { panic!("it ended after line {number}") };
        if chunk.stream != Stream::Stdout {
            continue;
        }
        rest.extend_from_slice(&chunk.bytes);
        let end = rest.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
        let mut number = number;
        for text in String::from_utf8(rest.drain(..end).collect()).unwrap().lines() {
            number += 1;
            assert_eq!(text, line(number));
        }
        seen.store(number, Ordering::Release);
    }
}

/// A folder that may be renamed, below that of a directory feed.
fn place(bench: &Bench) -> Place {
    let folder = Folder {
        path: bench.folder.path().to_owned(),
        follow_symlinks: true,
        hidden: true,
        allow: Vec::new(),
        deny: Vec::new(),
        flask: None,
    };
    let root = Arc::new(Root::new(&folder).unwrap());
    Place { root, path: PathBuf::from("logs/app.log"), bells: Arc::new(Bells::default()) }
}

/// Follows until the token is cancelled.
fn start(bench: &mut Bench) -> (JoinHandle<()>, CancellationToken) {
    let stop = CancellationToken::new();
    let (place, sink, memory) = (place(bench), bench.sink(), bench.memory());
    let signals = Signals { stop: stop.clone(), ..Signals::default() };
    (tokio::spawn(follow(place, sink, memory, signals)), stop)
}

fn reader(bench: &Bench, from: u64) -> Reader {
    bench.journal.as_ref().unwrap().read(&Selection { from, ..Selection::default() }).unwrap()
}

async fn rotated(rotations: &'static [Rotation]) {
    rotated_after(2000, rotations).await;
}

/// Each file gets so many `lines` before it is rotated.
async fn rotated_after(lines: u64, rotations: &'static [Rotation]) {
    let mut bench = Bench::new();
    let seen = Arc::new(AtomicU64::new(0));
    let mut writer = Writer::new(&bench.log(""), Arc::clone(&seen));
    let (following, stop) = start(&mut bench);
    let mut reader = reader(&bench, 1);
    let (said, last) = std::sync::mpsc::channel();
    let writing = std::thread::spawn(move || {
        writer.begin();
        writer.write(2000);
        for rotation in rotations {
            writer.rotate(*rotation);
            writer.write(lines);
        }
        said.send(writer.written).unwrap();
    });
    let total = std::cell::Cell::new(None);
    read(&mut reader, &seen, || {
        total.set(total.get().or_else(|| last.try_recv().ok()));
        total.get()
    })
    .await;
    writing.join().unwrap();
    stop.cancel();
    timeout(DEADLINE, following).await.unwrap().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn renaming_shows_each_line_once() {
    rotated(&[Rotation::Rename; 8]).await;
}

/// Names are shifted all the time, between a look at the folder and the opening of what is there too.
#[tokio::test(flavor = "multi_thread")]
async fn small_files_renamed_at_full_speed_show_each_line_once() {
    rotated_after(0, &[Rotation::Rename; 30]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn copying_and_truncating_shows_each_line_once() {
    rotated(&[Rotation::CopyTruncate; 8]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn removing_turning_links_and_renaming_the_folder_shows_each_line_once() {
    use Rotation::{Folder, Link, Remove};
    rotated(&[Link, Link, Remove, Remove, Folder, Folder, Link, Remove, Folder]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn all_rotations_by_turns_show_each_line_once() {
    rotated(&ALL).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn following_that_is_stopped_or_dropped_goes_on_exactly_there() {
    let mut bench = Bench::new();
    let seen = Arc::new(AtomicU64::new(0));
    let mut writer = Writer::new(&bench.log(""), Arc::clone(&seen));
    let mut first = 1;
    for round in 1..=6 {
        let (following, stop) = start(&mut bench);
        let mut reader = reader(&bench, first);
        let last = 500 + 3000 * round;
        let writing = std::thread::spawn(move || {
            if round == 1 {
                writer.begin();
            }
            writer.write(3000);
            writer
        });
        // the numbers are those of lines, for nothing else was said
        read(&mut reader, &seen, || {
            (seen.load(Ordering::Acquire) + 1 > last - 1500).then(|| seen.load(Ordering::Acquire))
        })
        .await;
        if round % 2 == 0 {
            stop.cancel();
        } else {
            following.abort();
        }
        let _ = timeout(DEADLINE, following).await.unwrap();
        // a step that has begun when it was aborted is still done
        drop(reader);
        timeout(DEADLINE, bench.journal.as_ref().unwrap().ended()).await.unwrap();
        writer = writing.join().unwrap();
        first = seen.load(Ordering::Acquire) + 1;
    }
    let (following, stop) = start(&mut bench);
    let mut reader = reader(&bench, first);
    read(&mut reader, &seen, || Some(writer.written)).await;
    stop.cancel();
    timeout(DEADLINE, following).await.unwrap().unwrap();
}
