//! Which run a person means: by its id, by its job, or by a part of its id. It starts and changes nothing.

use hyper::StatusCode;
use serde::Deserialize;
use thiserror::Error;

use super::{Client, REFUSED, RunRecord, Trouble};
use crate::http::query::encode;
use crate::record::RunId;

/// A part of an id has so many characters at least.
const LEAST: usize = 4;
/// Among so many of the latest runs a part of an id is looked for: as many as a server lists at once.
const LATEST: usize = 1000;
/// So many of the runs that may be meant are named.
const NAMED: usize = 3;

/// Why no run is meant.
#[derive(Debug, Error)]
pub enum Unfound {
    /// The server did not say.
    #[error("{0}")]
    Trouble(#[from] Trouble),
    /// Nothing is called that.
    #[error(
        "`{0}` is no run: give an id, a job that has run, or at least {LEAST} characters from the beginning or end of \
         the id of one of the latest {LATEST} runs"
    )]
    Nothing(String),
    /// Several are.
    #[error("`{part}` is a part of the ids of {count} runs: {named}; give more of it")]
    Several {
        /// What was given.
        part: String,
        /// How many.
        count: usize,
        /// Some of them.
        named: String,
    },
}

impl Unfound {
    /// What to exit with.
    pub fn exit_code(&self) -> u8 {
        match self {
            Unfound::Trouble(trouble) => trouble.exit_code(),
            Unfound::Nothing(_) | Unfound::Several { .. } => REFUSED,
        }
    }
}

/// The id of the run that `text` means. In this order it is: a whole id; the name of a job, for its newest run; at least
/// four characters with which the id of exactly one of the latest 1000 runs begins or ends.
pub async fn find_run(client: &Client, text: &str) -> Result<String, Unfound> {
    if let Ok(id) = text.parse::<RunId>() {
        return Ok(id.to_string());
    }
    match newest_of(client, text).await {
        Ok(run) => return Ok(run),
        Err(Trouble::Refused(refused)) if refused.status == StatusCode::NOT_FOUND => {}
        Err(trouble) => return Err(trouble.into()),
    }
    if text.len() < LEAST || !text.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-') {
        return Err(Unfound::Nothing(text.to_owned()));
    }
    let runs = client.read_lines::<RunRecord>(&format!("/runs?limit={LATEST}")).await?;
    choose(text, runs.into_iter().map(|(_, record)| record.run).collect())
}

async fn newest_of(client: &Client, job: &str) -> Result<String, Trouble> {
    #[derive(Deserialize)]
    struct Newest {
        run: String,
    }
    let body = client.read(&format!("/jobs/{}/last?format=json", encode(job)), "application/json").await?;
    Ok(serde_json::from_slice::<Newest>(&body)?.run)
}

/// The one of `runs` whose id begins or ends with `part`.
fn choose(part: &str, mut runs: Vec<String>) -> Result<String, Unfound> {
    let wanted = part.to_ascii_lowercase();
    runs.retain(|run| run.starts_with(&wanted) || run.ends_with(&wanted));
    match runs.as_slice() {
        [run] => Ok(run.clone()),
        [] => Err(Unfound::Nothing(part.to_owned())),
        several => {
            let named = several.iter().take(NAMED).map(String::as_str).collect::<Vec<_>>().join(", ");
            let rest = if several.len() > NAMED { ", …" } else { "" };
            Err(Unfound::Several { part: part.to_owned(), count: several.len(), named: named + rest })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(part: &str) -> Result<String, String> {
        let runs = ["019ad0aa-0000-7000-8000-00000000cafe", "019ad0bb-0000-7000-8000-00000000beef"];
        choose(part, runs.map(str::to_owned).to_vec()).map_err(|unfound| unfound.to_string())
    }

    #[test]
    fn a_beginning_or_an_end_is_enough_where_it_is_one_runs() {
        for part in ["019ad0aa", "019AD0AA", "cafe", "-00000000cafe"] {
            assert!(chosen(part).is_ok_and(|run| run.ends_with("cafe")), "{part}");
        }
        assert!(chosen("0aa-").unwrap_err().contains("`0aa-` is no run"), "the middle is none");
        assert!(chosen("019ad0").unwrap_err().contains("a part of the ids of 2 runs: 019ad0aa-"));
    }
}
