//! `/feeds/{feed}`: a feed watched, from its last lines on. It brings no lines.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::Response;
use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use super::{
    App, Asked, Everywhere, FeedName, FeedShown, FeedWords, FilterWords, FormatWord, Name, Reached, Refusal, Show,
    Stream, Subject, Viewed, Wanted, Wrong, failed, json, list_files, pages, tally_lines,
};
use crate::feeds::{Feed, Watched};
use crate::journal::Selection;
use crate::record::{FeedStart, RunId, stamp};
use crate::sources::{Count, Counted};
use crate::views::{FeedOptions, Format, Sender, View};

/// Where nothing is said of where to begin, it is at so many last lines.
const LAST_LINES: u64 = 1000;

/// What `order` allows.
const ORDERS: &str = "nothing, or newest for the newest line first";

/// A page of so many rows is full, and leads to the next one.
const ROWS: u64 = 5000;

/// What the query of a feed's URL may hold.
pub(super) const QUERY: [&str; 17] = [
    "format", "order", "from", "tail", "since", "until", "follow", "stream", "q", "x", "level", "logger", "field",
    "rate", "time", "download", "all",
];

/// A feed as JSON tells of it.
#[derive(Serialize, ToSchema)]
#[schema(as = Feed)]
pub(super) struct FeedRecord<'a> {
    feed: &'a str,
    /// Which file of the feed's folder, where it is a folder.
    #[serde(skip_serializing_if = "Option::is_none")]
    path: Option<String>,
    #[schema(required)]
    description: Option<&'a str>,
    /// The name of its journal: as long as it stays the same, so do the numbers of the lines.
    #[schema(required)]
    journal: Option<RunId>,
    /// The number of the oldest line that is kept.
    first_line: u64,
    /// The number of the newest line.
    lines: u64,
    #[schema(format = DateTime, required)]
    started: Option<String>,
    /// When the newest line came.
    #[schema(format = DateTime, required)]
    newest: Option<String>,
    /// Why it cannot be used.
    #[schema(required)]
    problem: Option<&'a str>,
    /// What senders have brought since the server started.
    brought: Brought,
    /// Datagrams that the kernel had no room for, since then.
    lost_datagrams: u64,
    /// The senders, each by its address; further ones than 256 are counted together, as `others`.
    peers: Vec<PeerRecord>,
}

/// What somebody has brought to a feed.
#[derive(Serialize, ToSchema)]
struct Brought {
    /// Records and lines.
    records: u64,
    /// Bytes as they came.
    bytes: u64,
    /// What came and is no record.
    bad_frames: u64,
    /// What was refused.
    refused: u64,
}

/// One sender, and what it has brought.
#[derive(Serialize, ToSchema)]
#[schema(as = Peer)]
struct PeerRecord {
    /// Its address.
    peer: String,
    /// Records and lines.
    records: u64,
    /// Bytes as they came.
    bytes: u64,
    /// What came and is no record.
    bad_frames: u64,
    /// What was refused.
    refused: u64,
}

impl PeerRecord {
    fn of(peer: String, Count { records, bytes, bad_frames, refused }: Count) -> PeerRecord {
        PeerRecord { peer, records, bytes, bad_frames, refused }
    }
}

impl From<PeerRecord> for Sender {
    fn from(PeerRecord { peer, records, bytes, bad_frames, refused }: PeerRecord) -> Self {
        Sender { name: peer, records, bytes, bad_frames, refused }
    }
}

/// The senders with what each has brought, and what those beyond the bound have.
fn peers(counted: &Counted) -> Vec<PeerRecord> {
    let peers = counted.peers.iter().map(|(peer, count)| PeerRecord::of(peer.to_string(), *count));
    let others = (counted.others != Count::default()).then(|| PeerRecord::of("others".to_owned(), counted.others));
    peers.chain(others).collect()
}

