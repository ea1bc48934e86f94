//! Where a run's lines go: standard output and standard error, in the order in which they came. It buffers until it is
//! told to flush, and decides nothing about what is written.

use std::io;

use tokio::io::{AsyncWrite, AsyncWriteExt};

/// From here on what is buffered is written without being asked.
const FULL: usize = 256 * 1024;

/// One of the two.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Side {
    /// Standard output.
    Out,
    /// Standard error.
    Err,
}

/// A pair of outputs, and what waits to be written to one of them.
#[derive(Debug)]
pub struct Terminal<O, E> {
    out: O,
    err: E,
    pending: Vec<u8>,
    side: Side,
}

impl Terminal<tokio::io::Stdout, tokio::io::Stderr> {
    /// This process's own.
    pub fn own() -> Self {
        Terminal::new(tokio::io::stdout(), tokio::io::stderr())
    }
}

impl<O: AsyncWrite + Unpin + Send, E: AsyncWrite + Unpin + Send> Terminal<O, E> {
    /// Writes to `out` and `err`.
    pub fn new(out: O, err: E) -> Self {
        Terminal { out, err, pending: Vec::new(), side: Side::Out }
    }

    /// Appends `parts` to one side. What waits for the other side is written first, so that both keep their order
    /// where they are the same file.
    pub async fn write(&mut self, side: Side, parts: &[&[u8]]) -> io::Result<()> {
        if side != self.side || self.pending.len() >= FULL {
            self.flush().await?;
            self.side = side;
        }
        for part in parts {
            self.pending.extend_from_slice(part);
        }
        Ok(())
    }

    /// Writes what waits.
    pub async fn flush(&mut self) -> io::Result<()> {
        if self.pending.is_empty() {
            return Ok(());
        }
        let output: &mut (dyn AsyncWrite + Unpin + Send) = match self.side {
            Side::Out => &mut self.out,
            Side::Err => &mut self.err,
        };
        output.write_all(&self.pending).await?;
        output.flush().await?;
        self.pending.clear();
        Ok(())
    }

    /// One line of our own on standard error, after everything else. Nobody is told if that cannot be written.
    pub async fn say(&mut self, text: &str) {
        let text = text.replace(char::is_control, "\u{fffd}");
        if self.write(Side::Err, &[b"joblines: ", text.as_bytes(), b"\n"]).await.is_ok() {
            let _ = self.flush().await;
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::net::UnixStream;

    use super::*;

    #[tokio::test]
    async fn one_file_for_both_keeps_their_order() {
        let (mut read, write) = std::os::unix::net::UnixStream::pair().unwrap();
        write.set_nonblocking(true).unwrap();
        let out = UnixStream::from_std(write.try_clone().unwrap()).unwrap();
        let mut terminal = Terminal::new(out, UnixStream::from_std(write).unwrap());
        for (side, text) in [(Side::Out, "a"), (Side::Out, "b"), (Side::Err, "c"), (Side::Out, "d"), (Side::Err, "e")] {
            terminal.write(side, &[text.as_bytes()]).await.unwrap();
        }
        terminal.say("the\x1b end").await;
        drop(terminal);
        assert_eq!(io::read_to_string(&mut read).unwrap(), "abcdejoblines: the\u{fffd} end\n");
    }

    #[tokio::test]
    async fn nothing_is_written_before_it_is_flushed_or_full() {
        let mut out = Vec::new();
        let mut terminal = Terminal::new(&mut out, Vec::new());
        terminal.write(Side::Out, &[b"few"]).await.unwrap();
        assert_eq!(terminal.out.len(), 0);
        terminal.flush().await.unwrap();
        assert_eq!(terminal.out.len(), 3);
        terminal.write(Side::Out, &[&vec![b'x'; FULL]]).await.unwrap();
        terminal.write(Side::Out, &[b"y"]).await.unwrap();
        assert_eq!(terminal.out.len(), 3 + FULL);
    }
}
