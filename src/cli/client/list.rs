//! `joblines list`: the jobs of a server, each with its last run. It starts nothing.

use jiff::Timestamp;

use super::{Asking, Cell, Client, Column, JobRecord, Look, Table, Terminal, Trouble, ago};

/// The arguments of `joblines list`.
#[derive(Clone, PartialEq, Eq, Debug, clap::Args)]
pub struct ListArgs {
    #[command(flatten)]
    asking: Asking,
}

/// Prints the jobs, and returns what to exit with.
pub async fn list(args: ListArgs) -> u8 {
    let mut terminal = Terminal::own();
    match jobs(&args.asking).await {
        Ok(text) => terminal.print(&text).await,
        Err(trouble) => {
            terminal.say(&trouble.to_string()).await;
            trouble.exit_code()
        }
    }
}

async fn jobs(asking: &Asking) -> Result<String, Trouble> {
    let client = Client::new(asking.server.clone());
    let jobs = client.read_lines::<JobRecord>("/?format=ndjson").await?;
    if asking.json {
        return Ok(jobs.into_iter().map(|(line, _)| line + "\n").collect());
    }
    let look = Look::of_stdout();
    let jobs: Vec<_> = jobs.into_iter().map(|(_, job)| job).collect();
    Ok(table(&jobs, look, Timestamp::now()).render(look))
}

fn table(jobs: &[JobRecord], look: Look, now: Timestamp) -> Table {
    let mut table = Table::new(&[
        Column::Text("JOB"),
        Column::Text("LAST RUN"),
        Column::Text("STARTED"),
        Column::Long("DESCRIPTION"),
    ]);
    for job in jobs {
        let state = job.last.as_ref().map_or("-", |run| &run.state);
        let started = job.last.as_ref().map_or_else(
            || "-".to_owned(),
            |run| if look.width.is_some() { ago(&run.started, now) } else { run.started.clone() },
        );
        let description = job.description.as_deref().unwrap_or_default();
        table.push(vec![Cell::new(&job.name), Cell::of_state(state), Cell::new(&started), Cell::new(description)]);
    }
    table
}
