//! What the pages that do not stream show, drawn from the configuration and the history; and `/` itself.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{StatusCode, Uri};
use axum::response::Response;
use jiff::Timestamp;
use serde_json::json;

use super::{App, Asked, Refusal, Wanted, answer, failed, lines, page, pages, show_newest};
use crate::config::Job;
use crate::record::{Outcome, RunId};
use crate::runs::{Filter, RunRecord};
use crate::sources::process::Command;

/// How many recent runs the first page shows.
const RECENT: usize = 20;

/// The jobs with their last run, and the recent runs.
pub(super) async fn index(State(app): State<Arc<App>>, asked: Asked) -> Result<Response, Refusal> {
    asked.allow("GET")?;
    asked.query.refuse_unknown(&["format"])?;
    if let ([job], Wanted::Html) = (&app.jobs[..], asked.wanted)
        && !job.can_be_started()
    {
        return show_newest(&app, job, asked).await;
    }
    let recent = app.runs.list(Filter { limit: RECENT, ..Filter::default() }).await.map_err(failed)?;
    let mut jobs = Vec::with_capacity(app.jobs.len());
    for job in &app.jobs {
        jobs.push((job, last(&app, job, &recent).await?));
    }
    Ok(match asked.wanted {
        Wanted::Html => page(StatusCode::OK, pages::index(&index_page(&app, &jobs, &recent))),
        Wanted::Text => lines("text/plain; charset=utf-8", jobs.iter().map(|(job, last)| job_line(job, last.as_ref()))),
        Wanted::Json => {
            let jobs: Vec<_> = jobs.iter().map(|(job, last)| job_json(job, last.as_ref())).collect();
            super::json(StatusCode::OK, &json!({ "jobs": jobs, "runs": recent }))
        }
        Wanted::Ndjson => {
            lines("application/x-ndjson", jobs.iter().map(|(job, last)| job_json(job, last.as_ref()).to_string()))
        }
        Wanted::Sse => {
            return Err(
                Refusal::bad_request("the list of jobs is no stream").remedy("allowed: html, text, ndjson, json")
            );
        }
    })
}

/// The newest run of a job; most are among the recent ones.
async fn last(app: &App, job: &Job, recent: &[RunRecord]) -> Result<Option<RunRecord>, Refusal> {
    if let Some(record) = recent.iter().find(|record| record.job == job.name) {
        return Ok(Some(record.clone()));
    }
    let filter = Filter { job: Some(job.name.clone()), limit: 1, ..Filter::default() };
    Ok(app.runs.list(filter).await.map_err(failed)?.pop())
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

fn job_json(job: &Job, last: Option<&RunRecord>) -> serde_json::Value {
    let methods: Vec<_> = [("GET", job.get), ("POST", job.post)].iter().filter(|m| m.1).map(|m| m.0).collect();
    json!({ "name": job.name, "description": job.description, "methods": methods, "last": last })
}

fn job_line(job: &Job, last: Option<&RunRecord>) -> String {
    let state = last.map_or("-", |record| record.state.name());
    format!("{:<20} {state:<10} {}", job.name, job.description.as_deref().unwrap_or_default()).trim_end().to_owned()
}

/// A run in a plain listing.
pub(super) fn line_of(record: &RunRecord) -> String {
    let duration =
        record.ended.as_ref().map_or("-".to_owned(), |receipt| format!("{:.1} s", receipt.duration.as_secs_f64()));
    let started = record.started.strftime("%Y-%m-%dT%H:%M:%SZ");
    format!("{} {started} {:<10} {:<20} {duration} {} lines", record.id, record.state.name(), record.job, record.lines)
}

fn index_page(app: &App, jobs: &[(&Arc<Job>, Option<RunRecord>)], recent: &[RunRecord]) -> pages::Index {
    let row = |(job, last): &(&Arc<Job>, Option<RunRecord>)| pages::JobRow {
        name: job.name.clone(),
        description: job.description.clone().unwrap_or_default(),
        last: last.as_ref().map(run_row),
    };
    pages::Index {
        base_path: app.base_path.clone(),
        now: Timestamp::now(),
        jobs: jobs.iter().map(row).collect(),
        runs: recent.iter().map(run_row).collect(),
    }
}

pub(super) fn job_page(app: &App, job: &Job, runs: &[RunRecord]) -> pages::JobPage {
    pages::JobPage {
        base_path: app.base_path.clone(),
        origin: app.origin.clone(),
        now: Timestamp::now(),
        name: job.name.clone(),
        description: job.description.clone().unwrap_or_default(),
        command: match &job.process.command {
            Command::Shell(text) => text.clone(),
            Command::List(words) => words.iter().map(|word| quote(word)).collect::<Vec<_>>().join(" "),
        },
        runs_on_get: job.get,
        runs: runs.iter().map(run_row).collect(),
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

pub(super) fn runs_page(app: &App, filter: &Filter, records: &[RunRecord], older: Option<RunId>) -> pages::RunsPage {
    pages::RunsPage {
        base_path: app.base_path.clone(),
        now: Timestamp::now(),
        jobs: app.jobs.iter().map(|job| job.name.clone()).collect(),
        job: filter.job.clone(),
        state: filter.state,
        runs: records.iter().map(run_row).collect(),
        older,
    }
}

pub(super) fn error_page(app: &App, refusal: &Refusal) -> pages::ErrorPage {
    pages::ErrorPage {
        base_path: app.base_path.clone(),
        status: refusal.status.as_u16(),
        title: refusal.title().to_owned(),
        wrong: refusal.detail.clone(),
        allowed: refusal.remedy.clone().unwrap_or_default(),
    }
}

fn run_row(record: &RunRecord) -> pages::RunRow {
    let receipt = record.ended.as_ref();
    pages::RunRow {
        id: record.id,
        job: record.job.clone(),
        state: record.state,
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
