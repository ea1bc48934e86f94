//! One `[jobs.*]` table as written → [`Job`] as meant. It reads the job's `env_file`s and never looks for its program or folder,
//! which may come to be before the job runs.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use toml::Spanned;
use toml::de::{DeString, DeValue};

use crate::sources::process::{Command, Inherit, Settings};

use super::{
    Invalid, Job, Mistake, OnDisconnect, Overlap, Source, Stdin, Table, Unreadable, Value, absolute,
    check_placeholders, duration, job_name, positive_duration, read_text, read_variables, size, take_command,
    take_parameters, variable_name,
};

/// Every key of the table.
pub(super) const KEYS: [&str; 21] = [
    "description",
    "group",
    "command",
    "env",
    "env_file",
    "inherit_env",
    "cwd",
    "pty",
    "merge_stderr",
    "timeout",
    "idle_timeout",
    "grace",
    "drain",
    "on_disconnect",
    "success_codes",
    "max_output",
    "methods",
    "params",
    "stdin",
    "max_body",
    "overlap",
];

const DEFAULT_GRACE: Duration = Duration::from_secs(10);
const DEFAULT_DRAIN: Duration = Duration::from_secs(2);
const DEFAULT_MAX_OUTPUT: u64 = 1 << 30;
const DEFAULT_MAX_BODY: u64 = 16 << 20;

/// The most characters of a heading.
const LONGEST_GROUP: usize = 64;

/// Reads the job of this name out of the table of jobs; `None` only together with a mistake.
pub(super) fn read(jobs: &mut Table<'_, '_>, name: &Spanned<DeString<'_>>, folder: &Path) -> Option<Job> {
    let named = job_name(name.get_ref()).map_err(|invalid| Mistake::of_invalid(name.span(), invalid));
    jobs.keep(named);
    let mut table = jobs.take_table(name.get_ref(), &header(name.get_ref()))?;
    let description = table.take("description", |value| value.text("What it does"));
    let group = take_group(&mut table);
    let command = take_command(&mut table, name);
    let parameters = take_parameters(&mut table, command.as_ref());
    check_placeholders(&mut table, &parameters);
    // a missing command is a mistake by now; the other keys are read all the same, for theirs
    let process = take_process(&mut table, command.unwrap_or(Command::List(Vec::new())), folder);
    let (stdin, overlap) = (take_stdin(&mut table), take_overlap(&mut table));
    if stdin != Stdin::None {
        check_overlap(&mut table, overlap);
    }
    let on_disconnect = table.take("on_disconnect", |value| {
        value.choice(&[("continue", OnDisconnect::Continue), ("cancel", OnDisconnect::Cancel)])
    });
    let max_output = table.take("max_output", |value| value.parsed("1GiB", Some("B"), size));
    let (get, post) = take_methods(&mut table);
    table.finish(|key, value| dotted_name(name.get_ref(), key, value));
    Some(Job {
        name: name.get_ref().to_string(),
        description,
        group,
        parameters,
        stdin,
        overlap,
        source: Source::Command,
        process: Arc::new(process),
        on_disconnect: on_disconnect.unwrap_or(OnDisconnect::Continue),
        max_output: max_output.unwrap_or(DEFAULT_MAX_OUTPUT),
        get,
        post,
    })
}

fn header(name: &str) -> String {
    if name.contains('.') { format!("[jobs.\"{name}\"]") } else { format!("[jobs.{name}]") }
}

/// `[jobs.app.v2]` is a table in the job `app`, where most likely a job `app.v2` was meant.
fn dotted_name(name: &str, key: &str, value: &DeValue<'_>) -> Option<String> {
    value.as_table().filter(|table| table.contains_key("command"))?;
    Some(format!("a job's name that has a dot is written in quotes: `[jobs.\"{name}.{key}\"]`"))
}

fn take_process(table: &mut Table<'_, '_>, command: Command, folder: &Path) -> Settings {
    let cwd = table.take("cwd", |value| value.parsed("app", None, |path| absolute(folder, path)));
    let mut env = take_env_files(table, folder);
    env.extend(take_env(table));
    let codes = table.take_list("success_codes", 1, "[0]", |item| item.integer(0..=255, "0"));
    Settings {
        command,
        cwd: cwd.unwrap_or_else(|| folder.to_path_buf()),
        env,
        inherit_env: take_inherit(table),
        pty: table.take("pty", Value::boolean).unwrap_or(false),
        merge_stderr: table.take("merge_stderr", Value::boolean).unwrap_or(false),
        timeout: take_duration(table, "timeout", "30m", positive_duration),
        idle_timeout: take_duration(table, "idle_timeout", "5m", positive_duration),
        grace: take_duration(table, "grace", "10s", duration).unwrap_or(DEFAULT_GRACE),
        drain: take_duration(table, "drain", "2s", duration).unwrap_or(DEFAULT_DRAIN),
        success_codes: codes.map_or_else(|| vec![0], |codes| codes.into_iter().map(|code| code as i32).collect()),
    }
}

fn take_duration(
    table: &mut Table<'_, '_>,
    key: &str,
    example: &str,
    parse: fn(&str) -> Result<Duration, Invalid>,
) -> Option<Duration> {
    table.take(key, |value| value.parsed(example, Some("s"), parse))
}

fn take_env(table: &mut Table<'_, '_>) -> Vec<(String, String)> {
    let header = table.header_below("env");
    let Some(mut variables) = table.take_table("env", &header) else { return Vec::new() };
    let mut env = Vec::new();
    for key in variables.keys() {
        let checked = variable_name(key.get_ref()).map_err(|invalid| Mistake::of_invalid(key.span(), invalid));
        variables.keep(checked);
        let value = variables.take(key.get_ref(), |value| value.parsed("value", Some(""), |text| Ok(text.to_owned())));
        env.extend(value.map(|value| (key.get_ref().to_string(), value)));
    }
    env
}

