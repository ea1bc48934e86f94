//! Syslog as a source: what SysLogHandler and other senders send, over the network or on this machine. It never answers.

mod messages;
mod streams;

use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;
use std::sync::Arc;

use ipnet::IpNet;
use tokio_util::sync::CancellationToken;

use super::{
    Batch, Connection, Count, Counters, Datagram, Datagrams, Peer, Reception, Sink, Way, read_datagrams, read_streams,
};
use messages::Messages;
use streams::read_messages;

/// Where messages are taken.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Settings {
    /// `host:port` for streams.
    pub tcp: Option<String>,
    /// `host:port` for datagrams.
    pub udp: Option<String>,
    /// The path of a socket for datagrams, as `/dev/log` is one.
    pub unix: Option<PathBuf>,
    /// Who may send over the network, beside this machine.
    pub from: Vec<IpNet>,
}

/// Takes messages until `stop`; those that have come by then are in the feed when it returns.
pub async fn serve(settings: Settings, sink: Sink, counters: Counters, stop: CancellationToken) {
    let reception = Arc::new(Reception::new(sink, counters, settings.from));
    let streams = async {
        let Some(address) = settings.tcp else { return };
        let (shared, ended) = (Arc::clone(&reception), stop.clone());
        let serve = move |connection| read_messages(connection, Arc::clone(&shared), ended.clone());
        read_streams(Way::Network(address), Arc::clone(&reception), stop.clone(), serve).await;
    };
    let datagrams = |way: Option<Way>| {
        let (reception, stop) = (Arc::clone(&reception), stop.clone());
        async move {
            let Some(way) = way else { return };
            let mut messages = Messages::new(Arc::clone(&reception), Peer::Machine(IpAddr::V4(Ipv4Addr::UNSPECIFIED)));
            let take = move |datagrams: &Datagrams| messages.take(datagrams);
            read_datagrams(way, reception, stop, take).await;
        }
    };
    let (udp, unix) = (datagrams(settings.udp.map(Way::Network)), datagrams(settings.unix.map(Way::Unix)));
    let all = async { tokio::join!(streams, udp, unix) };
    reception.keep_time_while(all).await;
}
