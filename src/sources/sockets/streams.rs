//! Connections of senders: taken in, read as fast as they bring anything, and never closed for being idle.

use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::BytesMut;
use socket2::{SockRef, Type};
use tokio::net::{TcpListener, TcpStream, UnixListener, UnixStream};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout_at};
use tokio_util::sync::CancellationToken;
use tracing::warn;

use super::{MODE, Named, Reception, SocketFile, Way, bind_unix, listen_tcp};
use crate::sources::{Count, Notice, Peer};

/// What one read asks for.
const READ: usize = 64 << 10;

/// Reading goes on up to so many bytes before they are looked at.
const ENOUGH: usize = 256 << 10;

/// A feed's connections at once; SocketHandler tries again by itself.
const MOST_CONNECTIONS: usize = 4096;

/// What a sender has sent before reading is to end comes within so much time after what came before it.
const ON_ITS_WAY: Duration = Duration::from_millis(50);

/// A sender that goes on and on is read for so long all the same, and then no longer.
const LAST: Duration = Duration::from_secs(1);

/// How long to wait after an accept that failed for want of descriptors or memory.
const PAUSE: Duration = Duration::from_millis(100);

/// One sender's connection.
#[derive(Debug)]
pub(in crate::sources) struct Connection {
    stream: Stream,
    /// When reading ends at the latest, where it is to.
    last: Option<Instant>,
    pub(in crate::sources) peer: Peer,
}

#[derive(Debug)]
enum Stream {
    Tcp(TcpStream),
    Unix(UnixStream),
}

impl Connection {
    /// Adds what has come to `buffer`, once there is anything: how many bytes, 0 where no more will come. After `stop` only
    /// what is on its way already is waited for, for a moment. May be dropped while it waits.
    pub(in crate::sources) async fn read(&mut self, buffer: &mut BytesMut, stop: &CancellationToken) -> usize {
        if self.last.is_none() {
            let read = tokio::select! {
                biased;
                () = stop.cancelled() => None,
                read = self.wait(buffer) => Some(read),
            };
            if let Some(read) = read {
                return read.unwrap_or(0);
            }
        }
        let last = *self.last.get_or_insert_with(|| Instant::now() + LAST);
        let read = timeout_at(last.min(Instant::now() + ON_ITS_WAY), self.wait(buffer)).await;
        read.unwrap_or(Ok(0)).unwrap_or(0)
    }

    async fn wait(&self, buffer: &mut BytesMut) -> io::Result<usize> {
        loop {
            match &self.stream {
                Stream::Tcp(stream) => stream.readable().await?,
                Stream::Unix(stream) => stream.readable().await?,
            }
            match self.read_now(buffer) {
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                read => return read,
            }
        }
    }

    /// As much as is there, up to a bound; [`ErrorKind::WouldBlock`] where nothing is.
    fn read_now(&self, buffer: &mut BytesMut) -> io::Result<usize> {
        let mut count = 0;
        while count < ENOUGH {
            buffer.reserve(READ);
            let read = match &self.stream {
                Stream::Tcp(stream) => stream.try_read_buf(buffer),
                Stream::Unix(stream) => stream.try_read_buf(buffer),
            };
            match read {
                Ok(0) => break,
                Ok(read) => count += read,
                // what came before is not lost; the next read has the error
                Err(_) if count > 0 => break,
                Err(error) => return Err(error),
            }
        }
        Ok(count)
    }

    /// Closes it so that its peer notices with the next write. After an ordinary end SocketHandler would lose two records
    /// without an error: the first is still taken by the kernel here, and the second by the one there.
    pub(in crate::sources) fn cut_off(self) {
        if let Stream::Tcp(stream) = &self.stream {
            let _ = SockRef::from(stream).set_linger(Some(Duration::ZERO));
        }
    }
}

/// Listens on `way` and has `serve` read each connection, all at the same time, until `stop`; then waits for them.
pub(in crate::sources) async fn read_streams<F: Future<Output = ()> + Send + 'static>(
    way: Way,
    reception: Arc<Reception>,
    stop: CancellationToken,
    serve: impl Fn(Connection) -> F,
) {
    let listening = reception.bind(Named("tcp", &way), || Listener::bind(&way));
    let Some(listener) = stop.run_until_cancelled(listening).await else { return };
    if let Listener::Tcp(listener) = &listener
        && let Ok(address) = listener.local_addr()
    {
        reception.bound(format_args!("tcp {address}"));
    }
    let mut connections = JoinSet::new();
    let mut accepted = pin!(listener.accept());
    loop {
        tokio::select! {
            () = stop.cancelled() => break,
            Some(_) = connections.join_next() => {}
            (stream, address) = &mut accepted => {
                accepted.set(listener.accept());
                if let Some(connection) = admit(&reception, stream, address, connections.len()) {
                    connections.spawn(serve(connection));
                }
            }
        }
    }
    while connections.join_next().await.is_some() {}
}

/// The connection, if its peer may send and there is room for it.
fn admit(reception: &Reception, stream: Stream, address: Option<SocketAddr>, others: usize) -> Option<Connection> {
    if !address.is_none_or(|address| reception.admits(address.ip())) {
        return None;
    }
    let peer = address.map_or(Peer::Unix, |address| Peer::Machine(address.ip().to_canonical()));
    if others >= MOST_CONNECTIONS {
        reception.counters.count(&peer, Count { refused: 1, ..Count::default() });
        let tell = || format!("a connection from {peer}: {MOST_CONNECTIONS} are open already");
        reception.notices.tell(Notice::Refused, 1, tell);
        return None;
    }
    Some(Connection { stream, last: None, peer })
}

/// What connections come in by.
enum Listener {
    Tcp(TcpListener),
    /// The file is there as long as this is.
    Unix(UnixListener, #[expect(dead_code, reason = "it is removed when it is dropped")] SocketFile),
}

impl Listener {
    async fn bind(way: &Way) -> io::Result<Listener> {
        match way {
            Way::Network(address) => TcpListener::from_std(listen_tcp(address).await?.into()).map(Listener::Tcp),
            Way::Unix(path) => {
                let (socket, file) = bind_unix(path, Type::STREAM, MODE)?;
                Ok(Listener::Unix(UnixListener::from_std(socket.into())?, file))
            }
        }
    }

    /// The next connection.
    async fn accept(&self) -> (Stream, Option<SocketAddr>) {
        let mut is_told = false;
        loop {
            let accepted = match self {
                Listener::Tcp(listener) => {
                    listener.accept().await.map(|(stream, address)| (Stream::Tcp(stream), Some(address)))
                }
                Listener::Unix(listener, _) => listener.accept().await.map(|(stream, _)| (Stream::Unix(stream), None)),
            };
            match accepted {
                Ok((stream, address)) => return (stream, address),
                // accept(2): what failed may be that one connection
                Err(error) if error.raw_os_error().is_some_and(is_for_want) => {
                    if !is_told {
                        warn!(%error, "no sender can be taken in for now; `ulimit -n` limits open files");
                        is_told = true;
                    }
                    sleep(PAUSE).await;
                }
                Err(_) => tokio::task::yield_now().await,
            }
        }
    }
}

/// Whether there are too few descriptors or too little memory.
fn is_for_want(errno: i32) -> bool {
    [libc::EMFILE, libc::ENFILE, libc::ENOBUFS, libc::ENOMEM].contains(&errno)
}
