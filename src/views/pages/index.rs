//! `/`: what runs now, the jobs under their headings, and what ran last. Which of them a visitor asked for is decided
//! elsewhere.

use std::time::Duration;

use askama::Template;
use jiff::Timestamp;

use super::{Field, Frame, RunRow, StartForm, Ways, ago, in_duration, in_lines};

/// `/`: the jobs, what runs, and what ran last.
#[derive(Clone, Debug)]
pub struct Index {
    /// What all pages have in common.
    pub frame: Frame,
    /// What "3 min ago" is counted from.
    pub now: Timestamp,
    /// The words that were asked for; empty where all is shown.
    pub filter: String,
    /// How many jobs there are, shown or not.
    pub jobs: usize,
    /// Those to be shown, by their headings.
    pub groups: Vec<Group>,
    /// How many feeds there are, shown or not.
    pub all_feeds: usize,
    /// Those to be shown, in the order of the configuration.
    pub feeds: Vec<FeedRow>,
    /// The runs that have not ended, newest first.
    pub live: Vec<RunRow>,
    /// The runs that have, newest first.
    pub ended: Vec<RunRow>,
}

/// Jobs under one heading.
#[derive(Clone, Debug)]
pub struct Group {
    /// The heading; jobs without one come first.
    pub name: Option<String>,
    /// In the order of the configuration.
    pub jobs: Vec<JobRow>,
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
    /// How long it usually takes, where it has run often enough to tell.
    pub usual: Option<Duration>,
    /// How it is started.
    pub ways: Ways,
    /// Where it is told what it can be told.
    pub form: JobForm,
}

/// A feed in a list.
#[derive(Clone, Debug)]
pub struct FeedRow {
    /// Its name.
    pub name: String,
    /// What its lines are about; may be empty.
    pub description: String,
    /// The number of its newest line.
    pub lines: u64,
    /// When that came.
    pub newest: Option<Timestamp>,
    /// Why it cannot be used.
    pub problem: Option<String>,
}

/// Where a job's form is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum JobForm {
    /// Here, with these fields.
    Here(Vec<Field>),
    /// On the job's own page alone.
    OnItsPage,
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

impl Index {
    fn shown(&self) -> usize {
        self.groups.iter().map(|group| group.jobs.len()).sum()
    }

    /// "2 of 14 jobs".
    fn found(&self) -> String {
        let of = |shown: usize, all: usize, what: &str| {
            let what = if all == 1 { what.to_owned() } else { format!("{what}s") };
            match shown {
                0 => format!("None of {all} {what}"),
                shown => format!("{shown} of {all} {what}"),
            }
        };
        match self.all_feeds {
            0 => of(self.shown(), self.jobs, "job"),
            all => {
                format!("{}, {}", of(self.shown(), self.jobs, "job"), of(self.feeds.len(), all, "feed").to_lowercase())
            }
        }
    }
}

impl FeedRow {
    fn count(&self) -> String {
        match self.lines {
            0 => "no line yet".to_owned(),
            lines => in_lines(lines),
        }
    }

    /// "3 s ago".
    fn age(&self, now: &Timestamp) -> Option<(String, String)> {
        let newest = self.newest?;
        Some((newest.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(), ago(newest, now)))
    }
}

impl JobRow {
    fn start<'a>(&'a self, base: &'a str, fields: &'a [Field]) -> StartForm<'a> {
        StartForm { base, job: &self.name, ways: self.ways, fields }
    }

    fn usually(&self) -> Option<String> {
        self.usual.map(in_duration)
    }
}
