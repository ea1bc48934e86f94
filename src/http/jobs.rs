//! `/jobs/{job}`: starts runs. What a run then looks like is `runs`' affair, what a job can be told `form`'s.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderValue, Method, StatusCode, Version, header};
use axum::response::Response;
use http_body::Body as _;

use super::{
    Answer, App, Asked, EventId, Everywhere, FilterWords, FormatWord, Found, Intake, IntakeKind, JobName, JobWords,
    Name, RETRY_AFTER, Ran, Reached, Refusal, Tie, Upload, Viewed, ViewedWords, Visit, Wanted, answer_with_record,
    ask_for_choices, fill_in, fill_in_page, find_job, find_run, hide_secrets, nothing, read_body, resume, show_newest,
};
use crate::config::{Job, OnDisconnect, Stdin};
use crate::parameters::Values;
use crate::runs::{Order, Refused, Run, Started};
use crate::sources::process::Input;

/// The most bytes of a form or a JSON document.
const MAX_FORM: usize = 1 << 20;

/// What the query of a job's URL may hold beside the job's own parameters.
pub(super) const QUERY: [&str; 17] = [
    "format", "wait", "detach", "abort", "all", "time", "stream", "from", "since", "until", "q", "x", "level",
    "logger", "field", "rate", "download",
];

/// What is to happen with a visit to a job's URL.
enum Plan {
    Start,
    Form,
    Nothing,
    Resume(Found, Reached),
}

