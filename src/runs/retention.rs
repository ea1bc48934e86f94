//! What is kept of ended runs: as many of each job, for as long, and as many bytes of all, as was said. It works in the
//! background, the oldest first, a few at a time, and never takes away what somebody reads.
//!
//! A run is taken away in steps, so that a crash leaves either all of it or something that the next start finds and takes
//! away ([`Sweeper::clear_remains`]): its files go but for a marker, which makes room where the disk is full; its record
//! is taken out of the history; and the marker goes last. From the first step on nobody finds the run any more.

use std::collections::HashMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use tokio::sync::Notify;
use tokio::time::sleep;
use tracing::{info, warn};

use super::{History, Holds, Kept, RunRecord, Surplus, base_of};
use crate::journal::{forget, retire, retired};
use crate::record::RunId;

/// So long after the start nothing is taken away: there is enough to do then.
const FIRST: Duration = Duration::from_secs(1);

/// From one look at what is too much to the next.
const PAUSE: Duration = Duration::from_secs(1);

/// A look is taken so often even where no run ends: runs get older.
const PATROL: Duration = Duration::from_secs(60);

/// So many runs are taken away at a time.
const BATCH: usize = 16;

/// It rests for so many times as long as it worked: it takes a fiftieth of a core and of the disk, for runs come first.
const REST: u32 = 49;

/// With more runs of a job than these to take away, or by their age or size, it rests less: it takes a tenth.
const MANY: u64 = 30_000;
const SHORT_REST: u32 = 9;

/// How much is kept of ended runs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Keep {
    /// So many runs of each job.
    pub runs: usize,
    /// Each for so long after its end, where that is limited.
    pub age: Option<Duration>,
    /// So many bytes of all journals together, where that is limited.
    pub bytes: Option<u64>,
}

/// What is to be kept, and what there is.
pub(super) struct Retention {
    state: Mutex<State>,
    news: Notify,
}

struct State {
    keep: Keep,
    /// `None` until the history was asked.
    kept: Option<Kept>,
}

impl Retention {
    pub(super) fn new(keep: Keep) -> Retention {
        Retention { state: Mutex::new(State { keep, kept: None }), news: Notify::new() }
    }

    /// Other limits.
    pub(super) fn keep(&self, keep: Keep) {
        self.lock().keep = keep;
        self.news.notify_one();
    }

    /// Counts a run whose end has come into the history.
    pub(super) fn count(&self, record: &RunRecord) {
        let mut state = self.lock();
        let Some(kept) = &mut state.kept else { return };
        *kept.runs.entry(record.job.clone()).or_default() += 1;
        kept.bytes += size(record);
        drop(state);
        self.news.notify_one();
    }

    /// A run that was counted is gone.
    fn count_out(&self, record: &RunRecord) {
        let mut state = self.lock();
        let Some(kept) = &mut state.kept else { return };
        kept.bytes = kept.bytes.saturating_sub(size(record));
        if let Some(runs) = kept.runs.get_mut(&record.job) {
            *runs = runs.saturating_sub(1);
        }
        kept.runs.retain(|_, runs| *runs > 0);
    }

    /// The jobs that have too many runs, and how many too many; and what else is to be kept.
    fn crowded(&self) -> (HashMap<String, u64>, Keep) {
        let state = self.lock();
        let runs = state.kept.iter().flat_map(|kept| &kept.runs);
        let most = state.keep.runs;
        let crowded = runs.filter(|(_, runs)| **runs > most).map(|(job, runs)| (job.clone(), (runs - most) as u64));
        (crowded.collect(), state.keep)
    }