fn take_env_files(table: &mut Table<'_, '_>, folder: &Path) -> Vec<(String, String)> {
    let Some(value) = table.value("env_file") else { return Vec::new() };
    let named = if value.is_list() { value.items(0, "[\"secrets.env\"]") } else { Ok(vec![value]) };
    let mut env = Vec::new();
    for value in table.keep(named).unwrap_or_default() {
        let path = table.keep(value.parsed("secrets.env", None, |path| absolute(folder, path)));
        env.extend(path.into_iter().flat_map(|path| read_env_file(table, &value, &path)));
    }
    env
}

fn read_env_file(table: &mut Table<'_, '_>, value: &Value<'_>, path: &Path) -> Vec<(String, String)> {
    // a pipe or a device would be waited for; what is missing is told by the reading
    if path.metadata().is_ok_and(|found| !found.is_file()) {
        let problem = format!("`{}` is not a file", path.display());
        table.keep(Err::<(), _>(value.mistake(problem, "`env_file` names files of NAME=VALUE lines")));
        return Vec::new();
    }
    let why = match read_text(path) {
        Ok(text) => return read_env_text(table, path, &text),
        Err(Unreadable::Io(error)) => error.to_string(),
        Err(Unreadable::TooLarge) => "it is larger than 16 MiB".to_owned(),
        Err(Unreadable::NotUtf8(_)) => "it is not UTF-8".to_owned(),
    };
    let problem = format!("cannot read `{}`: {why}", path.display());
    table.keep(Err::<(), _>(value.mistake(problem, "a relative path starts at the folder of this file")));
    Vec::new()
}

fn read_env_text(table: &mut Table<'_, '_>, path: &Path, text: &str) -> Vec<(String, String)> {
    let (variables, mistakes) = read_variables(text);
    if !mistakes.is_empty() {
        let source = table.add_source(path, text);
        let mistakes = mistakes.into_iter().map(|(span, invalid)| Mistake::of_invalid(span, invalid).within(source));
        table.keep_all(mistakes.map(Err::<(), _>));
    }
    variables
}

fn take_inherit(table: &mut Table<'_, '_>) -> Inherit {
    let Some(value) = table.value("inherit_env") else { return Inherit::All };
    if value.is_list() {
        let names = table.take_list("inherit_env", 0, "[\"HOME\"]", |item| {
            item.parsed("HOME", None, |name| variable_name(name).map(|()| name.to_owned()))
        });
        return Inherit::Only(names.unwrap_or_default());
    }
    let wrong_type = |_| value.wrong_type("true, false or a list", "[\"HOME\", \"LANG\"]");
    match table.keep(value.boolean().map_err(wrong_type)) {
        Some(false) => Inherit::None,
        Some(true) | None => Inherit::All,
    }
}

/// Whether a GET and whether a POST starts the job.
fn take_methods(table: &mut Table<'_, '_>) -> (bool, bool) {
    let mut seen = Vec::new();
    let methods = table.take_list("methods", 1, "[\"GET\", \"POST\"]", |item| {
        let method = item.choice(&[("GET", "GET"), ("POST", "POST")])?;
        if seen.contains(&method) {
            return Err(item.mistake(format!("`{method}` is listed twice"), "take one of the two out"));
        }
        seen.push(method);
        Ok(())
    });
    methods.map_or((true, true), |_| (seen.contains(&"GET"), seen.contains(&"POST")))
}

fn take_group(table: &mut Table<'_, '_>) -> Option<String> {
    table.take("group", |value| {
        value.parsed("Backups", None, |text| {
            if text.trim().is_empty() || text.chars().count() > LONGEST_GROUP || text.contains(char::is_control) {
                let remedy = format!("a heading is one line of 1 to {LONGEST_GROUP} characters");
                return Err(Invalid::new("this `group` cannot be a heading", remedy));
            }
            Ok(text.trim().to_owned())
        })
    })
}

fn take_stdin(table: &mut Table<'_, '_>) -> Stdin {
    let is_body = table.take("stdin", |value| value.choice(&[("none", false), ("body", true)]));
    let max = table.take("max_body", |value| value.parsed("16MiB", Some("B"), size));
    if is_body == Some(true) {
        return Stdin::Body { max: max.unwrap_or(DEFAULT_MAX_BODY) };
    }
    if let Some(value) = table.value("max_body").filter(|_| is_body.is_some() || table.value("stdin").is_none()) {
        let problem = "`max_body` is the most that a request's body may have, which this job does not read";
        table.keep(Err::<(), _>(value.mistake_about_key(problem, "write `stdin = \"body\"` as well, or take it out")));
    }
    Stdin::None
}

fn take_overlap(table: &mut Table<'_, '_>) -> Overlap {
    let overlap = table.take("overlap", |value| {
        value.choice(&[
            ("allow", Overlap::Allow),
            ("attach", Overlap::Attach),
            ("queue", Overlap::Queue),
            ("refuse", Overlap::Refuse),
            ("replace", Overlap::Replace),
        ])
    });
    overlap.unwrap_or(Overlap::Allow)
}

/// Finds what does not go with an input of the run's own.
fn check_overlap(table: &mut Table<'_, '_>, overlap: Overlap) {
    if overlap == Overlap::Attach {
        let problem = "whoever joins a run cannot give it another input";
        let remedy = "with `stdin = \"body\"` it may be `\"allow\"`, `\"queue\"`, `\"refuse\"`, `\"replace\"`";
        table.take("overlap", |value| Err::<(), _>(value.mistake(problem, remedy)));
    }
}
