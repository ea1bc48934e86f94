//! The pages that do not stream: the jobs, one job's form, the history, an error. Plain values in, HTML out; nothing
//! here looks a value up, and the time is one of the values.

mod form;

use std::time::Duration;

use askama::Template;
use jiff::Timestamp;

use crate::record::{Outcome, RunId, State};
use crate::views::{ICON, STYLE, in_bytes, in_digits, in_duration};

pub use form::{Field, Input, JobPage, form};

/// What all pages have in common.
#[derive(Clone, Default, Debug)]
pub struct Frame {
    /// Where joblines is mounted: empty, or a path such as `/joblines`.
    pub base_path: String,
    /// What everybody should know before anything else, such as that `jobs.toml` has mistakes and the old one is in use.
    pub banner: Option<String>,
}

/// `/`: the jobs and what ran last.
#[derive(Clone, Debug)]
pub struct Index {
    /// What all pages have in common.
    pub frame: Frame,
    /// What "3 min ago" is counted from.
    pub now: Timestamp,
    /// In the order of the configuration.
    pub jobs: Vec<JobRow>,
    /// Newest first.
    pub runs: Vec<RunRow>,
}

/// A job in a list.
#[derive(Clone, Debug)]
pub struct JobRow {
    /// Its name.
    pub name: String,
    /// What it is for; may be empty.
    pub description: String,
    /// Its newest run.
    pub last: Option<RunRow>,
}

/// A run in a list.
#[derive(Clone, Debug)]
pub struct RunRow {
    /// Its name.
    pub id: RunId,
    /// Its job's name.
    pub job: String,
    /// Where it stands.
    pub state: State,
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
    /// Newest first.
    pub runs: Vec<RunRow>,
    /// The `before=` that shows what comes after these.
    pub older: Option<RunId>,
}

/// An error as a page.
#[derive(Clone, Debug)]
pub struct ErrorPage {
    /// What all pages have in common.
    pub frame: Frame,
    /// The status code.
    pub status: u16,
    /// The status in words.
    pub title: String,
    /// What was wrong, with which value.
    pub wrong: String,
    /// What is allowed; may be empty.
    pub allowed: String,
}

/// Renders `/`.
pub fn index(page: &Index) -> String {
    #[derive(Template)]
    #[template(path = "index.html")]
    struct Html<'a> {
        page: &'a Index,
    }
    Html { page }.render().unwrap_or_default()
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

/// Renders an error.
pub fn error(page: &ErrorPage) -> String {
    #[derive(Template)]
    #[template(path = "error.html")]
    struct Html<'a> {
        page: &'a ErrorPage,
    }
    Html { page }.render().unwrap_or_default()
}

impl Frame {
    fn style(&self) -> String {
        STYLE.url(&self.base_path)
    }

    fn icon(&self) -> String {
        ICON.url(&self.base_path)
    }
}

impl RunRow {
    fn result(&self) -> String {
        match (self.state, self.outcome) {
            (State::Failed, Outcome::Exited(code)) => format!("failed, exit code {code}"),
            (State::Failed, Outcome::Signalled(signal)) => match self.outcome.signal_name() {
                Some(name) => format!("failed, {name}"),
                None => format!("failed, signal {signal}"),
            },
            (State::TimedOut, _) => "timed out".to_owned(),
            (state, _) => state.name().to_owned(),
        }
    }

    fn started_stamp(&self) -> String {
        self.started.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
    }

    fn started_words(&self) -> String {
        self.started.strftime("%Y-%m-%d %H:%M:%S UTC").to_string()
    }

    fn started_ago(&self, now: &Timestamp) -> String {
        match u64::try_from(now.as_second() - self.started.as_second()).unwrap_or(0) {
            0..5 => "just now".to_owned(),
            seconds @ 5..60 => format!("{seconds} s ago"),
            seconds @ 60..3600 => format!("{} min ago", seconds / 60),
            seconds @ 3600..86_400 => format!("{} h ago", seconds / 3600),
            _ => self.started.strftime("%Y-%m-%d %H:%M").to_string(),
        }
    }

    fn took(&self) -> String {
        self.duration.map(in_duration).unwrap_or_default()
    }

    fn lines_words(&self) -> String {
        self.lines.map(in_digits).unwrap_or_default()
    }

    fn size(&self) -> String {
        self.bytes.map(in_bytes).unwrap_or_default()
    }

    fn not_kept(&self) -> String {
        in_bytes(self.bytes_not_kept)
    }
}

impl RunsPage {
    fn states(&self) -> [State; 7] {
        State::ALL
    }

    fn is_job(&self, job: &str) -> bool {
        self.job.as_deref() == Some(job)
    }

    fn is_state(&self, state: &State) -> bool {
        self.state.as_ref() == Some(state)
    }

    /// The names of jobs and states need no escaping in a query.
    fn older_query(&self) -> Option<String> {
        let before = self.older?;
        let job = self.job.as_ref().map(|job| format!("job={job}&")).unwrap_or_default();
        let state = self.state.map(|state| format!("state={}&", state.name())).unwrap_or_default();
        Some(format!("{job}{state}before={before}"))
    }
}

#[cfg(test)]
mod tests;
