//! What a stream is about: a run, or a feed. It holds the journal, so that it is kept as long as it is read.

use std::sync::Arc;

use crate::feeds::Watched;
use crate::journal::Journal;
use crate::record::{End, FeedStart, Start};
use crate::runs::Reading;
use crate::views::{Frames, View};

/// See the module.
pub(in crate::http) enum Subject {
    Run {
        journal: Reading,
        start: Start,
    },
    Feed {
        journal: Watched,
        start: FeedStart,
        /// A page of so many rows is full.
        rows: u64,
    },
}

impl Subject {
    pub(super) fn journal(&self) -> &Arc<Journal> {
        match self {
            Subject::Run { journal, .. } => journal,
            Subject::Feed { journal, .. } => journal,
        }
    }

    /// So many rows a page may have, where it is one that goes on in another page.
    pub(super) fn rows(&self) -> Option<u64> {
        match self {
            Subject::Run { .. } => None,
            Subject::Feed { rows, .. } => Some(*rows),
        }
    }

    /// What the log calls it.
    pub(super) fn name(&self) -> String {
        match self {
            Subject::Run { start, .. } => format!("run {}", start.run),
            Subject::Feed { start, .. } => format!("feed {}", start.feed),
        }
    }

    pub(super) fn begin(&self, first_line: u64, view: &mut View, out: &mut Frames) {
        match self {
            Subject::Run { start, .. } => view.start(start, first_line, out),
            Subject::Feed { start, .. } => view.start_feed(start, first_line, out),
        }
    }

    pub(super) fn end(&self, end: &End, view: &mut View, out: &mut Frames) {
        match self {
            Subject::Run { .. } => view.end(end, out),
            Subject::Feed { .. } => view.stop(end, out),
        }
    }
}
