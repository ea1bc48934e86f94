//! Python's logging as a source: the senders of SocketHandler and DatagramHandler. It never runs what they send, and
//! never answers.

use std::path::PathBuf;

use ipnet::IpNet;

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