    /// How many bytes there are too many.
    fn excess_bytes(&self) -> u64 {
        let state = self.lock();
        let kept = state.kept.as_ref().map_or(0, |kept| kept.bytes);
        state.keep.bytes.map_or(0, |most| kept.saturating_sub(most))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a run takes on the disk.
fn size(record: &RunRecord) -> u64 {
    record.bytes + record.index_bytes
}

/// What takes runs away.
pub(super) struct Sweeper {
    pub(super) retention: Arc<Retention>,
    pub(super) history: Arc<History>,
    pub(super) holds: Arc<Holds>,
    /// Where the shelves are.
    pub(super) folder: PathBuf,
}

impl Sweeper {
    /// Takes away what is too much, now and later. Safe to drop: it is as if the server had crashed.
    pub(super) async fn work(self) {
        let retention = Arc::clone(&self.retention);
        if let Err(error) = self.history.kept(move |kept| retention.lock().kept = Some(kept)).await {
            return warn!(%error, "nothing is taken away: the history cannot be read");
        }
        sleep(FIRST).await;
        loop {
            if let Err(error) = self.sweep().await {
                warn!(error = format!("{error:#}"), "old runs cannot be taken away; it is tried again");
            }
            sleep(PAUSE).await;
            tokio::select! {
                () = self.retention.news.notified() => {}
                () = self.holds.released() => {}
                () = sleep(PATROL) => {}
            }
        }
    }

    async fn sweep(&self) -> anyhow::Result<()> {
        let (crowded, keep) = self.retention.crowded();
        for (job, excess) in crowded {
            self.take(Surplus::OfJob(job), excess, |_| 1).await?;
        }
        if let Some(oldest) = keep.age.and_then(|age| Timestamp::now().checked_sub(age).ok()) {
            self.take(Surplus::EndedBefore(oldest), u64::MAX, |_| 0).await?;
        }
        self.take(Surplus::OfAll, self.retention.excess_bytes(), size).await
    }

    /// Takes the oldest away until `excess` is used up. Those that somebody reads count as if they were gone: they go
    /// when nobody does, and no younger one in their stead.
    async fn take(&self, surplus: Surplus, mut excess: u64, of: fn(&RunRecord) -> u64) -> anyhow::Result<()> {
        let mut after = None;
        while excess > 0 {
            let began = Instant::now();
            let oldest = self.history.surplus(surplus.clone(), after.take(), BATCH).await?;
            let Some(last) = oldest.last() else { break };
            after = Some(last.clone());
            let mut going = Vec::with_capacity(oldest.len());
            for record in oldest {
                if excess == 0 {
                    break;
                }
                excess = excess.saturating_sub(of(&record));
                if self.holds.doom(record.id) {
                    going.push(record);
                }
            }
            self.take_away(going).await?;
            let rest = match surplus {
                Surplus::OfJob(_) if excess <= MANY => REST,
                _ => SHORT_REST,
            };
            sleep(began.elapsed() * rest).await;
        }
        Ok(())
    }

    /// Takes doomed runs away.
    async fn take_away(&self, runs: Vec<RunRecord>) -> anyhow::Result<()> {
        if runs.is_empty() {
            return Ok(());
        }
        let bases: Vec<_> = runs.iter().map(|record| base_of(&self.folder, record.id)).collect();
        let retired = tokio::task::spawn_blocking(move || bases.iter().map(|base| retire(base)).collect::<Vec<_>>());
        let (mut gone, mut ids) = (Vec::with_capacity(runs.len()), Vec::with_capacity(runs.len()));
        for (record, retired) in runs.into_iter().zip(retired.await?) {
            match retired {
                Ok(()) => {
                    ids.push(record.id);
                    gone.push(record);
                }
                Err(error) => warn!(run = %record.id, %error, "the files of an old run cannot be removed"),
            }
        }
        // where this fails (a full disk) they are doomed still, and come again with the next look
        self.history.remove(ids.clone()).await?;
        let bases: Vec<_> = ids.iter().map(|id| base_of(&self.folder, *id)).collect();
        // a marker that stays is found at the next start
        tokio::task::spawn_blocking(move || bases.iter().for_each(|base| drop(forget(base)))).await?;
        for record in &gone {
            self.retention.count_out(record);
            self.holds.forget(record.id);
        }
        info!(runs = gone.len(), "took old runs away");
        Ok(())
    }

    /// Finishes what the last server began to take away. Where that cannot be done, the next start tries again, and until
    /// then nobody finds those runs.
    pub(super) async fn clear_remains(&self) {
        if let Err(error) = self.try_clear_remains().await {
            warn!(error = format!("{error:#}"), "what the last server had begun to take away cannot be removed");
        }
    }

    async fn try_clear_remains(&self) -> anyhow::Result<()> {
        let folder = self.folder.clone();
        let remains = tokio::task::spawn_blocking(move || remains_in(&folder)).await??;
        if remains.is_empty() {
            return Ok(());
        }
        for run in &remains {
            // nobody can have hold of it yet
            self.holds.doom(*run);
        }
        let bases: Vec<_> = remains.iter().map(|run| base_of(&self.folder, *run)).collect();
        let retiring = bases.clone();
        tokio::task::spawn_blocking(move || retiring.iter().try_for_each(|base| retire(base))).await??;
        self.history.remove(remains.clone()).await?;
        tokio::task::spawn_blocking(move || bases.iter().try_for_each(|base| forget(base))).await??;
        remains.iter().for_each(|run| self.holds.forget(*run));
        info!(runs = remains.len(), "took away what the last server had begun to");
        Ok(())
    }
}

/// The runs that were being taken away.
fn remains_in(folder: &Path) -> io::Result<Vec<RunId>> {
    let mut remains = Vec::new();
    for shelf in fs::read_dir(folder)? {
        for file in fs::read_dir(shelf?.path())? {
            remains.extend(retired(&file?.file_name()));
        }
    }
    Ok(remains)
}
