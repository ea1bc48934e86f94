//! How senders reach a feed: connections that are taken in, and datagrams that are read before the kernel has no more
//! room for them. What is in them is the sources' affair; nothing here answers anybody.

mod bind;
mod datagrams;
mod kernel;
mod reception;
mod streams;

pub use bind::{SocketFile, bind_unix};
pub(super) use datagrams::{Datagram, Datagrams, read_datagrams};
pub(super) use reception::Reception;
pub(super) use streams::{Connection, read_streams};

use std::fmt;
use std::path::{Path, PathBuf};

use bind::{bind_udp, listen_tcp, room};
use kernel::dropped_datagrams;

/// Who may open a feed's Unix socket: its owner and group.
const MODE: u32 = 0o660;

/// Where senders come to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Way {
    /// `host:port`.
    Network(String),
    /// The path of a Unix socket.
    Unix(PathBuf),
}

/// What a way is called, in one word before it.
struct Named<'a>(&'static str, &'a Way);

impl fmt::Display for Named<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.1 {
            Way::Network(address) => write!(f, "{} {address}", self.0),
            Way::Unix(path) => write!(f, "unix {}", Path::display(path)),
        }
    }
}
