//! `/jobs/{job}/form`: a job with what it can be told, for people to fill in and for programs to read. It starts no run.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{Method, StatusCode};
use axum::response::Response;
use serde::Serialize;
use utoipa::ToSchema;

use super::{
    App, Asked, Changing, Everywhere, Form, FormShown, Intake, JobName, JobShown, ListWord, Moved, Name, RETRY_AFTER,
    Refusal, Told, Visit, Wanted, failed, find_job, job_page, job_shown, json, lines, nothing, page, pages,
    show_newest,
};
use crate::config::{Job, Overlap, Stdin};
use crate::parameters::{Kind, Offers, Parameter, Wrong};
use crate::runs::Filter;
use crate::sources::process;

/// How many past runs a form shows.
const SHOWN_RUNS: usize = 20;

/// The job's form; the query fills it in.
#[utoipa::path(
    get,
    path = "/jobs/{job}/form",
    operation_id = "showForm",
    tag = "jobs",
    params(JobName, ListWord),
    responses(Everywhere, Moved, Changing, FormShown)
)]
pub(super) async fn show(
    State(app): State<Arc<App>>,
    Name(name): Name,
    asked: Result<Asked, Refusal>,
) -> Result<Response, Refusal> {
    let job = find_job(&app, &name)?;
    let asked = asked.map_err(|refusal| hide_secrets(&job, refusal))?;
    asked.allow("GET")?;
    if !job.can_be_started() {
        return show_newest(&app, &job, asked).await;
    }
    let given = Intake::of_query(&asked.query, &["format"]);
    if asked.method == Method::HEAD {
        return Ok(nothing(asked.wanted));
    }
    fill_in(&app, &job, (asked.wanted, asked.visit), &given).await
}

/// The form of `job` with what was `given`; a wrong value stands in it with what is wrong, and is refused in every other
/// format. What is missing may still be filled in.
pub(super) async fn fill_in(
    app: &App,
    job: &Job,
    (wanted, visit): (Wanted, Visit),
    given: &Intake,
) -> Result<Response, Refusal> {
    let mut given = given.clone();
    // no command is run for what nobody looks at
    let (offers, wrong) = match visit {
        Visit::Direct | Visit::CrossSiteNavigation => {
            let offers = ask_for_choices(job).await?;
            // a form has one kind of newline: what is filled in is judged as it will come back
            if wanted == Wanted::Html {
                given = given.as_typed(&job.parameters, &offers);
            }
            let wrong = given.check(&job.parameters, &offers).err().unwrap_or_default();
            (offers, wrong.into_iter().filter(|wrong| given.mentions(&wrong.name)).collect())
        }
        Visit::Prefetch | Visit::CrossSite => (Offers::default(), Vec::new()),
    };
    if wanted == Wanted::Html {
        return fill_in_page(app, job, &offers, (&given, &wrong)).await;
    }
    if !wrong.is_empty() {
        return Err(Refusal::wrong(wrong));
    }
    let parameters: Vec<_> = job.parameters.iter().map(|parameter| Described::of(parameter, &offers)).collect();
    match wanted {
        Wanted::Html | Wanted::Json => describe(app, job, parameters).await,
        Wanted::Ndjson => {
            let objects = parameters.iter().filter_map(|parameter| serde_json::to_string(parameter).ok());
            Ok(lines("application/x-ndjson", objects))
        }
        Wanted::Text => {
            let first = job.description.iter().map(|description| format!("{}: {description}", job.name));
            Ok(lines("text/plain; charset=utf-8", first.chain(parameters.iter().map(Described::line))))
        }
        Wanted::Sse => Err(Refusal::no_stream("a form")),
    }
}

/// The form as a page: 400 where something is `wrong` with what was `given`.
pub(super) async fn fill_in_page(
    app: &App,
    job: &Job,
    offers: &Offers,
    (given, wrong): (&Intake, &[Wrong]),
) -> Result<Response, Refusal> {
    let filter = Filter { job: Some(job.name.clone()), limit: SHOWN_RUNS, ..Filter::default() };
    let runs = app.runs.list(filter).await.map_err(failed)?;
    let form = Form::of(&job.parameters, given.given(), offers, wrong);
    let status = if wrong.is_empty() { StatusCode::OK } else { StatusCode::BAD_REQUEST };
    let told = Told::about(app, job).await?;
    Ok(page(status, pages::form(&job_page(app, &told, form, &runs))))
}

/// A refusal without the values of the job's secrets.
pub(super) fn hide_secrets(job: &Job, refusal: Refusal) -> Refusal {
    refusal.hide(|name| job.parameters.iter().any(|known| known.name == name && known.is_secret()))
}

