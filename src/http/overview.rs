//! What the pages that do not stream show, drawn from the configuration and the history; and `/` itself.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::http::{StatusCode, Uri};
use axum::response::Response;
use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use super::{
    App, Asked, Everywhere, FeedRecord, Form, FormatWord, Healthy, JobsShown, JobsWords, LISTED, ListWord, Moved,
    Refusal, Wanted, answer_with, failed, feed_record, lines, page, pages, show_newest,
};
use crate::config::{Job, Stdin};
use crate::feeds::Feed;
use crate::parameters::{Kind, Offers};
use crate::record::{self, Outcome, RunId};
use crate::runs::{Filter, RunRecord};
use crate::sources::process::Command;

/// How many recent runs the first page shows.
const RECENT: usize = 20;

/// How many runs that are on it shows, of those that run and of those that wait.
const LIVE: usize = 50;

/// A job and what is told about it.
pub(super) struct Told<'a> {
    job: &'a Job,
    last: Option<RunRecord>,
    usual: Option<Duration>,
}

impl<'a> Told<'a> {
    /// What the history knows of `job`.
    pub(super) async fn about(app: &App, job: &'a Job) -> Result<Told<'a>, Refusal> {
        let last = app.runs.last_of([job.name.as_str()]).await.map_err(failed)?.remove(&job.name);
        let usual = app.runs.usual_duration(&job.name).await.map_err(failed)?;
        Ok(Told { job, last, usual })
    }

    /// The same of each of `jobs`, all asked at once.
    async fn about_all(app: &App, jobs: Vec<&'a Job>) -> Result<Vec<Told<'a>>, Refusal> {
        let names = || jobs.iter().map(|job| job.name.as_str());
        let mut last = app.runs.last_of(names()).await.map_err(failed)?;
        let mut usual = app.runs.usual_durations(names()).await.map_err(failed)?;
        let told = |job: &'a Job| Told { job, last: last.remove(&job.name), usual: usual.remove(&job.name) };
        Ok(jobs.iter().copied().map(told).collect())
    }
}

/// The jobs with their last run, the feeds, and the recent runs: all, or those that have the words of `filter`.
#[utoipa::path(
    get,
    path = "/",
    operation_id = "listJobs",
    tag = "jobs",
    params(ListWord, JobsWords),
    responses(Everywhere, Moved, JobsShown)
)]
pub(super) async fn index(State(app): State<Arc<App>>, asked: Asked) -> Result<Response, Refusal> {
    asked.allow("GET")?;
    let current = app.current();
    if let ([job], Wanted::Html) = (&current.jobs[..], asked.wanted)
        && !job.can_be_started()
        && app.feeds.list().is_empty()
    {
        return show_newest(&app, job, asked).await;
    }
    asked.query.refuse_unknown(&["format", "filter"])?;
    let words = asked.query.value("filter").unwrap_or_default();
    let mut recent = app.runs.list(Filter { limit: RECENT, ..Filter::default() }).await.map_err(failed)?;
    let mut live = live(&app).await?;
    let called = |job: &&Job| has_words([Some(&job.name), job.description.as_ref(), job.group.as_ref()], words);
    let jobs = current.jobs.iter().map(Arc::as_ref).filter(called).collect();
    let jobs = Told::about_all(&app, jobs).await?;
    if !words.trim().is_empty() {
        let is_shown = |record: &RunRecord| jobs.iter().any(|told| told.job.name == record.job);
        recent.retain(is_shown);
        live.retain(is_shown);
    }
    let feeds = app.feeds.list();
    let feeds = told_feeds(&feeds, words).await;
    Ok(match asked.wanted {
        Wanted::Html => {
            let index = index_page(&app, words, (&jobs, &feeds), [&live, &recent]);
            page(StatusCode::OK, pages::index(&index))
        }
        Wanted::Text => {
            let of_jobs = jobs.iter().map(job_line);
            lines("text/plain; charset=utf-8", of_jobs.chain(feeds.iter().map(FeedRecord::line)))
        }
        Wanted::Json => {
            let jobs = jobs.iter().map(job_shown).collect();
            super::json(StatusCode::OK, &Index { jobs, feeds, runs: &recent, problem: current.problem.as_deref() })
        }
        Wanted::Ndjson => {
            lines("application/x-ndjson", jobs.iter().filter_map(|told| serde_json::to_string(&job_shown(told)).ok()))
        }
        Wanted::Sse => return Err(Refusal::no_stream("the list of jobs")),
    })
}

/// What is told of the feeds that have the words of a filter.
async fn told_feeds<'a>(feeds: &'a [Arc<Feed>], words: &str) -> Vec<FeedRecord<'a>> {
    let mut told = Vec::new();
    for feed in feeds {
        if has_words([Some(&feed.config.name), feed.config.description.as_ref(), None], words) {
            told.push(feed_record(feed).await);
        }
    }
    told
}

