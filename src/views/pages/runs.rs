//! `/runs`: the history, and a run as every list shows it.

use std::time::Duration;

use askama::Template;
use jiff::Timestamp;

use super::{Frame, in_bytes, in_digits, in_duration, legible, shortened};
use crate::record::{Outcome, RunId, State};

/// A run in a list.
#[derive(Clone, Debug)]
pub struct RunRow {
    /// Its name.
    pub id: RunId,
    /// Its job's name.
    pub job: String,
    /// The values of its parameters, as they may be shown.
    pub params: Vec<(String, String)>,
    /// Where it stands.
    pub state: State,
    /// So many others come before it, while it is queued and that is known.
    pub ahead: Option<usize>,
    /// How the command ended; `Unknown` while it has not.
    pub outcome: Outcome,
    /// When it was asked for.
    pub started: Timestamp,
    /// From start to end; `None` while it is on.
    pub duration: Option<Duration>,
    /// How many lines it printed; `None` where nobody knows yet.
    pub lines: Option<u64>,
    /// How many bytes of them are kept; `None` where nobody knows yet.
    pub bytes: Option<u64>,
    /// How many bytes were not kept.
    pub bytes_not_kept: u64,
}

/// `/runs`: the history.
#[derive(Clone, Debug)]
pub struct RunsPage {
    /// What all pages have in common.
    pub frame: Frame,
    /// What "3 min ago" is counted from.
    pub now: Timestamp,
    /// The jobs to choose from.
    pub jobs: Vec<String>,
    /// The job that was chosen.
    pub job: Option<String>,
    /// The state that was chosen.
    pub state: Option<State>,
    /// How many runs a page has, where something else than usual was chosen.
    pub limit: Option<usize>,
    /// Newest first.
    pub runs: Vec<RunRow>,
    /// Where those are that are newer than these.
    pub newer: Newer,
    /// The `before=` that shows what comes after these.
    pub older: Option<RunId>,
}

/// Where the page of newer runs is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Newer {
    /// There is none: this is the first.
    Nowhere,
    /// On the first page.
    First,
    /// The `before=` that shows it.
    Before(RunId),
}

/// Renders the history.
pub fn runs(page: &RunsPage) -> String {
    #[derive(Template)]
    #[template(path = "runs.html")]
    struct Html<'a> {
        page: &'a RunsPage,
    }
    Html { page }.render().unwrap_or_default()
}

/// How long before `now` something was, where that is less than a day.
pub(super) fn ago(then: Timestamp, now: &Timestamp) -> String {
    match age(then, now).as_secs() {
        0..5 => "just now".to_owned(),
        seconds @ 5..60 => format!("{seconds} s ago"),
        seconds @ 60..3600 => format!("{} min ago", seconds / 60),
        seconds @ 3600..86_400 => format!("{} h ago", seconds / 3600),
        _ => then.strftime("%Y-%m-%d %H:%M").to_string(),
    }
}

fn age(then: Timestamp, now: &Timestamp) -> Duration {
    Duration::try_from(now.duration_since(then)).unwrap_or_default()
}

impl RunRow {
    pub(super) fn result(&self) -> String {
        match (self.state, self.outcome) {
            (State::Failed, Outcome::Exited(code)) => format!("failed, exit code {code}"),
            (State::Failed, Outcome::Signalled(signal)) => match self.outcome.signal_name() {
                Some(name) => format!("failed, {name}"),
                None => format!("failed, signal {signal}"),
            },
            (State::Queued, _) => match self.ahead {
                Some(0) => "queued, next".to_owned(),
                Some(ahead) => format!("queued, {ahead} ahead"),
                None => "queued".to_owned(),
            },
            (state, _) => in_words(state).to_owned(),
        }
    }

    pub(super) fn started_stamp(&self) -> String {
        self.started.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
    }

    pub(super) fn started_words(&self) -> String {
        self.started.strftime("%Y-%m-%d %H:%M:%S UTC").to_string()
    }

    pub(super) fn started_ago(&self, now: &Timestamp) -> String {
        ago(self.started, now)
    }

    fn age(&self, now: &Timestamp) -> Duration {
        age(self.started, now)
    }

    /// How long it took, or has taken so far.
    pub(super) fn took(&self, now: &Timestamp) -> String {
        match self.duration {
            Some(duration) => in_duration(duration),
            None if self.state.is_final() => String::new(),
            None => match self.age(now).as_secs() {
                seconds @ 0..60 => format!("{seconds} s"),
                seconds => in_duration(Duration::from_secs(seconds)),
            },
        }
    }

    pub(super) fn is_on(&self) -> bool {
        !self.state.is_final()
    }

    pub(super) fn is_told(&self) -> bool {
        self.params.iter().any(|(_, value)| !value.is_empty())
    }

    /// The first of its parameters that are not empty, short; and how many more there are.
    pub(super) fn told(&self) -> (Vec<String>, usize) {
        const MOST: usize = 6;
        const LONGEST: usize = 48;
        let mut told = self.params.iter().filter(|(_, value)| !value.is_empty());
        let first =
            told.by_ref().take(MOST).map(|(name, value)| format!("{name}={}", shortened(&legible(value), LONGEST)));
        (first.collect(), told.count())
    }

    pub(super) fn lines_words(&self) -> String {
        self.lines.map(in_digits).unwrap_or_default()
    }

    pub(super) fn size(&self) -> String {
        self.bytes.map(in_bytes).unwrap_or_default()
    }

    pub(super) fn not_kept(&self) -> String {
        in_bytes(self.bytes_not_kept)
    }
}

fn in_words(state: State) -> &'static str {
    match state {
        State::TimedOut => "timed out",
        state => state.name(),
    }
}

impl RunsPage {
    fn states(&self) -> [(State, &'static str); 7] {
        State::ALL.map(|state| (state, in_words(state)))
    }

    fn limits(&self) -> Vec<usize> {
        let mut limits = vec![50, 100, 200, 1000];
        limits.extend(self.limit);
        limits.sort_unstable();
        limits.dedup();
        limits
    }

    fn is_job(&self, job: &str) -> bool {
        self.job.as_deref() == Some(job)
    }

    fn is_state(&self, state: &State) -> bool {
        self.state.as_ref() == Some(state)
    }

    fn is_limit(&self, limit: &usize) -> bool {
        self.limit.as_ref() == Some(limit)
    }

    fn is_filtered(&self) -> bool {
        self.job.is_some() || self.state.is_some()
    }

    /// The names of jobs and states need no escaping in a query.
    fn query(&self) -> String {
        let job = self.job.as_ref().map(|job| format!("job={job}"));
        let state = self.state.map(|state| format!("state={}", state.name()));
        let limit = self.limit.map(|limit| format!("limit={limit}"));
        [job, state, limit].into_iter().flatten().collect::<Vec<_>>().join("&")
    }

    fn with_before(&self, before: Option<RunId>) -> String {
        let before = before.map(|run| format!("before={run}"));
        let query: Vec<_> =
            [Some(self.query()).filter(|query| !query.is_empty()), before].into_iter().flatten().collect();
        if query.is_empty() { String::new() } else { format!("?{}", query.join("&")) }
    }

    fn newest_query(&self) -> Option<String> {
        matches!(self.newer, Newer::Before(_)).then(|| self.with_before(None))
    }

    fn newer_query(&self) -> Option<String> {
        match self.newer {
            Newer::Nowhere => None,
            Newer::First => Some(self.with_before(None)),
            Newer::Before(run) => Some(self.with_before(Some(run))),
        }
    }

    fn older_query(&self) -> Option<String> {
        self.older.map(|run| self.with_before(Some(run)))
    }
}
