//! `joblines logs`: the output of a run, as far as it has come or to its end. It starts nothing.

use std::io::ErrorKind;

use hyper::StatusCode;

use super::{Asking, Broken, Client, FAILED, Following, NDJSON, REFUSED, Refused, Seen, Terminal, Trouble, find_run};
use crate::http::query::encode;

/// The arguments of `joblines logs`.
#[derive(Clone, PartialEq, Eq, Debug, clap::Args)]
pub struct LogsArgs {
    /// The run: its id, the beginning or end of it (4 characters or more), or a job for its newest run
    run: String,
    /// Go on until the run has ended
    #[arg(short, long)]
    follow: bool,
    /// Only so many of the last lines
    #[arg(long, value_name = "N")]
    tail: Option<u64>,
    /// Only the lines of this stream
    #[arg(long, value_parser = ["stdout", "stderr", "system"])]
    stream: Option<String>,
    #[command(flatten)]
    asking: Asking,
}

/// Prints the output of a run, and returns what to exit with: 0 where it could be shown, however the run ended.
pub async fn logs(args: LogsArgs) -> u8 {
    let mut terminal = Terminal::own();
    let client = Client::new(args.asking.server.clone());
    let run = match find_run(&client, &args.run).await {
        Ok(run) => run,
        Err(unfound) => {
            terminal.say(&unfound.to_string()).await;
            return unfound.exit_code();
        }
    };
    let response = match client.get(&path(&args, &run), NDJSON).await {
        Ok(response) => response,
        Err(failure) => {
            let trouble = Trouble::from(failure);
            terminal.say(&trouble.to_string()).await;
            return trouble.exit_code();
        }
    };
    if response.status() != StatusCode::OK {
        terminal.say(&Refused::read(response).await.to_string()).await;
        return REFUSED;
    }
    let mut following = Following::new(response.into_body(), &args.run, args.asking.json);
    let seen = following.follow(|_| {}, &mut terminal).await;
    let _ = terminal.erase().await;
    match seen {
        Ok(Seen::Pause) if args.follow => {
            terminal.say(&Broken::Lost.to_string()).await;
            FAILED
        }
        Ok(Seen::End { .. } | Seen::Pause) => 0,
        Err(Broken::Output(error)) if error.kind() == ErrorKind::BrokenPipe => FAILED,
        Err(broken) => {
            terminal.say(&broken.to_string()).await;
            FAILED
        }
    }
}

fn path(args: &LogsArgs, run: &str) -> String {
    let tail = args.tail.map(|tail| format!("&tail={tail}")).unwrap_or_default();
    let stream = args.stream.as_ref().map(|stream| format!("&stream={}", encode(stream))).unwrap_or_default();
    format!("/runs/{}?format=ndjson&follow={}{tail}{stream}", encode(run), u8::from(args.follow))
}
