//! `/assets`: the style sheet, kept by browsers for as long as it stays the same.

use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::{Asked, AssetName, AssetShown, Everywhere, FormatWord, Name, Refusal};
use crate::views::assets;

/// A file that pages link to; its URL holds a digest of its content, so it may be kept for ever.
#[utoipa::path(
    get,
    path = "/assets/{name}",
    operation_id = "showFile",
    tag = "server",
    params(AssetName, FormatWord),
    responses(Everywhere, AssetShown)
)]
pub(super) async fn serve(Name(name): Name, asked: Asked) -> Result<Response, Refusal> {
    asked.allow("GET")?;
    let Some(asset) = assets::find(&name) else {
        return Err(Refusal::not_found(format!("there is no file `{name}`")));
    };
    let tag = format!("\"{}\"", asset.hash);
    let caching = [
        (header::ETAG, tag.clone()),
        (header::CACHE_CONTROL, "public, max-age=31536000, immutable".to_owned()),
        (header::CONTENT_TYPE, asset.content_type.to_owned()),
    ];
    if asked.header("if-none-match").is_some_and(|tags| tags.contains(&tag)) {
        return Ok((StatusCode::NOT_MODIFIED, caching).into_response());
    }
    Ok((caching, asset.bytes.as_slice()).into_response())
}
