//! The writer of a feed, which everything that brings it lines shares. It never waits for a reader.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;

use crate::journal::{Journal, Writer};
use crate::record::Stream;

/// See the module. Clones append to the same journal.
#[derive(Clone, Debug)]
pub struct Sink {
    writer: Arc<Mutex<Writer>>,
    journal: Arc<Journal>,
}

impl Sink {
    /// What appends to the journal of `writer`, which stops with the last clone.
    pub fn new(writer: Writer) -> Sink {
        let journal = Arc::clone(writer.journal());
        Sink { writer: Arc::new(Mutex::new(writer)), journal }
    }

    /// Appends bytes: whole lines, unless nobody else brings this stream any.
    pub fn append(&self, stream: Stream, bytes: Bytes) {
        self.lock().append(stream, bytes);
    }

    /// Appends a line of joblines' own.
    pub fn say(&self, text: &str) {
        self.lock().say(text);
    }

    /// The journal as its readers see it.
    pub fn journal(&self) -> &Arc<Journal> {
        &self.journal
    }

    fn lock(&self) -> MutexGuard<'_, Writer> {
        self.writer.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
