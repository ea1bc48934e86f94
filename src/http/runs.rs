//! `/runs`: the history; a run replayed and followed; its cancelling.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use super::{
    App, Asked, Cancelled, Changing, Everywhere, FormatWord, JobName, Lines, Name, Query, Reached, Refusal, RunName,
    RunWords, RunsShown, RunsWords, Show, Stream, Streamed, TRAILERS, Terms, Tie, Wanted, encode, failed, line_of,
    page, pages, run_again, runs_page,
};
use crate::config::Job;
use crate::journal::Selection;
use crate::record::{self, RunId, Start};
use crate::runs::{Filter, Reading, Run, RunRecord};
use crate::views::{About, Filters, Format, Options, View};

/// A replayed page starts at so many last lines.
const REPLAYED: u64 = 5000;

/// How many runs a listing shows where nothing else is asked for, and at most.
pub(super) const LISTED: (usize, usize) = (50, 1000);

/// What the query of a run's URL may hold.
pub(super) const QUERY: [&str; 14] = [
    "format", "wait", "abort", "all", "from", "tail", "follow", "stream", "q", "level", "logger", "rate", "time",
    "download",
];

/// The most lines a second that may be asked for.
const FASTEST: u32 = 1_000_000;

/// What of a run is shown, and how, as a query says.
pub(super) struct Viewed {
    format: Wanted,
    selection: Selection,
    terms: Terms,
    /// What the page's form says of them.
    filters: Filters,
    /// The most lines a second.
    rate: Option<u32>,
    all: bool,
    abort: bool,
    time: bool,
    download: bool,
    /// Nothing is said of which lines.
    unbounded: bool,
    /// It is watched again, not for the first time.
    pub(super) replay: bool,
}

impl Viewed {
    pub(super) fn of_query(asked: &Asked) -> Result<Viewed, Refusal> {
        let query = &asked.query;
        let terms = Terms::of_query(query)?;
        let stream = terms.stream;
        Ok(Viewed {
            format: asked.wanted,
            selection: Selection {
                from: query.number("from", 1)?.unwrap_or(1),
                tail: query.number("tail", 0)?,
                stream,
                follow: query.flag("follow")?.unwrap_or(true),
                ..Selection::default()
            },
            terms: terms.seen_in(asked.wanted),
            filters: filters(query, stream),
            rate: rate(query)?,
            all: query.flag("all")?.unwrap_or(false),
            abort: query.flag("abort")?.unwrap_or(false),
            time: query.flag("time")?.unwrap_or(false),
            download: query.flag("download")?.unwrap_or(false),
            unbounded: query.value("from").is_none() && query.value("tail").is_none(),
            replay: false,
        })
    }

    /// A page of a long run that is not watched from its beginning starts near the end.
    fn shorten(&mut self, record: &RunRecord, waited: bool) {
        let again = (self.replay || waited) && self.unbounded && !self.all && !self.download;
        if self.format == Wanted::Html && again && record.lines > REPLAYED {
            self.selection.tail = Some(REPLAYED);
            self.filters.last = Some(REPLAYED).filter(|_| self.filters.are_on());
        }
    }
}

/// The filters of a query as a page's form shows them.
fn filters(query: &Query, stream: Option<record::Stream>) -> Filters {
    let given = |name: &str| query.value(name).unwrap_or_default().to_owned();
    let pairs = ["q", "level", "logger", "stream"].map(|name| (name, given(name)));
    let pairs = pairs.iter().filter(|(_, value)| !value.is_empty());
    let query = pairs.map(|(name, value)| format!("{name}={}", encode(value))).collect::<Vec<_>>().join("&");
    Filters { q: given("q"), level: given("level"), logger: given("logger"), stream, query, last: None }
}

/// The most lines a second.
fn rate(query: &Query) -> Result<Option<u32>, Refusal> {
    let Some(value) = query.value("rate").filter(|value| !value.is_empty()) else { return Ok(None) };
    let rate = query.number("rate", 1).ok().flatten().and_then(|rate| u32::try_from(rate).ok());
    let rate = rate.filter(|rate| *rate <= FASTEST);
    rate.map(Some).ok_or_else(|| {
        Refusal::bad_request(format!("`rate` cannot be `{value}`"))
            .remedy(format!("allowed: a whole number of lines a second from 1 to {FASTEST}"))
    })
}

/// A run that a request names.
pub(super) enum Found {
    Live(Arc<Run>),
    Ended(Box<RunRecord>),
}

impl Found {
    pub(super) fn record(&self) -> RunRecord {
        match self {
            Found::Live(run) => run.record(),
            Found::Ended(record) => (**record).clone(),
        }
    }
}

/// A streaming answer.
pub(super) struct Answer<'a> {
    pub(super) app: &'a App,
    pub(super) viewed: Viewed,
    /// Answer when the run has ended; the status code then tells how.
    pub(super) wait: bool,
    pub(super) tie: Option<Tie>,
}

