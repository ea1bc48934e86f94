//! `/jobs/{job}`: starts runs, and shows the form that does. What a run then looks like is `runs`' affair.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use serde_json::Value;
use tokio::time::timeout;

use super::{
    Answer, App, Asked, EventId, Found, Name, Query, Reached, Refusal, Tie, Viewed, Visit, Wanted, answer_with_record,
    find_run, job_page, page, pages, resume, show_newest,
};
use crate::config::{Job, OnDisconnect};
use crate::runs::{Filter, Order, Refused, Run};

/// The most bytes of a form or a JSON document.
const MAX_FORM: usize = 1 << 20;

/// So long a form or a JSON document may take to come.
const BODY: Duration = Duration::from_secs(10);

/// When to come again where too many runs wait.
const RETRY_AFTER: Duration = Duration::from_secs(5);

/// How many past runs a form shows.
const SHOWN_RUNS: usize = 20;

/// What the query of a job's URL may hold beside the job's own parameters.
const QUERY: [&str; 9] = ["format", "wait", "detach", "abort", "all", "time", "stream", "from", "download"];

/// What is to happen with a visit to a job's URL.
enum Plan {
    Start,
    Form,
    Nothing,
    Resume(Found, Reached),
}

/// Starts a run and streams it.
pub(super) async fn start(
    State(app): State<Arc<App>>,
    Name(name): Name,
    asked: Asked,
    body: Body,
) -> Result<Response, Refusal> {
    let job = find(&app, &name)?;
    if !job.can_be_started() {
        return show_newest(&app, &job, asked).await;
    }
    asked.query.refuse_unknown(&QUERY)?;
    match plan(&app, &job, &asked).await? {
        Plan::Start => {}
        Plan::Form => return show_form(&app, &job).await,
        Plan::Nothing => return Ok(nothing(asked.wanted)),
        Plan::Resume(found, reached) => return resume(&app, found, reached, &asked).await,
    }
    refuse_parameters(&asked, body).await?;
    let viewed = Viewed::of_query(&asked)?;
    let wait = asked.query.flag("wait")?.unwrap_or(false);
    let detach = asked.query.flag("detach")?.unwrap_or(false)
        || asked.header("prefer").is_some_and(|prefer| prefer.contains("respond-async"));
    let order = Order { trigger: format!("{} from {}", asked.method, asked.peer), ..Order::default() };
    let run = app.runs.start(&job, order).map_err(refused)?.run;
    if detach || (asked.wanted == Wanted::Json && !wait) {
        return Ok(accepted(&app, &run));
    }
    let tie = (job.on_disconnect == OnDisconnect::Cancel).then(|| Tie(Arc::clone(&run)));
    if asked.wanted == Wanted::Text {
        run.begun().await.map_err(Refusal::internal)?;
    }
    Answer { app: &app, viewed, wait, tie }.about(Found::Live(run)).await
}

/// The job's form.
pub(super) async fn form(State(app): State<Arc<App>>, Name(name): Name, asked: Asked) -> Result<Response, Refusal> {
    asked.allow("GET")?;
    let job = find(&app, &name)?;
    if !job.can_be_started() {
        return show_newest(&app, &job, asked).await;
    }
    asked.query.refuse_unknown(&["format"])?;
    show_form(&app, &job).await
}

fn find(app: &App, name: &str) -> Result<Arc<Job>, Refusal> {
    let job = app.by_name.get(name).cloned();
    job.ok_or_else(|| {
        Refusal::not_found(format!("there is no job `{name}`")).remedy(format!("{}/ lists the jobs", app.base_path))
    })
}

