//! One connection of a sender of syslog: messages out of its bytes, however it separates them. It never closes one that is
//! idle: SysLogHandler does not come back.

use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::{Connection, Messages, Reception};
use crate::logging::Framer;

/// A message of more bytes comes in pieces.
const LONGEST: usize = 256 << 10;

/// What has waited so long for its end has none.
const QUIET: Duration = Duration::from_millis(200);

/// Reads `connection` to its end, or until `stop`.
pub(super) async fn read_messages(mut connection: Connection, reception: Arc<Reception>, stop: CancellationToken) {
    let mut messages = Messages::new(reception, connection.peer.clone());
    let (mut framer, mut buffer) = (Framer::new(LONGEST), BytesMut::new());
    let mut is_quiet = false;
    loop {
        // a connection that rests holds no memory
        if buffer.is_empty() {
            buffer = BytesMut::new();
        }
        let patience = if is_quiet || buffer.is_empty() { Duration::MAX } else { QUIET };
        let read = timeout(patience, connection.read(&mut buffer, &stop)).await;
        is_quiet = read.is_err();
        match read {
            Err(_) => messages.add_all(|| framer.settle(&mut buffer)),
            Ok(0) => break,
            Ok(count) => {
                messages.count_bytes(count);
                messages.add_all(|| framer.cut(&mut buffer));
            }
        }
    }
    messages.add_all(|| framer.finish(&mut buffer));
    if stop.is_cancelled() {
        connection.cut_off();
    }
}

impl Messages {
    /// Hands on all that `next` has.
    fn add_all(&mut self, mut next: impl FnMut() -> Option<Bytes>) {
        while let Some(message) = next() {
            self.add(&message);
        }
        self.send();
    }
}
