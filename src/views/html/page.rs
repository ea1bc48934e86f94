//! What stands before the first row and after the last one: the two blocks of `templates/run.html`. No line of output
//! ever goes through them.

use askama::Template;

use crate::record::{End, Outcome, RunId, Start, State, Stream};
use crate::views::{
    Again, Filters, ICON, Options, SCRIPT, STYLE, in_bytes, in_digits, in_duration, in_lines, state_icon,
    state_icon_pattern,
};

#[derive(Template)]
#[template(path = "run.html", block = "start")]
struct StartPage<'a> {
    base: &'a str,
    title: String,
    style: String,
    script: String,
    icon: String,
    icon_pattern: String,
    tied: bool,
    banner: Option<&'a str>,
    description: &'a str,
    job: &'a str,
    run: RunId,
    state: State,
    words: String,
    first_line: u64,
    started: String,
    started_words: String,
    /// In seconds, with thousandths.
    age: String,
    trigger: &'a str,
    params: Vec<(&'a str, String)>,
    filters: &'a Filters,
    /// The last line that is left out before the first one shown.
    left_out: Option<LeftOut>,
}

struct LeftOut {
    count: String,
    /// Where the page before this one begins.
    earlier: u64,
    first: u64,
}

#[derive(Template)]
#[template(path = "run.html", block = "end")]
struct EndPage<'a> {
    state: &'static str,
    exit_code: String,
    sentence: String,
    not_kept: Option<u64>,
    facts: Vec<String>,
    run: &'a str,
    job: &'a str,
    again: &'a Again,
}

/// Everything up to and with `<pre id="lines">`.
pub(super) fn start(start: &Start, first_line: u64, options: &Options) -> String {
    /// So many lines a link goes back.
    const STEP: u64 = 5000;
    let filters = &options.filters;
    // how many of them match is not known
    let left_out = (first_line > 1 && !filters.are_on()).then(|| LeftOut {
        count: in_digits(first_line - 1),
        earlier: first_line.saturating_sub(STEP).max(1),
        first: first_line,
    });
    let (base, about) = (options.base_path.as_str(), &options.about);
    let ended = Some(start.state).filter(|state| state.is_final());
    let page = StartPage {
        base,
        title: ended.map_or_else(String::new, |state| format!("{} {} ", sign(state), in_words(state))),
        filters,
        style: STYLE.url(base),
        script: SCRIPT.url(base),
        icon: ended.map_or(&*ICON, state_icon).url(base),
        icon_pattern: state_icon_pattern(base),
        tied: about.tied,
        banner: about.banner.as_deref(),
        description: &about.description,
        job: &start.job,
        run: start.run,
        state: start.state,
        words: in_words(start.state),
        first_line,
        started: start.started.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
        started_words: start.started.strftime("%Y-%m-%d %H:%M:%S UTC").to_string(),
        age: format!("{:.3}", about.age.as_secs_f64()),
        trigger: &about.trigger,
        params: about.params.iter().map(|(name, value)| (name.as_str(), shorten(value))).collect(),
        left_out,
    };
    page.render().unwrap_or_default()
}

/// A value as a fact: its beginning, where it is long.
fn shorten(value: &str) -> String {
    const LONGEST: usize = 120;
    match value.char_indices().nth(LONGEST) {
        Some((at, _)) => format!("{}…", &value[..at]),
        None => value.to_owned(),
    }
}

/// The sign of a state, as the style sheet draws it.
fn sign(state: State) -> char {
    match state {
        State::Queued => '…',
        State::Running => '●',
        State::Succeeded => '✓',
        State::Failed => '✗',
        State::TimedOut => '◷',
        State::Cancelled => '⊘',
        State::Lost => '?',
    }
}

/// A state as people read it.
fn in_words(state: State) -> String {
    state.name().replace('_', " ")
}

