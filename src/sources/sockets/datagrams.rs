//! Datagrams, read by a thread that does nothing else, so that neither a slow disk nor a busy runtime costs any; and those
//! that the kernel had no room for, or that were longer than ours, counted.

use std::io::{self, ErrorKind};
use std::mem::take;
use std::net::{IpAddr, UdpSocket};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixDatagram;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, poll};
use rustix::net::{RecvFlags, recv};
use rustix::pipe::{PipeFlags, pipe_with};
use socket2::Type;
use tokio::sync::Notify;
use tokio::task::spawn_blocking;
use tokio_util::sync::CancellationToken;

use super::{MODE, Named, Reception, SocketFile, Way, bind_udp, bind_unix, dropped_datagrams, room};
use crate::sources::{Count, Notice, Peer};

/// No datagram of UDP is longer.
const LONGEST_UDP: usize = 64 << 10;

/// Of a longer one of a Unix socket the rest is lost, which is counted. Such a one has to fit into the buffer that its sender
/// may give itself (`net.core.wmem_max`): twice 208 KiB, unless that was changed.
const LONGEST_UNIX: usize = 512 << 10;

/// So many bytes of datagrams may wait for the disk. The kernel keeps what comes beyond, as long as it has room.
const MOST_WAITING: usize = 16 << 20;

/// After so many datagrams the kernel is asked what it had no room for.
const MOST_AT_ONCE: usize = 4096;

/// How long to wait after a read that failed for want of memory.
const PAUSE: Duration = Duration::from_millis(100);

/// One datagram, and who sent it.
#[derive(Debug)]
pub(in crate::sources) struct Datagram<'a> {
    pub(in crate::sources) peer: &'a Peer,
    pub(in crate::sources) bytes: &'a [u8],
}

/// Binds to `way` and gives `take` the datagrams that come, as many at once as have come, until `stop`.
pub(in crate::sources) async fn read_datagrams(
    way: Way,
    reception: Arc<Reception>,
    stop: CancellationToken,
    mut take: impl FnMut(&Datagrams),
) {
    let binding = reception.bind(Named("udp", &way), || Socket::bind(&way));
    let Some(socket) = stop.run_until_cancelled(binding).await else { return };
    if let Socket::Udp(socket) = &socket
        && let Ok(address) = socket.local_addr()
    {
        reception.bound(format_args!("udp {address}, with room for {} KiB", room(socket) >> 10));
    }
    let Ok((ended, end)) = pipe_with(PipeFlags::CLOEXEC) else { return };
    let inbox = Arc::new(Inbox::default());
    let reading = spawn_blocking({
        let (inbox, reception) = (Arc::clone(&inbox), Arc::clone(&reception));
        move || Reading { socket, inbox, reception, dropped: 0 }.run(&ended)
    });
    let mut end = Some(end);
    loop {
        let is_last = tokio::select! {
            () = inbox.news.notified() => false,
            () = stop.cancelled(), if end.is_some() => { end = None; false }
            () = inbox.closed.notified() => true,
        };
        let waiting = inbox.take();
        if !waiting.is_empty() {
            take(&waiting);
        }
        if is_last {
            break;
        }
    }
    let _ = reading.await;
}

/// What datagrams come in by.
#[derive(Debug)]
enum Socket {
    Udp(UdpSocket),
    /// The file is there as long as this is.
    Unix(UnixDatagram, #[expect(dead_code, reason = "it is removed when it is dropped")] SocketFile),
}

impl Socket {
    async fn bind(way: &Way) -> io::Result<Socket> {
        match way {
            Way::Network(address) => bind_udp(address).await.map(|socket| Socket::Udp(socket.into())),
            Way::Unix(path) => {
                bind_unix(path, Type::DGRAM, MODE).map(|(socket, file)| Socket::Unix(socket.into(), file))
            }
        }
    }
}

/// Datagrams one after the other.
#[derive(Default, Debug)]
pub(in crate::sources) struct Datagrams {
    bytes: Vec<u8>,
    /// Where each ends, and who sent it.
    ends: Vec<(usize, Peer)>,
}

impl Datagrams {
    fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// Each of them, in order of arrival.
    pub(in crate::sources) fn iter(&self) -> impl Iterator<Item = Datagram<'_>> {
        let mut from = 0;
        self.ends.iter().map(move |(end, peer)| {
            let bytes = self.bytes.get(from..*end).unwrap_or_default();
            from = *end;
            Datagram { peer, bytes }
        })
    }
}

/// Between the thread and the task.
#[derive(Default, Debug)]
struct Inbox {
    waiting: Mutex<Datagrams>,
    news: Notify,
    room: Condvar,
    closed: Notify,
}

impl Inbox {
    fn put(&self, bytes: &[u8], peer: Peer) {
        let mut waiting = self.lock();
        while waiting.bytes.len() >= MOST_WAITING {
            waiting = self.room.wait(waiting).unwrap_or_else(PoisonError::into_inner);
        }
        waiting.bytes.extend_from_slice(bytes);
        let end = waiting.bytes.len();
        waiting.ends.push((end, peer));
        if waiting.ends.len() == 1 {
            self.news.notify_one();
        }
    }

    fn take(&self) -> Datagrams {
        let waiting = take(&mut *self.lock());
        self.room.notify_one();
        waiting
    }

