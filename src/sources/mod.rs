//! What appends to a journal. Siblings share one shape and know only the journal's writer.
//!
//! A process and our standard input end, and so does their journal. The others bring a feed's lines for as long as they
//! may, through a [`Sink`].

mod batch;
mod bells;
mod counters;
pub mod file;
mod line_cutter;
mod notices;
pub mod process;
pub mod python;
pub mod redis;
mod sink;
mod sockets;
pub mod stdin;
mod strand;
pub mod syslog;

pub use bells::{Bell, Bells, Names};
pub use counters::{Count, Counted, Counters, Peer};
pub use line_cutter::LineCutter;
pub use sink::{Onward, Sink};
pub use sockets::{SocketFile, bind_unix};

use batch::Batch;
use notices::{Notice, Notices};
use sockets::{Connection, Datagram, Datagrams, Reception, Way, read_datagrams, read_streams};
use strand::{FileLines, Origin, Strand, entry_of, first_line};
