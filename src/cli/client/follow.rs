//! The events of one run, shown as they come: its lines where the job wrote them, its end told to the caller. It asks
//! for nothing and decides nothing about what an end means.

use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::task::Poll;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http_body::Body;
use http_body_util::BodyExt;
use hyper::body::{Frame, Incoming};
use thiserror::Error;
use tokio::io::AsyncWrite;
use tokio::time::{Instant, sleep_until};

use super::{Event, Events, NotEvents, Shown, Side, Spinner, Terminal, Text, parse};

/// Why a run's end was not seen.
#[derive(Debug, Error)]
pub enum Broken {
    /// The answer broke off.
    #[error("connection lost")]
    Lost,
    /// Another kind of server.
    #[error("{0}")]
    NotEvents(#[from] NotEvents),
    /// Nobody takes the output.
    #[error("cannot write the output ({0})")]
    Output(#[from] io::Error),
}

/// What a stream of events came to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Seen {
    /// The run's end.
    End {
        /// One of the final states.
        state: String,
        /// How the command exited, where it did.
        exit_code: Option<i64>,
        /// The signal that ended it, where one did.
        signal: Option<i64>,
    },
    /// The stream is over, and the run goes on.
    Pause,
}

/// A run whose events are coming in.
pub struct Following {
    body: Incoming,
    events: Events,
    /// The run's id, once it is known.
    pub run: Option<String>,
    /// The events are printed as they are.
    json: bool,
    shown: Shown,
    spinner: Spinner,
}

impl Following {
    /// The run that `body` tells of, called `name` while it is waited for.
    pub fn new(body: Incoming, name: &str, json: bool) -> Self {
        let spinner = Spinner::new(name, Instant::now());
        Following { body, events: Events::default(), run: None, json, shown: Shown::default(), spinner }
    }

    /// The line with which another answer has to begin that goes on where this one has broken off.
    pub fn break_off(&mut self) -> u64 {
        self.events = Events::default();
        self.shown.go_on()
    }

    /// Goes on with `body`, which begins there.
    pub fn go_on(&mut self, body: Incoming) {
        self.body = body;
    }

    /// Writes lines as they come, until the end. `known` is told the run's id as soon as it comes.
    pub async fn follow<O, E>(
        &mut self,
        mut known: impl FnMut(&str),
        terminal: &mut Terminal<O, E>,
    ) -> Result<Seen, Broken>
    where
        O: AsyncWrite + Unpin + Send,
        E: AsyncWrite + Unpin + Send,
    {
        loop {
            while let Some(line) = self.events.take_line()? {
                let event = parse(&line)?;
                if self.json {
                    self.print(&line, &event, terminal).await?;
                }
                match event {
                    Event::Run { run } => {
                        known(&run);
                        self.run = Some(run);
                    }
                    Event::Queue { ahead } => self.spinner.queue(ahead),
                    Event::Line(text) => {
                        self.spinner.hear(Instant::now());
                        if !self.json
                            && let Some(rest) = self.shown.take(&text)
                        {
                            write_text(terminal, &text, rest).await?;
                        }
                    }
                    Event::End { state, exit_code, signal } => {
                        terminal.flush().await?;
                        return Ok(Seen::End { state, exit_code, signal });
                    }
                    Event::Other => {}
                }
            }
            match self.next_frame(terminal).await? {
                Some(Ok(frame)) => {
                    if let Ok(bytes) = frame.into_data() {
                        self.events.push(&bytes);
                    }
                }
                None if self.run.is_some() => {
                    terminal.flush().await?;
                    return Ok(Seen::Pause);
                }
                Some(Err(_)) | None => {
                    terminal.flush().await?;
                    return Err(Broken::Lost);
                }
            }
        }
    }

    /// Prints an event as it came, without what has been printed before.
    async fn print<O, E>(&mut self, line: &[u8], event: &Event, terminal: &mut Terminal<O, E>) -> Result<(), Broken>
    where
        O: AsyncWrite + Unpin + Send,
        E: AsyncWrite + Unpin + Send,
    {
        let shortened;
        let line = match event {
            Event::Run { .. } if self.run.is_some() => return Ok(()),
            Event::Line(text) => match self.shown.take(text) {
                None => return Ok(()),
                Some(rest) if rest.len() < text.bytes.len() => {
                    shortened = with_text(line, rest).map_err(NotEvents::from)?;
                    &shortened
                }
                Some(_) => line,
            },
            _ => line,
        };
        if !line.trim_ascii().is_empty() {
            terminal.write(Side::Out, &[line, b"\n"]).await?;
        }
        Ok(())
    }

    /// The next frame. What waits to be written is written before this waits; while it does, it is told for how long.
    async fn next_frame<O, E>(
        &mut self,
        terminal: &mut Terminal<O, E>,
    ) -> io::Result<Option<hyper::Result<Frame<bytes::Bytes>>>>
    where
        O: AsyncWrite + Unpin + Send,
        E: AsyncWrite + Unpin + Send,
    {
        let body = &mut self.body;
        let ready = poll_fn(|cx| Poll::Ready(Pin::new(&mut *body).poll_frame(cx))).await;
        if let Poll::Ready(frame) = ready {
            return Ok(frame);
        }
        terminal.flush().await?;
        loop {
            tokio::select! {
                biased;
                frame = self.body.frame() => return Ok(frame),
                () = sleep_until(self.spinner.next()), if terminal.can_draw() => {
                    let picture = self.spinner.turn(Instant::now());
                    terminal.draw(&picture).await;
                }
            }
        }
    }
}

/// Writes `rest` of a line where the job wrote it, and joblines' own to standard error.
async fn write_text<O, E>(terminal: &mut Terminal<O, E>, text: &Text, rest: &[u8]) -> io::Result<()>
where
    O: AsyncWrite + Unpin + Send,
    E: AsyncWrite + Unpin + Send,
{
    let newline: &[u8] = if text.is_partial { b"" } else { b"\n" };
    match text.stream.as_str() {
        "system" => {
            let words = String::from_utf8_lossy(rest).replace(char::is_control, "\u{fffd}");
            terminal.write(Side::Err, &[b"joblines: ", words.as_bytes(), b"\n"]).await
        }
        "stderr" => terminal.write(Side::Err, &[rest, newline]).await,
        _ => terminal.write(Side::Out, &[rest, newline]).await,
    }
}

/// The object of a line with another text, as the server would write it.
fn with_text(line: &[u8], text: &[u8]) -> serde_json::Result<Vec<u8>> {
    let mut object: serde_json::Map<String, serde_json::Value> = serde_json::from_slice(line)?;
    object.remove("base64");
    if std::str::from_utf8(text).is_err() {
        object.insert("base64".to_owned(), STANDARD.encode(text).into());
    }
    object.insert("text".to_owned(), String::from_utf8_lossy(text).into());
    serde_json::to_vec(&object)
}
