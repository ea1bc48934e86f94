//! What a job can be told: its parameters as configured, the values that a run was given, and why a value is refused.
//! Values only; nothing here reads a request, runs a command or shows a page.
//!
//! A value reaches its command in the place of `{name}` in an argument ([`fill`] says how that is written), and as the
//! variable `PARAM_NAME`.

mod check;
mod pattern;
mod placeholder;
mod values;

use std::fmt;

pub use check::{Offers, check};
pub use pattern::{BadPattern, Pattern};
pub use placeholder::{fill, is_name, leading_placeholders, placeholders};
pub use values::{MASK, Value, Values};

/// One parameter of a job.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Parameter {
    /// Its name: `[A-Za-z][A-Za-z0-9_]{0,63}`. No two of a job differ only in case.
    pub name: String,
    /// What people read about it.
    pub description: Option<String>,
    /// What it may be.
    pub kind: Kind,
    /// What it is where nothing is said; without one it has to be given.
    pub default: Option<String>,
    /// An argument of the command begins with its value: a dash there would make an option of it.
    pub leads_argument: bool,
}

/// What a parameter may be.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Kind {
    /// Any text.
    Text {
        /// What the whole of it has to match.
        pattern: Option<Pattern>,
    },
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
    Choices(Vec<String>),
    /// One of the lines that this command prints.
    ChoicesFrom(Vec<String>),
    /// A text that is kept nowhere and shown nowhere.
    Secret {
        /// What the whole of it has to match.
        pattern: Option<Pattern>,
    },
}

/// Why a value is refused: which parameter, which value, what is allowed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Wrong {
    /// The parameter.
    pub name: String,
    /// The value as it may be shown; `None` where there is none.
    pub value: Option<String>,
    /// What is wrong with it, as a sentence without its end: "`count` cannot be `12`".
    pub problem: String,
    /// What is allowed: "a whole number from 1 to 9".
    pub allowed: String,
}

impl Wrong {
    /// The parameter `name` cannot be `value`, but what `allowed` says.
    pub fn value(name: &str, value: &str, allowed: impl Into<String>) -> Self {
        let problem = format!("`{name}` cannot be `{value}`");
        Wrong { name: name.to_owned(), value: Some(value.to_owned()), problem, allowed: allowed.into() }
    }

    /// There is no parameter `name`, only the `known` ones.
    pub fn unknown(name: &str, value: &str, known: &[&str]) -> Self {
        let allowed = if known.is_empty() { "no parameter at all".to_owned() } else { known.join(", ") };
        let problem = format!("there is no parameter `{name}` (`{value}`) here");
        Wrong { name: name.to_owned(), value: Some(value.to_owned()), problem, allowed }
    }

    /// The parameter `name` was given more than once, `value` the last time.
    pub fn repeated(name: &str, value: &str) -> Self {
        let problem = format!("`{name}` is given more than once, here as `{value}`");
        Wrong { name: name.to_owned(), value: Some(value.to_owned()), problem, allowed: "one value".to_owned() }
    }

    /// The same without the value, which is a secret.
    pub fn hide(self) -> Self {
        Wrong { value: Some(MASK.to_owned()), problem: format!("`{}` cannot be `{MASK}`", self.name), ..self }
    }
}

impl fmt::Display for Wrong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}; allowed: {}", self.problem, self.allowed)
    }
}

impl std::error::Error for Wrong {}
