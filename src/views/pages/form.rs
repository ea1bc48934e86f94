//! `/jobs/{job}/form`: one job's fields and button, its lines for a script, its history. Which values are right is decided
//! elsewhere; a field says what it is told.

use std::time::Duration;

use askama::Template;
use jiff::Timestamp;

use super::{Frame, Recipes, RunRow, in_duration};

/// One parameter as a field of a form.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Field {
    /// The parameter's name.
    pub name: String,
    /// What people read about it; may be empty.
    pub description: String,
    /// What it is filled in with.
    pub input: Input,
    /// What stands in it. A secret's is never shown, whatever stands here.
    pub value: String,
    /// What is wrong with the value, as a sentence without its end.
    pub problem: Option<String>,
    /// What is allowed, in words; may be empty.
    pub allowed: String,
    /// A browser does not send the form without it.
    pub required: bool,
}

/// What a field is filled in with.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Input {
    /// Text of one line; of several where the value has them already.
    Text,
    /// A whole number.
    Int {
        /// The least.
        min: Option<i64>,
        /// The greatest.
        max: Option<i64>,
    },
    /// `true` or `false`.
    Bool,
    /// One of these.
    Choice(Vec<String>),
    /// Text that is not shown.
    Secret,
}

/// How a job is started.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Ways {
    /// A GET of its address starts it.
    pub get: bool,
    /// A POST to its address starts it.
    pub post: bool,
    /// Its command reads the body of the request; its parameters are in the query then.
    pub takes_input: bool,
}

/// `/jobs/{job}/form`: one job, its button, its curl lines, its history.
#[derive(Clone, Debug)]
pub struct JobPage {
    /// What all pages have in common.
    pub frame: Frame,
    /// Scheme, host and port by which the visitor reached the server, as in `http://127.0.0.1:8080`.
    pub origin: String,
    /// What "3 min ago" is counted from.
    pub now: Timestamp,
    /// The job's name.
    pub name: String,
    /// What it is for; may be empty.
    pub description: String,
    /// The heading that it is listed under.
    pub group: Option<String>,
    /// The command as people read it.
    pub command: String,
    /// How it is started.
    pub ways: Ways,
    /// How long it usually takes, where it has run often enough to tell.
    pub usual: Option<Duration>,
    /// What it can be told.
    pub fields: Vec<Field>,
    /// Why it was not started, where that is not about one field.
    pub problem: Option<String>,
    /// Newest first.
    pub runs: Vec<RunRow>,
}

/// Renders a job's form.
pub fn form(page: &JobPage) -> String {
    #[derive(Template)]
    #[template(path = "form.html")]
    struct Html<'a> {
        page: &'a JobPage,
    }
    Html { page }.render().unwrap_or_default()
}

/// The form that starts a job.
#[derive(Template)]
#[template(path = "start.html")]
pub(super) struct StartForm<'a> {
    pub(super) base: &'a str,
    pub(super) job: &'a str,
    pub(super) ways: Ways,
    pub(super) fields: &'a [Field],
}

impl StartForm<'_> {
    /// By which method a form can start it, if by any: with parameters in the query, where the body is the command's
    /// input.
    fn method(&self) -> Option<&'static str> {
        match self.ways {
            Ways { post: true, takes_input: false, .. } => Some("post"),
            Ways { get: true, .. } => Some("get"),
            Ways { post: true, .. } if self.fields.is_empty() => Some("post"),
            _ => None,
        }
    }
}

/// A field in one job's form: on a page with several forms, its ids are its own.
#[derive(Template)]
#[template(path = "field.html")]
pub(super) struct Shown<'a> {
    job: &'a str,
    field: &'a Field,
}

/// The element that a field is.
#[derive(PartialEq, Eq)]
enum Element<'a> {
    /// `<input>` of one line, with its `type`.
    Line(&'static str),
    /// `<input type="number">` with its bounds.
    Number(String, String),
    /// `<textarea>`.
    Lines,
    /// Radio buttons for `true` and `false`.
    YesNo,
    /// `<select>`.
    Select(&'a [String]),
}

impl Field {
    /// The field in the form of `job`.
    pub(super) fn of<'a>(&'a self, job: &'a str) -> Shown<'a> {
        Shown { job, field: self }
    }

    fn chooses(&self, choice: &str) -> bool {
        self.value == choice
    }

    /// Nothing is chosen yet, so nothing may look as if it were.
    fn chooses_nothing(&self, choices: &[String]) -> bool {
        !choices.contains(&self.value)
    }

    /// Whether a browser may send the form as it stands. HTML wants a `select` that says no to that to begin with an
    /// option that is no answer.
    fn has_to_be_filled(&self) -> bool {
        match &self.input {
            Input::Choice(choices) => self.required && self.chooses_nothing(choices),
            _ => self.required,
        }
    }
}

impl Shown<'_> {
    // job names have no colon and parameters' names have no dash: no two of these are the same
    fn id(&self, what: &str) -> String {
        format!("{what}:{}-{}", self.job, self.field.name)
    }

    fn described_by(&self) -> Option<String> {
        let field = self.field;
        let parts = [
            ("about", !field.description.is_empty()),
            ("allowed", !field.allowed.is_empty()),
            ("problem", field.problem.is_some()),
        ];
        let ids: Vec<_> = parts.iter().filter(|(_, is_there)| *is_there).map(|(what, _)| self.id(what)).collect();
        (!ids.is_empty()).then(|| ids.join(" "))
    }

    fn element(&self) -> Element<'_> {
        let value = &self.field.value;
        let bound = |bound: &Option<i64>| bound.map(|bound| bound.to_string()).unwrap_or_default();
        match &self.field.input {
            Input::Text if value.contains(['\n', '\r']) => Element::Lines,
            Input::Text => Element::Line("text"),
            Input::Int { min, max } if value.is_empty() || value.parse::<i64>().is_ok() => {
                Element::Number(bound(min), bound(max))
            }
            // a browser drops what is no number from a number's field; shown, it can be mended
            Input::Int { .. } => Element::Line("text"),
            Input::Bool => Element::YesNo,
            Input::Choice(choices) => Element::Select(choices),
            Input::Secret => Element::Line("password"),
        }
    }
}

impl JobPage {
    fn start(&self) -> StartForm<'_> {
        StartForm { base: &self.frame.base_path, job: &self.name, ways: self.ways, fields: &self.fields }
    }

    fn usually(&self) -> Option<String> {
        self.usual.map(in_duration)
    }

    fn recipes(&self) -> [(&'static str, String); 4] {
        let server = format!("{}{}", self.origin, self.frame.base_path);
        Recipes { server: &server, job: &self.name, ways: self.ways, fields: &self.fields }.lines()
    }
}