impl Answer<'_> {
    /// The answer about `found`.
    pub(super) async fn about(mut self, found: Found) -> Result<Response, Refusal> {
        if let Found::Live(run) = &found
            && self.wait
        {
            run.ended().await;
        }
        let record = found.record();
        let status = if self.wait { status_of(record.state) } else { StatusCode::OK };
        let Some(format) = self.viewed.format.view() else { return Ok(answer_with_record(&record, status)) };
        let (journal, on_pipes, queued) = match found {
            Found::Live(run) => {
                let is_queued = record.state == record::State::Queued;
                let on_pipes = !run.job.process.pty && run.job.can_be_started();
                (run.read(), on_pipes, is_queued.then_some(run))
            }
            Found::Ended(record) => (open(self.app, *record).await?, false, None),
        };
        self.viewed.shorten(&record, self.wait);
        let about = match format {
            Format::Html => about(self.app, &record, self.tie.is_some()),
            _ => About::default(),
        };
        let (base_path, filters) = (self.app.base_path.clone(), self.viewed.filters.clone());
        let options = Options { base_path, time: self.viewed.time, about, filters };
        let start = Start { run: record.id, job: record.job, state: record.state, started: record.started };
        let mut response = Response::new(Body::empty());
        *response.status_mut() = status;
        *response.headers_mut() = headers(&start, format, &self.viewed, &self.app.base_path);
        let Viewed { selection, terms, rate, all, abort, .. } = self.viewed;
        let lines = Lines::new(&journal, &selection, terms, rate).map_err(|error| failed(error.into()))?;
        let view = View::new(format, options);
        let show = Show { journal, start, lines, format, view, all, abort, tie: self.tie, queued, on_pipes };
        *response.body_mut() = Body::new(Stream::new(show));
        Ok(response)
    }
}

/// The journal of a run that has ended.
async fn open(app: &App, record: RunRecord) -> Result<Reading, Refusal> {
    let id = record.id;
    let is_whole = record.bytes_not_kept() == Some(0);
    let journal = app.runs.journal(&record).await.map_err(failed)?.ok_or_else(|| no_run(app, &id.to_string()))?;
    if is_whole && journal.totals().bytes == 0 && journal.end().is_some_and(|end| end.bytes > 0) {
        return Err(Refusal::new(
            StatusCode::GONE,
            format!("the output of run {id} is not in the state directory any more"),
        )
        .remedy("format=json shows its record"));
    }
    Ok(journal)
}

/// What the page of a run says beside its lines; `tied`: the run ends when the page is left.
fn about(app: &App, record: &RunRecord, tied: bool) -> About {
    let description = app.current().job(&record.job).and_then(|job| job.description.clone());
    let age = Timestamp::now().duration_since(record.started).unsigned_abs();
    let (trigger, params) = (record.trigger.clone(), record.params.clone());
    let banner = app.current().problem.clone();
    About {
        description: description.unwrap_or_default(),
        trigger,
        params,
        again: run_again(app, record),
        age,
        tied,
        banner,
    }
}

/// What every stream says of itself.
fn headers(start: &Start, format: Format, viewed: &Viewed, base_path: &str) -> HeaderMap {
    let mut headers = HeaderMap::with_capacity(10);
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(format.content_type()));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache, no-store"));
    headers.insert(HeaderName::from_static("x-accel-buffering"), HeaderValue::from_static("no"));
    for name in TRAILERS {
        headers.append(header::TRAILER, HeaderValue::from(name));
    }
    let mut text = |name: HeaderName, value: String| {
        if let Ok(value) = HeaderValue::try_from(value) {
            headers.insert(name, value);
        }
    };
    text(HeaderName::from_static("joblines-run"), start.run.to_string());
    text(header::CONTENT_LOCATION, format!("{base_path}/runs/{}", start.run));
    if viewed.download {
        let ending = match format {
            Format::Html => "html",
            Format::Text => "txt",
            Format::Ndjson => "ndjson",
            Format::Sse => "sse",
        };
        text(header::CONTENT_DISPOSITION, format!("attachment; filename=\"{}-{}.{ending}\"", start.job, start.run));
    }
    headers
}

fn status_of(state: record::State) -> StatusCode {
    match state {
        record::State::Succeeded => StatusCode::OK,
        record::State::TimedOut => StatusCode::GATEWAY_TIMEOUT,
        record::State::Cancelled => StatusCode::CONFLICT,
        _ => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

/// A run's record as a JSON document.
pub(super) fn answer_with_record(record: &RunRecord, status: StatusCode) -> Response {
    let mut response = super::json(status, record);
    if let Ok(run) = HeaderValue::try_from(record.id.to_string()) {
        response.headers_mut().insert(HeaderName::from_static("joblines-run"), run);
    }
    response
}

/// One run.
#[utoipa::path(
    get,
    path = "/runs/{id}",
    operation_id = "showRun",
    tag = "runs",
    params(RunName, RunWords),
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
    params(JobName, RunWords),
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
        let place = format!("{}/runs/{}", app.base_path, found.record().id);
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

fn no_run(app: &App, id: &str) -> Refusal {
    Refusal::not_found(format!("there is no run `{id}`")).remedy(format!("{}/runs lists the runs", app.base_path))
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
    let viewed = Viewed { replay: true, ..Viewed::of_query(&asked)? };
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
            // what its URL said of where to begin was for the first time
            viewed.selection = Selection { from: 1, tail: None, after: Some(line), ..viewed.selection };
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
    let place = format!("{}/runs/{}", app.base_path, found.record().id);
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
    params(RunsWords),
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
        Wanted::Sse => {
            return Err(Refusal::bad_request("a list of runs is no stream").remedy("allowed: html, text, ndjson, json"));
        }
    })
}