/// The runs that are on, then those that wait; each newest first.
async fn live(app: &App) -> Result<Vec<RunRecord>, Refusal> {
    let mut live = Vec::new();
    for state in [record::State::Running, record::State::Queued] {
        let filter = Filter { state: Some(state), limit: LIVE, ..Filter::default() };
        live.extend(app.runs.list(filter).await.map_err(failed)?);
    }
    Ok(live)
}

/// Whether each of `words` is somewhere in what a job or a feed is called, in large or small letters.
fn has_words(parts: [Option<&String>; 3], words: &str) -> bool {
    let text = parts.into_iter().flatten().map(|part| part.to_lowercase()).collect::<Vec<_>>().join("\n");
    words.split_whitespace().all(|word| text.contains(&word.to_lowercase()))
}

/// Liveness.
#[utoipa::path(
    get,
    path = "/healthz",
    operation_id = "checkHealth",
    tag = "server",
    params(FormatWord),
    responses(Everywhere, Healthy)
)]
pub(super) async fn healthz(asked: Asked) -> Result<Response, Refusal> {
    // whatever the query holds: some load balancers add to it, and take a server that refuses that for dead
    asked.allow("GET")?;
    Ok(answer_with(StatusCode::OK, "text/plain; charset=utf-8", "ok\n".to_owned()))
}

/// What is said of every other URL.
pub(super) fn nothing_here(app: &App, uri: &Uri) -> Refusal {
    let remedy = format!("{}/ lists the jobs", app.base_path);
    Refusal::not_found(format!("there is nothing at {}", uri.path())).remedy(remedy)
}

/// The jobs and the recent runs as JSON.
#[derive(Serialize, ToSchema)]
#[schema(as = Index)]
pub(super) struct Index<'a> {
    jobs: Vec<JobShown<'a>>,
    feeds: Vec<FeedRecord<'a>>,
    runs: &'a [RunRecord],
    /// Why `jobs.toml` as it is now is not in use.
    #[schema(required)]
    problem: Option<&'a str>,
}

/// A job as JSON.
#[derive(Serialize, ToSchema)]
#[schema(as = Job)]
pub(super) struct JobShown<'a> {
    name: &'a str,
    #[schema(required)]
    description: Option<&'a str>,
    #[schema(required)]
    group: Option<&'a str>,
    /// GET, POST, both or none.
    methods: Vec<&'static str>,
    /// How long its last good runs took.
    #[schema(required)]
    usual_duration_ms: Option<u64>,
    /// Its newest run.
    #[schema(required)]
    last: Option<&'a RunRecord>,
}

pub(super) fn job_shown<'a>(told: &'a Told<'_>) -> JobShown<'a> {
    let Told { job, last, usual } = told;
    JobShown {
        name: &job.name,
        description: job.description.as_deref(),
        group: job.group.as_deref(),
        methods: [("GET", job.get), ("POST", job.post)].iter().filter(|m| m.1).map(|m| m.0).collect(),
        usual_duration_ms: usual.map(record::millis),
        last: last.as_ref(),
    }
}

fn job_line(told: &Told<'_>) -> String {
    let state = told.last.as_ref().map_or("-", |record| record.state.name());
    let description = told.job.description.as_deref().unwrap_or_default();
    format!("{:<20} {state:<10} {description}", told.job.name).trim_end().to_owned()
}

/// A run in a plain listing.
pub(super) fn line_of(record: &RunRecord) -> String {
    let duration =
        record.ended.as_ref().map_or("-".to_owned(), |receipt| format!("{:.1} s", receipt.duration.as_secs_f64()));
    let started = record.started.strftime("%Y-%m-%dT%H:%M:%SZ");
    let lines = if record.lines == 1 { "line" } else { "lines" };
    format!(
        "{} {started} {:<10} {:<20} {duration} {} {lines}",
        record.id,
        record.state.name(),
        record.job,
        record.lines
    )
}

fn index_page(
    app: &App,
    words: &str,
    (jobs, feeds): (&[Told<'_>], &[FeedRecord<'_>]),
    [live, recent]: [&[RunRecord]; 2],
) -> pages::Index {
    let ended = recent.iter().filter(|record| record.state.is_final());
    pages::Index {
        frame: frame(app),
        now: Timestamp::now(),
        filter: words.trim().to_owned(),
        jobs: app.current().jobs.len(),
        groups: groups(app, jobs),
        all_feeds: app.feeds.list().len(),
        feeds: feeds.iter().map(FeedRecord::row).collect(),
        live: live.iter().map(|record| run_row(app, record)).collect(),
        ended: ended.map(|record| run_row(app, record)).collect(),
    }
}

