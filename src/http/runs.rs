//! `/runs`: the history; a run replayed and followed; its cancelling.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::{App, Asked, Reached, Refusal, Show, Stream, TRAILERS, Tie, Wanted, failed, page, pages};
use crate::journal::{Journal, Selection};
use crate::record::{self, RunId, Start};
use crate::runs::{Filter, Run, RunRecord};
use crate::views::{Format, Options, View};

/// A replayed page starts at so many last lines.
const REPLAYED: u64 = 5000;

/// How many runs a listing shows where nothing else is asked for, and at most.
const LISTED: (usize, usize) = (50, 1000);

/// What the query of a run's URL may hold.
const QUERY: [&str; 10] = ["format", "wait", "abort", "all", "from", "tail", "follow", "stream", "time", "download"];

/// What of a run is shown, and how, as a query says.
pub(super) struct Viewed {
    format: Wanted,
    selection: Selection,
    all: bool,
    abort: bool,
    time: bool,
    download: bool,
}

impl Viewed {
    pub(super) fn of_query(asked: &Asked) -> Result<Viewed, Refusal> {
        let query = &asked.query;
        Ok(Viewed {
            format: asked.wanted,
            selection: Selection {
                from: query.number("from", 1)?.unwrap_or(1),
                after: None,
                tail: query.number("tail", 0)?,
                stream: query.parsed("stream", "stdout, stderr, system")?,
                follow: query.flag("follow")?.unwrap_or(true),
            },
            all: query.flag("all")?.unwrap_or(false),
            abort: query.flag("abort")?.unwrap_or(false),
            time: query.flag("time")?.unwrap_or(false),
            download: query.flag("download")?.unwrap_or(false),
        })
    }
}

/// A streaming answer.
pub(super) struct Answer<'a> {
    pub(super) app: &'a App,
    pub(super) viewed: Viewed,
    /// The status code tells how the run ended.
    pub(super) wait: bool,
    pub(super) tie: Option<Tie>,
}

impl Answer<'_> {
    /// Of a run that was live when it was found.
    pub(super) fn stream(self, run: Arc<Run>) -> Result<Response, Refusal> {
        let on_pipes = !run.job.process.pty;
        self.of(run.start(), Arc::clone(&run.journal), on_pipes, &run.record())
    }

    fn of(self, start: Start, journal: Arc<Journal>, on_pipes: bool, record: &RunRecord) -> Result<Response, Refusal> {
        let status = if self.wait { status_of(record.state) } else { StatusCode::OK };
        let Some(format) = self.viewed.format.view() else { return Ok(answer_with_record(record, status)) };
        let options = Options { base_path: self.app.base_path.clone(), time: self.viewed.time };
        let headers = headers(&start, format, &self.viewed, &self.app.base_path);
        let reader = journal.read(&self.viewed.selection).map_err(|error| failed(error.into()))?;
        let show = Show {
            reader,
            journal,
            start,
            format,
            view: View::new(format, options),
            all: self.viewed.all,
            abort: self.viewed.abort,
            tie: self.tie,
            on_pipes,
        };
        let mut response = Response::new(Body::new(Stream::new(show)));
        *response.status_mut() = status;
        *response.headers_mut() = headers;
        Ok(response)
    }
}

/// What every stream says of itself.
fn headers(start: &Start, format: Format, viewed: &Viewed, base_path: &str) -> HeaderMap {
    let mut headers = HeaderMap::with_capacity(10);
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(format.content_type()));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache, no-store"));
    headers.insert(HeaderName::from_static("x-accel-buffering"), HeaderValue::from_static("no"));
    headers.insert(header::TRAILER, HeaderValue::from_static("Joblines-State, Joblines-Exit-Code"));
    debug_assert_eq!(TRAILERS.map(|name| name.as_str().to_owned()).join(", "), "joblines-state, joblines-exit-code");
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
pub(super) async fn show(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    asked: Asked,
) -> Result<Response, Refusal> {
    asked.allow("GET")?;
    replay(&app, find(&app, &id).await?, asked).await
}

/// The newest run of a job.
pub(super) async fn last(
    State(app): State<Arc<App>>,
    Path(job): Path<String>,
    asked: Asked,
) -> Result<Response, Refusal> {
    asked.allow("GET")?;
    let filter = Filter { job: Some(job.clone()), limit: 1, ..Filter::default() };
    let newest = app.runs.list(filter).await.map_err(failed)?.pop();
    let record = newest.ok_or_else(|| match app.by_name.contains_key(&job) {
        true => Refusal::not_found(format!("job `{job}` has not run yet")),
        false => Refusal::not_found(format!("there is no job `{job}`")),
    })?;
    replay(&app, record, asked).await
}

