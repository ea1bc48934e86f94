//! Redis channels as a source: what is published to them, for as long as it takes to stop. It publishes nothing.

mod connect;
mod follow;
mod gate;
mod payload;
mod replies;

use std::fmt;
use std::sync::Arc;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio_util::sync::CancellationToken;

use super::{Batch, Count, Counters, Notice, Notices, Peer, Sink, entry_of};
use connect::Server;
use follow::{Following, Lost};
use gate::{Gate, Gated};
use payload::add_payload;
pub use replies::Replies;
use replies::{LONGEST, length_of};

/// Which channels, and where.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Settings {
    /// `redis://host:port/db`, `rediss://host:port/db` or `redis+unix:///path?db=db`, the database only where one is named;
    /// neither user nor password is in it.
    pub url: String,
    /// As whom to sign in, where it is not the default user.
    pub user: Option<String>,
    /// What to sign in with. Never `None` where there is a user.
    pub password: Option<Password>,
    /// Names of channels.
    pub channels: Vec<String>,
    /// Patterns of names, as PSUBSCRIBE takes them.
    pub patterns: Vec<String>,
    /// A list that holds the last records (RedisListHandler), read as long as nothing has come.
    pub list: Option<String>,
}

/// A password, as the server takes it. Its `Debug` does not show it.
#[derive(Clone, PartialEq, Eq)]
pub struct Password(String);

impl Password {
    /// This text as a password.
    pub fn new(text: impl Into<String>) -> Self {
        Password(text.into())
    }

    /// The text, for the server alone.
    pub fn text(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(..)")
    }
}

/// Follows the channels until `stop`, over every loss of the server.
pub async fn follow(settings: Settings, sink: Sink, counters: Counters, stop: CancellationToken) {
    let notices = Arc::new(Notices::new(sink.clone()));
    let following = Following::new(settings, sink, counters, Arc::clone(&notices));
    tokio::select! {
        () = stop.cancelled() => {}
        never = following.run() => never,
        never = notices.keep_time() => match never {},
    }
    notices.finish();
}

/// The bytes of a connection, whatever they go through.
trait Duplex: AsyncRead + AsyncWrite + Unpin + Send {}
impl<S: AsyncRead + AsyncWrite + Unpin + Send> Duplex for S {}
