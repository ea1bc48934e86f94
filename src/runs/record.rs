//! One run as the history and the API show it. Values only.

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use jiff::Timestamp;
use serde::de::{MapAccess, Visitor};
use serde::{Deserializer, Serialize, Serializer};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use crate::parameters::Values;
use crate::record::{End, Outcome, RunId, State, Usage, millis, stamp};

/// What is known of a run: its record.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RunRecord {
    /// Its name.
    pub id: RunId,
    /// The job's name.
    pub job: String,
    /// Where it stands.
    pub state: State,
    /// When it was asked for.
    pub started: Timestamp,
    /// Who asked, and how.
    pub trigger: String,
    /// The values of its parameters as they may be shown, in the job's order.
    pub params: Vec<(String, String)>,
    /// The receipt's part that only an ended run has.
    pub ended: Option<Receipt>,
    /// Lines so far.
    pub lines: u64,
    /// Bytes so far.
    pub bytes: u64,
    /// Bytes that the index of its journal takes on the disk.
    pub(super) index_bytes: u64,
}

/// What a run's record has once it has ended.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Receipt {
    /// When it ended.
    pub at: Timestamp,
    /// How its command ended.
    pub outcome: Outcome,
    /// From start to end.
    pub duration: Duration,
    /// What it cost, where that was measured.
    pub usage: Option<Usage>,
    /// Bytes of its output that were not kept; nobody knows of a lost run's.
    pub bytes_not_kept: Option<u64>,
}

impl RunRecord {
    /// Of a run of which there is a journal and nothing else.
    pub(super) fn of_unknown(id: RunId) -> RunRecord {
        let (job, trigger) = (String::new(), String::new());
        let (state, started) = (State::Lost, Timestamp::now());
        RunRecord {
            id,
            job,
            state,
            started,
            trigger,
            params: Vec::new(),
            ended: None,
            lines: 0,
            bytes: 0,
            index_bytes: 0,
        }
    }

    /// How many bytes of its output were not kept, where that is known.
    pub fn bytes_not_kept(&self) -> Option<u64> {
        self.ended.as_ref()?.bytes_not_kept
    }

    /// The end that the record tells, once there is one.
    pub fn end(&self) -> Option<End> {
        let receipt = self.ended.as_ref()?;
        Some(End {
            state: self.state,
            outcome: receipt.outcome,
            ended: receipt.at,
            duration: receipt.duration,
            usage: receipt.usage,
            lines: self.lines,
            bytes: self.bytes,
            bytes_not_kept: receipt.bytes_not_kept.unwrap_or(0),
        })
    }
}

impl From<&End> for Receipt {
    fn from(end: &End) -> Self {
        Receipt {
            at: end.ended,
            outcome: end.outcome,
            duration: end.duration,
            usage: end.usage,
            bytes_not_kept: (end.state != State::Lost).then_some(end.bytes_not_kept),
        }
    }
}

/// What of `values` may be shown and kept.
pub(super) fn shown(values: &Values) -> Vec<(String, String)> {
    values.iter().map(|value| (value.name.clone(), value.shown().to_owned())).collect()
}

/// Parameters as a JSON object in the job's order.
pub(super) fn params_to_json(params: &[(String, String)]) -> String {
    serde_json::to_string(&InOrder(params)).expect("texts make a JSON object")
}

/// What [`params_to_json`] made; nothing where somebody else wrote something else there.
pub(super) fn params_from_json(text: &str) -> Vec<(String, String)> {
    struct Pairs;
    impl<'de> Visitor<'de> for Pairs {
        type Value = Vec<(String, String)>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an object of texts")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
            let mut pairs = Vec::new();
            while let Some(pair) = map.next_entry()? {
                pairs.push(pair);
            }
            Ok(pairs)
        }
    }
    serde_json::Deserializer::from_str(text).deserialize_map(Pairs).unwrap_or_default()
}

/// Pairs as an object whose members stay in order.
struct InOrder<'a>(&'a [(String, String)]);

impl Serialize for InOrder<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, value)| (name, value)))
    }
}

/// The record's JSON: null where a value is not known.
#[derive(Serialize, ToSchema)]
#[schema(as = RunRecord)]
struct Shown<'a> {
    id: RunId,
    run: RunId,
    job: &'a str,
    state: State,
    #[schema(format = DateTime)]
    started: String,
    #[schema(required, format = DateTime)]
    ended: Option<String>,
    #[schema(required)]
    exit_code: Option<i32>,
    #[schema(required)]
    signal: Option<i32>,
    #[schema(required)]
    signal_name: Option<&'static str>,
    #[schema(required)]
    duration_ms: Option<u64>,
    #[schema(required)]
    cpu_user_ms: Option<u64>,
    #[schema(required)]
    cpu_system_ms: Option<u64>,
    #[schema(required)]
    max_rss_bytes: Option<u64>,
    lines: u64,
    bytes: u64,
    #[schema(required)]
    bytes_not_kept: Option<u64>,
    #[schema(value_type = HashMap<String, String>)]
    params: InOrder<'a>,
    trigger: &'a str,
}

impl PartialSchema for RunRecord {
    fn schema() -> RefOr<Schema> {
        Shown::schema()
    }
}

impl ToSchema for RunRecord {
    fn name() -> Cow<'static, str> {
        Shown::name()
    }

    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        Shown::schemas(schemas);
    }
}

impl Serialize for RunRecord {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let receipt = self.ended.as_ref();
        let usage = receipt.and_then(|receipt| receipt.usage);
        let outcome = receipt.map_or(Outcome::Unknown, |receipt| receipt.outcome);
        Shown {
            id: self.id,
            run: self.id,
            job: &self.job,
            state: self.state,
            started: stamp(self.started),
            ended: receipt.map(|receipt| stamp(receipt.at)),
            exit_code: outcome.exit_code(),
            signal: outcome.signal(),
            signal_name: outcome.signal_name(),
            duration_ms: receipt.map(|receipt| millis(receipt.duration)),
            cpu_user_ms: usage.map(|usage| millis(usage.cpu_user)),
            cpu_system_ms: usage.map(|usage| millis(usage.cpu_system)),
            max_rss_bytes: usage.and_then(|usage| usage.max_rss),
            lines: self.lines,
            bytes: self.bytes,
            bytes_not_kept: receipt.and_then(|receipt| receipt.bytes_not_kept),
            params: InOrder(&self.params),
            trigger: &self.trigger,
        }
        .serialize(serializer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_keep_their_order_on_the_way_through_json() {
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let params = vec![pair("zone", "a \"b\"\n"), pair("amount", ""), pair("mark", "••••")];
        let json = params_to_json(&params);
        assert_eq!(json, r#"{"zone":"a \"b\"\n","amount":"","mark":"••••"}"#);
        assert_eq!(params_from_json(&json), params);
        assert_eq!(params_from_json("[1]"), []);
    }

    #[test]
    fn what_is_not_known_is_null() {
        let record = RunRecord {
            id: RunId::new(),
            job: "x".into(),
            state: State::Running,
            started: Timestamp::UNIX_EPOCH,
            trigger: "GET from 127.0.0.1".into(),
            params: Vec::new(),
            ended: None,
            lines: 3,
            bytes: 12,
            index_bytes: 0,
        };
        let json = serde_json::to_value(&record).unwrap();
        assert_eq!(json["id"], json["run"]);
        assert_eq!((&json["state"], &json["lines"]), (&"running".into(), &3.into()));
        assert!(json["exit_code"].is_null() && json["duration_ms"].is_null() && json["max_rss_bytes"].is_null());
    }
}
