//! The loop around a tail: takes its steps on threads that may wait for the disk, and wakes it when its file rings or
//! it is time. It reads nothing itself.

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use tokio::task::{JoinError, spawn_blocking};
use tokio::time::{sleep, timeout};
use tracing::error;

use super::{Memory, Next, Place, Signals, Tail};
use crate::sources::{Bell, Names, Sink};

/// What is written right after a look waits so long for the next: a fast writer's lines then come in large portions.
pub(super) const SETTLE: Duration = Duration::from_millis(5);

/// Follows the file at `place` into the journal of `sink` until `signals` say stop, and ends soon after. How far it came
/// is saved in `memory` all the while, so that it goes on there another time; nobody else may follow into the same
/// journal or memory meanwhile. Every step is a bounded portion on a thread of its own, so the runtime never waits for
/// the disk; when this future is dropped a step that has begun is still done.
pub async fn follow(place: Place, sink: Sink, memory: Memory, signals: Signals) {
    let Signals { stop, caught_up } = signals;
    // whatever ends it: nobody waits any longer
    let mut catching_up = Some(caught_up.drop_guard());
    let path = place.root.path().join(&place.path);
    let bell = place.bells.hang(path.clone(), Names::Own);
    let begin = move || {
        let watched = identify(&path);
        (Tail::begin(place, sink, memory, Instant::now()), path, watched)
    };
    let mut state = spawn_blocking(begin).await;
    loop {
        let (tail, path, watched) = match state {
            Ok(state) => state,
            Err(error) => return tell(&error),
        };
        if stop.is_cancelled() {
            return;
        }
        let (next, stepped) = match spawn_blocking(move || step(tail, path, watched)).await {
            Ok((next, true, stepped)) => (next, stepped),
            Ok((_, false, stepped)) => {
                bell.hang_anew();
                // what was written just before that does not ring
                (Next::Now, stepped)
            }
            Err(error) => return tell(&error),
        };
        state = Ok(stepped);
        if let Next::Within(_) = next {
            drop(catching_up.take());
        }
        if let Next::Within(most) | Next::Turning(most) = next {
            tokio::select! {
                () = wait(&bell, most) => {}
                () = stop.cancelled() => {}
            }
        }
    }
}

/// A tail, the path of its file, and what is watched.
type State = (Tail, PathBuf, Watched);

/// What a folder and a file are told from others by, where there are any: device and number.
pub(super) type Watched = [Option<(u64, u64)>; 2];

/// Takes a step, and says whether folder and file are still those that are watched.
fn step(mut tail: Tail, path: PathBuf, watched: Watched) -> (Next, bool, State) {
    let next = tail.step(Instant::now());
    let now = identify(&path);
    (next, now == watched, (tail, path, now))
}

/// Which file is at `path` now, and in which folder.
pub(super) fn identify(path: &Path) -> Watched {
    let found = [path.parent(), Some(path)].map(|path| std::fs::metadata(path?).ok());
    found.map(|found| found.map(|found| (found.dev(), found.ino())))
}

async fn wait(bell: &Bell, most: Duration) {
    sleep(SETTLE).await;
    let _ = timeout(most, bell.rung()).await;
}

/// A step that has no runtime any more ends with it.
pub(super) fn tell(error: &JoinError) {
    if error.is_panic() {
        error!(%error, "a file is not followed any more");
    }
}
