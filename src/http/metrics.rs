//! `/metrics`: what is counted, for Prometheus. Each answer is drawn from the counts themselves; nothing is counted here.

use std::fmt;
use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::text::encode;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::Registry;

use super::{App, Asked, Everywhere, FormatWord, Measured, Refusal, answer_with, failed};
use crate::feeds::Feed;
use crate::sources::{Count, Counted};

/// What `application/openmetrics-text` promises: <https://prometheus.io/docs/specs/om/open_metrics_spec/>.
pub(super) const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// One counter: its name without `_total`, what it is, and its number.
type Measure = (&'static str, &'static str, fn(&Counted) -> u64);

/// What is counted of each feed since the server started.
const OF_FEEDS: [Measure; 5] = [
    ("joblines_feed_records", "Records and lines that senders brought", |counted| counted.all.records),
    ("joblines_feed_bytes", "Bytes that senders brought", |counted| counted.all.bytes),
    ("joblines_feed_bad_frames", "What senders brought and is no record", |counted| counted.all.bad_frames),
    ("joblines_feed_refused", "Connections, requests and datagrams that were refused", |counted| counted.all.refused),
    ("joblines_feed_lost_datagrams", "Datagrams that the kernel had no room for", |counted| counted.lost_datagrams),
];

/// The same of one sender.
type PeerMeasure = (&'static str, &'static str, fn(&Count) -> u64);

/// What is counted of each sender; of the senders of a feed, only so many are told apart.
const OF_PEERS: [PeerMeasure; 4] = [
    ("joblines_feed_peer_records", "Records and lines that this sender brought", |count| count.records),
    ("joblines_feed_peer_bytes", "Bytes that this sender brought", |count| count.bytes),
    ("joblines_feed_peer_bad_frames", "What this sender brought and is no record", |count| count.bad_frames),
    ("joblines_feed_peer_refused", "What of this sender was refused", |count| count.refused),
];

/// Counters for Prometheus.
#[utoipa::path(
    get,
    path = "/metrics",
    operation_id = "measure",
    tag = "server",
    params(FormatWord),
    responses(Everywhere, Measured)
)]
pub(super) async fn show(State(app): State<Arc<App>>, asked: Asked) -> Result<Response, Refusal> {
    asked.allow("GET")?;
    asked.query.refuse_unknown(&["format"])?;
    let mut registry = Registry::default();
    registry.register_collector(Box::new(Feeds(app.feeds.list())));
    let mut text = String::new();
    encode(&mut text, &registry).map_err(|error| failed(error.into()))?;
    Ok(answer_with(StatusCode::OK, CONTENT_TYPE, text))
}

/// The feeds as they are now.
struct Feeds(Vec<Arc<Feed>>);

impl fmt::Debug for Feeds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.iter().map(|feed| &feed.config.name)).finish()
    }
}

impl Collector for Feeds {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let counted: Vec<_> = self.0.iter().map(|feed| (&feed.config.name, feed.counters().look())).collect();
        for (name, help, number) in OF_FEEDS {
            let kind = ConstCounter::new(0_u64).metric_type();
            let mut family = encoder.encode_descriptor(name, help, None, kind)?;
            for (feed, counted) in &counted {
                let labels = [("feed", feed.as_str())];
                ConstCounter::new(number(counted)).encode(family.encode_family(&labels)?)?;
            }
        }
        for (name, help, number) in OF_PEERS {
            let kind = ConstCounter::new(0_u64).metric_type();
            let mut family = encoder.encode_descriptor(name, help, None, kind)?;
            for (feed, counted) in &counted {
                let peers = counted.peers.iter().map(|(peer, count)| (peer.to_string(), count));
                let others =
                    Some(("others".to_owned(), &counted.others)).filter(|(_, count)| **count != Count::default());
                for (peer, count) in peers.chain(others) {
                    let labels = [("feed", feed.as_str()), ("peer", peer.as_str())];
                    ConstCounter::new(number(count)).encode(family.encode_family(&labels)?)?;
                }
            }
        }
        let kind = ConstGauge::new(0_i64).metric_type();
        let mut family =
            encoder.encode_descriptor("joblines_feed_lines", "The number of the newest line", None, kind)?;
        for feed in &self.0 {
            let Some(watched) = feed.watch() else { continue };
            let labels = [("feed", feed.config.name.as_str())];
            let lines = i64::try_from(watched.totals().lines).unwrap_or(i64::MAX);
            ConstGauge::new(lines).encode(family.encode_family(&labels)?)?;
        }
        Ok(())
    }
}
