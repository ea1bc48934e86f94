//! The web: the whole map of URLs on one screen, and what surrounds every request. Only this module knows requests;
//! nothing imports it but the command line.

mod again;
mod answer;
mod app;
mod asked;
mod assets;
mod body;
pub mod error;
mod events;
mod feeds;
mod fields;
mod files;
mod flask;
mod form;
pub mod guard;
pub mod intake;
mod jobs;
pub mod listen;
mod metrics;
pub mod negotiate;
mod openapi;
mod overview;
mod push;
pub mod query;
mod records;
mod runs;
mod sieve;
mod stream;
mod tally;
mod times;
mod viewed;

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::any;
use axum::{Extension, Router};
use serde::Serialize;
use tower_http::catch_panic::CatchPanicLayer;
use utoipa_axum::router::{OpenApiRouter, UtoipaMethodRouterExt};
use utoipa_axum::routes;

use crate::config::{Job, duration};
use crate::parameters::Wrong;
use crate::views::{EventId, Format, Reached, pages};
use again::run_again;
use answer::{Answer, Found, answer_with_record, no_run};
pub use app::App;
use asked::{Asked, Name, sender, sender_of};
use body::{Upload, read as read_body};
use error::{Problem, Refusal};
use feeds::{FeedRecord, answer as answer_feed, feed_record, find_feed, watch as watch_feed};
use fields::Form;
use files::{FolderShown, list as list_files, place_of as place_of_file, refuse as not_there, show as show_file};
use form::{Described, JobForm, ask_for_choices, fill_in, fill_in_page, hide_secrets};
use guard::{BadHost, Hosts, TooLarge, Visit};
use intake::{Intake, Kind as IntakeKind};
use listen::{Ambiguous, Peer, Service};
use metrics::CONTENT_TYPE as METRICS;
use negotiate::{Wanted, choose, choose_for_error};
use openapi::{
    AssetName, AssetShown, Cancelled, Changing, Everywhere, FeedEvents, FeedFile, FeedFileShown, FeedName, FeedShown,
    FeedWords, FilterWords, FormShown, FormatWord, Healthy, JobName, JobWords, JobsShown, JobsWords, ListWord,
    Measured, Moved, Ran, RecordWords, Recorded, RunName, RunWords, RunsShown, RunsWords, Streamed, Taken, ViewedWords,
};
use overview::{Index, JobShown, Told, frame, job_page, job_shown, line_of, nothing_here, runs_page};
use push::Pushed;
use query::{Query, encode, encode_pairs, read_pairs};
use runs::{LISTED, RunList, find_run, resume, show_newest};
use sieve::{LOOK_BACK, Sieve, Sifted, Span, Terms};
use stream::{Lines, Show, Stream, Subject, Tie};
use tally::over_time as tally_lines;
use times::{Outside, Times};
use viewed::Viewed;

