//! What DatagramHandler sends, and whoever sends text to the same port: records out of datagrams. It answers none.

use super::{Datagram, Datagrams, Records};
use crate::logging::{Datagram as Holding, datagram};

/// Hands on what is in these datagrams.
pub(super) fn take_datagrams(records: &mut Records, datagrams: &Datagrams) {
    for Datagram { peer, bytes } in datagrams.iter() {
        records.turn_to(peer);
        records.count_bytes(bytes.len());
        match datagram(bytes) {
            Holding::Pickle(pickle) => records.add(pickle),
            Holding::Bare(bytes) => records.add_any(bytes),
            Holding::Text(text) => records.add_text(text),
            Holding::Cut { said, there } => {
                records.spoil(format_args!("it says that it has {said} bytes, and {there} came"));
            }
            Holding::Empty => {}
        }
    }
    records.send();
}
