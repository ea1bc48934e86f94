//! What logging libraries send, as records: pure decoders of bytes that came from outside. Nothing here reads a socket,
//! and nothing runs what it reads.

mod form;
mod frames;
mod json;
mod merge;
mod pickle;
mod python;
mod syslog;
#[cfg(test)]
mod tests;

use std::borrow::Cow;

pub use form::read_form;
pub use frames::{Datagram, Frames, Likely, NoFrame, datagram};
pub use json::{BadRecord, Records, read_json, read_records};
pub use merge::{merge_json, merge_repr};
pub use pickle::{BadPickle, Budget, Item, Reader, Tree, Wrong};
pub use python::{Fields, Saying, read_pickle};
pub use syslog::{Framer, read_syslog, read_syslog_datagram};

/// The value of one field of a record, as far as it matters what it is.
#[derive(Clone, PartialEq, Debug)]
pub enum Value<'a> {
    /// Nothing: Python's `None`, JSON's `null`.
    None,
    /// A text.
    Text(Cow<'a, str>),
    /// A whole number.
    Int(i64),
    /// Any number. A float that is no number, or has no end, is one too.
    Float(f64),
    /// Anything, as JSON text.
    Json(Cow<'a, str>),
}
