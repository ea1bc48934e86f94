//! One connection of a SocketHandler: frames out of its bytes, and records out of those. It always reads on, for a sender
//! that had to wait would cut a record off.

use std::sync::Arc;

use bytes::BytesMut;
use tokio_util::sync::CancellationToken;

use super::{Connection, Count, Notice, Reception, Records};
use crate::logging::{Frames, NoFrame};

/// Reads `connection` to its end, or to its first impossible length, or until `stop`.
pub(super) async fn read_frames(
    mut connection: Connection,
    reception: Arc<Reception>,
    longest: usize,
    stop: CancellationToken,
) {
    let mut frames = Frames::new(longest);
    let mut records = Records::new(Arc::clone(&reception), connection.peer.clone());
    // an end in the middle of a record is what a sender leaves that was ended itself
    while connection.read(frames.buffer(), &stop).await > 0 {
        if let Err(error) = take_frames(&mut frames, &mut records) {
            reception.counters.count(&connection.peer, Count { bad_frames: 1, ..Count::default() });
            let tell = || format!("a connection from {} was closed: {error}", connection.peer);
            reception.notices.tell(Notice::Closed, 1, tell);
            return connection.cut_off();
        }
        // a connection that rests holds no memory
        let buffer = frames.buffer();
        if buffer.is_empty() {
            *buffer = BytesMut::new();
        }
    }
    if stop.is_cancelled() {
        connection.cut_off();
    }
}

/// Hands on every record that is whole.
fn take_frames(frames: &mut Frames, records: &mut Records) -> Result<(), NoFrame> {
    let end = loop {
        match frames.cut() {
            Ok(Some(frame)) => {
                records.count_bytes(frame.len() + 4);
                records.add(frame);
            }
            Ok(None) => break Ok(()),
            Err(error) => break Err(error),
        }
    };
    records.send();
    end
}
