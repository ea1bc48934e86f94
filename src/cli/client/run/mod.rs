//! `joblines run`: starts a job on a server, shows its output here, and exits as it exited. It runs nothing itself.

use std::convert::Infallible;
use std::future::{pending, poll_fn};
use std::io::{self, ErrorKind, Write};
use std::pin::Pin;
use std::task::Poll;

use http_body::Body;
use http_body_util::BodyExt;
use hyper::body::{Frame, Incoming};
use hyper::{Response, StatusCode, header};
use thiserror::Error;
use tokio::io::AsyncWrite;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{mpsc, oneshot};

use super::{Client, Event, Events, Failure, NotEvents, Refused, Server, Side, Terminal, Text};
use crate::http::query::encode;

const NDJSON: &str = "application/x-ndjson";

/// Something went wrong here or on the way.
const FAILED: u8 = 1;
/// Nothing was started.
const REFUSED: u8 = 2;
/// As timeout(1) does.
const TIMED_OUT: u8 = 124;
/// As a shell does for SIGINT.
const INTERRUPTED: u8 = 130;

/// The arguments of `joblines run`.
#[derive(Clone, PartialEq, Eq, Debug, clap::Args)]
pub struct RunArgs {
    /// The job to start
    pub job: String,
    /// Where the server is: http://host:port or unix:/path
    #[arg(long, env = "JOBLINES_SERVER", default_value = "http://127.0.0.1:8080", value_name = "URL")]
    pub server: String,
}

/// Runs the job and says what to exit with: its exit code, 128+N when signal N ended it, 124 when it timed out, 1 when
/// the server was lost, 2 when nothing was started.
pub async fn run(args: RunArgs) -> u8 {
    let mut terminal = Terminal::own();
    let (server, signals) = match (args.server.parse::<Server>(), listen_for_signals()) {
        (Ok(server), Ok(signals)) => (server, signals),
        (Err(error), _) => {
            terminal.say(&error.to_string()).await;
            return REFUSED;
        }
        (_, Err(error)) => {
            terminal.say(&format!("cannot listen for signals ({error})")).await;
            return FAILED;
        }
    };
    start(&Client::new(server), &args.job, signals, &mut terminal).await
}

/// The numbers of the signals that ask to end: SIGINT and SIGTERM.
fn listen_for_signals() -> io::Result<mpsc::UnboundedReceiver<u8>> {
    let (sender, receiver) = mpsc::unbounded_channel();
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    tokio::spawn(async move {
        loop {
            let number = tokio::select! {
                _ = interrupt.recv() => 2,
                _ = terminate.recv() => 15,
            };
            if sender.send(number).is_err() {
                return;
            }
        }
    });
    Ok(receiver)
}

async fn start<O, E>(
    client: &Client,
    job: &str,
    signals: mpsc::UnboundedReceiver<u8>,
    terminal: &mut Terminal<O, E>,
) -> u8
where
    O: AsyncWrite + Unpin + Send,
    E: AsyncWrite + Unpin + Send,
{
    let (known, run) = oneshot::channel();
    tokio::select! {
        code = show(client, job, known, terminal) => code,
        code = cancel_when_asked(client, run, signals) => code,
    }
}

/// At the first signal cancels the run, once it has a name; at the second one is done waiting for its end.
async fn cancel_when_asked(
    client: &Client,
    run: oneshot::Receiver<String>,
    mut signals: mpsc::UnboundedReceiver<u8>,
) -> u8 {
    if signals.recv().await.is_none() {
        return pending().await;
    }
    let cancel = async {
        if let Ok(run) = run.await {
            cancel(client, &run).await;
        }
        pending::<Infallible>().await
    };
    tokio::select! {
        never = cancel => match never {},
        signal = signals.recv() => signal.map_or(INTERRUPTED, |signal| 128 + signal),
    }
}

async fn cancel(client: &Client, run: &str) {
    let problem = match client.post(&format!("/runs/{}/cancel", encode(run)), NDJSON).await {
        Ok(response) if response.status().is_client_error() && response.status() != StatusCode::CONFLICT => {
            Refused::read(response).await.to_string()
        }
        Ok(_) => return,
        Err(failure) => failure.to_string(),
    };
    // the terminal is in use, and this is worth a line even in between
    let _ = writeln!(io::stderr(), "joblines: cannot cancel the run: {problem}");
}

