//! `/feeds/{feed}/lines`: lines as a client sends them, as long as it sends. It answers once they have ended.

use std::pin::Pin;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt;
use serde::Serialize;
use utoipa::ToSchema;

use super::{
    App, Asked, Changing, Everywhere, FeedName, FormatWord, Name, RETRY_AFTER, Refusal, Taken, Wanted, find_feed, json,
};
use crate::config::FeedSource;
use crate::feeds::Feed;
use crate::record::Stream;
use crate::sources::{Count, Peer, Sink};

/// What waits for its newline goes on without it once it has more bytes than this, for other clients' lines come between.
const LONGEST_LINE: usize = 64 << 10;

/// What came of lines that were sent.
#[derive(Serialize, ToSchema)]
pub(super) struct Pushed {
    /// How many lines.
    lines: u64,
    /// How many bytes, newlines among them.
    bytes: u64,
}

/// Appends the lines of the body to a feed, each as it comes.
#[utoipa::path(
    method(put, post),
    path = "/feeds/{feed}/lines",
    operation_id = "pushLines",
    tag = "feeds",
    params(FeedName, FormatWord),
    request_body(content = String, content_type = "*/*", description = "Lines, as they come, until the body ends"),
    responses(Everywhere, Changing, Taken)
)]
pub(super) async fn take(
    State(app): State<Arc<App>>,
    Name(name): Name,
    asked: Asked,
    body: Body,
) -> Result<Response, Refusal> {
    let feed = find_feed(&app, &name)?;
    asked.allow("PUT, POST")?;
    asked.of_own_will()?;
    asked.query.refuse_unknown(&["format"])?;
    let sink = feed.sink().filter(|_| feed.config.source == FeedSource::Push).ok_or_else(|| {
        Refusal::forbidden(format!("feed `{name}` takes no lines by this way"))
            .remedy("only one with `push = true` in jobs.toml does")
    })?;
    let brought = Brought { feed: &feed, sender: &asked.sender };
    let mut pushed = Lines { sink, brought, open: BytesMut::new(), lines: 0, bytes: 0, is_over: false };
    let mut body = Pin::new(Box::new(body));
    let mut has_broken_off = false;
    while let Some(frame) = body.frame().await {
        // what came before that is kept
        let Ok(frame) = frame else {
            has_broken_off = true;
            break;
        };
        if let Ok(data) = frame.into_data() {
            pushed.take(&data);
        }
        if pushed.is_over {
            break;
        }
    }
    pushed.finish();
    if pushed.is_over {
        let taken = format!(
            "feed `{name}` has stopped, or is configured otherwise now; lines that are in it: {}",
            pushed.lines
        );
        return Err(Refusal::unavailable(taken, RETRY_AFTER).remedy("send the others again"));
    }
    if has_broken_off {
        // mostly nobody is there to be told
        let taken = format!("the body broke off; lines that are in feed `{name}`: {}", pushed.lines);
        return Err(Refusal::bad_request(taken).remedy("send the others again"));
    }
    let pushed = Pushed { lines: pushed.lines, bytes: pushed.bytes };
    Ok(match asked.wanted {
        Wanted::Json | Wanted::Ndjson => json(StatusCode::OK, &pushed),
        _ if pushed.lines == 1 => (StatusCode::OK, "1 line\n").into_response(),
        _ => (StatusCode::OK, format!("{} lines\n", pushed.lines)).into_response(),
    })
}

/// The lines that one client sends, among those of others: each goes on whole.
struct Lines<'a> {
    sink: Sink,
    brought: Brought<'a>,
    /// What waits for its newline.
    open: BytesMut,
    lines: u64,
    bytes: u64,
    /// The feed takes no more.
    is_over: bool,
}

/// Where what comes is counted as it comes: a push may last for days.
struct Brought<'a> {
    feed: &'a Feed,
    sender: &'a Peer,
}

impl Lines<'_> {
    fn take(&mut self, data: &Bytes) {
        self.bytes += data.len() as u64;
        self.brought.count(Count { bytes: data.len() as u64, ..Count::default() });
        let whole = memchr::memrchr(b'\n', data).map_or(0, |end| end + 1);
        if whole > 0 {
            let lines = match self.open.is_empty() {
                true => data.slice(..whole),
                false => {
                    self.open.extend_from_slice(&data[..whole]);
                    self.open.split().freeze()
                }
            };
            self.append(lines);
        }
        self.open.extend_from_slice(&data[whole..]);
        while self.open.len() > LONGEST_LINE {
            let mut piece = BytesMut::with_capacity(LONGEST_LINE + 1);
            piece.extend_from_slice(&self.open.split_to(LONGEST_LINE));
            piece.extend_from_slice(b"\n");
            self.append(piece.freeze());
        }
    }

    /// What waits is a line: nothing follows it.
    fn finish(&mut self) {
        if !self.open.is_empty() {
            self.open.extend_from_slice(b"\n");
            let line = self.open.split().freeze();
            self.append(line);
        }
    }

    fn append(&mut self, lines: Bytes) {
        let count = memchr::memchr_iter(b'\n', &lines).count() as u64;
        match self.sink.append(Stream::Stdout, lines) {
            true => {
                self.lines += count;
                self.brought.count(Count { records: count, ..Count::default() });
            }
            false => self.is_over = true,
        }
    }
}

impl Brought<'_> {
    fn count(&self, more: Count) {
        self.feed.counters().count(self.sender, more);
    }
}