/// Runs the commands that tell what parameters may be; of most jobs there are none.
pub(super) async fn ask_for_choices(job: &Job) -> Result<Offers, Refusal> {
    let mut offers = Offers::default();
    for parameter in &job.parameters {
        let Kind::ChoicesFrom(command) = &parameter.kind else { continue };
        let lines = process::lines_of(&job.process, command).await.map_err(|why| {
            let what = format!("what `{}` can be is not known: {why}", parameter.name);
            Refusal::unavailable(what, RETRY_AFTER)
        })?;
        offers.insert(parameter.name.clone(), lines);
    }
    Ok(offers)
}

/// A job as JSON, with everything that a request for a run needs to know.
#[derive(Serialize, ToSchema)]
#[schema(as = JobForm)]
pub(super) struct JobForm<'a> {
    #[serde(flatten)]
    job: JobShown<'a>,
    /// `none`, or `body`: the body of a request is the command's input.
    stdin: &'static str,
    /// The most bytes of that body.
    #[schema(required)]
    max_body: Option<u64>,
    /// What a start comes to while a run of the job is on: allow, attach, queue, refuse or replace.
    overlap: &'static str,
    parameters: Vec<Described<'a>>,
}

async fn describe<'a>(app: &App, job: &'a Job, parameters: Vec<Described<'a>>) -> Result<Response, Refusal> {
    let told = Told::about(app, job).await?;
    let (stdin, max_body) = match job.stdin {
        Stdin::None => ("none", None),
        Stdin::Body { max } => ("body", Some(max)),
    };
    let (job, overlap) = (job_shown(&told), overlap(job.overlap));
    Ok(json(StatusCode::OK, &JobForm { job, stdin, max_body, overlap, parameters }))
}

fn overlap(overlap: Overlap) -> &'static str {
    match overlap {
        Overlap::Allow => "allow",
        Overlap::Attach => "attach",
        Overlap::Queue => "queue",
        Overlap::Refuse => "refuse",
        Overlap::Replace => "replace",
    }
}

/// A parameter as programs read it: null where there is no such thing.
#[derive(Serialize, ToSchema)]
#[schema(as = Parameter)]
pub(super) struct Described<'a> {
    name: &'a str,
    #[schema(required)]
    description: Option<&'a str>,
    /// text, int, bool, choice or secret.
    #[serde(rename = "type")]
    kind: &'static str,
    required: bool,
    /// A secret's is not told.
    #[schema(required)]
    default: Option<&'a str>,
    /// What it may be, in words.
    allowed: String,
    /// What the whole of it has to match (https://docs.rs/regex/#syntax).
    #[schema(required)]
    pattern: Option<&'a str>,
    #[schema(required)]
    min: Option<i64>,
    #[schema(required)]
    max: Option<i64>,
    #[schema(required)]
    choices: Option<&'a [String]>,
}

impl<'a> Described<'a> {
    fn of(parameter: &'a Parameter, offers: &'a Offers) -> Described<'a> {
        let described = Described {
            name: &parameter.name,
            description: parameter.description.as_deref(),
            kind: "text",
            required: parameter.default.is_none(),
            default: parameter.default.as_deref(),
            allowed: parameter.allowed(offers),
            pattern: None,
            min: None,
            max: None,
            choices: None,
        };
        match &parameter.kind {
            Kind::Text { pattern } => Described { pattern: pattern.as_ref().map(|p| p.as_str()), ..described },
            Kind::Secret { pattern } => {
                let pattern = pattern.as_ref().map(|pattern| pattern.as_str());
                Described { kind: "secret", default: None, pattern, ..described }
            }
            Kind::Int { min, max } => Described { kind: "int", min: *min, max: *max, ..described },
            Kind::Bool => Described { kind: "bool", ..described },
            Kind::Choices(choices) => Described { kind: "choice", choices: Some(choices), ..described },
            Kind::ChoicesFrom(_) => {
                Described { kind: "choice", choices: Some(offers.of(&parameter.name)), ..described }
            }
        }
    }

    fn line(&self) -> String {
        let default = match (self.default, self.required) {
            (Some(default), _) => format!("; default: {default:?}"),
            (None, true) => "; required".to_owned(),
            (None, false) => String::new(),
        };
        let about = self.description.map(|about| format!("; {about}")).unwrap_or_default();
        let line = format!("{}: {}{default}{about}", self.name, self.allowed);
        line.replace(char::is_control, "\u{fffd}")
    }
}
