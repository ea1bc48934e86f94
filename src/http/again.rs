//! How a run is started again as it was: the address of the filled-in form, and what a button posts. It starts nothing,
//! and it knows no secret: those are asked for anew.

use super::{App, encode_pairs};
use crate::config::{Job, Stdin};
use crate::runs::RunRecord;
use crate::views::Again;

/// The longest query of a link, in bytes; with a longer one the form is not filled in.
const LONGEST: usize = 8 << 10;

/// How a run like `record`'s is started: as its job is defined now.
pub(super) fn run_again(app: &App, record: &RunRecord) -> Again {
    let form = format!("{}/jobs/{}/form", app.base_path, record.job);
    let Some(job) = app.current().job(&record.job) else { return Again { form, ..Again::default() } };
    if !job.can_be_started() {
        return Again { never: true, ..Again::default() };
    }
    let values = values_of(&job, record);
    let query = Some(encode_pairs(values.iter().map(|(name, text)| (name, text))))
        .filter(|query| !query.is_empty() && query.len() <= LONGEST);
    let form = query.map_or(form.clone(), |query| format!("{form}?{query}"));
    let asks_nothing = job.stdin == Stdin::None && !job.parameters.iter().any(|parameter| parameter.is_secret());
    // a browser would make two characters of a carriage return
    let is_exact = values.iter().all(|(_, text)| !text.contains('\r'));
    Again { form, by_post: job.post, values: (asks_nothing && is_exact).then_some(values), never: false }
}

/// What of the run's parameters may be given again: the job may have changed since.
fn values_of(job: &Job, record: &RunRecord) -> Vec<(String, String)> {
    let takes = |name: &str| job.parameters.iter().any(|known| known.name == name && !known.is_secret());
    record.params.iter().filter(|(name, _)| takes(name)).cloned().collect()
}
