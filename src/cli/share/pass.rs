//! Passes a run's output on to our own standard output and standard error, as it comes and as it is.

use std::future::poll_fn;
use std::io;
use std::sync::Arc;
use std::task::Poll;

use tokio::io::AsyncWrite;

use super::{Side, Terminal};
use crate::journal::{Journal, Reader, Selection, Step};
use crate::record::{Chunk, Stream};

/// Writes what `journal` holds and gets, until its end. Where nobody takes the output any more, nothing more is
/// written, and the run goes on.
pub(super) async fn pass_through<O, E>(journal: &Arc<Journal>, terminal: &mut Terminal<O, E>)
where
    O: AsyncWrite + Unpin + Send,
    E: AsyncWrite + Unpin + Send,
{
    let reader = match journal.read(&Selection::default()) {
        Ok(reader) => reader,
        Err(error) => return terminal.say(&format!("the output cannot be read back ({error})")).await,
    };
    match write_all(reader, terminal).await {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            terminal.say(&format!("the output is not passed on any more ({error})")).await;
        }
        _ => {}
    }
}

async fn write_all<O, E>(mut reader: Reader, terminal: &mut Terminal<O, E>) -> io::Result<()>
where
    O: AsyncWrite + Unpin + Send,
    E: AsyncWrite + Unpin + Send,
{
    loop {
        // what waits to be written is written before this waits
        let step = match poll_fn(|context| Poll::Ready(reader.poll_next(context))).await {
            Poll::Ready(step) => step?,
            Poll::Pending => {
                terminal.flush().await?;
                reader.next().await?
            }
        };
        match step {
            Step::Chunk(chunk) => write(&chunk, terminal).await?,
            Step::End(_) | Step::Pause => return terminal.flush().await,
        }
    }
}

async fn write<O, E>(chunk: &Chunk, terminal: &mut Terminal<O, E>) -> io::Result<()>
where
    O: AsyncWrite + Unpin + Send,
    E: AsyncWrite + Unpin + Send,
{
    match chunk.stream {
        Stream::Stdout | Stream::Record => terminal.write(Side::Out, &[&chunk.bytes]).await,
        Stream::Stderr => terminal.write(Side::Err, &[&chunk.bytes]).await,
        Stream::System => {
            for (_, line) in chunk.lines() {
                let words = String::from_utf8_lossy(line).replace(char::is_control, "\u{fffd}");
                terminal.write(Side::Err, &[b"joblines: ", words.as_bytes(), b"\n"]).await?;
            }
            Ok(())
        }
    }
}
