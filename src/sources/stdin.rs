//! Our own standard input as a source: what another program writes to us goes into the journal as it comes, until its
//! end. It knows nothing of that program, and ends nothing.

use std::time::Duration;

use bytes::Bytes;
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

use super::LineCutter;
use crate::journal::Writer;
use crate::record::{State, Stream};

/// Text waits so long for its newline.
const PATIENCE: Duration = Duration::from_millis(100);

/// The largest read.
const LARGEST_READ: usize = 128 << 10;

/// Bytes that come until their end.
pub struct Stdin<R> {
    from: R,
    grace: Duration,
}

impl Stdin<tokio::io::Stdin> {
    /// This process's own. Cancelled, it has `grace` to come to its end. Wants a runtime, which after a cancel may be
    /// left with a thread that still reads.
    pub fn own(grace: Duration) -> Self {
        Stdin { from: tokio::io::stdin(), grace }
    }
}

impl<R: AsyncRead + Unpin> Stdin<R> {
    /// Moves what comes into the journal, until its end: `Succeeded`. After `cancel` whoever writes has a while to end,
    /// for the same Ctrl-C may have reached it: `Cancelled`. `Failed` where it cannot be read.
    pub async fn follow(mut self, mut writer: Writer, cancel: &CancellationToken) -> (State, Writer) {
        let mut cutter = LineCutter::default();
        let mut since = Instant::now();
        let mut patience: Option<Instant> = None;
        let state = loop {
            cutter.buffer().reserve(LARGEST_READ);
            tokio::select! {
                biased;
                read = self.from.read_buf(cutter.buffer()) => match read {
                    Ok(0) => break if patience.is_some() { State::Cancelled } else { State::Succeeded },
                    Ok(count) => {
                        let waited = cutter.buffer().len() > count;
                        let pieces = cutter.cut(count);
                        if !waited || pieces[0].is_some() {
                            since = Instant::now();
                        }
                        append(&mut writer, pieces);
                    }
                    Err(error) => {
                        append(&mut writer, [cutter.flush(), None]);
                        writer.say(&format!("standard input cannot be read any more: {error}"));
                        break State::Failed;
                    }
                },
                () = cancel.cancelled(), if patience.is_none() => {
                    writer.say(&format!("cancelled: what still comes is taken for up to {:?}", self.grace));
                    patience = Some(Instant::now() + self.grace);
                }
                () = sleep_until(since + PATIENCE), if cutter.is_waiting() => {
                    append(&mut writer, [cutter.flush(), None]);
                }
                () = sleep_until(patience.unwrap_or(since)), if patience.is_some() => break State::Cancelled,
            }
        };
        append(&mut writer, [cutter.flush(), None]);
        (state, writer)
    }
}

fn append(writer: &mut Writer, pieces: [Option<Bytes>; 2]) {
    pieces.into_iter().flatten().for_each(|piece| writer.append(Stream::Stdout, piece));
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use tokio::io::AsyncWriteExt;

    use super::*;
    use crate::journal::{Journal, Origin, Reader, Selection, Step};
    use crate::record::{Outcome, RunId};

    /// A journal in `folder`, and a reader of it.
    fn journal(folder: &std::path::Path) -> (Writer, Reader) {
        let origin = Origin {
            run: RunId::new(),
            job: "x".to_owned(),
            trigger: String::new(),
            started: Timestamp::now(),
            child: None,
        };
        let (writer, journal) = Journal::create(folder.join("run"), origin, u64::MAX);
        let reader = journal.read(&Selection::default()).unwrap();
        (writer, reader)
    }

    async fn text(reader: &mut Reader) -> String {
        match reader.next().await.unwrap() {
            Step::Chunk(chunk) => String::from_utf8(chunk.bytes.to_vec()).unwrap(),
            step => panic!("no lines but {step:?}"),
        }
    }

    #[tokio::test]
    async fn lines_and_prompts_come_as_they_are_written_and_the_end_is_success() {
        let folder = tempfile::tempdir().unwrap();
        let (writer, mut reader) = journal(folder.path());
        let (mut other, from) = tokio::io::duplex(64);
        let never = CancellationToken::new();
        let followed = Stdin { from, grace: Duration::ZERO }.follow(writer, &never);
        let writing = async {
            other.write_all(b"one\ntwo\nname? ").await.unwrap();
            assert_eq!(text(&mut reader).await, "one\ntwo\n");
            // it has no newline, and comes all the same
            assert_eq!(text(&mut reader).await, "name? ");
            other.write_all(b"Ann").await.unwrap();
            drop(other);
        };
        let ((state, writer), ()) = tokio::join!(followed, writing);
        assert_eq!(state, State::Succeeded);
        writer.end(state, Outcome::Unknown, None, Duration::ZERO);
        assert_eq!(text(&mut reader).await, "Ann");
    }

    #[tokio::test]
    async fn what_is_written_after_a_cancel_is_taken_until_the_end_or_the_grace() {
        for (grace, last) in [(Duration::from_secs(1000), "cleaning up\n"), (Duration::ZERO, "")] {
            let folder = tempfile::tempdir().unwrap();
            let (writer, mut reader) = journal(folder.path());
            let (mut other, from) = tokio::io::duplex(64);
            let cancel = CancellationToken::new();
            cancel.cancel();
            let followed = Stdin { from, grace }.follow(writer, &cancel);
            let writing = async {
                assert!(text(&mut reader).await.starts_with("cancelled: "));
                if !last.is_empty() {
                    other.write_all(last.as_bytes()).await.unwrap();
                    assert_eq!(text(&mut reader).await, last);
                    drop(other);
                }
            };
            let ((state, _), ()) = tokio::join!(followed, writing);
            assert_eq!(state, State::Cancelled, "{grace:?}");
        }
    }
}
