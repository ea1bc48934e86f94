//! What one published message is: a record, or lines as they are. It loses no byte of any.

use std::borrow::Cow;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::{Batch, entry_of};
use crate::logging::read_json;
use crate::record::Entry;

/// Adds one message.
///
/// | the payload | what it becomes |
/// |---|---|
/// | an object of JSON | the record that it is, with its `channel` where one is given |
/// | one line, with or without its newline, of any bytes | that line, byte by byte |
/// | several lines | one record with the text; bytes that are not UTF-8 are in its `base64`, too |
pub(super) fn add_payload(batch: &mut Batch, payload: &[u8], channel: Option<&str>) {
    if let Some(entry) = read_json(payload) {
        return batch.record(&with(entry, "channel", channel.map(str::to_owned)));
    }
    let body = payload.strip_suffix(b"\n").unwrap_or(payload);
    if !body.contains(&b'\n') {
        return batch.line(payload);
    }
    let base64 = std::str::from_utf8(payload).is_err().then(|| STANDARD.encode(payload));
    let entry = with(entry_of(body), "base64", base64);
    batch.record(&with(entry, "channel", channel.map(str::to_owned)));
}

/// The same with a text more, where there is one and the record has none of that name.
fn with<'a>(mut entry: Entry<'a>, name: &'static str, text: Option<String>) -> Entry<'a> {
    if let Some(text) = text
        && entry.extra.iter().all(|(known, _)| known != name)
    {
        let json = serde_json::to_string(&text).expect("a text is JSON");
        entry.extra.push((Cow::Borrowed(name), Cow::Owned(json)));
    }
    entry
}
