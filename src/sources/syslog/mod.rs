//! Syslog as a source: what SysLogHandler and other senders send, over the network or on this machine. It never answers.

use std::path::PathBuf;

use ipnet::IpNet;

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
