//! Python's logging as a source: the senders of SocketHandler and DatagramHandler. It never runs what they send, and
//! never answers.

mod datagrams;
mod records;
mod requests;
mod streams;

use std::fmt::Display;
use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;
use std::sync::Arc;

use ipnet::IpNet;
use tokio_util::sync::CancellationToken;

use super::{
    Batch, Connection, Count, Counters, Datagram, Datagrams, Notice, Peer, Reception, Sink, Way, entry_of,
    read_datagrams, read_streams,
};
use datagrams::take_datagrams;
use records::Records;
use requests::Requests;
pub use requests::{Content, Request};
use streams::read_frames;

/// Where records are taken.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Settings {
    /// `host:port` for SocketHandler.
    pub tcp: Option<String>,
    /// `host:port` for DatagramHandler.
    pub udp: Option<String>,
    /// The path of a stream socket for SocketHandler.
    pub unix: Option<PathBuf>,
    /// HTTPHandler may send to the feed's `/records`.
    pub http: bool,
    /// Who may send over the network, beside this machine; where it is empty, any request that the server takes.
    pub from: Vec<IpNet>,
    /// The most bytes of a record.
    pub max_frame: u32,
}

/// What takes the records of one feed.
#[derive(Debug)]
pub struct Receiver {
    settings: Settings,
    reception: Arc<Reception>,
    requests: Requests,
}

impl Receiver {
    /// It takes records for `sink`, once it serves.
    pub fn new(settings: Settings, sink: Sink, counters: Counters) -> Receiver {
        let reception = Arc::new(Reception::new(sink, counters, settings.from.clone()));
        Receiver { settings, reception, requests: Requests::default() }
    }

    /// The most bytes of a request that brings records; `None` where none may.
    pub fn takes_requests(&self) -> Option<u32> {
        self.settings.http.then_some(self.settings.max_frame)
    }

    /// Whether the requests of this peer are taken: those of anybody where nobody says who may send over the network, as
    /// the server's own addresses are reached then.
    pub fn admits(&self, peer: &Peer) -> bool {
        match peer {
            Peer::Machine(address) => self.settings.from.is_empty() || self.reception.knows(*address),
            Peer::Unix | Peer::Server(_) => true,
        }
    }

    /// Takes a request, to be looked at later; whether there is room for it.
    pub fn take(&self, request: Request) -> bool {
        self.requests.put(request)
    }

    /// Counts and says that a request was refused: HTTPHandler itself takes any answer for a good one.
    pub fn refuse(&self, peer: &Peer, why: impl Display) {
        self.reception.counters.count(peer, Count { refused: 1, ..Count::default() });
        self.reception.notices.tell(Notice::Refused, 1, || format!("a request of {peer} was refused: {why}"));
    }

    /// Takes records until `stop`; those that have come by then are in the feed when it returns.
    pub async fn serve(self: Arc<Self>, stop: CancellationToken) {
        let (tcp, unix) = (self.settings.tcp.clone().map(Way::Network), self.settings.unix.clone().map(Way::Unix));
        let ways = async {
            tokio::join!(
                self.read_streams(tcp, stop.clone()),
                self.read_streams(unix, stop.clone()),
                self.read_datagrams(stop.clone()),
                self.read_requests(&stop),
            )
        };
        self.reception.keep_time_while(ways).await;
    }

    async fn read_streams(&self, way: Option<Way>, stop: CancellationToken) {
        let Some(way) = way else { return };
        let longest = usize::try_from(self.settings.max_frame).unwrap_or(usize::MAX);
        let (reception, ended) = (Arc::clone(&self.reception), stop.clone());
        let serve = move |connection| read_frames(connection, Arc::clone(&reception), longest, ended.clone());
        read_streams(way, Arc::clone(&self.reception), stop, serve).await;
    }

    async fn read_datagrams(&self, stop: CancellationToken) {
        let Some(address) = self.settings.udp.clone() else { return };
        let mut records = self.records();
        let take = move |datagrams: &Datagrams| take_datagrams(&mut records, datagrams);
        read_datagrams(Way::Network(address), Arc::clone(&self.reception), stop, take).await;
    }

    async fn read_requests(&self, stop: &CancellationToken) {
        let mut records = self.records();
        while stop.run_until_cancelled(self.requests.come()).await.is_some() {
            self.requests.pass(&mut records);
        }
        self.requests.pass(&mut records);
    }

    /// None yet, of nobody.
    fn records(&self) -> Records {
        Records::new(Arc::clone(&self.reception), Peer::Machine(IpAddr::V4(Ipv4Addr::UNSPECIFIED)))
    }
}
