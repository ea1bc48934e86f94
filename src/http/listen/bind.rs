//! Addresses to listen on, bound: TCP ports and Unix sockets, each with its own options. It accepts connections and
//! never reads from one.

use std::io::{self, ErrorKind};
use std::net::{SocketAddr, ToSocketAddrs};
use std::path::Path;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use socket2::{Domain, Socket, TcpKeepalive, Type};
use thiserror::Error;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream, UnixListener, UnixStream};

use crate::config::Listen;
use crate::sources::{self, SocketFile};

/// How many connections may wait to be accepted (the kernel may allow fewer: net.core.somaxconn).
const BACKLOG: i32 = 4096;
/// A peer that has not acknowledged anything for so long is gone: a pulled cable, a machine asleep.
const SILENCE: Duration = Duration::from_secs(60);

/// Why an address cannot be listened on, and what to do about it.
#[derive(Debug, Error)]
#[error("{address} {reason}: {remedy}")]
pub struct BindError {
    address: String,
    reason: String,
    remedy: &'static str,
}

/// Who is at the other end of a connection, and thereby which kind of listener it came in by. It is among the
/// extensions of every request.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Peer {
    /// Somebody at this address and port.
    Tcp(SocketAddr),
    /// A program of this machine that may open the socket's file.
    Unix,
}

/// An address that is being listened on. The file of a Unix socket goes when this is dropped.
#[derive(Debug)]
pub struct Listener {
    bound: Bound,
}

#[derive(Debug)]
enum Bound {
    Tcp(TcpListener, SocketAddr),
    Unix(UnixListener, SocketFile),
}

impl Listener {
    /// Listens on `listen`. Wants a Tokio runtime around it.
    pub fn bind(listen: &Listen) -> Result<Listener, BindError> {
        match listen {
            Listen::Tcp(address) => bind_tcp(address),
            Listen::Unix(path) => bind_unix(path),
        }
    }

    /// Where it can be reached: `http://` with the real port and `base_path`, or `unix:` with the socket's path.
    pub fn url(&self, base_path: &str) -> String {
        match &self.bound {
            Bound::Tcp(_, address) => format!("http://{address}{base_path}"),
            Bound::Unix(_, file) => format!("unix:{}", file.path().display()),
        }
    }

    /// The next connection.
    pub(super) async fn accept(&self) -> io::Result<(Stream, Peer)> {
        match &self.bound {
            Bound::Tcp(listener, _) => {
                let (stream, address) = listener.accept().await?;
                Ok((Stream::Tcp(stream), Peer::Tcp(address)))
            }
            Bound::Unix(listener, _) => {
                let (stream, _) = listener.accept().await?;
                Ok((Stream::Unix(stream), Peer::Unix))
            }
        }
    }
}

fn bind_tcp(text: &str) -> Result<Listener, BindError> {
    let mut addresses: Vec<SocketAddr> = match text.to_socket_addrs() {
        Ok(addresses) => addresses.collect(),
        Err(error) => return Err(unknown_address(text, &error)),
    };
    // `localhost` is to be found by those who look for 127.0.0.1
    addresses.sort_by_key(SocketAddr::is_ipv6);
    let mut failure = io::Error::from(ErrorKind::AddrNotAvailable);
    for address in addresses {
        match listen_tcp(address) {
            Ok((listener, real)) => return Ok(Listener { bound: Bound::Tcp(listener, real) }),
            Err(error) if error.kind() == ErrorKind::AddrNotAvailable => failure = error,
            Err(error) => return Err(refused(text, &error)),
        }
    }
    Err(refused(text, &failure))
}

/// Linux hands the options of a listening socket on to the connections it accepts; a test holds that.
fn listen_tcp(address: SocketAddr) -> io::Result<(TcpListener, SocketAddr)> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM.nonblocking(), None)?;
    socket.set_reuse_address(true)?;
    socket.set_tcp_nodelay(true)?;
    let probes = TcpKeepalive::new().with_time(SILENCE / 2).with_interval(SILENCE / 4);
    socket.set_tcp_keepalive(&probes)?;
    #[cfg(target_os = "linux")]
    socket.set_tcp_user_timeout(Some(SILENCE))?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    let listener = TcpListener::from_std(socket.into())?;
    let real = listener.local_addr()?;
    Ok((listener, real))
}

fn unknown_address(text: &str, error: &io::Error) -> BindError {
    let remedy = "give an address and a port, as in 127.0.0.1:8080, or unix:/path";
    BindError { address: text.to_owned(), reason: format!("is no address ({error})"), remedy }
}

fn refused(text: &str, error: &io::Error) -> BindError {
    let (reason, remedy) = match error.kind() {
        ErrorKind::AddrInUse => ("is in use".to_owned(), "stop the other program, or choose another with --listen"),
        ErrorKind::PermissionDenied => (
            "is not allowed to you".to_owned(),
            "choose another with --listen (ports below 1024 want the capability CAP_NET_BIND_SERVICE)",
        ),
        ErrorKind::AddrNotAvailable => {
            ("is not an address of this machine".to_owned(), "choose another with --listen, such as 127.0.0.1:8080")
        }
        ErrorKind::NotFound => ("is in a folder that does not exist".to_owned(), "create the folder first"),
        _ => (format!("cannot be listened on ({error})"), "choose another with --listen"),
    };
    BindError { address: text.to_owned(), reason, remedy }
}

