//! Messages on their way to the feed as records, each with where it came from. Every message is a record, whatever it says.

use std::mem::take;
use std::sync::Arc;

use super::{Batch, Count, Datagram, Datagrams, Peer, Reception};
use crate::logging::{read_syslog, read_syslog_datagram};
use crate::record::Entry;

/// See the module.
pub(super) struct Messages {
    reception: Arc<Reception>,
    peer: Peer,
    /// What a record says of where it came from, where it does not itself.
    host: Option<String>,
    batch: Batch,
    count: Count,
}

impl Messages {
    /// None yet, from `peer`.
    pub(super) fn new(reception: Arc<Reception>, peer: Peer) -> Messages {
        let batch = reception.batch();
        Messages { host: peer.host(), reception, peer, batch, count: Count::default() }
    }

    /// Hands on what is in these datagrams: one message in each.
    pub(super) fn take(&mut self, datagrams: &Datagrams) {
        for Datagram { peer, bytes } in datagrams.iter() {
            if self.peer != *peer {
                self.reception.counters.count(&self.peer, take(&mut self.count));
                (self.host, self.peer) = (peer.host(), peer.clone());
            }
            self.count_bytes(bytes.len());
            self.add_entry(read_syslog_datagram(bytes));
        }
        self.send();
    }

    /// Counts bytes that came.
    pub(super) fn count_bytes(&mut self, bytes: usize) {
        self.count.bytes += bytes as u64;
    }

    /// Adds one that was cut out of a stream.
    pub(super) fn add(&mut self, message: &[u8]) {
        self.add_entry(read_syslog(message));
    }

    fn add_entry(&mut self, entry: Entry<'_>) {
        let host = entry.host.clone().or(self.host.as_deref().map(Into::into));
        self.batch.record(&Entry { host, ..entry });
        self.count.records += 1;
    }

    /// Hands all of them on.
    pub(super) fn send(&mut self) {
        self.batch.send();
        self.reception.counters.count(&self.peer, take(&mut self.count));
    }
}
