//! What appends to a journal. Siblings share one shape and know only the journal's writer.

mod line_cutter;
pub mod process;
pub mod stdin;

pub use line_cutter::LineCutter;
