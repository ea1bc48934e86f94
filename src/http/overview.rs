//! What the pages that do not stream show, drawn from the configuration and the history; and `/` itself.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::http::{StatusCode, Uri};
use axum::response::Response;
use jiff::Timestamp;
use serde_json::json;

use super::{App, Asked, Form, LISTED, Refusal, Wanted, answer, failed, lines, page, pages};
use crate::config::{Job, Stdin};
use crate::parameters::Offers;
use crate::record::{self, Outcome, RunId};
use crate::runs::{Filter, RunRecord};
use crate::sources::process::Command;

/// How many recent runs the first page shows.
const RECENT: usize = 20;

/// How many runs that are on it shows, of those that run and of those that wait.
const LIVE: usize = 50;

/// How many of a job's runs tell how long it usually takes.
const USUAL: usize = 9;

/// A job and what is told about it.
struct Told<'a> {
    job: &'a Arc<Job>,
    last: Option<RunRecord>,
    usual: Option<Duration>,
}

/// The jobs with their last run, and the recent runs: all, or those of the jobs that have the words of `filter`.
pub(super) async fn index(State(app): State<Arc<App>>, asked: Asked) -> Result<Response, Refusal> {
    asked.allow("GET")?;
    asked.query.refuse_unknown(&["format", "filter"])?;
    let words = asked.query.value("filter").unwrap_or_default();
    let mut recent = app.runs.list(Filter { limit: RECENT, ..Filter::default() }).await.map_err(failed)?;
    let mut live = live(&app).await?;
    let mut jobs = Vec::with_capacity(app.jobs.len());
    for job in app.jobs.iter().filter(|job| has_words(job, words)) {
        jobs.push(Told { job, last: last(&app, job, &recent).await?, usual: usual(&app, job).await? });
    }
    if !words.trim().is_empty() {
        let is_shown = |record: &RunRecord| jobs.iter().any(|told| told.job.name == record.job);
        recent.retain(is_shown);
        live.retain(is_shown);
    }
    Ok(match asked.wanted {
        Wanted::Html => page(StatusCode::OK, pages::index(&index_page(&app, words, &jobs, [&live, &recent]))),
        Wanted::Text => lines("text/plain; charset=utf-8", jobs.iter().map(job_line)),
        Wanted::Json => {
            let jobs: Vec<_> = jobs.iter().map(job_json).collect();
            super::json(StatusCode::OK, &json!({ "jobs": jobs, "runs": recent }))
        }
        Wanted::Ndjson => lines("application/x-ndjson", jobs.iter().map(|told| job_json(told).to_string())),
        Wanted::Sse => {
            return Err(
                Refusal::bad_request("the list of jobs is no stream").remedy("allowed: html, text, ndjson, json")
            );
        }
    })
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

/// Whether each of `words` is somewhere in what a job is called, in large or small letters.
fn has_words(job: &Job, words: &str) -> bool {
    let parts = [Some(&job.name), job.description.as_ref(), job.group.as_ref()];
    let text = parts.into_iter().flatten().map(|part| part.to_lowercase()).collect::<Vec<_>>().join("\n");
    words.split_whitespace().all(|word| text.contains(&word.to_lowercase()))
}

/// The newest run of a job; most are among the recent ones.
async fn last(app: &App, job: &Job, recent: &[RunRecord]) -> Result<Option<RunRecord>, Refusal> {
    if let Some(record) = recent.iter().find(|record| record.job == job.name) {
        return Ok(Some(record.clone()));
    }
    let filter = Filter { job: Some(job.name.clone()), limit: 1, ..Filter::default() };
    Ok(app.runs.list(filter).await.map_err(failed)?.pop())
}

/// How long a job usually takes: the median of its last good runs, where there are a few.
pub(super) async fn usual(app: &App, job: &Job) -> Result<Option<Duration>, Refusal> {
    let state = Some(record::State::Succeeded);
    let filter = Filter { job: Some(job.name.clone()), state, limit: USUAL, ..Filter::default() };
    let runs = app.runs.list(filter).await.map_err(failed)?;
    Ok(median(runs.iter().filter_map(|run| run.ended.as_ref()).map(|receipt| receipt.duration).collect()))
}

fn median(mut durations: Vec<Duration>) -> Option<Duration> {
    const FEWEST: usize = 3;
    durations.sort_unstable();
    durations.get(durations.len() / 2).copied().filter(|_| durations.len() >= FEWEST)
}

/// Liveness.
pub(super) async fn healthz(asked: Asked) -> Result<Response, Refusal> {
    asked.allow("GET")?;
    Ok(answer(StatusCode::OK, "text/plain; charset=utf-8", "ok\n".to_owned()))
}

/// Every other URL.
pub(super) async fn nothing_here(State(app): State<Arc<App>>, uri: Uri) -> Refusal {
    let remedy = format!("{}/ lists the jobs", app.base_path);
    Refusal::not_found(format!("there is nothing at {}", uri.path())).remedy(remedy)
}

fn job_json(told: &Told<'_>) -> serde_json::Value {
    let Told { job, last, usual } = told;
    let methods: Vec<_> = [("GET", job.get), ("POST", job.post)].iter().filter(|m| m.1).map(|m| m.0).collect();
    json!({
        "name": job.name,
        "description": job.description,
        "group": job.group,
        "methods": methods,
        "usual_duration_ms": usual.map(record::millis),
        "last": last,
    })
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
    format!("{} {started} {:<10} {:<20} {duration} {} lines", record.id, record.state.name(), record.job, record.lines)
}

fn index_page(app: &App, words: &str, jobs: &[Told<'_>], runs: [&[RunRecord]; 2]) -> pages::Index {
    let [live, recent] = runs;
    let ended = recent.iter().filter(|record| record.state.is_final());
    pages::Index {
        frame: frame(app),
        now: Timestamp::now(),
        filter: words.trim().to_owned(),
        jobs: app.jobs.len(),
        groups: groups(app, jobs),
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
        fields: Form::of(&job.parameters, &[], &Offers::default(), &[]).fields,
    }
}

fn ways(job: &Job) -> pages::Ways {
    pages::Ways { get: job.get, post: job.post, takes_input: matches!(job.stdin, Stdin::Body { .. }) }
}

/// What every page has around it.
fn frame(app: &App) -> pages::Frame {
    pages::Frame { base_path: app.base_path.clone(), banner: None }
}

/// A job's form; `runs` are its newest ones.
pub(super) fn job_page(app: &App, job: &Job, form: Form, runs: &[RunRecord]) -> pages::JobPage {
    let good = runs.iter().filter(|run| run.state == record::State::Succeeded).take(USUAL);
    let usual = median(good.filter_map(|run| run.ended.as_ref()).map(|receipt| receipt.duration).collect());
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
        usual,
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

/// The history: `records` is the page that `filter` asks for, `older` the run before which the next page begins.
pub(super) fn runs_page(app: &App, filter: &Filter, records: &[RunRecord], older: Option<RunId>) -> pages::RunsPage {
    let limit = filter.limit.saturating_sub(1);
    pages::RunsPage {
        frame: frame(app),
        now: Timestamp::now(),
        jobs: app.jobs.iter().map(|job| job.name.clone()).collect(),
        job: filter.job.clone(),
        state: filter.state,
        limit: Some(limit).filter(|limit| *limit != LISTED.0),
        runs: records.iter().map(|record| run_row(app, record)).collect(),
        is_later_page: filter.before.is_some(),
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
    use std::time::Duration;

    use super::{median, quote};

    #[test]
    fn what_is_usual_takes_more_than_two_runs_to_know() {
        let of = |seconds: &[u64]| median(seconds.iter().copied().map(Duration::from_secs).collect());
        assert_eq!(of(&[1, 2]), None);
        assert_eq!(of(&[300, 1, 2]), Some(Duration::from_secs(2)));
    }

    #[test]
    fn words_are_shown_as_one_would_type_them() {
        for (word, shown) in [("make", "make"), ("a b", "'a b'"), ("", "''"), ("it's", r"'it'\''s'")] {
            assert_eq!(quote(word), shown);
        }
    }
}
