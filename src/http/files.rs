//! `/feeds/{feed}/…`: what is in a feed's folder, and its files watched. It opens no file itself.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

use super::{
    App, Asked, Everywhere, FeedFile, FeedFileShown, FeedWords, FilterWords, FormatWord, Name, Refusal, Wanted,
    answer_feed, encode, find_feed, frame, json, lines, page, pages,
};
use crate::feeds::{Feed, Files, NotThere};
use crate::record::stamp;
use crate::sources::file::{Listed, Listing, Refused};
use crate::views::View;

/// What is in a folder.
#[derive(Serialize, ToSchema)]
pub(super) struct FolderShown {
    files: Vec<FileShown>,
    /// There are more.
    cut: bool,
}

/// A file or a folder in it.
#[derive(Serialize, ToSchema)]
pub(super) struct FileShown {
    name: String,
    /// Where it is.
    url: String,
    /// It can be listed, not followed.
    folder: bool,
    bytes: u64,
    #[schema(format = DateTime)]
    modified: String,
}

/// The lines of a file of a feed's folder: the last thousand, and those that come; of a folder, what is in it.
#[utoipa::path(
    get,
    path = "/feeds/{feed}/{path}",
    operation_id = "showFeedFile",
    tag = "feeds",
    params(FeedFile, FormatWord, FilterWords, FeedWords),
    responses(Everywhere, FeedFileShown)
)]
pub(super) async fn show(
    State(app): State<Arc<App>>,
    Name((name, path)): Name<(String, String)>,
    asked: Asked,
) -> Result<Response, Refusal> {
    asked.allow("GET")?;
    let feed = find_feed(&app, &name)?;
    let files = feed.files().ok_or_else(|| {
        Refusal::not_found(format!("feed `{name}` has no files"))
            .remedy(format!("its lines are at {}/feeds/{name}", app.base_path))
    })?;
    match path.strip_suffix('/') {
        Some(folder) => list(&app, (&feed, files), folder, &asked).await,
        None => match files.watch(&path).await {
            Ok(watched) => answer_feed(&app, (&feed, watched), &asked, View::of_feed).await,
            Err(NotThere::Refused(Refused::NotRegular(_))) if files.list(&path).await.is_ok() => {
                let place = format!("{}/{}", place_of(&app, &feed, &path), asked.query.suffix());
                Ok((StatusCode::FOUND, [(header::LOCATION, place)]).into_response())
            }
            Err(error) => Err(refuse(error)),
        },
    }
}

/// What is in the folder at `path` of a feed; in the feed's own where it is empty.
pub(super) async fn list(
    app: &App,
    (feed, files): (&Feed, &Arc<Files>),
    path: &str,
    asked: &Asked,
) -> Result<Response, Refusal> {
    asked.query.refuse_unknown(&["format"])?;
    let Listing { entries, cut } = files.list(path).await.map_err(refuse)?;
    let base = match path {
        "" => format!("{}/feeds/{}", app.base_path, feed.config.name),
        path => place_of(app, feed, path),
    };
    let shown = |listed: &Listed| {
        let name = listed.name.to_string_lossy().into_owned();
        let end = if listed.is_folder { "/" } else { "" };
        let url = format!("{base}/{}{end}", encode(&name));
        FileShown { name, url, folder: listed.is_folder, bytes: listed.size, modified: stamp(listed.modified) }
    };
    let files: Vec<_> = entries.iter().map(shown).collect();
    Ok(match asked.wanted {
        Wanted::Json => json(StatusCode::OK, &FolderShown { files, cut }),
        Wanted::Ndjson => {
            lines("application/x-ndjson", files.iter().filter_map(|file| serde_json::to_string(file).ok()))
        }
        Wanted::Text => lines(
            "text/plain; charset=utf-8",
            files.iter().map(|file| format!("{}\t{}\t{}", file.name, file.bytes, file.modified)),
        ),
        Wanted::Sse => return Err(Refusal::no_stream("a folder")),
        Wanted::Html => {
            let row = |(file, listed): (FileShown, &Listed)| pages::FileRow {
                name: file.name,
                url: file.url,
                is_folder: file.folder,
                bytes: file.bytes,
                modified: listed.modified,
            };
            let files = files.into_iter().zip(&entries).map(row).collect();
            page(
                StatusCode::OK,
                pages::files(&pages::FilesPage {
                    frame: frame(app),
                    feed: feed.config.name.clone(),
                    description: feed.config.description.clone().unwrap_or_default(),
                    path: path.to_owned(),
                    files,
                    cut,
                }),
            )
        }
    })
}

/// Where a file of a feed's folder is.
pub(super) fn place_of(app: &App, feed: &Feed, path: &str) -> String {
    let path: String = path.split('/').map(|part| format!("/{}", encode(part))).collect();
    format!("{}/feeds/{}{path}", app.base_path, feed.config.name)
}

/// Why a file is not shown.
pub(super) fn refuse(error: NotThere) -> Refusal {
    let text = error.to_string();
    match error {
        NotThere::Refused(Refused::NotFound(_) | Refused::NotAFolder(_)) | NotThere::TooLong => {
            Refusal::not_found(text)
        }
        NotThere::Refused(Refused::Forbidden { .. } | Refused::NotRegular(_)) => Refusal::forbidden(text),
        NotThere::Stopped => Refusal::unavailable(text, super::RETRY_AFTER),
        NotThere::Refused(Refused::Failed { .. }) | NotThere::Journal(_) => super::failed(anyhow::anyhow!(text)),
    }
}
