//! `/openapi.json`: every route as it is declared beside its handler, and each job with its parameters as `jobs.toml`
//! says now. It starts nothing, and asks no job's command for choices.

mod answers;
mod jobs;
mod queries;
mod schemas;

use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use utoipa::openapi::path::PathItem;
use utoipa::openapi::{
    ComponentsBuilder, InfoBuilder, LicenseBuilder, OpenApi, OpenApiBuilder, Server, tag::TagBuilder,
};

use super::{
    App, Asked, Described, FeedRecord, FolderShown, Index, JobForm, JobShown, METRICS, Problem, Pushed, Refusal,
    RunList, json,
};
use crate::runs::RunRecord;
use crate::views::PublishedObject;
use answers::Document;
pub(super) use answers::{
    AssetShown, Cancelled, Changing, Everywhere, FeedEvents, FeedFileShown, FeedShown, FormShown, Healthy, JobsShown,
    Measured, Moved, Ran, Recorded, RunsShown, Streamed, Taken,
};
pub(super) use queries::{
    AssetName, FeedFile, FeedName, FeedWords, FilterWords, FormatWord, JobName, JobWords, JobsWords, ListWord,
    RecordWords, RunName, RunWords, RunsWords, ViewedWords,
};
use schemas::{Answered, Listed, Moment, StreamObject, StreamWord, Word};

/// What is the same in every document: the routes are added to it as they are declared.
pub(super) fn frame(base_path: &str) -> OpenApi {
    let tags = [
        ("jobs", "Commands that can be run"),
        ("runs", "What became of them: output, outcome, history"),
        ("feeds", "Lines that no job printed"),
        ("server", "joblines itself"),
    ];
    let tags = tags.map(|(name, description)| TagBuilder::new().name(name).description(Some(description)).build());
    let license = LicenseBuilder::new().name(env!("CARGO_PKG_LICENSE"));
    let info = InfoBuilder::new()
        .title("joblines")
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some(env!("CARGO_PKG_DESCRIPTION")))
        .license(Some(license.build()));
    let mut found = Vec::new();
    schemas::add::<StreamObject>(&mut found);
    schemas::add::<Problem<'_>>(&mut found);
    schemas::add::<RunRecord>(&mut found);
    schemas::add::<Index<'_>>(&mut found);
    schemas::add::<JobForm<'_>>(&mut found);
    schemas::add::<RunList<'_>>(&mut found);
    schemas::add::<FeedRecord<'_>>(&mut found);
    schemas::add::<PublishedObject<'_>>(&mut found);
    schemas::add::<Pushed>(&mut found);
    schemas::add::<FolderShown>(&mut found);
    let mut components = ComponentsBuilder::new().schemas_from_iter(found);
    for (name, response) in answers::refusals() {
        components = components.response(name, response);
    }
    OpenApiBuilder::new()
        .info(info)
        .servers(Some([Server::new(if base_path.is_empty() { "/" } else { base_path })]))
        .tags(Some(tags))
        .components(Some(components.build()))
        .build()
}

/// Adds an operation to the document, whose URL takes more than one can be declared with.
pub(super) fn add<P: utoipa::Path>(document: &mut OpenApi) {
    let item = PathItem::from_http_methods(P::methods(), P::operation());
    document.paths.paths.insert(P::path(), item);
}

/// The OpenAPI 3.1 document.
#[utoipa::path(
    get,
    path = "/openapi.json",
    operation_id = "describe",
    tag = "server",
    params(FormatWord),
    responses(Everywhere, Document)
)]
pub(super) async fn show(
    State(app): State<Arc<App>>,
    Extension(routes): Extension<Arc<OpenApi>>,
    asked: Asked,
) -> Result<Response, Refusal> {
    asked.allow("GET")?;
    asked.query.refuse_unknown(&["format"])?;
    let mut document = OpenApi::clone(&routes);
    jobs::describe(&mut document, &app.current().jobs);
    tell_apart(&mut document);
    Ok(json(StatusCode::OK, &document))
}

/// Gives each method of a path its own name, where a handler answers to several and was given one.
fn tell_apart(document: &mut OpenApi) {
    for item in document.paths.paths.values_mut() {
        let mut named: Vec<String> = Vec::new();
        for (method, operation) in [("get", &mut item.get), ("post", &mut item.post), ("put", &mut item.put)] {
            let Some(name) = operation.as_mut().and_then(|operation| operation.operation_id.as_mut()) else { continue };
            if named.contains(name) {
                *name = format!("{name}_{method}");
            }
            named.push(name.clone());
        }
    }
}
