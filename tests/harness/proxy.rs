//! A wire between a browser and a server that a test can cut, and lead to another server.

use std::io;
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use super::Address;

/// Passes bytes on in both directions, over an address of its own that stays the same.
pub struct Proxy {
    address: SocketAddr,
    wire: Arc<Mutex<Wire>>,
}

struct Wire {
    /// Where new connections go; nowhere while it is `None`.
    to: Option<SocketAddr>,
    open: Vec<TcpStream>,
}

impl Proxy {
    /// Leads to `server`.
    pub fn to(server: &Address) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port can be had");
        let address = listener.local_addr().expect("a bound socket has an address");
        let wire = Arc::new(Mutex::new(Wire { to: Some(tcp(server)), open: Vec::new() }));
        let shared = Arc::clone(&wire);
        // it ends with the test's process, as its listener does
        thread::spawn(move || listener.incoming().flatten().for_each(|client| connect(client, &shared)));
        Proxy { address, wire }
    }

    /// `http://` and the address.
    pub fn url(&self, target: &str) -> String {
        format!("http://{}{target}", self.address)
    }

    /// Breaks every connection off, whatever is on its way; new ones are made.
    pub fn cut(&self) {
        let mut wire = self.wire.lock().unwrap_or_else(PoisonError::into_inner);
        for stream in wire.open.drain(..) {
            // one that is closed already is as cut as it can be
            let _ = stream.shutdown(Shutdown::Both);
        }
    }

    /// Breaks every connection off and lets none be made.
    pub fn unplug(&self) {
        self.wire.lock().unwrap_or_else(PoisonError::into_inner).to = None;
        self.cut();
    }

    /// Leads new connections to `server`.
    pub fn plug_into(&self, server: &Address) {
        self.wire.lock().unwrap_or_else(PoisonError::into_inner).to = Some(tcp(server));
    }
}

fn tcp(server: &Address) -> SocketAddr {
    match server {
        Address::Tcp(address) => *address,
        Address::Unix(path) => panic!("no wire leads to the socket {}", path.display()),
    }
}

/// Connects `client` on, or drops it.
fn connect(client: TcpStream, wire: &Mutex<Wire>) {
    let mut wire = wire.lock().unwrap_or_else(PoisonError::into_inner);
    let Some(server) = wire.to.and_then(|to| TcpStream::connect(to).ok()) else { return };
    for (from, into) in [(&client, &server), (&server, &client)] {
        let (Ok(mut from), Ok(mut into), Ok(kept)) = (from.try_clone(), into.try_clone(), from.try_clone()) else {
            return;
        };
        wire.open.push(kept);
        thread::spawn(move || {
            let _ = io::copy(&mut from, &mut into);
            let _ = into.shutdown(Shutdown::Write);
        });
    }
}
