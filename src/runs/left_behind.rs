//! What the last server left behind: its unended runs are settled as lost, with every line they had, and what is left of
//! their processes is ended. And when a run can be found like that. It begins no run.

use std::collections::HashSet;
use std::fs;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use tracing::{info, warn};

use super::{Receipt, Run, RunRecord, Runs};
use crate::journal::{Recovered, forget, recover, retire};
use crate::record::{End, Outcome, RunId, State};
use crate::sources::process::{end_orphans, end_strays};

/// What is left of a killed server's run gets so long between SIGTERM and SIGKILL: its job may be gone from `jobs.toml`.
const ORPHANS_GRACE: Duration = Duration::from_secs(10);

impl Runs {
    /// Waits until `run` would be found if the server were killed: by its journal once it has begun, by the history while
    /// it waits for its turn.
    pub async fn noted(&self, run: &Run) {
        match run.state() {
            // whoever asks the history has it written
            State::Queued => drop(self.history.find(run.id).await),
            // a command that cannot be started is a run that has failed
            _ => drop(run.begun().await),
        }
    }

    /// The runs that the last server left without an end, and those that it had no time to enter into the history.
    pub(super) async fn left_behind(&self) -> anyhow::Result<Vec<RunRecord>> {
        let mut left = self.history.unended().await?;
        let known = self.history.ids().await?;
        let folder = self.settings.state_dir.join("runs");
        let shelves = fs::read_dir(&folder).with_context(|| format!("cannot read {}", folder.display()))?.flatten();
        let names = shelves.filter_map(|shelf| fs::read_dir(shelf.path()).ok()).flatten().flatten();
        let ids = names.filter_map(|name| name.file_name().to_str()?.strip_suffix(".index")?.parse::<RunId>().ok());
        left.extend(ids.filter(|id| !known.contains(id)).map(RunRecord::of_unknown));
        Ok(left)
    }

    /// Settles what the last server left behind.
    pub(super) async fn settle_all(self: &Arc<Self>, left: Vec<RunRecord>) {
        let mut strays = HashSet::new();
        for record in left {
            let id = record.id.to_string();
            if !self.settle(record).await {
                strays.insert(id);
            }
        }
        if strays.is_empty() {
            return;
        }
        self.tasks.spawn(async move {
            let processes = end_strays(strays, ORPHANS_GRACE).await;
            if processes > 0 {
                info!(processes, "ended what was left of lost runs");
            }
        });
    }

    /// Settles one run, and says whether its processes are known, or known to be none of ours any more.
    async fn settle(self: &Arc<Self>, mut record: RunRecord) -> bool {
        let (base, started) = (self.base(record.id), record.started);
        let recovered = tokio::task::spawn_blocking(move || recover(&base, started)).await;
        let Recovered { origin, end, cut, index_bytes } =
            match recovered.map_err(io::Error::other).and_then(|recovered| recovered) {
                Ok(recovered) => recovered,
                Err(error) => {
                    warn!(run = %record.id, %error, "the journal of a lost run cannot be read");
                    self.settle_unread(record);
                    return false;
                }
            };
        let child = origin.as_ref().and_then(|origin| origin.child);
        match origin {
            // what the history knows is whole, and has the parameters, which the journal has not
            Some(origin) if record.job.is_empty() => {
                (record.job, record.trigger, record.started) = (origin.job, origin.trigger, origin.started);
            }
            // files that were made and not yet written to: nobody was told of the run, but its command may have begun
            None if record.job.is_empty() => {
                remove(&self.base(record.id));
                return false;
            }
            Some(_) | None => {}
        }
        (record.state, record.lines, record.bytes) = (end.state, end.lines, end.bytes);
        record.index_bytes = index_bytes;
        record.ended = Some(Receipt::from(&end));
        let (id, lines, state) = (record.id, end.lines, end.state);
        info!(run = %id, job = record.job, state = state.name(), lines, cut, "settled a run of the last server");
        self.history.save(record);
        // what a run that came to its end left behind, it left on purpose
        if state != State::Lost {
            return true;
        }
        let Some(child) = child else { return false };
        self.tasks.spawn(async move {
            let ended = end_orphans(child.pid, child.started.into(), &id.to_string(), ORPHANS_GRACE).await;
            if ended > 0 {
                info!(run = %id, processes = ended, "ended what was left of a lost run");
            }
        });
        true
    }

    /// The same of a run whose journal does not say how far it came: its files stay as they are, for somebody to look at.
    fn settle_unread(&self, mut record: RunRecord) {
        // only its journal would say whose run it was
        if record.job.is_empty() {
            return;
        }
        let end = End {
            state: State::Lost,
            outcome: Outcome::Unknown,
            ended: record.started,
            duration: Duration::ZERO,
            usage: None,
            lines: record.lines,
            bytes: record.bytes,
            bytes_not_kept: 0,
        };
        record.state = State::Lost;
        record.ended = Some(Receipt::from(&end));
        self.history.save(record);
    }
}

fn remove(base: &Path) {
    if let Err(error) = retire(base).and_then(|()| forget(base)) {
        warn!(%error, "the files of a run that never began cannot be removed");
    }
}