/// Everything from `</pre>` on. `run` and `job` are their addresses; `shown`: so many of the lines are on the page, and the
/// others were not asked for.
pub(super) fn end(end: &End, shown: Option<u64>, [run, job]: [&str; 2], again: &Again) -> String {
    let not_kept = Some(end.bytes_not_kept).filter(|bytes| *bytes > 0);
    let page = EndPage {
        state: end.state.name(),
        exit_code: end.outcome.exit_code().map(|code| code.to_string()).unwrap_or_default(),
        sentence: sentence(end),
        not_kept,
        facts: facts(end, shown),
        run,
        job,
        again,
    };
    page.render().unwrap_or_default()
}

/// Everything from `</pre>` on, where the run goes on but the page does not.
pub(super) fn pause(run: &str) -> String {
    #[derive(Template)]
    #[template(path = "run.html", block = "pause")]
    struct PausePage<'a> {
        run: &'a str,
    }
    PausePage { run }.render().unwrap_or_default()
}

/// How it ended, in words.
fn sentence(end: &End) -> String {
    let after = in_duration(end.duration);
    match (end.state, end.outcome) {
        (State::TimedOut, _) => format!("finished: timed out after {after}"),
        (State::Cancelled, _) => format!("finished: cancelled after {after}"),
        (State::Lost, _) => "finished: lost, the server died while it ran".to_owned(),
        (_, Outcome::Exited(code)) => format!("finished: exit code {code} after {after}"),
        (_, Outcome::Signalled(signal)) => match end.outcome.signal_name() {
            Some(name) => format!("finished: ended by {name} ({signal}) after {after}"),
            None => format!("finished: ended by signal {signal} after {after}"),
        },
        (_, Outcome::Unknown) => "finished: could not be started".to_owned(),
    }
}

/// What it cost and brought.
fn facts(end: &End, shown: Option<u64>) -> Vec<String> {
    let lines = match shown {
        Some(shown) => format!("{} of {} shown", in_digits(shown), in_lines(end.lines)),
        None => in_lines(end.lines),
    };
    let mut facts = vec![lines, in_bytes(end.bytes)];
    match (end.state, end.outcome) {
        (State::TimedOut | State::Cancelled, Outcome::Exited(code)) => facts.push(format!("exit code {code}")),
        (State::TimedOut | State::Cancelled, Outcome::Signalled(signal)) => {
            facts.push(format!(
                "ended by {}",
                end.outcome.signal_name().map_or(format!("signal {signal}"), str::to_owned)
            ));
        }
        _ => {}
    }
    if let Some(usage) = end.usage {
        facts.push(format!("CPU {} user, {} system", in_duration(usage.cpu_user), in_duration(usage.cpu_system)));
        facts.extend(usage.max_rss.map(|bytes| format!("{} peak memory", in_bytes(bytes))));
    }
    facts
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use jiff::Timestamp;

    use super::*;

    fn ended(state: State, outcome: Outcome) -> String {
        sentence(&End {
            state,
            outcome,
            ended: Timestamp::UNIX_EPOCH,
            duration: Duration::from_millis(3200),
            usage: None,
            lines: 0,
            bytes: 0,
            bytes_not_kept: 0,
        })
    }

    #[test]
    fn every_end_has_its_sentence() {
        assert_eq!(ended(State::Succeeded, Outcome::Exited(0)), "finished: exit code 0 after 3.2 s");
        assert_eq!(ended(State::Failed, Outcome::Exited(3)), "finished: exit code 3 after 3.2 s");
        assert_eq!(ended(State::Failed, Outcome::Signalled(9)), "finished: ended by SIGKILL (9) after 3.2 s");
        assert_eq!(ended(State::Failed, Outcome::Signalled(40)), "finished: ended by signal 40 after 3.2 s");
        assert_eq!(ended(State::Failed, Outcome::Unknown), "finished: could not be started");
        assert_eq!(ended(State::TimedOut, Outcome::Signalled(15)), "finished: timed out after 3.2 s");
        assert_eq!(ended(State::Cancelled, Outcome::Exited(143)), "finished: cancelled after 3.2 s");
        assert_eq!(ended(State::Lost, Outcome::Unknown), "finished: lost, the server died while it ran");
    }
}
