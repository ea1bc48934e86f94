//! Connections: taking them in, within bounds, and letting them end in peace when the server stops. What is asked and
//! answered on them is the router's affair.

use std::io::{self, ErrorKind};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

mod bind;
mod connection;
mod framing;

use bind::Stream;
pub use bind::{BindError, Listener, Peer};
pub use connection::{Ambiguous, Timeouts};
use framing::{Framing, Seen};

/// How long to wait after an accept that failed for want of descriptors or memory.
const PAUSE: Duration = Duration::from_millis(100);

/// What connections may take.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Limits {
    /// Connections at once, over all listeners. Further ones wait until one ends.
    pub max_connections: usize,
    /// How long they may keep us waiting.
    pub timeouts: Timeouts,
}

/// What answers requests.
#[derive(Clone)]
pub struct Service {
    /// Nearly all of them.
    pub router: Router,
    /// Is told of the others.
    pub too_long: TooLong,
}

/// Is told of each request that was refused before the router could see it, for its head is longer than is read: who sent
/// it, and how its first line begins.
pub type TooLong = Arc<dyn Fn(Peer, &[u8]) + Send + Sync>;

impl From<Router> for Service {
    /// Nobody is told of what the router does not see.
    fn from(router: Router) -> Self {
        Service { router, too_long: Arc::new(|_, _| {}) }
    }
}

/// How serving ends, in two steps.
#[derive(Clone, Debug, Default)]
pub struct Stop {
    /// Take no more connections, close those at rest, and let every answer under way come to its end.
    pub gently: CancellationToken,
    /// Cut what is left after [`Stop::gently`].
    pub now: CancellationToken,
}

/// Serves connections of all `listeners` with `service` until `stop` says otherwise, and ends when the last of them has
/// ended. Every request has its [`Peer`] among its extensions.
pub async fn serve(listeners: Vec<Listener>, service: Service, limits: Limits, stop: Stop) {
    let permits = Arc::new(Semaphore::new(limits.max_connections.clamp(1, Semaphore::MAX_PERMITS)));
    let mut doors = JoinSet::new();
    for listener in listeners {
        let (service, timeouts) = (service.clone(), limits.timeouts);
        let door = Door { permits: permits.clone(), service, timeouts, stop: stop.clone() };
        doors.spawn(door.keep(listener));
    }
    while doors.join_next().await.is_some() {}
}

/// What one listener's connections share.
struct Door {
    permits: Arc<Semaphore>,
    service: Service,
    timeouts: Timeouts,
    stop: Stop,
}

impl Door {
    async fn keep(self, listener: Listener) {
        let mut connections = JoinSet::new();
        self.take_in(listener, &mut connections).await;
        tokio::select! {
            () = self.stop.now.cancelled() => connections.shutdown().await,
            () = async { while connections.join_next().await.is_some() {} } => {}
        }
    }

    /// Takes connections in until it is told to stop; the listener is closed then.
    async fn take_in(&self, listener: Listener, connections: &mut JoinSet<()>) {
        let mut admitted = pin!(self.admit(&listener));
        loop {
            tokio::select! {
                () = self.stop.gently.cancelled() => return,
                Some(_) = connections.join_next() => {}
                (stream, peer, permit) = &mut admitted => {
                    // a token of its own: a shared one would be a lock that all connections fight for
                    let Service { router, too_long } = self.service.clone();
                    let stop = self.stop.gently.child_token();
                    let served = connection::serve(stream, peer, (router, self.timeouts), stop);
                    connections.spawn(async move {
                        if let Some(line) = served.await {
                            too_long(peer, &line);
                        }
                        drop(permit);
                    });
                    admitted.set(self.admit(&listener));
                }
            }
        }
    }

    /// The next connection, once there is room for it.
    async fn admit(&self, listener: &Listener) -> (Stream, Peer, OwnedSemaphorePermit) {
        let mut is_told = false;
        loop {
            match listener.accept().await {
                Ok((stream, peer)) => match self.permits.clone().acquire_owned().await {
                    Ok(permit) => return (stream, peer, permit),
                    Err(_closed) => continue,
                },
                Err(error) if is_the_clients(&error) => {}
                Err(error) => {
                    if !is_told {
                        tracing::warn!(%error, "no connection can be taken for now; `ulimit -n` limits open files");
                        is_told = true;
                    }
                    sleep(PAUSE).await;
                }
            }
        }
    }
}

/// Whether accepting failed because of that one connection (accept(2): its pending network errors come out here).
fn is_the_clients(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::ConnectionAborted
            | ErrorKind::ConnectionReset
            | ErrorKind::ConnectionRefused
            | ErrorKind::Interrupted
            | ErrorKind::TimedOut
            | ErrorKind::HostUnreachable
            | ErrorKind::NetworkUnreachable
            | ErrorKind::NetworkDown
    )
}

#[cfg(test)]
mod tests;
