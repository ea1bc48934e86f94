//! Moves a run's input into its child's standard input, at the pace at which the child reads. It ends nothing: that the
//! input broke off is only told.

use std::io;

use bytes::BytesMut;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::process::ChildStdin;

use super::{Input, Signs};

/// The largest read; what a pipe takes (pipe(7)).
const READ: usize = 64 << 10;

/// Moves all of `input` into `stdin`, then closes that; or, once the run is over, no more. Where the input breaks off,
/// `stdin` is left open, so that nobody takes a part for the whole.
pub(super) async fn supply(input: Option<Input>, stdin: &mut Option<ChildStdin>, signs: &Signs) {
    let Some(input) = input else { return };
    tokio::select! {
        biased;
        () = signs.stop.cancelled() => {}
        fed = feed(input, stdin) => if let Err(error) = fed {
            let _ = signs.broke_off.set(error.to_string());
        }
    }
}

/// # Errors
/// Why the input broke off before the child had all that it wanted of it.
async fn feed(mut input: Input, stdin: &mut Option<ChildStdin>) -> io::Result<()> {
    let mut buffer = BytesMut::with_capacity(READ);
    loop {
        buffer.clear();
        match (input.read_buf(&mut buffer).await, &mut *stdin) {
            (Ok(0), _) => {
                *stdin = None;
                return Ok(());
            }
            (Ok(_), Some(pipe)) => {
                // nobody reads it any more (EPIPE): the rest is thrown away, so that whoever sends it is not stuck
                if pipe.write_all(&buffer).await.is_err() {
                    *stdin = None;
                }
            }
            (Ok(_), None) => {}
            (Err(error), Some(_)) => return Err(error),
            (Err(_), None) => return Ok(()),
        }
    }
}
