//! What may stand in a path and in a query, with its bounds, for the document alone: the handlers read it themselves,
//! strictly, and a test holds the names together.
#![expect(dead_code, reason = "what derives from the fields is all that is wanted of them")]

use utoipa::IntoParams;

use super::{Answered, Listed, Moment, StreamWord, Word};
use crate::record::State;

/// The format.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub(in crate::http) struct FormatWord {
    /// The format of the answer, and of an error; without it the Accept header decides.
    #[param(inline)]
    format: Option<Answered>,
}

/// The format of what is no stream.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub(in crate::http) struct ListWord {
    /// The format of the answer, and of an error; without it the Accept header decides.
    #[param(inline)]
    format: Option<Listed>,
}

/// A job's name in a path.
#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
pub(in crate::http) struct JobName {
    /// The job's name.
    job: String,
}

/// A run's name in a path.
#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
pub(in crate::http) struct RunName {
    /// The run's name, a UUID.
    #[param(format = "uuid")]
    id: String,
}

/// A file's name in a path.
#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
pub(in crate::http) struct AssetName {
    /// The file's name, which holds a digest of its content: pages link to it.
    name: String,
}

/// What the query of `/` may hold beside the format.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub(in crate::http) struct JobsWords {
    /// Only the jobs that have these words in their name, description or group.
    #[param(pattern = r"^[^\u0000]*$")]
    filter: Option<String>,
}

/// What the query of `/runs` may hold beside the format.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub(in crate::http) struct RunsWords {
    /// Only the runs of this job.
    #[param(pattern = r"^[^\u0000]*$")]
    job: Option<String>,
    /// Only the runs in this state.
    #[param(inline)]
    state: Option<State>,
    /// How many at most; more than 1000 count as 1000.
    #[param(minimum = 1, maximum = 18446744073709551615u64, format = "uint64", default = 50)]
    limit: Option<u64>,
    /// Only those that were asked for before this run: the `next` of the page before.
    #[param(format = "uuid")]
    before: Option<String>,
}

/// What the query of a job's URL and of a run's may hold beside the format.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub(in crate::http) struct ViewedWords {
    /// Answer when the run has ended; the status then tells how.
    wait: Option<bool>,
    /// Break the connection off where the run does not succeed.
    abort: Option<bool>,
}

/// What the query of anything with lines may hold beside the format.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub(in crate::http) struct FilterWords {
    /// Every line, however many there are.
    all: Option<bool>,
    /// The time before each line.
    time: Option<bool>,
    /// Only the lines of this stream; of all where it is empty, as a form sends it.
    #[param(inline)]
    stream: Option<StreamWord>,
    /// From this line on.
    #[param(minimum = 1, maximum = 18446744073709551615u64, format = "uint64")]
    from: Option<u64>,
    /// Only the lines that this regular expression finds something in (https://docs.rs/regex/#syntax).
    #[param(format = "regex")]
    q: Option<String>,
    /// Only the lines that this regular expression finds nothing in.
    #[param(format = "regex")]
    x: Option<String>,
    /// Only the records of this level and above it, or of a range, the lower one first, or just of several: `warning`, `30`,
    /// `debug..info`, `warning,error`.
    #[param(inline)]
    level: Option<Word>,
    /// Only the records of this logger and those below it.
    #[param(pattern = r"^[^\u0000]*$")]
    logger: Option<String>,
    /// Only the records, and the lines that are a JSON object or logfmt, that have this field: `run=42`, or `run` with any
    /// value.
    #[param(pattern = r"^([^=\u0000][^\u0000]*)?$")]
    field: Option<String>,
    /// Only what came then or later: a time (RFC 3339), or how long ago, such as `15m`.
    #[param(inline)]
    since: Option<Moment>,
    /// Only what came before: a time (RFC 3339), or how long ago, such as `15m`. It is not before `since`.
    #[param(inline)]
    until: Option<Moment>,
    /// The most lines a second; with 0 none comes, and the answer does not end.
    #[param(minimum = 0, maximum = 1000000)]
    rate: Option<u32>,
    /// As a file to save.
    download: Option<bool>,
}

/// What only the query of a job's URL may hold, beside the job's own parameters.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub(in crate::http) struct JobWords {
    /// Answer at once with 202 and the run's record.
    detach: Option<bool>,
}

/// What the query of a record may hold: with GET, all of it; with POST nothing counts.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub(in crate::http) struct RecordWords {
    /// The record's message, its arguments in `args`; every other word is a field of it, too.
    msg: Option<String>,
}

/// What only the query of a feed's URL may hold.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub(in crate::http) struct FeedWords {
    /// `newest`: a finished page with the newest line on top; in html alone.
    #[param(pattern = "^(newest)?$")]
    order: Option<String>,
    /// Only so many of the last lines; 1000 where neither this nor `from` is given.
    #[param(minimum = 0, maximum = 18446744073709551615u64, format = "uint64")]
    tail: Option<u64>,
    /// Whether to go on with the lines that are still to come.
    #[param(default = true)]
    follow: Option<bool>,
}

/// A feed's name in a path.
#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
pub(in crate::http) struct FeedName {
    /// The feed's name.
    feed: String,
}

/// A file of a feed's folder, in a path.
#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
pub(in crate::http) struct FeedFile {
    /// The feed's name.
    feed: String,
    /// The file's path below the feed's folder; a folder's ends with a slash.
    path: String,
}

/// What only the query of a run's URL may hold.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub(in crate::http) struct RunWords {
    /// Only so many of the last lines.
    #[param(minimum = 0, maximum = 18446744073709551615u64, format = "uint64")]
    tail: Option<u64>,
    /// Whether to go on with the lines that are still to come.
    #[param(default = true)]
    follow: Option<bool>,
}
