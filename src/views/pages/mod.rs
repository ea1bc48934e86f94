//! The pages that do not stream: the jobs, one job's form, the history, an error. Plain values in, HTML out; nothing
//! here looks a value up, and the time is one of the values.

mod files;
mod form;
mod index;
mod recipes;
mod runs;

use askama::Template;

pub use files::{FileRow, FilesPage, files};
pub use form::{Field, Input, JobPage, Ways, form};
pub use index::{FeedRow, Group, Index, JobForm, JobRow, index};
pub use runs::{Newer, RunRow, RunsPage, runs};

// what the siblings need of each other
use form::StartForm;
use recipes::Recipes;
use runs::ago;

use crate::views::{ICON, SCRIPT, STYLE, encode, in_bytes, in_digits, in_duration, in_lines, legible, shortened};

/// What all pages have in common.
#[derive(Clone, Default, Debug)]
pub struct Frame {
    /// Where joblines is mounted: empty, or a path such as `/joblines`.
    pub base_path: String,
    /// What everybody should know before anything else, such as that `jobs.toml` has mistakes and the old one is in use.
    pub banner: Option<String>,
}

impl Frame {
    fn style(&self) -> String {
        STYLE.url(&self.base_path)
    }

    fn script(&self) -> String {
        SCRIPT.url(&self.base_path)
    }

    fn icon(&self) -> String {
        ICON.url(&self.base_path)
    }
}

/// An error as a page.
#[derive(Clone, Debug)]
pub struct ErrorPage {
    /// What all pages have in common.
    pub frame: Frame,
    /// The status code.
    pub status: u16,
    /// The status in words.
    pub title: String,
    /// What was wrong, with which value.
    pub wrong: String,
    /// What is allowed; may be empty.
    pub allowed: String,
    /// The address of the run that is in the way, where one is.
    pub run: Option<String>,
}

/// Renders an error.
pub fn error(page: &ErrorPage) -> String {
    #[derive(Template)]
    #[template(path = "error.html")]
    struct Html<'a> {
        page: &'a ErrorPage,
        wrong: String,
        allowed: String,
    }
    let (wrong, allowed) = (legible(&page.wrong), legible(&page.allowed));
    Html { page, wrong, allowed }.render().unwrap_or_default()
}

#[cfg(test)]
mod tests;
