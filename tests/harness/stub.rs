//! A server of a few lines that answers with the bytes it is given, to test the harness itself with.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::mpsc::{self, Sender};
use std::thread;

use super::http::Address;

/// A server that sends whatever the returned channel brings to its one client, and closes when the channel closes.
pub fn stub() -> (Address, Sender<Vec<u8>>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = Address::Tcp(listener.local_addr().expect("it is bound"));
    let (say, said) = mpsc::channel::<Vec<u8>>();
    thread::spawn(move || {
        let (mut client, _) = listener.accept().expect("a client comes");
        let mut request = [0; 4096];
        let _ = client.read(&mut request);
        said.iter().try_for_each(|bytes| client.write_all(&bytes))
    });
    (address, say)
}
