//! Which answers a route may give: their statuses, formats and headers. It knows no handler.

use std::collections::BTreeMap;

use axum::http::StatusCode;
use serde_json::json;
use utoipa::openapi::extensions::ExtensionsBuilder;
use utoipa::openapi::header::HeaderBuilder;
use utoipa::openapi::schema::{Object, ObjectBuilder, OneOfBuilder, Schema, Type};
use utoipa::openapi::{Content, ContentBuilder, Header, Ref, RefOr, Response, ResponseBuilder};
use utoipa::{IntoResponses, ToSchema};

use super::{
    Described, FeedRecord, FolderShown, Index, JobForm, JobShown, METRICS, Problem, Pushed, RunList, RunRecord,
    StreamObject,
};
use crate::views::PublishedObject;

type Responses = BTreeMap<String, RefOr<Response>>;

/// What any request can be refused with: it makes no sense, its URL or its headers are too large, it was meant for
/// another host, or joblines itself fails.
const ANYWHERE: [u16; 5] = [400, 414, 421, 431, 500];

/// What else a request can be refused with, somewhere.
const SOMEWHERE: [u16; 8] = [403, 404, 405, 409, 410, 413, 415, 503];

/// The refusals by their names in the document.
pub(super) fn refusals() -> impl Iterator<Item = (String, Response)> {
    ANYWHERE.into_iter().chain(SOMEWHERE).map(|status| (name_of(status), refusal(status).build()))
}

/// "NotFound".
fn name_of(status: u16) -> String {
    title_of(status).chars().filter(char::is_ascii_alphanumeric).collect()
}

fn title_of(status: u16) -> &'static str {
    StatusCode::from_u16(status).ok().and_then(|status| status.canonical_reason()).unwrap_or("Error")
}