/// Starts a run and streams it. A visit of a browser to a job that only POST starts, or from another site, is shown its
/// form.
#[utoipa::path(
    method(get, post),
    path = "/jobs/{job}",
    operation_id = "start",
    tag = "jobs",
    params(JobName, FormatWord, FilterWords, ViewedWords, JobWords),
    responses(Everywhere, Ran)
)]
pub(super) async fn start(
    State(app): State<Arc<App>>,
    Name(name): Name,
    asked: Result<Asked, Refusal>,
    body: Body,
) -> Result<Response, Refusal> {
    let job = find_job(&app, &name)?;
    let asked = asked.map_err(|refusal| hide_secrets(&job, refusal))?;
    if !job.can_be_started() {
        return show_newest(&app, &job, asked).await;
    }
    let given = Intake::of_query(&asked.query, &QUERY);
    match plan(&app, &job, &asked).await? {
        Plan::Start => {}
        Plan::Form => return fill_in(&app, &job, (Wanted::Html, asked.visit), &given).await,
        Plan::Nothing => return Ok(nothing(asked.wanted)),
        Plan::Resume(found, reached) => return resume(&app, found, reached, &asked).await,
    }
    let viewed = Viewed::of_query(&asked)?;
    let wait = asked.query.flag("wait")?.unwrap_or(false);
    let detach = asked.query.flag("detach")?.unwrap_or(false)
        || asked.header("prefer").is_some_and(|prefer| prefer.contains("respond-async"));
    let (given, upload) = take_body(&job, &asked, given, body).await?;
    let offers = ask_for_choices(&job).await?;
    let given = if is_of_a_form(&asked) { given.as_typed(&job.parameters, &offers) } else { given };
    let values = match given.check(&job.parameters, &offers) {
        Ok(values) => values,
        Err(wrong) if asked.wanted == Wanted::Html => {
            return fill_in_page(&app, &job, &offers, (&given, &wrong)).await;
        }
        Err(wrong) => return Err(Refusal::wrong(wrong)),
    };
    let input_taken = upload.as_ref().map(Upload::taken);
    let Started { run, joined } = order(&app, &job, &asked, (values, upload)).await?;
    if detach || (asked.wanted == Wanted::Json && !wait) {
        // an HTTP/2 client sends no more than a window of what nobody has to answer to any more
        if let Some(taken) = input_taken.filter(|_| asked.version == Version::HTTP_2) {
            taken.cancelled().await;
        }
        app.runs.noted(&run).await;
        return Ok(accepted(&app, &run));
    }
    // whoever joined did not start it, and ends it neither
    let tie = (job.on_disconnect == OnDisconnect::Cancel && !joined).then(|| Tie(Arc::clone(&run)));
    // counted at once: what a short command prints until it is read is still in memory then
    let _counted = (!wait).then(|| run.read().expect_reader());
    if asked.wanted == Wanted::Text {
        run.begun().await.map_err(Refusal::internal)?;
    }
    Answer { app: &app, viewed, wait, tie }.about(Found::Live(run)).await
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

/// What the body of a request is: parameters beside those that are `given` already, or the command's input.
async fn take_body(job: &Job, asked: &Asked, given: Intake, body: Body) -> Result<(Intake, Option<Upload>), Refusal> {
    if body.is_end_stream() {
        return Ok((given, None));
    }
    if asked.method == Method::GET {
        return Err(Refusal::bad_request("a GET brings no body here").remedy("send it with POST"));
    }
    match job.stdin {
        Stdin::Body { max } => Upload::of(body, max).map(|upload| (given, Some(upload))),
        Stdin::None => Ok((given.and(read_parameters(asked, body).await?), None)),
    }
}

async fn read_parameters(asked: &Asked, body: Body) -> Result<Intake, Refusal> {
    let body = read_body(body, MAX_FORM).await?;
    if body.is_empty() {
        return Ok(Intake::default());
    }
    let given = asked.header("content-type").unwrap_or_default();
    let kind = IntakeKind::of(given).ok_or_else(|| Refusal::unsupported_type(given, IntakeKind::ALLOWED))?;
    Intake::of_body(kind, &body)
        .map_err(|unreadable| Refusal::bad_request(unreadable.to_string()).remedy("send {\"name\": value}"))
}

/// Whether a browser's form may have sent this: by GET in the query, else in a body that is a form. Nothing marks what
/// comes from a form, but a browser that goes to a page accepts HTML before all else. Whoever does not, as curl does
/// not even with `?format=html`, means every byte as it is written; so does a script in a page.
fn is_of_a_form(asked: &Asked) -> bool {
    let is_form = || asked.header("content-type").and_then(IntakeKind::of) == Some(IntakeKind::Form);
    asked.is_navigation() && (asked.method == Method::GET || is_form())
}

/// Asks for a run with these values and this input.
async fn order(
    app: &App,
    job: &Arc<Job>,
    asked: &Asked,
    (values, upload): (Values, Option<Upload>),
) -> Result<Started, Refusal> {
    let mut upload = upload;
    let waits = asked.header("expect").is_some_and(|expected| expected.eq_ignore_ascii_case("100-continue"));
    if let Some(upload) = upload.as_mut().filter(|_| waits) {
        upload.invite().await;
    }
    let input = upload.map(|upload| Box::pin(upload) as Input);
    let order = Order { values, trigger: format!("{} from {}", asked.method, asked.peer), input };
    app.runs.start(job, order).map_err(|why| refused(app, job, why))
}

fn refused(app: &App, job: &Job, why: Refused) -> Refusal {
    match why {
        Refused::InProgress(run) => {
            let place = app.place_of(run);
            let what = format!("run {run} of `{}` is on, and it allows no other meanwhile", job.name);
            Refusal::conflict(what).remedy(format!("watch that one at {place}, or wait for its end")).location(place)
        }
        Refused::Full(_) | Refused::ShuttingDown => Refusal::unavailable(why.to_string(), RETRY_AFTER),
    }
}

/// The answer to a request that does not wait for the run.
fn accepted(app: &App, run: &Run) -> Response {
    let mut response = answer_with_record(&run.record(), StatusCode::ACCEPTED);
    if let Ok(location) = HeaderValue::from_str(&app.place_of(run.id)) {
        response.headers_mut().insert(header::LOCATION, location);
    }
    response
}

#[cfg(test)]
mod tests {
    use super::QUERY;
    use crate::config::QUERY_WORDS;

    #[test]
    fn no_parameter_can_have_the_name_of_a_word_of_the_url() {
        for word in QUERY {
            assert!(QUERY_WORDS.contains(&word), "{word}");
        }
    }
}
