//! The answer about a run: its lines as a stream with what surrounds them, or its record. It decides neither which run,
//! nor what of it is asked for.

use std::sync::Arc;

use axum::body::Body;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::Response;
use jiff::Timestamp;

use super::{App, Refusal, Show, Stream, Subject, TRAILERS, Tie, Viewed, failed, run_again};
use crate::record::{self, Start};
use crate::runs::{Reading, Run, RunRecord};
use crate::views::{About, Format, Options, View};

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
        let options = Options { base_path, time: self.viewed.time, about, filters, seen: self.viewed.seen() };
        let start = Start { run: record.id, job: record.job, state: record.state, started: record.started };
        let mut response = Response::new(Body::empty());
        *response.status_mut() = status;
        *response.headers_mut() = headers(&start, format, &self.viewed, self.app);
        let lines = self.viewed.lines(&journal).map_err(|error| failed(error.into()))?;
        let Viewed { all, abort, .. } = self.viewed;
        let view = View::new(format, options);
        let subject = Subject::Run { journal, start };
        let show = Show { subject, lines, format, view, all, abort, tie: self.tie, queued, on_pipes };
        *response.body_mut() = Body::new(Stream::new(show).begun().await);
        Ok(response)
    }
}

/// The journal of a run that has ended.
async fn open(app: &App, record: RunRecord) -> Result<Reading, Refusal> {
    let id = record.id;
    let is_whole = record.bytes_not_kept() == Some(0);
    let journal = app.runs.journal(&record).await.map_err(|error| {
        tracing::error!(run = %id, %error, "a journal cannot be read");
        Refusal::internal(format!("the output of run {id} cannot be read: see the server's log"))
            .remedy("format=json shows its record")
    })?;
    let journal = journal.ok_or_else(|| no_run(app, &id.to_string()))?;
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
fn headers(start: &Start, format: Format, viewed: &Viewed, app: &App) -> HeaderMap {
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
    text(header::CONTENT_LOCATION, app.place_of(start.run));
    if viewed.download {
        let name = format!("{}-{}.{}", start.job, start.run, format.ending());
        text(header::CONTENT_DISPOSITION, format!("attachment; filename=\"{name}\""));
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

/// No run is known by this name.
pub(super) fn no_run(app: &App, id: &str) -> Refusal {
    Refusal::not_found(format!("there is no run `{id}`")).remedy(format!("{}/runs lists the runs", app.base_path))
}
