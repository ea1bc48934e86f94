//! `/runs`: the history; a run replayed and followed; its cancelling.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

use super::{
    Answer, App, Asked, Cancelled, Changing, Everywhere, FilterWords, FormatWord, Found, JobName, ListWord, Name,
    Reached, Refusal, RunName, RunWords, RunsShown, RunsWords, Streamed, Viewed, ViewedWords, Wanted,
    answer_with_record, failed, line_of, no_run, page, pages, runs_page,
};
use crate::config::Job;
use crate::record::{self, RunId};
use crate::runs::{Filter, RunRecord};

/// How many runs a listing shows where nothing else is asked for, and at most.
pub(super) const LISTED: (usize, usize) = (50, 1000);

/// What the query of a run's URL may hold.
pub(super) const QUERY: [&str; 18] = [
    "format", "wait", "abort", "all", "from", "tail", "since", "until", "follow", "stream", "q", "x", "level",
    "logger", "field", "rate", "time", "download",
];

/// One run.
#[utoipa::path(
    get,
    path = "/runs/{id}",
    operation_id = "showRun",
    tag = "runs",
    params(RunName, FormatWord, FilterWords, ViewedWords, RunWords),
    responses(Everywhere, Streamed)
)]
pub(super) async fn show(State(app): State<Arc<App>>, Name(id): Name, asked: Asked) -> Result<Response, Refusal> {
    asked.allow("GET")?;
    replay(&app, find(&app, &id).await?, asked).await
}

/// The newest run of a job.
#[utoipa::path(
    get,
    path = "/jobs/{job}/last",
    operation_id = "showLastRun",
    tag = "jobs",
    params(JobName, FormatWord, FilterWords, ViewedWords, RunWords),
    responses(Everywhere, Streamed)
)]
pub(super) async fn last(State(app): State<Arc<App>>, Name(job): Name, asked: Asked) -> Result<Response, Refusal> {
    asked.allow("GET")?;
    let found = newest(&app, &job).await?;
    replay(&app, found, asked).await
}

/// A job that no request can start shows its newest run: browsers are sent to the run's own page, others get it here.
pub(super) async fn show_newest(app: &App, job: &Job, asked: Asked) -> Result<Response, Refusal> {
    asked.allow("GET")?;
    let found = newest(app, &job.name).await?;
    if asked.wanted == Wanted::Html {
        let place = format!("{}{}", app.place_of(found.record().id), asked.query.suffix());
        let headers = [(header::LOCATION, place), (header::CACHE_CONTROL, "no-cache, no-store".to_owned())];
        return Ok((StatusCode::FOUND, headers).into_response());
    }
    replay(app, found, asked).await
}

async fn newest(app: &App, job: &str) -> Result<Found, Refusal> {
    let filter = Filter { job: Some(job.to_owned()), limit: 1, ..Filter::default() };
    let newest = app.runs.list(filter).await.map_err(failed)?.pop();
    let record = newest.ok_or_else(|| match app.current().job(job).is_some() {
        true => Refusal::not_found(format!("job `{job}` has not run yet")),
        false => Refusal::not_found(format!("there is no job `{job}`")),
    })?;
    Ok(app.runs.live_run(record.id).map_or_else(|| Found::Ended(Box::new(record)), Found::Live))
}

async fn find(app: &App, id: &str) -> Result<Found, Refusal> {
    let found = match id.parse::<RunId>() {
        Ok(id) => find_run(app, id).await?,
        Err(_) => None,
    };
    found.ok_or_else(|| no_run(app, id))
}

/// The run of this name; a live one first, for its end may be in the history a moment later.
pub(super) async fn find_run(app: &App, id: RunId) -> Result<Option<Found>, Refusal> {
    match app.runs.live_run(id) {
        Some(run) => Ok(Some(Found::Live(run))),
        None => Ok(app.runs.find(id).await.map_err(failed)?.map(|record| Found::Ended(Box::new(record)))),
    }
}

async fn replay(app: &App, found: Found, asked: Asked) -> Result<Response, Refusal> {
    asked.query.refuse_unknown(&QUERY)?;
    if let Some(id) = asked.last_event()?.filter(|id| id.run == found.record().id) {
        return resume(app, found, id.reached, &asked).await;
    }
    let viewed = Viewed::of_query(&asked)?.again();
    let wait = asked.query.flag("wait")?.unwrap_or(false);
    Answer { app, viewed, wait, tie: None }.about(found).await
}

