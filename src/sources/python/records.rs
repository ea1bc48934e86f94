//! Pickles and texts on their way to the feed as records, each with where it came from; and what is none, counted. It
//! never looks at what brought them.

use std::fmt::Display;
use std::mem::take;
use std::sync::Arc;

use super::{Batch, Count, Notice, Peer, Reception, entry_of};
use crate::logging::{Reader, read_pickle};
use crate::record::Entry;

/// See the module.
pub(super) struct Records {
    reception: Arc<Reception>,
    peer: Peer,
    /// What a record says of where it came from, where it does not itself.
    host: Option<String>,
    reader: Reader,
    batch: Batch,
    count: Count,
}

impl Records {
    /// None yet, from `peer`.
    pub(super) fn new(reception: Arc<Reception>, peer: Peer) -> Records {
        let (host, batch) = (peer.host(), reception.batch());
        Records { reception, peer, host, reader: Reader::new(), batch, count: Count::default() }
    }

    /// What comes next is from `peer`.
    pub(super) fn turn_to(&mut self, peer: &Peer) {
        if self.peer != *peer {
            self.reception.counters.count(&self.peer, take(&mut self.count));
            self.host = peer.host();
            self.peer = peer.clone();
        }
    }

    /// Counts bytes that came.
    pub(super) fn count_bytes(&mut self, bytes: usize) {
        self.count.bytes += bytes as u64;
    }

    /// Adds the record in a pickle.
    pub(super) fn add(&mut self, pickle: &[u8]) {
        match read_pickle(&mut self.reader, pickle) {
            Ok(entry) => self.add_entry(entry),
            Err(error) => self.spoil(error),
        }
    }

    /// Adds what may be the record in a pickle, or else is text.
    pub(super) fn add_any(&mut self, bytes: &[u8]) {
        match read_pickle(&mut self.reader, bytes) {
            Ok(entry) => self.add_entry(entry),
            Err(_) => self.add_text(bytes),
        }
    }

    /// Adds a text as a record.
    pub(super) fn add_text(&mut self, text: &[u8]) {
        self.add_entry(entry_of(text.strip_suffix(b"\n").unwrap_or(text)));
    }

    /// Adds a record that `user` has sent, unless it says itself whose it is.
    pub(super) fn add_of(&mut self, user: Option<&str>, entry: Entry<'_>) {
        let user = entry.user.clone().or(user.map(Into::into));
        self.add_entry(Entry { user, ..entry });
    }

    fn add_entry(&mut self, entry: Entry<'_>) {
        let host = entry.host.clone().or(self.host.as_deref().map(Into::into));
        self.batch.record(&Entry { host, ..entry });
        self.count.records += 1;
    }

    /// Counts what is no record.
    pub(super) fn spoil(&mut self, why: impl Display) {
        self.count.bad_frames += 1;
        if self.reception.notices.is_due(Notice::BadRecord) {
            self.batch.send();
        }
        let peer = &self.peer;
        self.reception.notices.tell(Notice::BadRecord, 1, || format!("a record from {peer} cannot be read: {why}"));
    }

    /// Hands all of them on.
    pub(super) fn send(&mut self) {
        self.batch.send();
        self.reception.counters.count(&self.peer, take(&mut self.count));
    }
}
