//! `joblines run`: starts a job on a server, shows its output here, and exits as it exited. It runs nothing itself.

use std::convert::Infallible;
use std::future::pending;
use std::io::{self, ErrorKind, Write};

use hyper::body::Incoming;
use hyper::{Response, StatusCode, header};
use serde::Deserialize;
use tokio::io::AsyncWrite;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{mpsc, oneshot};

use super::{
    Asking, Broken, Client, FAILED, Failure, Following, NDJSON, REFUSED, Refused, Seen, Sent, Terminal, Trouble,
    Unsent, collect,
};
use crate::http::query::encode;
use values::Given;

mod values;

/// As timeout(1) does.
const TIMED_OUT: u8 = 124;
/// As a shell does for SIGINT.
const INTERRUPTED: u8 = 130;

/// The arguments of `joblines run`.
#[derive(Clone, PartialEq, Eq, Debug, clap::Args)]
pub struct RunArgs {
    /// The job to start
    pub job: String,
    /// The job's parameters. @FILE is the content of a file without its last newline (for secrets: arguments can be seen
    /// in `ps`), @- that of standard input, @@TEXT is @TEXT
    #[arg(value_name = "NAME=VALUE")]
    pub values: Vec<Given>,
    /// Start it and leave, with -i once its input has been sent: its id goes to standard output, its address to standard
    /// error
    #[arg(short, long)]
    pub detach: bool,
    /// Send standard input to the job, as it comes (for jobs with stdin = "body")
    #[arg(short = 'i', long)]
    pub stdin: bool,
    /// The server, and how the answer is shown.
    #[command(flatten)]
    pub asking: Asking,
}

/// What is asked of the server.
struct Order {
    job: String,
    /// The parameters of the query that starts the run, each with an ampersand before it.
    query: String,
    sent: Sent,
    json: bool,
}

/// Runs the job and says what to exit with: its exit code, 128+N when signal N ended it, 124 when it timed out, 1 when
/// the server was lost, 2 when nothing was started.
pub async fn run(args: RunArgs) -> u8 {
    let mut terminal = Terminal::own();
    let client = Client::new(args.asking.server.clone());
    let order = match order(&client, &args).await {
        Ok(order) => order,
        Err(problem) => {
            terminal.say(&problem).await;
            return REFUSED;
        }
    };
    if args.detach {
        return leave(&client, order, &mut terminal).await;
    }
    // not before: as long as there is no run to cancel, a signal ends this program as it ends any other
    match listen_for_signals() {
        Ok(signals) => start(&client, order, signals, &mut terminal).await,
        Err(error) => {
            terminal.say(&format!("cannot listen for signals ({error})")).await;
            FAILED
        }
    }
}

/// Values as the rest of a query.
fn query(values: &[(String, String)]) -> String {
    values.iter().map(|(name, value)| format!("&{}={}", encode(name), encode(value))).collect()
}

/// Whether the job would take a document with its parameters for its input. Where the server does not say, starting it
/// tells why.
async fn reads_body(client: &Client, job: &str) -> bool {
    #[derive(Deserialize)]
    struct Form {
        stdin: String,
    }
    let form = client.read(&format!("/jobs/{}/form?format=json", encode(job)), "application/json").await;
    form.is_ok_and(|form| serde_json::from_slice::<Form>(&form).is_ok_and(|form| form.stdin == "body"))
}

/// What the arguments ask for; or why nothing is asked for.
async fn order(client: &Client, args: &RunArgs) -> Result<Order, String> {
    let values = values::read(&args.values, args.stdin)?;
    let (query, sent) = if args.stdin {
        (query(&values), Sent::Input)
    } else if values.is_empty() {
        (String::new(), Sent::Nothing)
    } else if reads_body(client, &args.job).await {
        (query(&values), Sent::Nothing)
    } else {
        let values = values.into_iter().map(|(name, value)| (name, value.into()));
        let object = values.collect::<serde_json::Map<String, serde_json::Value>>();
        (String::new(), Sent::Json(serde_json::Value::from(object).to_string()))
    };
    Ok(Order { job: args.job.clone(), query, sent, json: args.asking.json })
}

/// Starts the job, tells which run that is, and stays until its input has been sent.
async fn leave<O, E>(client: &Client, order: Order, terminal: &mut Terminal<O, E>) -> u8
where
    O: AsyncWrite + Unpin + Send,
    E: AsyncWrite + Unpin + Send,
{
    #[derive(Deserialize)]
    struct Begun {
        run: String,
    }
    let path = format!("/jobs/{}?detach&format=json{}", encode(&order.job), order.query);
    let has_input = matches!(order.sent, Sent::Input);
    let (response, sending) = match client.post_long(&path, "application/json", order.sent).await {
        Ok(answer) => answer,
        Err(failure) => return fail(failure, terminal).await,
    };
    if !response.status().is_success() {
        terminal.say(&Refused::read(response).await.to_string()).await;
        return REFUSED;
    }
    let record = match collect(response).await {
        Ok(record) => record,
        Err(trouble) => {
            terminal.say(&trouble.to_string()).await;
            return FAILED;
        }
    };
    let code = match serde_json::from_slice::<Begun>(&record) {
        Ok(_) if order.json => terminal.print(&(String::from_utf8_lossy(&record).trim_end().to_owned() + "\n")).await,
        Ok(Begun { run }) => {
            terminal.say(&format!("started {}", client.address_of(&format!("/runs/{run}")))).await;
            terminal.print(&(run + "\n")).await
        }
        Err(_) => {
            terminal.say(NO_RUN).await;
            return REFUSED;
        }
    };
    if !has_input {
        return code;
    }
    // whoever leaves in the middle of it breaks it off, and the server would end the run
    match sending.finish().await {
        Ok(()) => code,
        Err(unsent) => {
            terminal.say(&unsent.to_string()).await;
            FAILED
        }
    }
}

