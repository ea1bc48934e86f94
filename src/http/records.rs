//! `/feeds/{feed}/records`: records of Python's HTTPHandler, and of whoever sends the same as JSON. It answers before it
//! looks at them, for their sender waits; what cannot be read is counted and said in the feed.

use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::extract::{FromRequestParts, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;
use tracing::info;
use utoipa::ToSchema;

use super::{
    App, Everywhere, FeedName, Name, Peer, RETRY_AFTER, RecordWords, Recorded, Refusal, Visit, find_feed, read_body,
    sender, sender_of,
};
use crate::sources::python::{Content, Receiver, Request};
use crate::sources::{self};

/// Headers that a browser sends and no logging library does: any page can make its visitors send such a request.
const OF_BROWSERS: [&str; 7] =
    ["origin", "referer", "cookie", "sec-fetch-site", "sec-fetch-mode", "sec-fetch-dest", "sec-fetch-user"];

/// What a `Content-Type` may say, for people.
const ALLOWED: &str = "application/x-www-form-urlencoded, application/json, application/x-ndjson";

/// The record of Python's logging that a form holds: what a `LogRecord` has, as texts.
#[derive(Serialize, ToSchema)]
pub(super) struct LogRecord<'a> {
    /// The message, whose arguments are in `args`.
    msg: &'a str,
}

/// A request as far as it matters here.
pub(super) struct Sent {
    method: Method,
    headers: HeaderMap,
    query: String,
    peer: sources::Peer,
    visit: Visit,
}

impl<S: Sync> FromRequestParts<S> for Sent {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Refusal> {
        Ok(Sent {
            method: parts.method.clone(),
            headers: parts.headers.clone(),
            query: parts.uri.query().unwrap_or_default().to_owned(),
            peer: sender(parts),
            visit: Visit::classify(parts),
        })
    }
}

/// Takes records: one as a form, in the query or in the body, or any number as JSON.
#[utoipa::path(
    method(get, post),
    path = "/feeds/{feed}/records",
    operation_id = "record",
    tag = "feeds",
    params(FeedName, RecordWords),
    request_body(
        content(
            (LogRecord<'static> = "application/x-www-form-urlencoded"),
            (serde_json::Map<String, serde_json::Value> = "application/json"),
            (String = "application/x-ndjson"),
        ),
        description = "POST: a form as HTTPHandler sends it; an object, an array of objects, or one object to a line"
    ),
    responses(Everywhere, Recorded)
)]
pub(super) async fn take(
    State(app): State<Arc<App>>,
    Name(name): Name,
    sent: Sent,
    body: Body,
) -> Result<Response, Refusal> {
    let feed = find_feed(&app, &name)?;
    let Some((receiver, max)) = feed.receiver().and_then(|receiver| Some((receiver, receiver.takes_requests()?)))
    else {
        let what = format!("feed `{name}` takes no records by this way");
        return Err(Refusal::forbidden(what).remedy("only one with `python_logging.http = true` in jobs.toml does"));
    };
    let taken = match receiver.admits(&sent.peer) {
        true => receive(receiver, &sent, body, max).await,
        false => Err(Refusal::forbidden(format!("{} may not send records to feed `{name}`", sent.peer))
            .remedy("only this machine and the networks of `python_logging.from` in jobs.toml may")),
    };
    if let Err(refusal) = &taken {
        receiver.refuse(&sent.peer, refusal.line());
    }
    taken.map(|()| StatusCode::NO_CONTENT.into_response())
}

/// Tells of a request that the server refused for the length of its head, and counts it where it would have brought a
/// record: HTTPHandler's GET has all of it in its first line, whose beginning this is.
pub(super) fn refuse_too_long(app: &App, peer: Peer, line: &[u8]) {
    let peer = sender_of(peer);
    let line = String::from_utf8_lossy(line);
    info!(%peer, request = ?line.chars().take(80).collect::<String>(), "refused a request: its head is too long");
    let target = line.split(' ').nth(1).and_then(|target| target.strip_prefix(app.base_path.as_str()));
    let below = target.and_then(|target| target.strip_prefix("/feeds/")?.split_once('/'));
    let Some((name, _)) = below.filter(|(_, rest)| rest.split('?').next() == Some("records")) else { return };
    if let Some(feed) = app.feeds.find(name)
        && let Some(receiver) = feed.receiver()
    {
        receiver.refuse(
            &peer,
            "it is longer than a GET may be, 64 KiB: send records by POST, as HTTPHandler's `method` says",
        );
    }
}

