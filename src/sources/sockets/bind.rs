//! Sockets that senders come to, bound: TCP and UDP ports, and Unix sockets with their files. It reads nothing from them.

use std::fs;
use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

use socket2::{Domain, SockAddr, SockRef, Socket, TcpKeepalive, Type};
use tokio::net::lookup_host;

/// How many connections may wait to be accepted (the kernel may allow fewer: net.core.somaxconn).
const BACKLOG: i32 = 4096;

/// What waits to be read of a socket for datagrams; the kernel may allow less (net.core.rmem_max).
const BUFFER: usize = 8 << 20;

/// A peer that sends nothing is asked after so long whether it is still there, and again.
const KEEPALIVE: TcpKeepalive =
    TcpKeepalive::new().with_time(Duration::from_secs(60)).with_interval(Duration::from_secs(20));

/// A socket that listens on `address` (`host:port`).
pub(super) async fn listen_tcp(address: &str) -> io::Result<Socket> {
    first_of(address, |address| {
        let socket = Socket::new(Domain::for_address(address), Type::STREAM.nonblocking(), None)?;
        socket.set_reuse_address(true)?;
        socket.set_tcp_keepalive(&KEEPALIVE)?;
        socket.bind(&address.into())?;
        socket.listen(BACKLOG)?;
        Ok(socket)
    })
    .await
}

/// A socket that gets the datagrams to `address` (`host:port`).
pub(super) async fn bind_udp(address: &str) -> io::Result<Socket> {
    first_of(address, |address| {
        let socket = Socket::new(Domain::for_address(address), Type::DGRAM.nonblocking(), None)?;
        enlarge(&socket);
        socket.bind(&address.into())?;
        Ok(socket)
    })
    .await
}

/// As much room as there may be for what waits to be read.
fn enlarge(socket: &Socket) {
    // beyond the limit for everybody only with CAP_NET_ADMIN; without it, up to the limit
    if rustix::net::sockopt::set_socket_recv_buffer_size_force(socket, BUFFER).is_err() {
        let _ = socket.set_recv_buffer_size(BUFFER);
    }
}

/// Binds to the first address of this name that is one of this machine.
async fn first_of(address: &str, bind: impl Fn(SocketAddr) -> io::Result<Socket>) -> io::Result<Socket> {
    let mut addresses: Vec<SocketAddr> = lookup_host(address).await?.collect();
    // `localhost` is to be found by those who look for 127.0.0.1
    addresses.sort_by_key(SocketAddr::is_ipv6);
    let mut failure = io::Error::from(ErrorKind::AddrNotAvailable);
    for address in addresses {
        match bind(address) {
            Ok(socket) => return Ok(socket),
            Err(error) if error.kind() == ErrorKind::AddrNotAvailable => failure = error,
            Err(error) => return Err(error),
        }
    }
    Err(failure)
}

/// A Unix socket at `path` of the type `kind` ([`Type::STREAM`] or [`Type::DGRAM`]), for those that `mode` allows to open
/// it. One that a killed server left there is removed first.
///
/// # Errors
/// [`ErrorKind::AddrInUse`] where somebody answers at `path`, [`ErrorKind::AlreadyExists`] where it is no socket.
pub fn bind_unix(path: &Path, kind: Type, mode: u32) -> io::Result<(Socket, SocketFile)> {
    remove_stale(path)?;
    let socket = Socket::new(Domain::UNIX, kind.nonblocking(), None)?;
    if kind == Type::DGRAM {
        enlarge(&socket);
    }
    // nobody may open it before `mode` says who: a socket's own mode is that of its file
    rustix::fs::fchmod(&socket, rustix::fs::Mode::from_raw_mode(0o600 & mode))?;
    socket.bind(&SockAddr::unix(path)?)?;
    let file = SocketFile::at(path)?;
    fs::set_permissions(path, fs::Permissions::from_mode(mode))?;
    if kind == Type::STREAM {
        socket.listen(BACKLOG)?;
    }
    Ok((socket, file))
}

/// Removes a socket at `path` on which nobody answers, and nothing else.
fn remove_stale(path: &Path) -> io::Result<()> {
    let Ok(found) = fs::symlink_metadata(path) else { return Ok(()) };
    if !found.file_type().is_socket() {
        return Err(ErrorKind::AlreadyExists.into());
    }
    // whatever the kind of the socket, the kernel first looks whether anybody has it (unix(7))
    match UnixStream::connect(path) {
        Err(error) if error.kind() == ErrorKind::ConnectionRefused => fs::remove_file(path),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        Err(error) if error.kind() == ErrorKind::PermissionDenied => Err(error),
        _ => Err(ErrorKind::AddrInUse.into()),
    }
}

/// The file of a Unix socket, removed when this is dropped, unless it is another's by then.
#[derive(Debug)]
pub struct SocketFile {
    path: PathBuf,
    inode: (u64, u64),
}

impl SocketFile {
    fn at(path: &Path) -> io::Result<SocketFile> {
        let metadata = fs::symlink_metadata(path)?;
        Ok(SocketFile { path: path.to_owned(), inode: (metadata.dev(), metadata.ino()) })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        let now = fs::symlink_metadata(&self.path).map(|metadata| (metadata.dev(), metadata.ino()));
        if now.is_ok_and(|inode| inode == self.inode) {
            // one that stays is stale, and removed at the next start
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// Room for what waits to be read, in bytes, as the kernel allowed it.
pub(super) fn room(socket: &impl std::os::fd::AsFd) -> usize {
    SockRef::from(socket).recv_buffer_size().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stale_socket_of_either_kind_is_replaced_and_a_live_one_is_not() {
        let folder = tempfile::tempdir().unwrap();
        for (old, new) in [(Type::STREAM, Type::DGRAM), (Type::DGRAM, Type::STREAM), (Type::DGRAM, Type::DGRAM)] {
            let path = folder.path().join("s");
            let (socket, file) = bind_unix(&path, old, 0o660).unwrap();
            assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o660);
            assert_eq!(bind_unix(&path, new, 0o660).unwrap_err().kind(), ErrorKind::AddrInUse);
            drop(socket);
            std::mem::forget(file);
            let (_socket, file) = bind_unix(&path, new, 0o600).unwrap();
            assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o600);
            drop(file);
            assert!(!path.exists());
        }
        fs::write(folder.path().join("f"), "").unwrap();
        let error = bind_unix(&folder.path().join("f"), Type::DGRAM, 0o600).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::AlreadyExists);
    }
}
