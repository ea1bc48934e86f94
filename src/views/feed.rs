//! What a view of a feed is told beside its lines. It renders nothing.

use super::{Choice, Filters, Histogram, in_bytes, in_digits};
use crate::record::Stream;

/// What a client asked of a view of a feed beyond its format, and what its page says beside the lines.
#[derive(Clone, Default, Debug)]
pub struct FeedOptions {
    /// Where joblines is mounted: empty, or a path such as `/joblines`.
    pub base_path: String,
    /// The path of the page that is shown, from the host on.
    pub address: String,
    /// The feed's, empty where it has none.
    pub description: String,
    /// What everybody should know before anything else.
    pub banner: Option<String>,
    /// Prefix each plain line with its time, in text.
    pub time: bool,
    /// How a record is written as text, with [`RECORD_FIELDS`](super::RECORD_FIELDS) in braces.
    pub text: Option<String>,
    /// Which lines it is given, for the form of a page and its links.
    pub filters: Filters,
    /// The last line that the client had before; 0 where it comes for the first time.
    pub seen: u64,
    /// So many lines a second at the most.
    pub rate: Option<u32>,
    /// The newest line comes first, and none is waited for: in html alone.
    pub newest: bool,
    /// The number of the oldest line that is kept.
    pub oldest: u64,
    /// The number of the newest one.
    pub lines: u64,
    /// How many lines came when.
    pub histogram: Option<Histogram>,
    /// Which streams its lines are of, mostly.
    pub streams: Vec<Stream>,
    /// Who has brought something since the server started, where it is known.
    pub senders: Vec<Sender>,
    /// Datagrams that were lost since then; nobody knows whose.
    pub lost_datagrams: u64,
}

/// Who brings lines to a feed, and how much that was.
#[derive(Clone, Default, Debug)]
pub struct Sender {
    /// Its address.
    pub name: String,
    /// Records and lines.
    pub records: u64,
    /// Bytes as they came.
    pub bytes: u64,
    /// What came and is no record.
    pub bad_frames: u64,
    /// What was refused.
    pub refused: u64,
}

impl Sender {
    pub(super) fn counts(&self) -> [String; 4] {
        [in_digits(self.records), in_bytes(self.bytes), in_digits(self.bad_frames), in_digits(self.refused)]
    }
}

impl FeedOptions {
    /// Who has brought something, in a few words.
    pub(super) fn senders_in_words(&self) -> String {
        let senders = match self.senders.len() {
            1 => "1 sender".to_owned(),
            more => format!("{} senders", in_digits(more as u64)),
        };
        match self.lost_datagrams {
            0 => senders,
            1 => format!("{senders}, 1 datagram lost"),
            lost => format!("{senders}, {} datagrams lost", in_digits(lost)),
        }
    }

    /// The address of the page with its filters and its rate, and with `more` in its query.
    pub(super) fn link(&self, more: &str) -> String {
        let rate = self.rate.map(|rate| format!("rate={rate}")).unwrap_or_default();
        let more = [rate.as_str(), more].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("&");
        self.filters.link(&self.address, &more)
    }

    /// Whether its lines are records, which say where they come from.
    pub(super) fn has_places(&self) -> bool {
        self.streams.contains(&Stream::Record)
    }

    pub(super) fn streams(&self) -> Vec<Choice> {
        self.filters.streams(&self.streams)
    }
}
