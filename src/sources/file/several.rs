//! The loop around the tails of several files: takes their steps on a thread that may wait for the disk, and wakes when one of
//! them rings or it is time. It reads nothing itself.

use std::time::{Duration, Instant};

use tokio::task::spawn_blocking;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use tracing::error;

use super::{Joint, Memory, Places, SETTLE, tell};
use crate::sources::Sink;

/// Follows all files of `places` into the journal of `sink` until `stop`, and ends soon after; each line is a record that
/// says which file it is of. Files that come later join. How far it came is saved in `memory` all the while, so that it
/// goes on there another time; nobody else may follow into the same journal or memory meanwhile.
pub async fn follow_several(places: Places, sink: Sink, memory: Memory, stop: CancellationToken) {
    let stopped = stop.clone();
    let begin = move || Joint::begin(places, sink, memory, stopped);
    let mut joint = match spawn_blocking(begin).await {
        Ok(Ok(joint)) => joint,
        Ok(Err(error)) => return error!(%error, "files cannot be followed"),
        Err(error) => return tell(&error),
    };
    let news = joint.news();
    while !stop.is_cancelled() {
        let step = move || {
            let due = joint.step(Instant::now());
            (due, joint)
        };
        let due;
        (due, joint) = match spawn_blocking(step).await {
            Ok(done) => done,
            Err(error) => return tell(&error),
        };
        let most = due.saturating_duration_since(Instant::now());
        if most > Duration::ZERO {
            let wait = async {
                sleep(SETTLE).await;
                let _ = timeout(most, news.notified()).await;
            };
            tokio::select! {
                () = wait => {}
                () = stop.cancelled() => {}
            }
        }
    }
}
