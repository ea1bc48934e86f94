//! Where a run's lines go: standard output and standard error, in the order in which they came. It buffers until it is
//! told to flush, and decides nothing about what is written. On a terminal it also keeps a line of its own at the end,
//! which is gone before anything else is written.

use std::io::{self, ErrorKind, IsTerminal};

use tokio::io::{AsyncWrite, AsyncWriteExt};

use super::FAILED;

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

/// Goes back to the beginning of the line and clears it (ECMA-48: CR, EL).
const ERASE: &[u8] = b"\r\x1b[K";

/// A pair of outputs, and what waits to be written to one of them.
#[derive(Debug)]
pub struct Terminal<O, E> {
    out: O,
    err: E,
    pending: Vec<u8>,
    side: Side,
    screen: Screen,
}

/// What is known of the terminal that standard error may be.
#[derive(Clone, Copy, Debug)]
struct Screen {
    /// Its columns; `None` where there is none to draw on.
    width: fn() -> Option<usize>,
    /// Standard output is a terminal too.
    shows_out: bool,
    /// The cursor is at the beginning of a line.
    is_fresh: bool,
    /// A line of ours is there.
    is_drawn: bool,
}

impl Terminal<tokio::io::Stdout, tokio::io::Stderr> {
    /// This process's own.
    pub fn own() -> Self {
        let terminal = Terminal::new(tokio::io::stdout(), tokio::io::stderr());
        terminal.on_screen(width_of_stderr, io::stdout().is_terminal())
    }
}

/// The columns of standard error, where a line on it can be drawn and erased.
fn width_of_stderr() -> Option<usize> {
    let stderr = io::stderr();
    let is_capable = std::env::var_os("TERM").is_some_and(|term| !term.is_empty() && term != "dumb");
    let size = rustix::termios::tcgetwinsize(&stderr).ok().filter(|_| is_capable)?;
    Some(if size.ws_col == 0 { 80 } else { size.ws_col.into() })
}

impl<O: AsyncWrite + Unpin + Send, E: AsyncWrite + Unpin + Send> Terminal<O, E> {
    /// Writes to `out` and `err`, which are no terminals.
    pub fn new(out: O, err: E) -> Self {
        let screen = Screen { width: || None, shows_out: false, is_fresh: true, is_drawn: false };
        Terminal { out, err, pending: Vec::new(), side: Side::Out, screen }
    }

    /// The same, where `err` is a terminal of `width`, and `out` perhaps too.
    pub fn on_screen(self, width: fn() -> Option<usize>, shows_out: bool) -> Self {
        Terminal { screen: Screen { width, shows_out, ..self.screen }, ..self }
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

    /// Writes what waits. What cannot be written is dropped: it would be in the way of what is written next.
    pub async fn flush(&mut self) -> io::Result<()> {
        if self.pending.is_empty() {
            return Ok(());
        }
        let written = self.write_pending().await;
        self.pending.clear();
        written
    }

    async fn write_pending(&mut self) -> io::Result<()> {
        self.erase().await?;
        if self.side == Side::Err || self.screen.shows_out {
            self.screen.is_fresh = self.pending.ends_with(b"\n");
        }
        let output: &mut (dyn AsyncWrite + Unpin + Send) = match self.side {
            Side::Out => &mut self.out,
            Side::Err => &mut self.err,
        };
        output.write_all(&self.pending).await?;
        output.flush().await
    }

    /// Prints `text` on standard output, and returns what to exit with.
    pub async fn print(&mut self, text: &str) -> u8 {
        let written = match self.write(Side::Out, &[text.as_bytes()]).await {
            Ok(()) => self.flush().await,
            Err(error) => Err(error),
        };
        match written {
            Ok(()) => 0,
            Err(error) if error.kind() == ErrorKind::BrokenPipe => FAILED,
            Err(error) => {
                self.say(&format!("cannot write the output ({error})")).await;
                FAILED
            }
        }
    }

    /// Lines of our own on standard error, after everything else. Nobody is told if that cannot be written.
    pub async fn say(&mut self, text: &str) {
        // what stands before it and cannot be written is no reason to keep silent
        let _ = self.flush().await;
        for line in text.lines() {
            let line = line.replace(char::is_control, "\u{fffd}");
            if self.write(Side::Err, &[b"joblines: ", line.as_bytes(), b"\n"]).await.is_err() {
                return;
            }
        }
        let _ = self.flush().await;
    }

    /// Whether [`draw`](Terminal::draw) would draw: on a terminal, where no line has been begun.
    pub fn can_draw(&self) -> bool {
        self.pending.is_empty() && self.screen.is_fresh && (self.screen.width)().is_some()
    }

    /// Shows `text` as the last line of the terminal, in place of the one before, until something is written.
    pub async fn draw(&mut self, text: &str) {
        let Some(width) = (self.screen.width)().filter(|_| self.can_draw()) else { return };
        let text: String = text.replace(char::is_control, "\u{fffd}").chars().take(width.saturating_sub(1)).collect();
        self.screen.is_drawn = true;
        // what cannot be drawn is not missed
        let _ = self.err.write_all(&[ERASE, text.as_bytes()].concat()).await;
        let _ = self.err.flush().await;
    }

    /// Takes the last line away again.
    pub async fn erase(&mut self) -> io::Result<()> {
        if std::mem::take(&mut self.screen.is_drawn) {
            self.err.write_all(ERASE).await?;
            self.err.flush().await?;
        }
        Ok(())
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
    async fn a_drawn_line_is_gone_before_anything_is_written_and_never_in_a_begun_one() {
        let (mut out, mut err) = (Vec::new(), Vec::new());
        let mut terminal = Terminal::new(&mut out, &mut err).on_screen(|| Some(8), true);
        terminal.draw("waiting for\x1b it").await;
        terminal.draw("still").await;
        terminal.write(Side::Out, &[b"name? "]).await.unwrap();
        terminal.flush().await.unwrap();
        terminal.draw("never seen").await;
        terminal.say("one\ntwo").await;
        terminal.draw("end").await;
        terminal.erase().await.unwrap();
        terminal.erase().await.unwrap();
        assert_eq!(String::from_utf8(out).unwrap(), "name? ");
        let drawn = "\r\x1b[Kwaiting\r\x1b[Kstill\r\x1b[Kjoblines: one\njoblines: two\n\r\x1b[Kend\r\x1b[K";
        assert_eq!(String::from_utf8(err).unwrap(), drawn);
    }

    #[tokio::test]
    async fn nothing_is_drawn_where_there_is_no_terminal() {
        let (mut out, mut err) = (Vec::new(), Vec::new());
        let mut terminal = Terminal::new(&mut out, &mut err);
        assert!(!terminal.can_draw());
        terminal.draw("waiting").await;
        assert_eq!((out.len(), err.len()), (0, 0));
    }

    #[tokio::test]
    async fn what_cannot_be_written_does_not_keep_what_is_said_back() {
        let (reader, out) = tokio::io::duplex(1);
        drop(reader);
        let mut err = Vec::new();
        let mut terminal = Terminal::new(out, &mut err);
        terminal.write(Side::Out, &[b"one"]).await.unwrap();
        assert!(terminal.flush().await.is_err());
        terminal.say("the output is lost").await;
        terminal.write(Side::Out, &[b"two"]).await.unwrap();
        terminal.say("and so is the rest").await;
        assert_eq!(String::from_utf8(err).unwrap(), "joblines: the output is lost\njoblines: and so is the rest\n");
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
