//! The addresses of flask-log-viewer, for whoever has links to them: `/logs/stream/FILE` and its like, with the prefix
//! that a feed's `paths` says. No route names them, for `jobs.toml` may change; they are looked for where there is
//! nothing else.

use std::sync::Arc;

use axum::extract::{FromRequestParts, State};
use axum::http::request::Parts;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use percent_encoding::percent_decode_str;

use super::{App, Asked, Refusal, Wanted, answer_feed, not_there, nothing_here, place_of_file};
use crate::config::FeedSource;
use crate::feeds::{Feed, Files};
use crate::views::View;

/// What an address shows.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Shown {
    /// The lines of a file as events, each a message.
    Stream,
    /// The page of a file.
    Page,
}

/// What stands between the prefix and the file.
const WORDS: [(&str, Shown); 3] =
    [("/stream/", Shown::Stream), ("/stream_log/", Shown::Stream), ("/view/", Shown::Page)];

/// Every URL that has no route.
pub(super) async fn answer(State(app): State<Arc<App>>, mut parts: Parts) -> Result<Response, Refusal> {
    let Some((feed, files, shown, path)) = find(&app, parts.uri.path()) else {
        return Err(nothing_here(&app, &parts.uri));
    };
    let path = percent_decode_str(path).decode_utf8().map(String::from);
    let path = path.map_err(|_| Refusal::bad_request(format!("the path {} is not UTF-8", parts.uri.path())))?;
    let asked = Asked::from_request_parts(&mut parts, &app).await?;
    asked.allow("GET")?;
    match shown {
        Shown::Stream => {
            let watched = files.watch(&path).await.map_err(not_there)?;
            let asked = Asked { wanted: Wanted::Sse, ..asked };
            answer_feed(&app, (&feed, watched), &asked, |_, _| View::messages()).await
        }
        Shown::Page => {
            let place = format!("{}{}", place_of_file(&app, &feed, &path), asked.query.suffix());
            Ok((StatusCode::FOUND, [(header::LOCATION, place)]).into_response())
        }
    }
}

/// The feed whose files have this address, and which of them it is, as the address writes it.
fn find<'a>(app: &App, address: &'a str) -> Option<(Arc<Feed>, Arc<Files>, Shown, &'a str)> {
    let below = address.strip_prefix(&app.base_path)?;
    app.feeds.list().into_iter().find_map(|feed| {
        let FeedSource::Directory(folder) = &feed.config.source else { return None };
        let rest = below.strip_prefix(folder.flask.as_deref()?)?;
        let (shown, path) = WORDS.into_iter().find_map(|(word, shown)| Some((shown, rest.strip_prefix(word)?)))?;
        let files = Arc::clone(feed.files()?);
        (!path.is_empty()).then_some((feed, files, shown, path))
    })
}
