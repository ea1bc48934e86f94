//! What logging libraries send, as records: pure decoders of bytes that came from outside. Nothing here reads a socket,
//! and nothing runs what it reads.

mod merge;
mod syslog;

pub use merge::{merge_json, merge_repr};
pub use syslog::{Framer, read_syslog};