impl FeedRecord<'_> {
    /// As a row of the list of feeds.
    pub(super) fn row(&self) -> pages::FeedRow {
        pages::FeedRow {
            name: self.feed.to_owned(),
            description: self.description.unwrap_or_default().to_owned(),
            lines: self.lines,
            newest: self.newest.as_deref().and_then(|stamp| stamp.parse().ok()),
            problem: self.problem.map(str::to_owned),
        }
    }

    /// In a plain listing.
    pub(super) fn line(&self) -> String {
        let state = if self.problem.is_some() { "problem" } else { "feed" };
        format!("{:<20} {state:<10} {}", self.feed, self.description.unwrap_or_default()).trim_end().to_owned()
    }
}

/// What is told of a feed.
pub(super) async fn feed_record(feed: &Feed) -> FeedRecord<'_> {
    record_of(feed, feed.watch().as_ref()).await
}

/// What is told of a feed whose lines are those of `watched`: it may be a file of the feed's folder.
async fn record_of<'a>(feed: &'a Feed, watched: Option<&Watched>) -> FeedRecord<'a> {
    let counted = feed.counters().look();
    let Count { records, bytes, bad_frames, refused } = counted.all;
    let newest = match watched {
        Some(watched) => watched.newest().await,
        None => None,
    };
    FeedRecord {
        feed: &feed.config.name,
        path: watched.and_then(|watched| watched.start.path.clone()),
        description: feed.config.description.as_deref(),
        journal: watched.map(|watched| watched.start.journal),
        first_line: watched.map_or(1, |watched| watched.first_line()),
        lines: watched.map_or(0, |watched| watched.totals().lines),
        started: watched.map(|watched| stamp(watched.start.started)),
        newest: newest.map(stamp),
        problem: feed.failure(),
        brought: Brought { records, bytes, bad_frames, refused },
        lost_datagrams: counted.lost_datagrams,
        peers: peers(&counted),
    }
}

/// A feed's lines: the last thousand, and those that come.
#[utoipa::path(
    get,
    path = "/feeds/{feed}",
    operation_id = "showFeed",
    tag = "feeds",
    params(FeedName, FormatWord, FilterWords, FeedWords),
    responses(Everywhere, FeedShown)
)]
pub(super) async fn show(State(app): State<Arc<App>>, Name(name): Name, asked: Asked) -> Result<Response, Refusal> {
    asked.allow("GET")?;
    let feed = find_feed(&app, &name)?;
    if asked.wanted == Wanted::Json && feed.files().is_none() {
        asked.query.refuse_unknown(&QUERY)?;
        // one that has failed tells why
        return Ok(json(StatusCode::OK, &feed_record(&feed).await));
    }
    if let Some(files) = feed.files() {
        return list_files(&app, (&feed, files), "", &asked).await;
    }
    let watched = watch(&feed)?;
    answer(&app, (&feed, watched), &asked, View::of_feed).await
}

/// The journal of a feed that is no folder.
pub(super) fn watch(feed: &Feed) -> Result<Watched, Refusal> {
    feed.watch().ok_or_else(|| {
        let why = feed.failure().unwrap_or("it has no lines of its own");
        failed(anyhow::anyhow!("feed `{}`: {why}", feed.config.name))
    })
}

/// The feed of this name.
pub(super) fn find_feed(app: &App, name: &str) -> Result<Arc<Feed>, Refusal> {
    app.feeds.find(name).ok_or_else(|| {
        Refusal::not_found(format!("there is no feed `{name}`")).remedy(format!("{}/ lists the feeds", app.base_path))
    })
}

