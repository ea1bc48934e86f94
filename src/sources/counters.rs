//! How much each sender has brought to a feed since the server started, and what of it could not be kept. It counts, and
//! never decides.

use std::collections::BTreeMap;
use std::fmt;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// So many senders are told apart; all further ones are counted as one.
const MOST_PEERS: usize = 256;

/// Who brings lines to a feed.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Peer {
    /// A machine, whatever its ports.
    Machine(IpAddr),
    /// Programs of this machine, by a Unix socket.
    Unix,
    /// A server that the lines are fetched from, by its address.
    Server(Arc<str>),
}

impl Peer {
    /// Its address, where it is a machine of the network: what a record says that does not say itself where it is from.
    pub(super) fn host(&self) -> Option<String> {
        match self {
            Peer::Machine(address) => Some(address.to_string()),
            Peer::Unix | Peer::Server(_) => None,
        }
    }
}

impl fmt::Display for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Peer::Machine(address) => address.fmt(f),
            Peer::Unix => f.write_str("a unix socket"),
            Peer::Server(address) => f.write_str(address),
        }
    }
}

/// What was brought.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Count {
    /// Records and lines that are in the feed.
    pub records: u64,
    /// Bytes as they came, those around the records among them.
    pub bytes: u64,
    /// What came and is no record.
    pub bad_frames: u64,
    /// Connections, requests and datagrams of somebody who may not send.
    pub refused: u64,
}

impl Count {
    fn add(&mut self, more: Count) {
        self.records += more.records;
        self.bytes += more.bytes;
        self.bad_frames += more.bad_frames;
        self.refused += more.refused;
    }
}

/// Everything that was counted, at one moment.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Counted {
    /// Of all senders together.
    pub all: Count,
    /// Datagrams that the kernel had no room for; it does not say whose.
    pub lost_datagrams: u64,
    /// Of each sender, as far as they are told apart.
    pub peers: BTreeMap<Peer, Count>,
    /// Of all others together.
    pub others: Count,
}

/// See the module. Clones count together.
#[derive(Clone, Default, Debug)]
pub struct Counters(Arc<Mutex<Counted>>);

impl Counters {
    /// Adds what `peer` brought.
    pub fn count(&self, peer: &Peer, more: Count) {
        if more == Count::default() {
            return;
        }
        let mut counted = self.lock();
        counted.all.add(more);
        if let Some(count) = counted.peers.get_mut(peer) {
            count.add(more);
        } else if counted.peers.len() < MOST_PEERS {
            counted.peers.insert(peer.clone(), more);
        } else {
            counted.others.add(more);
        }
    }

    /// Adds datagrams that nobody will ever see.
    pub fn lose_datagrams(&self, number: u64) {
        self.lock().lost_datagrams += number;
    }

    /// What was counted up to now.
    pub fn look(&self) -> Counted {
        self.lock().clone()
    }

    fn lock(&self) -> MutexGuard<'_, Counted> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_sender_is_counted_up_to_a_bound_and_the_sum_is_always_right() {
        let counters = Counters::default();
        for round in 0..2 {
            for number in 0..300_u32 {
                let peer = Peer::Machine(IpAddr::V4(number.into()));
                counters.count(&peer, Count { records: 1, bytes: 10, bad_frames: round, refused: 0 });
            }
        }
        counters.lose_datagrams(7);
        let counted = counters.look();
        assert_eq!(counted.all, Count { records: 600, bytes: 6000, bad_frames: 300, refused: 0 });
        assert_eq!((counted.peers.len(), counted.others.records, counted.lost_datagrams), (256, 88, 7));
        assert!(counted.peers.values().all(|count| count.records == 2));
    }
}
