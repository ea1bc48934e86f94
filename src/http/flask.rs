//! `/logs/…`: the addresses of flask-log-viewer, for whoever has links to them. They lead to the files of the one feed
//! that has `paths = "flask"`; without one there is nothing here.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::{App, Asked, Name, Refusal, Wanted, answer_feed, not_there, place_of_file};
use crate::config::FeedSource;
use crate::feeds::{Feed, Files};
use crate::views::View;

/// The lines of a file as events, each a message.
pub(super) async fn stream(State(app): State<Arc<App>>, Name(path): Name, asked: Asked) -> Result<Response, Refusal> {
    asked.allow("GET")?;
    let (feed, files) = find(&app)?;
    let watched = files.watch(&path).await.map_err(not_there)?;
    let asked = Asked { wanted: Wanted::Sse, ..asked };
    answer_feed(&app, (&feed, watched), &asked, |_, _| View::messages()).await
}

/// The page of a file is the feed's.
pub(super) async fn page(State(app): State<Arc<App>>, Name(path): Name, asked: Asked) -> Result<Response, Refusal> {
    asked.allow("GET")?;
    let (feed, _) = find(&app)?;
    let place = place_of_file(&app, &feed, &path);
    Ok((StatusCode::FOUND, [(header::LOCATION, place)]).into_response())
}

/// The feed whose files have these addresses too.
fn find(app: &App) -> Result<(Arc<Feed>, Arc<Files>), Refusal> {
    let is_it = |feed: &Arc<Feed>| matches!(&feed.config.source, FeedSource::Directory(folder) if folder.flask_paths);
    let feed = app.feeds.list().into_iter().find(is_it);
    feed.and_then(|feed| feed.files().cloned().map(|files| (Arc::clone(&feed), files))).ok_or_else(|| {
        Refusal::not_found("there is nothing here")
            .remedy("`paths = \"flask\"` in the table of a `directory` feed has its files here")
    })
}