    fn lock(&self) -> MutexGuard<'_, Datagrams> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The thread.
struct Reading {
    socket: Socket,
    inbox: Arc<Inbox>,
    reception: Arc<Reception>,
    /// What the kernel's counter said last.
    dropped: u32,
}

impl Reading {
    /// Reads until the other end of `ended` is closed, and then what is there already.
    fn run(mut self, ended: &OwnedFd) {
        // memory that nothing is written to is none
        let longest = if let Socket::Udp(_) = self.socket { LONGEST_UDP } else { LONGEST_UNIX };
        let mut buffer = vec![0; longest];
        loop {
            let is_ended = self.wait(ended);
            self.drain(&mut buffer);
            self.count_dropped();
            if is_ended {
                break;
            }
        }
        self.inbox.closed.notify_one();
    }

    /// Waits for a datagram; whether reading is to end.
    fn wait(&self, ended: &OwnedFd) -> bool {
        let mut sources = match &self.socket {
            Socket::Udp(socket) => [PollFd::new(socket, PollFlags::IN), PollFd::new(ended, PollFlags::IN)],
            Socket::Unix(socket, _) => [PollFd::new(socket, PollFlags::IN), PollFd::new(ended, PollFlags::IN)],
        };
        // a signal wakes it too: the next round waits again
        let _ = poll(&mut sources, None);
        !sources[1].revents().is_empty()
    }

    /// Reads what is there, up to a bound: there may always be more.
    fn drain(&self, buffer: &mut [u8]) {
        for _ in 0..MOST_AT_ONCE {
            match self.receive(buffer) {
                Ok((length, Some(peer))) => {
                    let there = length.min(buffer.len());
                    self.inbox.put(buffer.get(..there).unwrap_or_default(), peer.clone());
                    if length > there {
                        self.tell_cut(&peer, length, there);
                    }
                }
                Ok((_, None)) => {}
                Err(error) => match error.kind() {
                    ErrorKind::WouldBlock => return,
                    // an answer to nobody: udp(7) reports errors of what was never sent from here
                    ErrorKind::Interrupted | ErrorKind::ConnectionRefused => {}
                    _ => return std::thread::sleep(PAUSE),
                },
            }
        }
    }

    /// The next datagram: its length, though that is more than `buffer` has room for, and who sent it, if they may.
    fn receive(&self, buffer: &mut [u8]) -> io::Result<(usize, Option<Peer>)> {
        match &self.socket {
            Socket::Udp(socket) => {
                let (length, from) = socket.recv_from(buffer)?;
                let address: IpAddr = from.ip().to_canonical();
                Ok((length, self.reception.admits(address).then_some(Peer::Machine(address))))
            }
            Socket::Unix(socket, _) => {
                let (_, length) = recv(socket, buffer, RecvFlags::TRUNC)?;
                Ok((length, Some(Peer::Unix)))
            }
        }
    }

    fn tell_cut(&self, peer: &Peer, length: usize, there: usize) {
        self.reception.counters.count(peer, Count { bad_frames: 1, ..Count::default() });
        let what = || format!("a datagram of {length} bytes was cut: only its first {there} bytes are here");
        self.reception.notices.tell(Notice::CutDatagram, 1, what);
    }

    fn count_dropped(&mut self) {
        // a Unix socket has its sender wait instead
        let Socket::Udp(socket) = &self.socket else { return };
        let Ok(dropped) = dropped_datagrams(socket) else { return };
        let new = u64::from(dropped.wrapping_sub(self.dropped));
        self.dropped = dropped;
        if new > 0 {
            self.reception.counters.lose_datagrams(new);
            let why = || "they came faster than they could be read (net.core.rmem_max limits what may wait)".to_owned();
            self.reception.notices.tell(Notice::LostDatagrams, new, why);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use jiff::Timestamp;

    use super::*;
    use crate::journal::{Journal, Origin, Totals};
    use crate::record::RunId;
    use crate::sources::{Counters, Sink};

    fn reading(folder: &Path) -> (Reading, Arc<Journal>) {
        let (run, job, started) = (RunId::new(), "sys".to_owned(), Timestamp::now());
        let origin = Origin { run, job, trigger: String::new(), started, child: None };
        let resumed = Journal::resume(folder.join("lines"), origin, 1 << 20).unwrap();
        let reception = Reception::new(Sink::new(resumed.writer), Counters::default(), Vec::new());
        let (socket, file) = bind_unix(&folder.join("s"), Type::DGRAM, MODE).unwrap();
        let socket = Socket::Unix(socket.into(), file);
        (Reading { socket, inbox: Arc::default(), reception: Arc::new(reception), dropped: 0 }, resumed.journal)
    }

    #[test]
    fn a_datagram_that_is_longer_than_the_buffer_is_cut_counted_and_told_of() {
        let folder = tempfile::tempdir().unwrap();
        let (reading, journal) = reading(folder.path());
        let sender = UnixDatagram::unbound().unwrap();
        for sent in ["exactly 10", "a little more", "less"] {
            sender.send_to(sent.as_bytes(), folder.path().join("s")).unwrap();
        }
        reading.drain(&mut [0; 10]);
        let waiting = reading.inbox.take();
        let read: Vec<_> = waiting.iter().map(|datagram| datagram.bytes).collect();
        assert_eq!(read, [&b"exactly 10"[..], b"a little m", b"less"]);
        assert_eq!(reading.reception.counters.look().all, Count { bad_frames: 1, ..Count::default() });
        let said = "a datagram of 13 bytes was cut: only its first 10 bytes are here\n";
        assert_eq!(journal.totals(), Totals { lines: 1, bytes: said.len() as u64 });
    }
}
