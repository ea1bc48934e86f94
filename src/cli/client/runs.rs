//! `joblines runs`: the history of a server, newest first. It starts nothing.

use std::time::Duration;

use jiff::Timestamp;

use super::{Asking, Cell, Client, Column, Look, RunRecord, Table, Terminal, Trouble, ago, took};
use crate::http::query::encode;

/// The most runs that a server lists at once.
const PAGE: usize = 1000;
/// So much of an id tells a run from the others on a terminal: its random end.
const SHORT: usize = 8;

/// The arguments of `joblines runs`.
#[derive(Clone, PartialEq, Eq, Debug, clap::Args)]
pub struct RunsArgs {
    /// Only the runs of this job
    #[arg(long)]
    job: Option<String>,
    /// Only the runs in this state
    #[arg(long, value_parser = ["queued", "running", "succeeded", "failed", "timed_out", "cancelled", "lost"])]
    state: Option<String>,
    /// At most so many
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u64).range(1..))]
    limit: u64,
    #[command(flatten)]
    asking: Asking,
}

/// Prints the runs, and returns what to exit with.
pub async fn runs(args: RunsArgs) -> u8 {
    let mut terminal = Terminal::own();
    match history(&args).await {
        Ok(text) => terminal.print(&text).await,
        Err(trouble) => {
            terminal.say(&trouble.to_string()).await;
            trouble.exit_code()
        }
    }
}

async fn history(args: &RunsArgs) -> Result<String, Trouble> {
    let client = Client::new(args.asking.server.clone());
    let limit = usize::try_from(args.limit).unwrap_or(usize::MAX);
    let mut runs: Vec<(String, RunRecord)> = Vec::new();
    while runs.len() < limit {
        let asked = PAGE.min(limit - runs.len());
        let before = runs.last().map(|(_, run)| run.run.as_str());
        let page = client.read_lines::<RunRecord>(&path(args, asked, before)).await?;
        let is_last = page.len() < asked;
        runs.extend(page);
        if is_last {
            break;
        }
    }
    if args.asking.json {
        return Ok(runs.into_iter().map(|(line, _)| line + "\n").collect());
    }
    let look = Look::of_stdout();
    let runs: Vec<_> = runs.into_iter().map(|(_, run)| run).collect();
    Ok(table(&runs, look, Timestamp::now()).render(look))
}

fn path(args: &RunsArgs, limit: usize, before: Option<&str>) -> String {
    let given = [("job", args.job.as_deref()), ("state", args.state.as_deref()), ("before", before)];
    let given = given.into_iter().filter_map(|(name, value)| Some(format!("&{name}={}", encode(value?))));
    format!("/runs?format=ndjson&limit={limit}{}", given.collect::<String>())
}

fn table(runs: &[RunRecord], look: Look, now: Timestamp) -> Table {
    let mut table = Table::new(&[
        Column::Text("RUN"),
        Column::Text("STATE"),
        Column::Text("EXIT"),
        Column::Text("STARTED"),
        Column::Number("TOOK"),
        Column::Number("LINES"),
        Column::Long("JOB"),
    ]);
    for run in runs {
        let is_screen = look.width.is_some();
        let short = run.run.char_indices().rev().nth(SHORT - 1).map_or(0, |(at, _)| at);
        let id = if is_screen { run.run.get(short..).unwrap_or_default() } else { &run.run };
        let started = if is_screen { ago(&run.started, now) } else { run.started.clone() };
        let took = run.duration_ms.map_or_else(|| "-".to_owned(), |millis| took(Duration::from_millis(millis)));
        table.push(vec![
            Cell::new(id),
            Cell::of_state(&run.state),
            Cell::new(&run.outcome()),
            Cell::new(&started),
            Cell::new(&took),
            Cell::new(&run.lines.to_string()),
            Cell::new(&run.job),
        ]);
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record() -> RunRecord {
        RunRecord {
            run: "019ad0aa-0000-7000-8000-00000badcafe".to_owned(),
            job: "backup".to_owned(),
            state: "failed".to_owned(),
            started: "2026-11-21T11:50:00Z".to_owned(),
            exit_code: Some(3),
            signal_name: None,
            duration_ms: Some(3210),
            lines: 1234,
        }
    }

    #[test]
    fn people_get_short_ids_and_programs_whole_ones() {
        let now = "2026-11-21T12:00:00Z".parse().unwrap();
        let screen = Look { width: Some(80), colours: false };
        let runs = [record(), RunRecord { duration_ms: None, exit_code: None, run: "é".to_owned(), ..record() }];
        assert_eq!(
            table(&runs, screen, now).render(screen),
            "RUN       STATE   EXIT  STARTED      TOOK  LINES  JOB\n\
             0badcafe  failed  3     10 min ago  3.2 s   1234  backup\n\
             é         failed  -     10 min ago      -   1234  backup\n"
        );
        let plain = Look { width: None, colours: false };
        let line = "019ad0aa-0000-7000-8000-00000badcafe\tfailed\t3\t2026-11-21T11:50:00Z\t3.2 s\t1234\tbackup\n";
        assert_eq!(table(&runs[..1], plain, now).render(plain), line);
    }
}