/// What every answer says. A page of ours may load and do nothing but our own style sheet, script and forms, in no other
/// site's frame; and it tells nobody else where it was.
const ALWAYS: [(HeaderName, HeaderValue); 4] = [
    (
        header::CONTENT_SECURITY_POLICY,
        HeaderValue::from_static(
            "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; connect-src 'self'; \
             form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
        ),
    ),
    (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    (header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY")),
    (header::REFERRER_POLICY, HeaderValue::from_static("same-origin")),
];

/// The trailers of a stream: how the run ended.
const TRAILERS: [HeaderName; 2] =
    [HeaderName::from_static("joblines-state"), HeaderName::from_static("joblines-exit-code")];

/// When to come again where too many runs wait, or a command does not tell what it should.
const RETRY_AFTER: Duration = Duration::from_secs(5);

/// A route and its documentation, which says where it is. The handler is asked whatever the method, and says itself
/// which it answers to: in the format that was asked for, with HEAD starting nothing.
macro_rules! route {
    ($($handler:ident)::+) => {
        routes!($($handler)::+).map(|_| any($($handler)::+))
    };
}

/// What answers every request.
pub fn service(app: Arc<App>) -> Service {
    let counting = Arc::clone(&app);
    let too_long = Arc::new(move |peer: Peer, line: &[u8]| records::refuse_too_long(&counting, peer, line));
    Service { router: router(app), too_long }
}

/// Every URL.
fn router(app: Arc<App>) -> Router {
    let (pages, mut document) = OpenApiRouter::with_openapi(openapi::frame(&app.base_path))
        .routes(route!(overview::index))
        .routes(route!(overview::healthz))
        // people and scripts: jobs
        .routes(route!(jobs::start))
        .routes(route!(form::show))
        .routes(route!(runs::last))
        // people and scripts: runs
        .routes(route!(runs::list))
        .routes(route!(runs::show))
        .routes(route!(runs::cancel))
        // people and scripts: feeds
        .routes(route!(feeds::show))
        .routes(route!(events::show))
        .routes(route!(push::take))
        .route("/feeds/{feed}/{*path}", any(files::show))
        .route("/feeds/{feed}/", any(feeds::show))
        .routes(route!(records::take))
        // programs
        .routes(route!(metrics::show))
        // pages
        .routes(route!(assets::serve))
        .split_for_parts();
    openapi::add::<files::__path_show>(&mut document);
    openapi::add::<openapi::__path_show>(&mut document);
    let document = Extension(Arc::new(document));
    let pages = pages.route("/openapi.json", any(openapi::show).layer(document));
    let mounted = match app.base_path.as_str() {
        "" => pages,
        base => Router::new().nest(base, pages).route(&format!("{base}/"), any(overview::index)),
    };
    mounted
        // and where a feed's `paths` say so: PREFIX/stream/FILE, PREFIX/stream_log/FILE, PREFIX/view/FILE
        .fallback(flask::answer)
        // as one, for each layer of a router's is a box around every request and its answer
        .layer((
            middleware::from_fn_with_state(Arc::clone(&app), admit),
            CatchPanicLayer::custom(|_: Box<dyn std::any::Any + Send>| {
                Refusal::internal("the server made a mistake; its log says which").into_response()
            }),
        ))
        .with_state(app)
}

/// Refuses what no handler should see (a request that is too large, or that was meant for another host), and tells
/// every refusal, the handlers' too, in the format that was asked for.
async fn admit(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let (parts, body) = request.into_parts();
    let format = parts.uri.query().and_then(|query| query.split('&').find_map(|pair| pair.strip_prefix("format=")));
    let wanted = choose_for_error(format, &parts.headers);
    let mut response = match check(&app, &parts) {
        Ok(()) => next.run(Request::from_parts(parts, body)).await,
        Err(refusal) => refusal.into_response(),
    };
    if let Some(refusal) = response.extensions_mut().remove::<Refusal>() {
        response = refusal.respond(wanted, |refusal| pages::error(&overview::error_page(&app, refusal)));
    }
    for (name, value) in ALWAYS {
        response.headers_mut().insert(name, value);
    }
    response
}

fn check(app: &App, parts: &Parts) -> Result<(), Refusal> {
    guard::check_size(parts).map_err(|size| match size {
        TooLarge::Target => Refusal::target_too_long(guard::MAX_TARGET),
        TooLarge::Headers => Refusal::headers_too_large(guard::MAX_HEADERS),
    })?;
    if parts.extensions.get::<Ambiguous>().is_some() {
        let what = "Content-Length and Transfer-Encoding say different things of where the body ends";
        return Err(Refusal::bad_request(what).remedy("send one of them"));
    }
    if let Some(Peer::Unix) = parts.extensions.get() {
        return Ok(());
    }
    app.current().hosts.check(parts).map_err(|host| match host {
        BadHost::Missing => Refusal::bad_request("the request has no Host header"),
        BadHost::Malformed(host) => Refusal::bad_request(format!("`{host}` is no host")),
        BadHost::Unknown(host) => Refusal::misdirected(&host),
    })
}

fn find_job(app: &App, name: &str) -> Result<Arc<Job>, Refusal> {
    let job = app.current().job(name);
    job.ok_or_else(|| {
        Refusal::not_found(format!("there is no job `{name}`")).remedy(format!("{}/ lists the jobs", app.base_path))
    })
}

/// The answer to HEAD: what GET would be, with nothing started.
fn nothing(wanted: Wanted) -> Response {
    let kind = wanted.view().map_or("application/json", |format| format.content_type());
    ([(header::CONTENT_TYPE, kind), (header::CACHE_CONTROL, "no-cache, no-store")], ()).into_response()
}

/// A failure of ours: told in one sentence, and logged in full.
fn failed(error: anyhow::Error) -> Refusal {
    tracing::error!(error = format!("{error:#}"), "a request cannot be answered");
    Refusal::internal(error.to_string())
}

fn answer_with(status: StatusCode, content_type: &'static str, body: String) -> Response {
    let headers = [(header::CONTENT_TYPE, content_type), (header::CACHE_CONTROL, "no-cache, no-store")];
    (status, headers, body).into_response()
}

fn page(status: StatusCode, html: String) -> Response {
    answer_with(status, Format::Html.content_type(), html)
}

fn json(status: StatusCode, value: &impl Serialize) -> Response {
    match serde_json::to_string(value) {
        Ok(text) => answer_with(status, "application/json", text + "\n"),
        Err(error) => failed(error.into()).into_response(),
    }
}

fn lines(content_type: &'static str, lines: impl Iterator<Item = String>) -> Response {
    answer_with(StatusCode::OK, content_type, lines.map(|line| line + "\n").collect())
}

#[cfg(test)]
mod tests {
    use utoipa::OpenApi;
    use utoipa::openapi::path::{Operation, ParameterIn};
    use utoipa::openapi::{PathItem, RefOr};

    use super::{assets, feeds, form, jobs, metrics, openapi, overview, push, records, runs};
    use crate::config::OWN_ADDRESSES;

    #[derive(OpenApi)]
    #[openapi(paths(jobs::start, runs::show, runs::last, feeds::show))]
    struct Documented;

    #[derive(OpenApi)]
    #[openapi(paths(
        assets::serve,
        feeds::show,
        form::show,
        jobs::start,
        metrics::show,
        openapi::show,
        overview::healthz,
        push::take,
        records::take,
        runs::cancel,
        runs::last,
        runs::list,
        runs::show
    ))]
    struct Routed;

    #[test]
    fn no_prefix_of_a_feeds_files_is_one_of_ours() {
        let paths = Routed::openapi().paths.paths;
        let mut first: Vec<_> = paths.keys().filter_map(|path| path.split('/').nth(1)).collect();
        first.sort_unstable();
        first.dedup();
        assert_eq!(first, OWN_ADDRESSES);
    }

    /// The words that an operation's query may hold, by its description.
    fn words(operation: &Operation) -> Vec<&str> {
        let parameters = operation.parameters.iter().flatten().map(|parameter| match parameter {
            RefOr::T(parameter) => parameter,
            RefOr::Ref(_) => panic!("a parameter that stands elsewhere"),
        });
        let of_query = parameters.filter(|parameter| matches!(parameter.parameter_in, ParameterIn::Query));
        let mut words: Vec<_> = of_query.map(|parameter| parameter.name.as_str()).collect();
        words.sort_unstable();
        words
    }

    #[test]
    fn every_word_of_a_query_is_described_and_no_other() {
        let document = Documented::openapi();
        let operation = |path: &str, of: fn(&PathItem) -> &Option<Operation>| {
            of(&document.paths.paths[path]).as_ref().unwrap_or_else(|| panic!("{path}"))
        };
        let sorted = |words: &[&'static str]| {
            let mut words = words.to_vec();
            words.sort_unstable();
            words
        };
        for start in [operation("/jobs/{job}", |item| &item.get), operation("/jobs/{job}", |item| &item.post)] {
            assert_eq!(words(start), sorted(&jobs::QUERY));
        }
        for path in ["/runs/{id}", "/jobs/{job}/last"] {
            assert_eq!(words(operation(path, |item| &item.get)), sorted(&runs::QUERY));
        }
        assert_eq!(words(operation("/feeds/{feed}", |item| &item.get)), sorted(&feeds::QUERY));
    }
}