/// A run for a client of server-sent events that comes back: behind what it has seen, or 204 (WHATWG HTML §9.2.3: do
/// not come again) where it has seen the end.
pub(super) async fn resume(app: &App, found: Found, reached: Reached, asked: &Asked) -> Result<Response, Refusal> {
    let mut viewed = Viewed::of_query(asked)?;
    match reached {
        Reached::Line(0) => {}
        Reached::Line(line) if line <= found.record().lines => {
            viewed.behind(line);
        }
        Reached::Line(_) | Reached::End => return Ok(StatusCode::NO_CONTENT.into_response()),
    }
    Answer { app, viewed, wait: false, tie: None }.about(found).await
}

/// Asks for a run's end.
#[utoipa::path(
    post,
    path = "/runs/{id}/cancel",
    operation_id = "cancelRun",
    tag = "runs",
    params(RunName, FormatWord),
    responses(Everywhere, Changing, Cancelled)
)]
pub(super) async fn cancel(State(app): State<Arc<App>>, Name(id): Name, asked: Asked) -> Result<Response, Refusal> {
    asked.allow("POST")?;
    asked.of_own_will()?;
    let found = find(&app, &id).await?;
    let place = app.place_of(found.record().id);
    let asked_for = matches!(&found, Found::Live(run) if run.cancel());
    let record = found.record();
    match asked.wanted {
        Wanted::Html => Ok((StatusCode::SEE_OTHER, [(header::LOCATION, place)]).into_response()),
        _ if !asked_for => {
            let state = record.state.name();
            Err(Refusal::conflict(format!("the run has ended already: {state}")).location(place))
        }
        Wanted::Text => Ok((StatusCode::ACCEPTED, "its processes get SIGTERM\n").into_response()),
        _ => Ok(answer_with_record(&record, StatusCode::ACCEPTED)),
    }
}

/// Where the runs are that are newer than those that `filter` asks for.
async fn newer(app: &App, filter: &Filter) -> Result<pages::Newer, Refusal> {
    if filter.before.is_none() {
        return Ok(pages::Newer::Nowhere);
    }
    let before = app.runs.newer(filter.clone()).await.map_err(failed)?;
    Ok(before.map_or(pages::Newer::First, pages::Newer::Before))
}

/// The history as JSON.
#[derive(Serialize, ToSchema)]
#[schema(as = RunList)]
pub(super) struct RunList<'a> {
    runs: &'a [RunRecord],
    /// The `before` of the next page; null where there is none.
    #[schema(required)]
    next: Option<RunId>,
}

/// The history.
#[utoipa::path(
    get,
    path = "/runs",
    operation_id = "listRuns",
    tag = "runs",
    params(ListWord, RunsWords),
    responses(Everywhere, RunsShown)
)]
pub(super) async fn list(State(app): State<Arc<App>>, asked: Asked) -> Result<Response, Refusal> {
    asked.allow("GET")?;
    let query = &asked.query;
    query.refuse_unknown(&["format", "job", "state", "limit", "before"])?;
    let states = record::State::ALL.map(record::State::name).join(", ");
    let (usual, most) = LISTED;
    let limit = query.number("limit", 1)?.map_or(usual, |limit| usize::try_from(limit).unwrap_or(most).min(most));
    let filter = Filter {
        job: query.value("job").filter(|job| !job.is_empty()).map(str::to_owned),
        state: query
            .value("state")
            .filter(|state| !state.is_empty())
            .map(|_| query.parsed("state", &states))
            .transpose()?
            .flatten(),
        before: query.parsed("before", "the id of a run")?,
        limit,
    };
    let mut records = app.runs.list(Filter { limit: limit + 1, ..filter.clone() }).await.map_err(failed)?;
    let more = records.len() > limit;
    records.truncate(limit);
    let next = records.last().filter(|_| more).map(|record| record.id);
    Ok(match asked.wanted {
        Wanted::Html => {
            let newer = newer(&app, &filter).await?;
            page(StatusCode::OK, pages::runs(&runs_page(&app, &filter, &records, (newer, next))))
        }
        Wanted::Json => super::json(StatusCode::OK, &RunList { runs: &records, next }),
        Wanted::Ndjson => {
            super::lines("application/x-ndjson", records.iter().filter_map(|r| serde_json::to_string(r).ok()))
        }
        Wanted::Text => super::lines("text/plain; charset=utf-8", records.iter().map(line_of)),
        Wanted::Sse => return Err(Refusal::no_stream("a list of runs")),
    })
}