fn refusal(status: u16) -> ResponseBuilder {
    let response = ResponseBuilder::new()
        .description(title_of(status))
        .content("application/problem+json", document::<Problem<'_>>())
        .content("text/plain", text())
        .content("text/html", text());
    match status {
        405 => response.header("Allow", header("The methods that it answers to")),
        409 => response.header("Location", header("The run in progress, or the run itself")),
        503 => response.header("Retry-After", seconds()),
        _ => response,
    }
}

fn refused(statuses: &[u16]) -> Responses {
    let refusal = |status: &u16| (status.to_string(), RefOr::Ref(Ref::from_response_name(name_of(*status))));
    statuses.iter().map(refusal).collect()
}

fn text() -> Content {
    Content::new(Some(Object::with_type(Type::String)))
}

/// Many objects, one after the other. OpenAPI 3.1 has no word for what each of them is.
fn objects(name: &str) -> Content {
    let each = ExtensionsBuilder::new().add("x-item-schema", json!({ "$ref": format!("#/components/schemas/{name}") }));
    ContentBuilder::new().schema(Some(Object::with_type(Type::String))).extensions(Some(each.build())).build()
}

/// One server-sent event: in OpenAPI 3.1 the schema of that type is taken for each event's.
fn event(data: &str) -> Object {
    let string = || ObjectBuilder::new().schema_type(Type::String);
    let data = string().content_media_type("application/json").content_schema(Some(Ref::from_schema_name(data)));
    let id = string().description(Some("What Last-Event-ID says when the client comes back"));
    ObjectBuilder::new()
        .schema_type(Type::Object)
        .property("event", string().enum_values(Some(["run", "feed", "queue", "line", "end", "stopped"])))
        .property("id", id)
        .property("data", data)
        .build()
}

fn document<T: ToSchema>() -> Content {
    Content::new(Some(Ref::from_schema_name(T::name())))
}

/// One of two that have no field in common.
fn either<T: ToSchema, U: ToSchema>() -> Content {
    let one = OneOfBuilder::new().item(Ref::from_schema_name(T::name())).item(Ref::from_schema_name(U::name()));
    Content::new(Some(Schema::from(one)))
}

fn header(description: &str) -> Header {
    HeaderBuilder::new().schema(Some(Object::with_type(Type::String))).description(Some(description)).build()
}

fn seconds() -> Header {
    let builder = HeaderBuilder::new().schema(Some(Object::with_type(Type::Integer)));
    builder.description(Some("When to come again, in seconds")).build()
}

/// A run: its lines as they come, or its record.
fn run(response: ResponseBuilder) -> ResponseBuilder {
    let name = StreamObject::name();
    response
        .content("text/html", text())
        .content("text/plain", text())
        .content("application/x-ndjson", objects(&name))
        .content("text/event-stream", Content::new(Some(event(&name))))
        .content("application/json", document::<RunRecord>())
        .header("Joblines-Run", header("The run's name"))
        .header("Content-Location", header("Where the run is, if this is not its own URL; not with JSON"))
        .header("Trailer", header("Joblines-State and Joblines-Exit-Code follow the lines"))
}

/// How a run ended that was waited for, or else why there is none.
fn ended(status: u16, description: &str) -> ResponseBuilder {
    run(refusal(status)).description(description)
}

fn with<const N: usize>(mut all: Responses, more: [(u16, ResponseBuilder); N]) -> Responses {
    all.extend(more.map(|(status, response)| (status.to_string(), RefOr::T(response.build()))));
    all
}

fn ok(description: &str) -> ResponseBuilder {
    ResponseBuilder::new().description(description)
}

fn to(description: &str) -> ResponseBuilder {
    ok(description).header("Location", header("Where to go"))
}

/// What every route may answer.
pub(in crate::http) struct Everywhere;

impl IntoResponses for Everywhere {
    fn responses() -> Responses {
        refused(&ANYWHERE)
    }
}

/// A run is shown.
pub(in crate::http) struct Streamed;

impl IntoResponses for Streamed {
    fn responses() -> Responses {
        with(
            refused(&[404, 410]),
            [
                (200, run(ok("The run"))),
                (204, ok("An EventSource that came back has seen the end")),
                (409, ended(409, "`wait`: it was cancelled")),
                (500, ended(500, "`wait`: it failed; or joblines itself did")),
                (504, ended(504, "`wait`: it timed out")),
            ],
        )
    }
}

/// A run is started, and shown.
pub(in crate::http) struct Ran;

impl IntoResponses for Ran {
    fn responses() -> Responses {
        let accepted = ok("It is started: its record")
            .content("application/json", document::<RunRecord>())
            .header("Joblines-Run", header("The run's name"))
            .header("Location", header("Where the run is"));
        let mut all = Streamed::responses();
        all.extend(refused(&[403, 405, 413, 415, 503]));
        with(
            all,
            [
                (202, accepted),
                (302, to("A browser is sent to the newest run of a job that no request can start")),
                (409, ended(409, "`wait`: it was cancelled; or another run of the job is on, and `overlap` refuses")),
            ],
        )
    }
}

/// A page is shown, of a job that cannot be started the run.
pub(in crate::http) struct Moved;

impl IntoResponses for Moved {
    fn responses() -> Responses {
        with(refused(&[404]), [(302, to("A browser is sent to the newest run of a job that no request can start"))])
    }
}

/// What is asked of a job's command may fail.
pub(in crate::http) struct Changing;

impl IntoResponses for Changing {
    fn responses() -> Responses {
        refused(&[403, 404, 503])
    }
}

/// A run is asked to end.
pub(in crate::http) struct Cancelled;

impl IntoResponses for Cancelled {
    fn responses() -> Responses {
        let accepted = ok("Its processes get SIGTERM")
            .content("application/json", document::<RunRecord>())
            .content("text/plain", text())
            .header("Joblines-Run", header("The run's name; with JSON"));
        with(refused(&[409]), [(202, accepted), (303, to("A browser is sent to the run"))])
    }
}

/// `/`.
pub(in crate::http) struct JobsShown;

impl IntoResponses for JobsShown {
    fn responses() -> Responses {
        listed("The jobs", document::<Index<'_>>(), objects(&JobShown::name()))
    }
}

/// A feed is shown.
pub(in crate::http) struct FeedShown;

impl IntoResponses for FeedShown {
    fn responses() -> Responses {
        let name = StreamObject::name();
        let feed = ok("The feed")
            .content("text/html", text())
            .content("text/plain", text())
            .content("application/x-ndjson", objects(&name))
            .content("text/event-stream", Content::new(Some(event(&name))))
            .content("application/json", either::<FeedRecord<'_>, FolderShown>())
            .header("Joblines-Feed", header("The feed's name; not with JSON"))
            .header("Content-Location", header("Where the feed is; not with JSON"));
        with(refused(&[404]), [(200, feed)])
    }
}

/// A feed's lines as events of python-redis-log's objects.
pub(in crate::http) struct FeedEvents;

impl IntoResponses for FeedEvents {
    fn responses() -> Responses {
        let events = ok("Its lines; of a folder, the file that is called `events`")
            .content("text/event-stream", Content::new(Some(event(&PublishedObject::name()))))
            .header("Joblines-Feed", header("The feed's name"));
        with(refused(&[404]), [(200, events)])
    }
}

/// A file of a feed's folder is shown, or what is in a folder of it.
pub(in crate::http) struct FeedFileShown;

impl IntoResponses for FeedFileShown {
    fn responses() -> Responses {
        let name = StreamObject::name();
        let file = ok("The file's lines, or what is in the folder")
            .content("text/html", text())
            .content("text/plain", text())
            .content("application/x-ndjson", objects(&name))
            .content("text/event-stream", Content::new(Some(event(&name))))
            .content("application/json", either::<FeedRecord<'_>, FolderShown>())
            .header("Joblines-Feed", header("The feed's name; with lines"))
            .header("Content-Location", header("Where the file is; with lines"));
        with(refused(&[403, 404, 503]), [(200, file), (302, to("It is a folder, whose URL ends with a slash"))])
    }
}

/// Lines are taken.
pub(in crate::http) struct Taken;

impl IntoResponses for Taken {
    fn responses() -> Responses {
        let taken =
            ok("They are in the feed").content("text/plain", text()).content("application/json", document::<Pushed>());
        with(Responses::new(), [(200, taken)])
    }
}

/// Records are taken.
pub(in crate::http) struct Recorded;

impl IntoResponses for Recorded {
    fn responses() -> Responses {
        with(refused(&[403, 404, 405, 413, 415, 503]), [(204, ok("They will be in the feed, or it will say why not"))])
    }
}

/// `/metrics`.
pub(in crate::http) struct Measured;

impl IntoResponses for Measured {
    fn responses() -> Responses {
        with(Responses::new(), [(200, ok("Everything that is counted").content(METRICS, text()))])
    }
}

/// A job's form.
pub(in crate::http) struct FormShown;

impl IntoResponses for FormShown {
    fn responses() -> Responses {
        listed("The job and its parameters", document::<JobForm<'_>>(), objects(&Described::name()))
    }
}

/// `/runs`.
pub(in crate::http) struct RunsShown;

impl IntoResponses for RunsShown {
    fn responses() -> Responses {
        listed("The runs", document::<RunList<'_>>(), objects(&RunRecord::name()))
    }
}

fn listed(description: &str, all: Content, each: Content) -> Responses {
    let listed = ok(description).content("text/html", text()).content("text/plain", text());
    let listed = listed.content("application/json", all).content("application/x-ndjson", each);
    with(Responses::new(), [(200, listed)])
}

/// Liveness.
pub(in crate::http) struct Healthy;

impl IntoResponses for Healthy {
    fn responses() -> Responses {
        with(Responses::new(), [(200, ok("It is there").content("text/plain", text()))])
    }
}

/// This document.
pub(in crate::http) struct Document;

impl IntoResponses for Document {
    fn responses() -> Responses {
        let object = Content::new(Some(Object::with_type(Type::Object)));
        with(Responses::new(), [(200, ok("An OpenAPI 3.1 document").content("application/json", object))])
    }
}

/// A file that pages link to.
pub(in crate::http) struct AssetShown;

impl IntoResponses for AssetShown {
    fn responses() -> Responses {
        let file = ["text/css", "text/javascript", "image/svg+xml"]
            .iter()
            .fold(ok("The file"), |response, kind| response.content(*kind, text()))
            .header("ETag", header("A digest of its content"));
        let same = ok("It is what If-None-Match names").header("ETag", header("A digest of its content"));
        with(refused(&[404]), [(200, file), (304, same)])
    }
}
