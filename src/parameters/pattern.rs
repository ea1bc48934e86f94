//! A regular expression that the whole of a value has to match.

use std::fmt;

use regex::Regex;

/// A regular expression, compiled: it takes time linear in the value, whatever it says.
#[derive(Clone)]
pub struct Pattern {
    written: String,
    whole: Regex,
}

/// What is wrong with a regular expression.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{0}")]
pub struct BadPattern(String);

impl Pattern {
    /// Compiles `written`.
    ///
    /// # Errors
    /// Where it is no regular expression, or one too large.
    pub fn new(written: &str) -> Result<Pattern, BadPattern> {
        // checked alone first, so that the group put around it cannot make something else of it
        let bad = |error: regex::Error| BadPattern(error.to_string());
        Regex::new(written).map_err(bad)?;
        let whole = Regex::new(&format!("^(?:{written})$")).map_err(bad)?;
        Ok(Pattern { written: written.to_owned(), whole })
    }

    /// Whether the whole of `value` matches.
    pub fn takes(&self, value: &str) -> bool {
        self.whole.is_match(value)
    }

    /// As it was written.
    pub fn as_str(&self) -> &str {
        &self.written
    }
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        self.written == other.written
    }
}

impl Eq for Pattern {}

impl fmt::Debug for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.written, f)
    }
}