/// The lines of what is watched, as `asked`, in the view that `view` makes.
pub(super) async fn answer(
    app: &App,
    (feed, watched): (&Feed, Watched),
    asked: &Asked,
    view: impl FnOnce(Format, FeedOptions) -> View,
) -> Result<Response, Refusal> {
    asked.query.refuse_unknown(&QUERY)?;
    if asked.wanted == Wanted::Json {
        return Ok(json(StatusCode::OK, &record_of(feed, Some(&watched)).await));
    }
    let mut viewed = Viewed::of_query(asked)?;
    let Some(format) = viewed.format.view() else { return Err(Refusal::no_stream("a feed's record")) };
    let start = watched.start.clone();
    let back = asked.last_event()?.filter(|id| id.run == start.journal);
    match back.map(|id| id.reached) {
        // after a power failure its newest lines may be gone: what comes in their place is new
        Some(Reached::Line(line)) if line > 0 => viewed.behind(line.min(watched.totals().lines)),
        _ if viewed.is_unbounded() && !viewed.all && !viewed.download => {
            viewed.selection.tail = Some(LAST_LINES);
            viewed.filters.last = Some(LAST_LINES).filter(|_| viewed.filters.are_on());
        }
        _ => {}
    }
    if viewed.download && asked.query.value("follow").is_none() {
        viewed.selection.follow = false;
    }
    let newest = is_newest_first(asked, format)?;
    if newest {
        let tail = viewed.selection.tail.unwrap_or(ROWS).min(ROWS);
        viewed.selection = Selection { tail: Some(tail), follow: false, ..viewed.selection };
        viewed.rate = None;
    }
    let address = app.place_of_feed(&start);
    let counted = feed.counters().look();
    let is_page = format == Format::Html && !viewed.download;
    let options = FeedOptions {
        base_path: app.base_path.clone(),
        address: address.clone(),
        description: feed.config.description.clone().unwrap_or_default(),
        banner: app.current().problem.clone(),
        time: viewed.time,
        text: feed.config.text.clone(),
        filters: viewed.filters.clone(),
        seen: viewed.seen(),
        rate: viewed.rate,
        newest,
        oldest: watched.first_line(),
        lines: watched.totals().lines,
        histogram: if is_page { tally_lines(Arc::clone(&watched)).await } else { None },
        streams: feed.streams().into(),
        senders: if is_page { peers(&counted).into_iter().map(Sender::from).collect() } else { Vec::new() },
        lost_datagrams: counted.lost_datagrams,
    };
    let mut response = Response::new(Body::empty());
    *response.headers_mut() = headers(&start, format, &viewed, &address);
    let lines = viewed.lines(&watched).map_err(|error| failed(error.into()))?;
    let Viewed { all, download, .. } = viewed;
    let rows = if all || newest || download { u64::MAX } else { ROWS };
    let show = Show {
        subject: Subject::Feed { journal: watched, start, rows },
        lines,
        format,
        view: view(format, options),
        all,
        abort: false,
        tie: None,
        queued: None,
        on_pipes: false,
    };
    *response.body_mut() = Body::new(Stream::new(show));
    Ok(response)
}

/// Whether the newest line is to come first, which only a finished page can do.
fn is_newest_first(asked: &Asked, format: Format) -> Result<bool, Refusal> {
    match asked.query.value("order") {
        None | Some("") => Ok(false),
        Some("newest") if format == Format::Html => Ok(true),
        Some("newest") => Err(Refusal::bad_request("`order` cannot be `newest` in a stream")
            .remedy("only format=html shows the newest line first")),
        Some(other) => Err(Wrong::value("order", other, ORDERS).into()),
    }
}

/// What a stream of a feed says of itself.
fn headers(start: &FeedStart, format: Format, viewed: &Viewed, address: &str) -> HeaderMap {
    let mut headers = HeaderMap::with_capacity(8);
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(format.content_type()));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache, no-store"));
    headers.insert(HeaderName::from_static("x-accel-buffering"), HeaderValue::from_static("no"));
    let mut text = |name: HeaderName, value: String| {
        if let Ok(value) = HeaderValue::try_from(value) {
            headers.insert(name, value);
        }
    };
    text(HeaderName::from_static("joblines-feed"), start.feed.clone());
    text(header::CONTENT_LOCATION, address.to_owned());
    if viewed.download {
        let now = Timestamp::now().strftime("%Y%m%dT%H%M%SZ");
        let name = format!("{}-{now}.{}", start.feed, format.ending());
        text(header::CONTENT_DISPOSITION, format!("attachment; filename=\"{name}\""));
    }
    headers
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_template_may_have_what_a_record_is_written_with() {
        assert_eq!(crate::config::TEXT_FIELDS, crate::views::RECORD_FIELDS);
    }
}