const NO_RUN: &str = "the server answered with something that is no run: is it a joblines server?";

async fn fail<O, E>(failure: Failure, terminal: &mut Terminal<O, E>) -> u8
where
    O: AsyncWrite + Unpin + Send,
    E: AsyncWrite + Unpin + Send,
{
    terminal.say(&failure.to_string()).await;
    Trouble::from(failure).exit_code()
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
    order: Order,
    signals: mpsc::UnboundedReceiver<u8>,
    terminal: &mut Terminal<O, E>,
) -> u8
where
    O: AsyncWrite + Unpin + Send,
    E: AsyncWrite + Unpin + Send,
{
    let (known, run) = oneshot::channel();
    let code = tokio::select! {
        code = show(client, order, known, terminal) => code,
        code = cancel_when_asked(client, run, signals) => code,
    };
    let _ = terminal.erase().await;
    code
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
    let problem = match client.post(&format!("/runs/{}/cancel", encode(run)), NDJSON, Sent::Nothing).await {
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
async fn show<O, E>(client: &Client, order: Order, known: oneshot::Sender<String>, terminal: &mut Terminal<O, E>) -> u8
where
    O: AsyncWrite + Unpin + Send,
    E: AsyncWrite + Unpin + Send,
{
    let path = format!("/jobs/{}?format=ndjson{}", encode(&order.job), order.query);
    let has_input = matches!(order.sent, Sent::Input);
    let (response, sending) = match client.post_long(&path, NDJSON, order.sent).await {
        Ok(answer) => answer,
        Err(failure) => return fail(failure, terminal).await,
    };
    if response.status() != StatusCode::OK {
        terminal.say(&Refused::read(response).await.to_string()).await;
        return REFUSED;
    }
    if !is_ndjson(&response) {
        terminal.say(NO_RUN).await;
        return REFUSED;
    }
    let mut following = Following::new(response.into_body(), &order.job, order.json);
    let mut known = Some(known);
    let tell = |run: &str| {
        if let Some(known) = known.take() {
            // nobody listens for it once there is no signal to come
            let _ = known.send(run.to_owned());
        }
    };
    let mut seen = following.follow(tell, terminal).await;
    if has_input && matches!(seen, Ok(Seen::Pause) | Err(Broken::Lost)) {
        if let Some(unreadable @ Unsent::Unreadable(_)) = sending.failure().await {
            terminal.say(&unreadable.to_string()).await;
        }
        seen = go_on(client, &mut following, terminal).await;
    }
    let broken = match seen {
        Ok(Seen::End { state, exit_code, signal }) => return exit_status(&state, exit_code, signal),
        Ok(Seen::Pause) => Broken::Lost,
        Err(Broken::Output(error)) if error.kind() == ErrorKind::BrokenPipe => return FAILED,
        Err(broken) => broken,
    };
    let run = following.run.map(|run| client.address_of(&format!("/runs/{run}")));
    let hint = run.map(|run| format!("; the run may go on: {run}")).unwrap_or_default();
    terminal.say(&format!("{broken}{hint}")).await;
    FAILED
}

/// Follows the run in an answer of its own. Where the input is not sent to its end, the connection ends with it, and what
/// the server has said last is lost.
async fn go_on<O, E>(client: &Client, following: &mut Following, terminal: &mut Terminal<O, E>) -> Result<Seen, Broken>
where
    O: AsyncWrite + Unpin + Send,
    E: AsyncWrite + Unpin + Send,
{
    let from = following.break_off();
    let Some(run) = &following.run else { return Err(Broken::Lost) };
    match client.get(&format!("/runs/{}?format=ndjson&from={from}", encode(run)), NDJSON).await {
        Ok(response) if response.status() == StatusCode::OK && is_ndjson(&response) => {
            following.go_on(response.into_body());
            following.follow(|_| {}, terminal).await
        }
        Ok(_) | Err(_) => Err(Broken::Lost),
    }
}

fn is_ndjson(response: &Response<Incoming>) -> bool {
    let content_type = response.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    content_type.is_some_and(|content_type| content_type.starts_with(NDJSON))
}

/// What a shell would make of it. A run that did not succeed never gives 0.
pub fn exit_status(state: &str, exit_code: Option<i64>, signal: Option<i64>) -> u8 {
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
