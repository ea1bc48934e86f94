//! What all ways into one feed share: where its lines go, what is counted and said, and who may send at all.

use std::fmt::Display;
use std::io::{self, ErrorKind};
use std::net::IpAddr;
use std::time::Duration;

use ipnet::IpNet;
use tokio::time::sleep;
use tracing::{error, info};

use crate::sources::{Batch, Count, Counters, Notice, Notices, Peer, Sink};

/// An address that cannot be had is tried again after so long.
const RETRY: Duration = Duration::from_secs(5);

/// See the module.
#[derive(Debug)]
pub(in crate::sources) struct Reception {
    pub(in crate::sources) sink: Sink,
    pub(in crate::sources) counters: Counters,
    pub(in crate::sources) notices: Notices,
    from: Vec<IpNet>,
}

impl Reception {
    /// For `sink`, open to the networks `from` and to this machine.
    pub(in crate::sources) fn new(sink: Sink, counters: Counters, from: Vec<IpNet>) -> Reception {
        Reception { notices: Notices::new(sink.clone()), sink, counters, from }
    }

    /// Nothing yet, for the feed.
    pub(in crate::sources) fn batch(&self) -> Batch {
        Batch::new(self.sink.clone())
    }

    /// Does `work`, and says meanwhile what has to be said now and then.
    pub(in crate::sources) async fn keep_time_while<T>(&self, work: impl Future<Output = T>) {
        tokio::select! {
            _ = work => {}
            never = self.notices.keep_time() => match never {},
        }
        self.notices.finish();
    }

    /// Whether this peer is of this machine, or of the networks that may send.
    pub(in crate::sources) fn knows(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        address.is_loopback() || self.from.iter().any(|network| network.contains(&address))
    }

    /// Whether this peer may send. If not, this is counted and said.
    pub(super) fn admits(&self, address: IpAddr) -> bool {
        if self.knows(address) {
            return true;
        }
        let address = address.to_canonical();
        self.counters.count(&Peer::Machine(address), Count { refused: 1, ..Count::default() });
        self.notices.tell(Notice::Refused, 1, || {
            format!("{address} may not send here: its network is not among those of `from` in jobs.toml")
        });
        false
    }

    /// What `bind` makes, once it can. Where it cannot, the feed and the log say so.
    pub(super) async fn bind<T, F: Future<Output = io::Result<T>>>(
        &self,
        name: impl Display,
        bind: impl Fn() -> F,
    ) -> T {
        let mut told = None;
        loop {
            match bind().await {
                Ok(bound) => {
                    if told.is_some() {
                        self.sink.say(&format!("{name}: listening now"));
                    }
                    return bound;
                }
                Err(failure) => {
                    let reason = reason(&failure);
                    if told.as_ref() != Some(&reason) {
                        let way = name.to_string();
                        error!(way, reason, "a feed cannot listen");
                        self.sink.say(&format!("{name}: {reason}; trying again every {} s", RETRY.as_secs()));
                        told = Some(reason);
                    }
                }
            }
            sleep(RETRY).await;
        }
    }

    /// Notes where it listens, with the port that it got.
    pub(super) fn bound(&self, address: impl Display) {
        let address = address.to_string();
        info!(address, "a feed listens");
    }
}

fn reason(error: &io::Error) -> String {
    match error.kind() {
        ErrorKind::AddrInUse => "another program listens there".to_owned(),
        ErrorKind::AddrNotAvailable => "that is not an address of this machine".to_owned(),
        ErrorKind::AlreadyExists => "that is a file, and no socket".to_owned(),
        ErrorKind::NotFound => "its folder does not exist".to_owned(),
        ErrorKind::PermissionDenied => {
            "that is not allowed (ports below 1024 want the capability CAP_NET_BIND_SERVICE)".to_owned()
        }
        _ => format!("it cannot be listened on ({error})"),
    }
}