/// The file is for its owner only.
fn bind_unix(path: &Path) -> Result<Listener, BindError> {
    let text = format!("unix:{}", path.display());
    let (socket, file) = sources::bind_unix(path, Type::STREAM, 0o600).map_err(|error| match error.kind() {
        ErrorKind::AlreadyExists => {
            let reason = "is a file, and no socket".to_owned();
            let remedy = "move it away, or choose another path with --listen";
            BindError { address: text.clone(), reason, remedy }
        }
        _ => refused(&text, &error),
    })?;
    let listener = UnixListener::from_std(socket.into()).map_err(|error| refused(&text, &error))?;
    Ok(Listener { bound: Bound::Unix(listener, file) })
}

/// The bytes of a connection, whichever kind of socket they go through.
pub(super) enum Stream {
    Tcp(TcpStream),
    Unix(UnixStream),
}

impl AsyncRead for Stream {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Stream::Tcp(stream) => Pin::new(stream).poll_read(cx, buffer),
            Stream::Unix(stream) => Pin::new(stream).poll_read(cx, buffer),
        }
    }
}

impl AsyncWrite for Stream {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Stream::Tcp(stream) => Pin::new(stream).poll_write(cx, bytes),
            Stream::Unix(stream) => Pin::new(stream).poll_write(cx, bytes),
        }
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffers: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Stream::Tcp(stream) => Pin::new(stream).poll_write_vectored(cx, buffers),
            Stream::Unix(stream) => Pin::new(stream).poll_write_vectored(cx, buffers),
        }
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Stream::Tcp(stream) => Pin::new(stream).poll_flush(cx),
            Stream::Unix(stream) => Pin::new(stream).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Stream::Tcp(stream) => Pin::new(stream).poll_shutdown(cx),
            Stream::Unix(stream) => Pin::new(stream).poll_shutdown(cx),
        }
    }
}

#[cfg(test)]
mod tests {
    use socket2::SockRef;
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn tcp(address: &str) -> Result<Listener, BindError> {
        Listener::bind(&Listen::Tcp(address.to_owned()))
    }

    fn real_port(listener: &Listener) -> String {
        listener.url("").rsplit(':').next().unwrap().to_owned()
    }

    #[tokio::test]
    async fn a_url_has_the_real_port_and_the_base_path() {
        let listener = tcp("127.0.0.1:0").unwrap();
        let port = real_port(&listener);
        assert_ne!(port, "0");
        assert_eq!(listener.url("/joblines"), format!("http://127.0.0.1:{port}/joblines"));
        if let Ok(listener) = tcp("[::1]:0") {
            assert!(listener.url("").starts_with("http://[::1]:"));
        }
        assert!(tcp("localhost:0").unwrap().url("").starts_with("http://127.0.0.1:"));
    }

    #[tokio::test]
    async fn a_port_in_use_is_named_with_a_remedy() {
        let first = tcp("127.0.0.1:0").unwrap();
        let address = format!("127.0.0.1:{}", real_port(&first));
        let expected = format!("{address} is in use: stop the other program, or choose another with --listen");
        assert_eq!(tcp(&address).unwrap_err().to_string(), expected);
    }

    #[tokio::test]
    async fn what_is_no_address_of_ours_is_refused() {
        assert!(tcp("8080").unwrap_err().to_string().starts_with("8080 is no address ("));
        assert!(tcp("192.0.2.1:80").unwrap_err().to_string().starts_with("192.0.2.1:80 is not an address of this"));
    }

    #[tokio::test]
    async fn a_connection_has_the_options_of_its_listener() {
        let listener = tcp("127.0.0.1:0").unwrap();
        let address = format!("127.0.0.1:{}", real_port(&listener));
        let _client = TcpStream::connect(address).await.unwrap();
        let (Stream::Tcp(stream), Peer::Tcp(peer)) = listener.accept().await.unwrap() else { panic!("not TCP") };
        assert!(peer.ip().is_loopback());
        let socket = SockRef::from(&stream);
        assert!(socket.tcp_nodelay().unwrap() && socket.keepalive().unwrap());
        assert_eq!(socket.tcp_user_timeout().unwrap(), Some(SILENCE));
    }

    #[tokio::test]
    async fn a_unix_socket_is_for_its_owner_and_goes_with_its_listener() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("sock");
        let listener = Listener::bind(&Listen::Unix(path.clone())).unwrap();
        assert_eq!(listener.url("/ignored"), format!("unix:{}", path.display()));
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        drop(listener);
        assert!(!path.exists());
    }

    #[tokio::test]
    async fn only_a_socket_that_nobody_answers_on_is_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("sock");
        drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
        let listener = Listener::bind(&Listen::Unix(path.clone())).unwrap();

        let error = Listener::bind(&Listen::Unix(path.clone())).unwrap_err().to_string();
        assert!(error.contains("sock is in use: stop the other program"), "{error}");
        drop(listener);

        fs::write(&path, "precious").unwrap();
        let error = Listener::bind(&Listen::Unix(path.clone())).unwrap_err().to_string();
        assert!(error.contains("is a file, and no socket"), "{error}");
        assert_eq!(fs::read(&path).unwrap(), b"precious");

        let error = Listener::bind(&Listen::Unix(folder.path().join("none/sock"))).unwrap_err().to_string();
        assert!(error.contains("is in a folder that does not exist"), "{error}");
    }

    #[tokio::test]
    async fn the_socket_of_a_successor_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("sock");
        let first = Listener::bind(&Listen::Unix(path.clone())).unwrap();
        fs::rename(&path, folder.path().join("away")).unwrap();
        let _second = Listener::bind(&Listen::Unix(path.clone())).unwrap();
        drop(first);
        assert!(path.exists());
    }
}
