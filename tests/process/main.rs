//! What a run gives its command and takes from it: values, secrets, standard input. Real children, through the library.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

#[path = "../harness/mod.rs"]
mod harness;

mod choices;
mod input;
mod secrets;
mod values;

use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
use std::{fs, io};

use jiff::Timestamp;
use joblines::journal::{Journal, Origin, Reader, Selection, Step};
use joblines::parameters::{Value, Values};
use joblines::record::{RunId, Stream};
use joblines::sources::process::{Command, Ended, Inherit, Launch, Process, Settings, StartError};
use tempfile::TempDir;
use tokio::io::{AsyncRead, ReadBuf};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// A job, and the folder that it works in.
struct Job {
    folder: TempDir,
    settings: Settings,
}

impl Job {
    /// What `sh -c` runs.
    fn shell(text: &str) -> Job {
        Job::of(Command::Shell(text.to_owned()))
    }

    /// What is executed as it is.
    fn list(words: &[&str]) -> Job {
        Job::of(Command::List(words.iter().map(|word| (*word).to_owned()).collect()))
    }

    fn of(command: Command) -> Job {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("work")).unwrap();
        let settings = Settings {
            command,
            cwd: folder.path().join("work"),
            env: Vec::new(),
            inherit_env: Inherit::All,
            pty: false,
            merge_stderr: false,
            timeout: None,
            idle_timeout: None,
            grace: harness::DEADLINE,
            drain: harness::DEADLINE,
            success_codes: vec![0],
        };
        Job { folder, settings }
    }

    fn set(mut self, change: impl FnOnce(&mut Settings)) -> Job {
        change(&mut self.settings);
        self
    }

    /// Where it works.
    fn work(&self) -> &Path {
        &self.settings.cwd
    }

    async fn try_start(&self, launch: Launch) -> Result<Process, StartError> {
        let settings = Arc::new(self.settings.clone());
        tokio::task::spawn_blocking(move || Process::start(settings, launch)).await.unwrap()
    }

    async fn start(&self, launch: Launch) -> Running {
        let process = self.try_start(launch).await.unwrap();
        let (run, started) = (RunId::new(), Timestamp::now());
        let origin = Origin { run, job: "job".to_owned(), trigger: "a test".to_owned(), started, child: None };
        let (writer, journal) = Journal::create(self.folder.path().join(run.to_string()), origin, u64::MAX);
        let following = tokio::spawn(async move {
            let (ended, writer, unreaped) = process.follow(writer, &CancellationToken::new()).await;
            writer.end(ended.state, ended.outcome, ended.usage, Duration::ZERO);
            unreaped.reap().await;
            ended
        });
        let reader = journal.read(&Selection::default()).unwrap();
        Running { following, reader, seen: Vec::new() }
    }

    async fn run(&self, launch: Launch) -> Ran {
        self.start(launch).await.end().await
    }
}

/// A run that goes on.
struct Running {
    following: JoinHandle<Ended>,
    reader: Reader,
    seen: Vec<(Stream, Vec<u8>)>,
}

impl Running {
    /// Waits until `text` has been shown.
    async fn until(&mut self, text: &str) {
        while !self.text().contains(text) {
            assert!(self.step().await, "it ended before {text:?}: {:?}", self.text());
        }
    }

    /// All that was shown so far.
    fn text(&self) -> String {
        let bytes = self.seen.iter().flat_map(|(_, bytes)| bytes.iter().copied()).collect::<Vec<u8>>();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// `false` where there is no more.
    async fn step(&mut self) -> bool {
        match tokio::time::timeout(harness::DEADLINE, self.reader.next()).await.expect("it goes on").unwrap() {
            Step::Chunk(chunk) => self.seen.push((chunk.stream, chunk.bytes.to_vec())),
            Step::End(_) | Step::Pause => return false,
        }
        true
    }

    async fn end(mut self) -> Ran {
        while self.step().await {}
        Ran { ended: self.following.await.unwrap(), seen: self.seen }
    }
}

/// A run that has ended.
struct Ran {
    ended: Ended,
    seen: Vec<(Stream, Vec<u8>)>,
}

impl Ran {
    /// All that one stream brought.
    fn of(&self, stream: Stream) -> String {
        let of_stream = self.seen.iter().filter(|(of, _)| *of == stream);
        String::from_utf8(of_stream.flat_map(|(_, bytes)| bytes.iter().copied()).collect()).unwrap()
    }

    fn stdout(&self) -> String {
        self.of(Stream::Stdout)
    }

    fn system(&self) -> String {
        self.of(Stream::System)
    }
}

/// With one value.
fn with_value(name: &str, text: &str) -> Launch {
    let value = Value { name: name.to_owned(), text: text.to_owned(), secret: false };
    Launch { values: Values::new(vec![value]), ..Launch::default() }
}

/// With secrets `a`, `b` and so on.
fn with_secrets(secrets: &[&str]) -> Launch {
    let name = |at: usize| ["a", "b", "c"][at].to_owned();
    let value = |(at, text): (usize, &&str)| Value { name: name(at), text: (*text).to_owned(), secret: true };
    Launch { values: Values::new(secrets.iter().enumerate().map(value).collect()), ..Launch::default() }
}

/// An input that brings what it is sent, as it is sent, and its sender.
fn input() -> (mpsc::Sender<io::Result<Vec<u8>>>, Launch) {
    let (sender, receiver) = mpsc::channel(1);
    let launch = Launch { input: Some(Box::pin(Sent { receiver, rest: Vec::new() })), ..Launch::default() };
    (sender, launch)
}

struct Sent {
    receiver: mpsc::Receiver<io::Result<Vec<u8>>>,
    rest: Vec<u8>,
}

impl AsyncRead for Sent {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if self.rest.is_empty() {
            match std::task::ready!(self.receiver.poll_recv(cx)).transpose()? {
                Some(sent) => self.rest = sent,
                None => return Poll::Ready(Ok(())),
            }
        }
        let count = self.rest.len().min(buffer.remaining());
        buffer.put_slice(&self.rest.drain(..count).collect::<Vec<u8>>());
        Poll::Ready(Ok(()))
    }
}
