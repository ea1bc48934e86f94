//! What appends to a journal. Siblings share one shape and know only the journal's writer.
//!
//! A process and our standard input end, and so does their journal. The others bring a feed's lines for as long as they
//! may, through a [`Sink`].

pub mod file;
mod line_cutter;
pub mod process;
pub mod python;
pub mod redis;
mod sink;
pub mod stdin;
pub mod syslog;

pub use line_cutter::LineCutter;
pub use sink::{Onward, Sink};
