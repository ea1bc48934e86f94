//! The body of a request on its way, which may take longer than the answer. It sends nothing itself: the connection does.

use std::error::Error;

use thiserror::Error;
use tokio::task::JoinHandle;

/// A connection that may still send the body of its request.
#[derive(Debug)]
pub struct Sending(JoinHandle<hyper::Result<()>>);

/// Why a body was not sent to its end.
#[derive(Debug, Error)]
pub enum Unsent {
    /// Our own standard input, which is the only body that can fail.
    #[error("standard input cannot be read ({0})")]
    Unreadable(String),
    /// The server.
    #[error("the server did not take the input to its end ({0})")]
    Untaken(hyper::Error),
}

impl Sending {
    /// What `connection` sends.
    pub fn new(connection: JoinHandle<hyper::Result<()>>) -> Sending {
        Sending(connection)
    }

    /// Waits until all of it has been sent. The answer has to be read meanwhile, or have been read before.
    pub async fn finish(self) -> Result<(), Unsent> {
        match self.0.await {
            // the server has closed the connection first
            Ok(Err(error)) if error.is_shutdown() => Ok(()),
            Ok(ended) => ended.map_err(Unsent::from),
            // it was given up with the whole program
            Err(_) => Ok(()),
        }
    }

    /// Why nothing more is sent, where the connection is over because of that.
    pub async fn failure(self) -> Option<Unsent> {
        if self.0.is_finished() { self.finish().await.err() } else { None }
    }
}

impl From<hyper::Error> for Unsent {
    fn from(error: hyper::Error) -> Unsent {
        match error.source() {
            Some(source) if error.is_user() => Unsent::Unreadable(source.to_string()),
            _ => Unsent::Untaken(error),
        }
    }
}