/// Decides by the method, the site and the ids that a request carries; starts nothing.
async fn plan(app: &App, job: &Job, asked: &Asked) -> Result<Plan, Refusal> {
    let allowed = match (job.get, job.post) {
        (true, true) => "GET, POST",
        (true, false) => "GET",
        (false, _) => "POST",
    };
    if asked.method == Method::HEAD {
        return Ok(Plan::Nothing);
    }
    if asked.visit == Visit::CrossSiteNavigation {
        return Ok(Plan::Form);
    }
    asked.of_own_will()?;
    if let Some(id) = asked.last_event()? {
        return go_on(app, job, id).await;
    }
    match asked.allow(allowed) {
        Err(_) if asked.method == Method::GET && asked.wanted == Wanted::Html => Ok(Plan::Form),
        allowed => allowed.map(|()| Plan::Start),
    }
}

/// An EventSource that lost its connection comes back to the run that it saw, and never starts another.
async fn go_on(app: &App, job: &Job, id: EventId) -> Result<Plan, Refusal> {
    match find_run(app, id.run).await? {
        Some(found) if found.record().job == job.name => Ok(Plan::Resume(found, id.reached)),
        _ => Err(Refusal::not_found(format!("job `{}` has no run `{}` to go on with", job.name, id.run))
            .remedy("a request without Last-Event-ID starts a run")),
    }
}

/// Jobs have no parameters yet: whatever a body names is unknown.
async fn refuse_parameters(asked: &Asked, body: Body) -> Result<(), Refusal> {
    let body = match timeout(BODY, Limited::new(body, MAX_FORM).collect()).await {
        Err(_) => {
            return Err(Refusal::new(StatusCode::REQUEST_TIMEOUT, "the body of the request did not come within 10 s"));
        }
        Ok(Ok(body)) => body.to_bytes(),
        Ok(Err(error)) if error.is::<LengthLimitError>() => return Err(Refusal::body_too_large(MAX_FORM as u64)),
        Ok(Err(error)) => return Err(Refusal::bad_request(format!("the body cannot be read: {error}"))),
    };
    if body.is_empty() {
        return Ok(());
    }
    let given = asked.header("content-type").unwrap_or_default();
    match given.split(';').next().unwrap_or_default().trim().to_ascii_lowercase().as_str() {
        "application/x-www-form-urlencoded" => Ok(Query::parse_bytes(&body)?.refuse_unknown(&[])?),
        "application/json" => match serde_json::from_slice(&body) {
            Ok(Value::Object(members)) => match members.iter().next() {
                None => Ok(()),
                Some((name, value)) => Err(super::BadParameter::unknown(name, &value.to_string(), &[]).into()),
            },
            Ok(_) => Err(Refusal::bad_request("the JSON body is not an object").remedy("send {\"name\": value}")),
            Err(error) => Err(Refusal::bad_request(format!("the body is not JSON: {error}"))),
        },
        _ => Err(Refusal::unsupported_type(given, "application/x-www-form-urlencoded, application/json")),
    }
}

fn refused(refused: Refused) -> Refusal {
    Refusal::unavailable(refused.to_string(), RETRY_AFTER)
}

/// The answer to a request that does not wait for the run.
fn accepted(app: &App, run: &Run) -> Response {
    let mut response = answer_with_record(&run.record(), StatusCode::ACCEPTED);
    if let Ok(location) = HeaderValue::from_str(&format!("{}/runs/{}", app.base_path, run.id)) {
        response.headers_mut().insert(header::LOCATION, location);
    }
    response
}

/// The answer to HEAD: what GET would be, with nothing started.
fn nothing(wanted: Wanted) -> Response {
    let kind = wanted.view().map_or("application/json", |format| format.content_type());
    ([(header::CONTENT_TYPE, kind), (header::CACHE_CONTROL, "no-cache, no-store")], ()).into_response()
}

async fn show_form(app: &App, job: &Arc<Job>) -> Result<Response, Refusal> {
    let filter = Filter { job: Some(job.name.clone()), limit: SHOWN_RUNS, ..Filter::default() };
    let runs = app.runs.list(filter).await.map_err(super::failed)?;
    Ok(page(StatusCode::OK, pages::form(&job_page(app, job, &runs))))
}
