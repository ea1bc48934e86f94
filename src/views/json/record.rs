//! The receipt of a run as JSON: the `end` object of the streams. A value nobody knows is null, never 0.

use serde::Serialize;
use utoipa::ToSchema;

use crate::record::{End, State, millis, stamp};

/// The last object of a stream; its fields are named and ordered as clients see them.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, ToSchema)]
#[expect(missing_docs, reason = "the names of the fields are their meaning; DESIGN §6 lists them")]
pub struct EndRecord {
    #[serde(rename = "type")]
    #[schema(pattern = "^end$")]
    pub kind: &'static str,
    pub state: State,
    #[schema(required)]
    pub exit_code: Option<i32>,
    #[schema(required)]
    pub signal: Option<i32>,
    pub duration_ms: u64,
    pub lines: u64,
    pub bytes: u64,
    pub bytes_not_kept: u64,
    #[schema(required)]
    pub signal_name: Option<&'static str>,
    #[schema(required)]
    pub cpu_user_ms: Option<u64>,
    #[schema(required)]
    pub cpu_system_ms: Option<u64>,
    #[schema(required)]
    pub max_rss_bytes: Option<u64>,
    #[schema(format = DateTime)]
    pub ended: String,
}

/// The `end` object.
pub fn end_record(end: &End) -> EndRecord {
    EndRecord {
        kind: "end",
        state: end.state,
        exit_code: end.outcome.exit_code(),
        signal: end.outcome.signal(),
        duration_ms: millis(end.duration),
        lines: end.lines,
        bytes: end.bytes,
        bytes_not_kept: end.bytes_not_kept,
        signal_name: end.outcome.signal_name(),
        cpu_user_ms: end.usage.map(|usage| millis(usage.cpu_user)),
        cpu_system_ms: end.usage.map(|usage| millis(usage.cpu_system)),
        max_rss_bytes: end.usage.and_then(|usage| usage.max_rss),
        ended: stamp(end.ended),
    }
}
