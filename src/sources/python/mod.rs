//! Python's logging as a source: the senders of SocketHandler and DatagramHandler. It never runs what they send, and
//! never answers.

mod datagrams;
mod records;
mod streams;

use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;
use std::sync::Arc;

use ipnet::IpNet;
use tokio_util::sync::CancellationToken;

use super::{
    Batch, Connection, Count, Counters, Datagram, Datagrams, Notice, Peer, Reception, Sink, Way, entry_of, read_datagrams,
    read_streams,
};
use datagrams::take_datagrams;
use records::Records;
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
    /// Who may send over the network, beside this machine.
    pub from: Vec<IpNet>,
    /// The most bytes of a record.
    pub max_frame: u32,
}

/// Takes records until `stop`; those that have come by then are in the feed when it returns.
pub async fn serve(settings: Settings, sink: Sink, counters: Counters, stop: CancellationToken) {
    let longest = usize::try_from(settings.max_frame).unwrap_or(usize::MAX);
    let reception = Arc::new(Reception::new(sink, counters, settings.from));
    let streams = |way: Option<Way>| {
        let (reception, stop) = (Arc::clone(&reception), stop.clone());
        async move {
            let Some(way) = way else { return };
            let (shared, ended) = (Arc::clone(&reception), stop.clone());
            let serve = move |connection| read_frames(connection, Arc::clone(&shared), longest, ended.clone());
            read_streams(way, reception, stop, serve).await;
        }
    };
    let datagrams = async {
        let Some(address) = settings.udp else { return };
        let nobody = Peer::Machine(IpAddr::V4(Ipv4Addr::UNSPECIFIED));
        let mut records = Records::new(Arc::clone(&reception), nobody);
        let take = move |datagrams: &Datagrams| take_datagrams(&mut records, datagrams);
        read_datagrams(Way::Network(address), Arc::clone(&reception), stop.clone(), take).await;
    };
    let (tcp, unix) = (streams(settings.tcp.map(Way::Network)), streams(settings.unix.map(Way::Unix)));
    let all = async { tokio::join!(tcp, unix, datagrams) };
    reception.keep_time_while(all).await;
}
