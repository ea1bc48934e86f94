//! The task of one run: it waits for its turn, has the command run, ends the journal, and tells the history.

use std::io;
use std::sync::Arc;
use std::time::Instant;

use jiff::Timestamp;
use tracing::info;

use super::{Run, Runs};
use crate::config::Source;
use crate::journal::{Child, Writer};
use crate::record::{Outcome, State};
use crate::sources::process::{Ended, Input, Launch, Process, StartError, Unreaped};
use crate::sources::stdin::Stdin;

/// The task of one run.
pub(super) struct Task {
    pub(super) runs: Arc<Runs>,
    pub(super) run: Arc<Run>,
    pub(super) asked: Instant,
}

impl Task {
    pub(super) async fn run(self, writer: Writer, queued: bool, input: Option<Input>) {
        let has_turn = !queued || self.wait_for_turn().await;
        // who never had a turn took no time
        let began = if queued { Instant::now() } else { self.asked };
        let (ended, mut writer, unreaped) = match has_turn && !self.run.cancel.is_cancelled() {
            true if self.run.job.source == Source::Stdin => self.read_stdin(writer).await,
            true => self.execute(writer, input).await,
            false => (Ended { state: State::Cancelled, outcome: Outcome::Unknown, usage: None }, writer, None),
        };
        if let Some(by) = self.run.replaced_by.get().filter(|_| ended.state == State::Cancelled) {
            let when = if has_turn { "" } else { " before its turn came" };
            writer.say(&format!("replaced by run {by}{when}"));
        }
        writer.end(ended.state, ended.outcome, ended.usage, began.elapsed());
        self.runs.live().leave(&self.run);
        // those who watch get the end before the child is reaped, and before the log and the history have it
        tokio::task::yield_now().await;
        if let Some(unreaped) = unreaped {
            unreaped.reap().await;
        }
    }

    /// `false` where it was cancelled before its turn came.
    async fn wait_for_turn(&self) -> bool {
        tokio::select! {
            biased;
            () = self.run.cancel.cancelled() => false,
            () = self.run.turn.notified() => true,
        }
    }

    /// Takes in what another program writes to us.
    async fn read_stdin(&self, writer: Writer) -> (Ended, Writer, Option<Unreaped>) {
        let run = &self.run;
        run.begun.send_replace(Some(State::Running));
        self.runs.history.save(run.record());
        let (state, writer) = Stdin::own(run.job.process.grace).follow(writer, &run.cancel).await;
        (Ended { state, outcome: Outcome::Unknown, usage: None }, writer, None)
    }

    async fn execute(&self, mut writer: Writer, input: Option<Input>) -> (Ended, Writer, Option<Unreaped>) {
        let run = &self.run;
        let identity = vec![
            ("JOBLINES_JOB", run.job.name.clone()),
            ("JOBLINES_RUN", run.id.to_string()),
            ("JOBLINES_URL", format!("{}/runs/{}", self.runs.settings.url, run.id)),
        ];
        let launch = Launch { identity, values: run.values.clone(), input };
        let (settings, started) = (Arc::clone(&run.job.process), Timestamp::now());
        let starting = tokio::task::spawn_blocking(move || Process::start(settings, launch));
        // in the shadow of the child's own start
        writer.prepare();
        let started_process = starting.await.map_err(|error| StartError::System(io::Error::other(error)));
        let process = match started_process.and_then(|process| process) {
            Ok(process) => process,
            Err(error) => {
                writer.say(&error.to_string());
                let _ = run.cannot_start.set(error.to_string());
                return (Ended { state: State::Failed, outcome: Outcome::Unknown, usage: None }, writer, None);
            }
        };
        // who is told of the run can count on its being found after a crash, and on the end of its processes
        writer.note(Child { pid: process.id(), started });
        run.begun.send_replace(Some(State::Running));
        let told = async {
            tokio::task::yield_now().await;
            self.runs.history.save(run.record());
        };
        let ((ended, writer, unreaped), ()) = tokio::join!(process.follow(writer, &run.cancel), told);
        (ended, writer, Some(unreaped))
    }
}

impl Drop for Task {
    /// However the task came to its end, its journal has ended by now, and the history is told.
    fn drop(&mut self) {
        self.runs.live().leave(&self.run);
        let record = self.run.record();
        info!(run = %record.id, job = record.job, state = record.state.name(), lines = record.lines, "run ended");
        self.runs.history.save(record);
    }
}
