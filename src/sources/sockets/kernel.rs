//! The one system call about sockets that no safe library of ours offers. It decides nothing.
#![expect(unsafe_code, reason = "getsockopt(2) with SO_MEMINFO")]

use std::io;
use std::mem::{size_of, size_of_val};
use std::os::fd::{AsFd, AsRawFd};

/// `SK_MEMINFO_VARS` of linux/sock_diag.h.
const VARS: usize = 9;

/// `SK_MEMINFO_DROPS` of linux/sock_diag.h.
const DROPS: usize = 8;

/// How many datagrams the kernel has thrown away since the socket was made, because its buffer was full (or a checksum
/// wrong): what `SO_RXQ_OVFL` puts beside a datagram, but to be had at any time. The number starts again after 2³².
///
/// # Errors
/// As getsockopt(2): on a kernel before 4.12, `ENOPROTOOPT`.
pub(super) fn dropped_datagrams(socket: &impl AsFd) -> io::Result<u32> {
    let mut values = [0_u32; VARS];
    let mut length = libc::socklen_t::try_from(size_of_val(&values)).expect("it is 36");
    // SAFETY: the descriptor is open as long as it is borrowed. The kernel writes at most `length` bytes to `values`, which
    // has so many, and how many it wrote to `length`; both outlive the call, and any bytes are numbers.
    let done = unsafe {
        libc::getsockopt(
            socket.as_fd().as_raw_fd(),
            libc::SOL_SOCKET,
            libc::SO_MEMINFO,
            values.as_mut_ptr().cast(),
            &raw mut length,
        )
    };
    let written = usize::try_from(length).unwrap_or(0) / size_of::<u32>();
    match done {
        0 if written > DROPS => Ok(values[DROPS]),
        0 => Err(io::ErrorKind::Unsupported.into()),
        _ => Err(io::Error::last_os_error()),
    }
}

#[cfg(test)]
mod tests {
    use std::net::UdpSocket;

    use super::*;

    #[test]
    fn what_is_sent_and_not_read_is_counted() {
        let (from, to) = (UdpSocket::bind("127.0.0.1:0").unwrap(), UdpSocket::bind("127.0.0.1:0").unwrap());
        socket2::SockRef::from(&to).set_recv_buffer_size(4096).unwrap();
        assert_eq!(dropped_datagrams(&to).unwrap(), 0);
        for _ in 0..1000 {
            from.send_to(&[0; 500], to.local_addr().unwrap()).unwrap();
        }
        to.set_nonblocking(true).unwrap();
        let kept = std::iter::from_fn(|| to.recv(&mut [0; 500]).ok()).count();
        assert_eq!(u32::try_from(kept).unwrap() + dropped_datagrams(&to).unwrap(), 1000);
    }
}