/// The jobs by their headings, in the order in which the headings come first; those without one before all.
fn groups(app: &App, jobs: &[Told<'_>]) -> Vec<pages::Group> {
    let mut groups: Vec<pages::Group> = Vec::new();
    let (without, with): (Vec<_>, Vec<_>) = jobs.iter().partition(|told| told.job.group.is_none());
    for told in without.into_iter().chain(with) {
        let row = job_row(app, told);
        match groups.iter_mut().find(|group| group.name == told.job.group) {
            Some(group) => group.jobs.push(row),
            None => groups.push(pages::Group { name: told.job.group.clone(), jobs: vec![row] }),
        }
    }
    groups
}

fn job_row(app: &App, told: &Told<'_>) -> pages::JobRow {
    let Told { job, last, usual } = told;
    pages::JobRow {
        name: job.name.clone(),
        description: job.description.clone().unwrap_or_default(),
        last: last.as_ref().map(|record| run_row(app, record)),
        usual: *usual,
        ways: ways(job),
        form: job_form(job),
    }
}

/// A page of many jobs asks no job's command for choices: its form does, on its own page.
fn job_form(job: &Job) -> pages::JobForm {
    if job.parameters.iter().any(|parameter| matches!(parameter.kind, Kind::ChoicesFrom(_))) {
        return pages::JobForm::OnItsPage;
    }
    pages::JobForm::Here(Form::of(&job.parameters, &[], &Offers::default(), &[]).fields)
}

fn ways(job: &Job) -> pages::Ways {
    pages::Ways { get: job.get, post: job.post, takes_input: matches!(job.stdin, Stdin::Body { .. }) }
}

/// What every page has around it.
pub(super) fn frame(app: &App) -> pages::Frame {
    pages::Frame { base_path: app.base_path.clone(), banner: app.current().problem.clone() }
}

/// A job's form; `runs` are its newest ones.
pub(super) fn job_page(app: &App, told: &Told<'_>, form: Form, runs: &[RunRecord]) -> pages::JobPage {
    let Told { job, usual, .. } = told;
    pages::JobPage {
        frame: frame(app),
        origin: app.origin.clone(),
        now: Timestamp::now(),
        name: job.name.clone(),
        description: job.description.clone().unwrap_or_default(),
        group: job.group.clone(),
        command: match &job.process.command {
            Command::Shell(text) => text.clone(),
            Command::List(words) => words.iter().map(|word| quote(word)).collect::<Vec<_>>().join(" "),
        },
        ways: ways(job),
        usual: *usual,
        fields: form.fields,
        problem: form.problem,
        runs: runs.iter().map(|record| run_row(app, record)).collect(),
    }
}

/// A word as one would type it in a shell.
fn quote(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=@%+,{}".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

/// The history: `records` is the page that `filter` asks for, `(newer, older)` are the ones before and after it.
pub(super) fn runs_page(
    app: &App,
    filter: &Filter,
    records: &[RunRecord],
    (newer, older): (pages::Newer, Option<RunId>),
) -> pages::RunsPage {
    pages::RunsPage {
        frame: frame(app),
        now: Timestamp::now(),
        jobs: app.current().jobs.iter().map(|job| job.name.clone()).collect(),
        job: filter.job.clone(),
        state: filter.state,
        limit: Some(filter.limit).filter(|limit| *limit != LISTED.0),
        runs: records.iter().map(|record| run_row(app, record)).collect(),
        newer,
        older,
    }
}

pub(super) fn error_page(app: &App, refusal: &Refusal) -> pages::ErrorPage {
    pages::ErrorPage {
        frame: frame(app),
        status: refusal.status.as_u16(),
        title: refusal.title().to_owned(),
        wrong: refusal.detail.clone(),
        allowed: refusal.remedy.clone().unwrap_or_default(),
        run: refusal.location.as_deref().map(str::to_owned),
    }
}

fn run_row(app: &App, record: &RunRecord) -> pages::RunRow {
    let receipt = record.ended.as_ref();
    let waiting = (record.state == record::State::Queued).then(|| app.runs.live_run(record.id)).flatten();
    pages::RunRow {
        id: record.id,
        job: record.job.clone(),
        params: record.params.clone(),
        state: record.state,
        ahead: waiting.and_then(|run| run.place().borrow().map(|place| place.ahead)),
        outcome: receipt.map_or(Outcome::Unknown, |receipt| receipt.outcome),
        started: record.started,
        duration: receipt.map(|receipt| receipt.duration),
        lines: Some(record.lines),
        bytes: Some(record.bytes),
        bytes_not_kept: receipt.and_then(|receipt| receipt.bytes_not_kept).unwrap_or(0),
    }
}

#[cfg(test)]
mod tests {
    use super::quote;

    #[test]
    fn words_are_shown_as_one_would_type_them() {
        for (word, shown) in [("make", "make"), ("a b", "'a b'"), ("", "''"), ("it's", r"'it'\''s'")] {
            assert_eq!(quote(word), shown);
        }
    }
}