/// A run for a client of server-sent events that comes back: behind what it has seen, or 204 (WHATWG HTML §9.2.3: do
/// not come again) where it has seen the end.
pub(super) async fn resume(app: &App, record: RunRecord, reached: Reached, asked: &Asked) -> Result<Response, Refusal> {
    let mut viewed = Viewed::of_query(asked)?;
    match reached {
        Reached::Line(line) if line <= record.lines => viewed.selection.after = (line > 0).then_some(line),
        Reached::Line(_) | Reached::End => return Ok(StatusCode::NO_CONTENT.into_response()),
    }
    open(app, record, Answer { app, viewed, wait: false, tie: None }).await
}

async fn find(app: &App, id: &str) -> Result<RunRecord, Refusal> {
    let found = match id.parse::<RunId>() {
        Ok(id) => app.runs.find(id).await.map_err(failed)?,
        Err(_) => None,
    };
    found.ok_or_else(|| {
        Refusal::not_found(format!("there is no run `{id}`")).remedy(format!("{}/runs lists the runs", app.base_path))
    })
}

async fn replay(app: &App, record: RunRecord, asked: Asked) -> Result<Response, Refusal> {
    asked.query.refuse_unknown(&QUERY)?;
    let mut viewed = Viewed::of_query(&asked)?;
    if let Some(id) = asked.last_event().filter(|id| id.run == record.id) {
        return resume(app, record, id.reached, &asked).await;
    }
    let whole = viewed.all || asked.query.value("from").is_some() || viewed.selection.tail.is_some();
    if asked.wanted == Wanted::Html && !whole && !viewed.download && record.lines > REPLAYED {
        viewed.selection.tail = Some(REPLAYED);
    }
    let wait = asked.query.flag("wait")?.unwrap_or(false);
    if wait && let Some(run) = app.runs.live_run(record.id) {
        run.ended().await;
    }
    let record = if wait { find(app, &record.id.to_string()).await? } else { record };
    open(app, record, Answer { app, viewed, wait, tie: None }).await
}

/// Streams from the live journal, or from the files of a run that has ended.
async fn open(app: &App, record: RunRecord, answer: Answer<'_>) -> Result<Response, Refusal> {
    if let Some(run) = app.runs.live_run(record.id) {
        return answer.stream(run);
    }
    let runs = Arc::clone(&app.runs);
    let journal = tokio::task::spawn_blocking(move || runs.journal(record.id)).await;
    let journal = journal.map_err(|error| failed(error.into()))?.map_err(|error| {
        failed(anyhow::Error::new(error).context(format!("the journal of run {} cannot be read", record.id)))
    })?;
    let start = Start { run: record.id, job: record.job.clone(), state: record.state, started: record.started };
    answer.of(start, journal, false, &record)
}

/// Asks for a run's end.
pub(super) async fn cancel(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    asked: Asked,
) -> Result<Response, Refusal> {
    asked.allow("POST")?;
    asked.of_own_will()?;
    let record = find(&app, &id).await?;
    let place = format!("{}/runs/{}", app.base_path, record.id);
    let asked_for = app.runs.live_run(record.id).is_some_and(|run| run.cancel());
    if asked.wanted == Wanted::Html {
        return Ok((StatusCode::SEE_OTHER, [(header::LOCATION, place)]).into_response());
    }
    if !asked_for {
        let state = record.state.name();
        return Err(Refusal::conflict(format!("the run has ended already: {state}")).location(place));
    }
    let record = find(&app, &id).await?;
    Ok(match asked.wanted {
        Wanted::Text => (StatusCode::ACCEPTED, "its processes get SIGTERM\n").into_response(),
        _ => answer_with_record(&record, StatusCode::ACCEPTED),
    })
}

/// The history.
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
        limit: limit + 1,
    };
    let mut records = app.runs.list(filter.clone()).await.map_err(failed)?;
    let more = records.len() > limit;
    records.truncate(limit);
    let next = records.last().filter(|_| more).map(|record| record.id);
    Ok(match asked.wanted {
        Wanted::Html => page(StatusCode::OK, pages::runs(&super::overview::runs_page(&app, &filter, &records, next))),
        Wanted::Json => super::json(StatusCode::OK, &serde_json::json!({ "runs": records, "next": next })),
        Wanted::Ndjson => {
            super::lines("application/x-ndjson", records.iter().filter_map(|r| serde_json::to_string(r).ok()))
        }
        Wanted::Text => super::lines("text/plain; charset=utf-8", records.iter().map(super::overview::line_of)),
        Wanted::Sse => {
            return Err(Refusal::bad_request("a list of runs is no stream").remedy("allowed: html, text, ndjson, json"));
        }
    })
}