async fn receive(receiver: &Receiver, sent: &Sent, body: Body, max: u32) -> Result<(), Refusal> {
    check_sender(sent)?;
    let content = match sent.method {
        // nothing is recorded that was only asked about
        Method::HEAD => return Ok(()),
        Method::GET => form(Bytes::from(sent.query.clone()))?,
        Method::POST => {
            let kind = Kind::of(&sent.headers)?;
            let body = read_body(body, usize::try_from(max).unwrap_or(usize::MAX)).await?;
            match kind {
                Kind::Form => form(body)?,
                Kind::Json => Content::Json(body),
            }
        }
        _ => return Err(Refusal::method_not_allowed(format!("{} is not answered here", sent.method), "GET, POST")),
    };
    let request = Request { peer: sent.peer.clone(), user: user(&sent.headers), content };
    if receiver.take(request) {
        return Ok(());
    }
    Err(Refusal::unavailable("too many records wait to be written already", RETRY_AFTER))
}

/// Refuses what a browser sends, whoever made it do so.
fn check_sender(sent: &Sent) -> Result<(), Refusal> {
    let header = OF_BROWSERS.into_iter().find(|name| sent.headers.contains_key(*name));
    let what = match (header, sent.visit) {
        (Some(header), _) => format!("a request with the header {header} comes from a browser, and brings no records"),
        (None, Visit::Prefetch) => "nothing is fetched ahead here: it would record something".to_owned(),
        (None, _) => return Ok(()),
    };
    Err(Refusal::forbidden(what).remedy("send records from a program, as Python's HTTPHandler does"))
}

/// A form, which has to have a message.
fn form(form: Bytes) -> Result<Content, Refusal> {
    let has_message = |pair: &[u8]| pair.starts_with(b"msg=") || pair.starts_with(b"message=");
    if form.split(|byte| *byte == b'&').any(has_message) {
        return Ok(Content::Form(form));
    }
    let remedy = "send the fields of a record of Python's logging as a form, as its HTTPHandler does";
    Err(Refusal::bad_request("there is no `msg` and no `message`").remedy(remedy))
}

/// A kind of body that holds records.
enum Kind {
    Form,
    Json,
}

impl Kind {
    fn of(headers: &HeaderMap) -> Result<Kind, Refusal> {
        let given = headers.get(header::CONTENT_TYPE).map(|value| String::from_utf8_lossy(value.as_bytes()));
        let given = given.unwrap_or_default();
        let essence = given.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        match essence.as_str() {
            "application/x-www-form-urlencoded" => Ok(Kind::Form),
            "application/json" | "application/x-ndjson" | "application/ndjson" | "application/jsonl" => Ok(Kind::Json),
            _ => Err(Refusal::unsupported_type(&given, ALLOWED)),
        }
    }
}

/// The user that `Authorization: Basic` names (RFC 7617). Nobody checks the password: it is the record's word.
fn user(headers: &HeaderMap) -> Option<String> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, encoded) = value.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let decoded = String::from_utf8(STANDARD.decode(encoded.trim()).ok()?).ok()?;
    let (user, _) = decoded.split_once(':')?;
    Some(user.to_owned()).filter(|user| !user.is_empty())
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    #[test]
    fn the_user_is_what_basic_authentication_names() {
        for (value, expected) in [
            ("Basic YW5uYTpzZWNyZXQ=", Some("anna")),
            ("basic YW5uYTo=", Some("anna")),
            ("Basic bm9jb2xvbg==", None),
            ("Basic OnNlY3JldA==", None),
            ("Basic !", None),
            ("Bearer YW5uYTpzZWNyZXQ=", None),
        ] {
            let headers = HeaderMap::from_iter([(header::AUTHORIZATION, HeaderValue::from_static(value))]);
            assert_eq!(user(&headers).as_deref(), expected, "{value}");
        }
    }
}
