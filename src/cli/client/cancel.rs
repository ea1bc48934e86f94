//! `joblines cancel`: ends a run and waits until it has ended. It ends no process itself.

use hyper::StatusCode;

use super::{Asking, Client, FAILED, NDJSON, Refused, RunRecord, Sent, Terminal, Trouble, Unfound, collect, find_run};
use crate::http::query::encode;

/// The arguments of `joblines cancel`.
#[derive(Clone, PartialEq, Eq, Debug, clap::Args)]
pub struct CancelArgs {
    /// The run: its id, the beginning or end of it (4 characters or more), or a job for its newest run
    run: String,
    #[command(flatten)]
    asking: Asking,
}

/// What asking for a run's end came to.
enum Asked {
    /// It has ended by now: its record, as it came.
    Ended(String, Box<RunRecord>),
    /// It had ended before.
    TooLate(Refused),
}

/// Cancels a run, and returns what to exit with: 0 where it was cancelled, 1 where it had ended or ended otherwise, 2
/// where there is no such run.
pub async fn cancel(args: CancelArgs) -> u8 {
    let mut terminal = Terminal::own();
    match ask(&args).await {
        Ok(Asked::Ended(line, record)) => {
            let is_cancelled = record.state == "cancelled";
            if args.asking.json {
                terminal.print(&(line + "\n")).await;
            } else {
                let how = if is_cancelled { "is cancelled" } else { "came to its own end first:" };
                let state = if is_cancelled { "" } else { &record.state };
                terminal.say(format!("run {} of {} {how} {state}", record.run, record.job).trim_end()).await;
            }
            if is_cancelled { 0 } else { FAILED }
        }
        Ok(Asked::TooLate(refused)) => {
            terminal.say(&refused.to_string()).await;
            FAILED
        }
        Err(unfound) => {
            terminal.say(&unfound.to_string()).await;
            unfound.exit_code()
        }
    }
}

async fn ask(args: &CancelArgs) -> Result<Asked, Unfound> {
    let client = Client::new(args.asking.server.clone());
    let run = encode(&find_run(&client, &args.run).await?);
    let response = client.post(&format!("/runs/{run}/cancel"), NDJSON, Sent::Nothing).await.map_err(Trouble::from)?;
    if !response.status().is_success() {
        let refused = Refused::read(response).await;
        return match refused.status {
            StatusCode::CONFLICT => Ok(Asked::TooLate(refused)),
            _ => Err(Trouble::from(refused).into()),
        };
    }
    // its status tells how the run ended, and so does its record
    let path = format!("/runs/{run}?wait&format=json");
    let response = client.get(&path, "application/json").await.map_err(Trouble::from)?;
    let body = collect(response).await?;
    let record = serde_json::from_slice(&body).map_err(Trouble::from)?;
    Ok(Asked::Ended(String::from_utf8_lossy(&body).trim_end().to_owned(), Box::new(record)))
}