/// Starts the job and shows its run to the end.
async fn show<O, E>(client: &Client, job: &str, known: oneshot::Sender<String>, terminal: &mut Terminal<O, E>) -> u8
where
    O: AsyncWrite + Unpin + Send,
    E: AsyncWrite + Unpin + Send,
{
    let response = match client.post(&format!("/jobs/{}?format=ndjson", encode(job)), NDJSON).await {
        Ok(response) => response,
        Err(failure) => {
            terminal.say(&failure.to_string()).await;
            return if matches!(failure, Failure::Answer { .. }) { FAILED } else { REFUSED };
        }
    };
    if response.status() != StatusCode::OK {
        terminal.say(&Refused::read(response).await.to_string()).await;
        return REFUSED;
    }
    if !is_ndjson(&response) {
        terminal.say("the server answered with something that is no run: is it a joblines server?").await;
        return REFUSED;
    }
    let mut following = Following { body: response.into_body(), events: Events::default(), run: None };
    match following.follow(known, terminal).await {
        Ok(code) => code,
        Err(Broken::Output(error)) if error.kind() == ErrorKind::BrokenPipe => FAILED,
        Err(broken) => {
            let run = following.run.map(|run| client.address_of(&format!("/runs/{run}")));
            let hint = run.map(|run| format!("; the run may go on: {run}")).unwrap_or_default();
            terminal.say(&format!("{broken}{hint}")).await;
            FAILED
        }
    }
}

fn is_ndjson(response: &Response<Incoming>) -> bool {
    let content_type = response.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    content_type.is_some_and(|content_type| content_type.starts_with(NDJSON))
}

/// Why a run's end was not seen.
#[derive(Debug, Error)]
enum Broken {
    #[error("connection lost")]
    Lost,
    #[error("{0}")]
    NotEvents(#[from] NotEvents),
    #[error("cannot write the output ({0})")]
    Output(#[from] io::Error),
}

/// A run whose events are coming in.
struct Following {
    body: Incoming,
    events: Events,
    run: Option<String>,
}

impl Following {
    /// Writes lines as they come, until the end says what to exit with. The run's name is `known` as soon as it comes.
    async fn follow<O, E>(
        &mut self,
        known: oneshot::Sender<String>,
        terminal: &mut Terminal<O, E>,
    ) -> Result<u8, Broken>
    where
        O: AsyncWrite + Unpin + Send,
        E: AsyncWrite + Unpin + Send,
    {
        let mut known = Some(known);
        loop {
            while let Some(event) = self.events.take()? {
                match event {
                    Event::Run { run } => {
                        if let Some(known) = known.take() {
                            // nobody listens for it once there is no signal to come
                            let _ = known.send(run.clone());
                        }
                        self.run = Some(run);
                    }
                    Event::Line(text) => write_text(terminal, &text).await?,
                    Event::End { state, exit_code, signal } => {
                        terminal.flush().await?;
                        return Ok(exit_status(&state, exit_code, signal));
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
                Some(Err(_)) | None => {
                    terminal.flush().await?;
                    return Err(Broken::Lost);
                }
            }
        }
    }

    /// The next frame. What waits to be written is written before this waits.
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
        Ok(self.body.frame().await)
    }
}

async fn write_text<O, E>(terminal: &mut Terminal<O, E>, text: &Text) -> io::Result<()>
where
    O: AsyncWrite + Unpin + Send,
    E: AsyncWrite + Unpin + Send,
{
    let newline: &[u8] = if text.is_partial { b"" } else { b"\n" };
    match text.stream.as_str() {
        "system" => {
            let words = String::from_utf8_lossy(&text.bytes).replace(char::is_control, "\u{fffd}");
            terminal.write(Side::Err, &[b"joblines: ", words.as_bytes(), b"\n"]).await
        }
        "stderr" => terminal.write(Side::Err, &[&text.bytes, newline]).await,
        _ => terminal.write(Side::Out, &[&text.bytes, newline]).await,
    }
}

/// What a shell would make of it. A run that did not succeed never gives 0.
fn exit_status(state: &str, exit_code: Option<i64>, signal: Option<i64>) -> u8 {
    let byte = |number: i64| u8::try_from(number & 0xff).unwrap_or(FAILED);
    match (state, exit_code, signal) {
        ("succeeded", code, _) => code.map_or(0, byte),
        ("timed_out", ..) => TIMED_OUT,
        (_, _, Some(signal)) => byte(128 + signal),
        (_, Some(code), _) if byte(code) != 0 => byte(code),
        ("cancelled", ..) => INTERRUPTED,
        _ => FAILED,
    }
}

#[cfg(test)]
mod tests;
