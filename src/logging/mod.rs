//! What logging libraries send, as records: pure decoders of bytes that came from outside. Nothing here reads a socket,
//! and nothing runs what it reads.

mod frames;
mod pickle;
mod python;
#[cfg(test)]
mod tests;

use std::borrow::Cow;

pub use frames::{Datagram, Frames, Likely, NoFrame, datagram};
pub use pickle::{BadPickle, Budget, Item, Reader, Tree, Wrong};
pub use python::{Fields, Saying, read_pickle};

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
