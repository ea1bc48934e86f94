//! Wrong files: what is said about them, and where.

mod feeds;
mod files;
mod keys;
mod parameters;
mod texts;
mod values;

use super::*;

/// Everything that is said about a file.
fn shown(text: &str) -> String {
    parsed(text).expect_err("a file with mistakes").to_string()
}

/// Each mistake as `line:column problem; remedy`.
fn summary(text: &str) -> Vec<String> {
    let rendered = shown(text);
    let mut found = Vec::new();
    for report in rendered.split("error: ").skip(1) {
        let mut lines = report.lines();
        let problem = lines.next().expect("a whole report");
        let place = lines.next().expect("a whole report").split_once("jobs.toml:").expect("a whole report").1;
        let remedy = report.split_once("= help: ").map_or("", |(_, remedy)| remedy.trim_end());
        found.push(format!("{place} {problem}; {remedy}"));
    }
    found
}

/// What is said about a job with these keys beside its command.
fn summary_of_job(keys: &str) -> Vec<String> {
    summary(&format!("[jobs.x]\ncommand = 'x'\n{keys}"))
}

/// What is said about the feed `x` with these keys.
fn summary_of_feed(keys: &str) -> Vec<String> {
    summary(&format!("[feeds.x]\n{keys}"))
}

fn summary_of_server(keys: &str) -> Vec<String> {
    summary(&format!("[server]\n{keys}"))
}
