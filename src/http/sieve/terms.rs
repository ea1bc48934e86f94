//! What a query says of the lines that are to pass: `q`, `x`, `level`, `logger`, `field` and `stream`. It judges one line
//! at a time and keeps nothing of it.

use regex::bytes::{Regex, RegexBuilder};

use super::{FIELDS, Field, LEVELS, Levels, Query, Refusal, Wanted};
use crate::record::{Entry, Level, Said, Stream};
use crate::views::Plain;

/// What the line of a record begins with that names its feed.
const FEED: &[u8] = b"{\"feed\":";

/// What is in the line of a record that names its log file, and in few others.
const LOG_FILE: &[u8] = b"\"record\":{\"file\":";

/// The most bytes that a compiled `q`, and what it keeps while it searches, may take.
const PATTERN: usize = 1 << 20;

/// Which lines pass. See the module [`super`].
#[derive(Clone, Default, Debug)]
pub(in crate::http) struct Terms {
    /// It is in a line that passes.
    text: Option<Regex>,
    /// It is not.
    without: Option<Regex>,
    levels: Option<Levels>,
    logger: Option<String>,
    field: Option<Field>,
    pub(in crate::http) stream: Option<Stream>,
    /// Lines of joblines' own never pass.
    without_system: bool,
}

impl Terms {
    /// What `query` asks for; an empty value, as a form sends it, asks for nothing.
    pub(in crate::http) fn of_query(query: &Query) -> Result<Terms, Refusal> {
        let given = |name: &str| query.value(name).filter(|value| !value.is_empty());
        Ok(Terms {
            text: given("q").map(|pattern| compile("q", pattern)).transpose()?,
            without: given("x").map(|pattern| compile("x", pattern)).transpose()?,
            levels: given("level").map(|_| query.parsed("level", LEVELS)).transpose()?.flatten(),
            logger: given("logger").map(str::to_owned),
            field: given("field").map(|_| query.parsed("field", FIELDS)).transpose()?.flatten(),
            stream: given("stream")
                .map(|_| query.parsed("stream", "stdout, stderr, system, record"))
                .transpose()?
                .flatten(),
            without_system: false,
        })
    }

    /// The same for a view in that format: text shows no lines of joblines' own, so that none may be counted.
    pub(in crate::http) fn seen_in(self, format: Wanted) -> Terms {
        Terms { without_system: format == Wanted::Text, ..self }
    }

    /// Whether they ask for more than a stream.
    pub(in crate::http) fn sift(&self) -> bool {
        self.are_of_text() || self.are_of_records()
    }

    /// Whether they ask for what a record of a logging library has in it, beside level and logger.
    pub(super) fn are_of_entries(&self) -> bool {
        self.are_of_text() || self.field.is_some()
    }

    /// Whether they ask for what is in the text of a line.
    fn are_of_text(&self) -> bool {
        self.text.is_some() || self.without.is_some()
    }

    /// Whether they ask for levels, loggers or fields, which lines of one record have in common.
    pub(super) fn are_of_records(&self) -> bool {
        self.are_of_headings() || self.field.is_some()
    }

    /// Whether they ask for levels or loggers.
    pub(super) fn are_of_headings(&self) -> bool {
        self.levels.is_some() || self.logger.is_some()
    }

    /// Whether lines of this stream may pass.
    pub(super) fn take_stream(&self, stream: Stream) -> bool {
        self.stream.is_none_or(|wanted| wanted == stream) && !(self.without_system && stream == Stream::System)
    }

    /// Whether a plain line that begins a record passes with it.
    pub(super) fn take_head(&self, said: Said<'_>, text: &[u8]) -> bool {
        self.take_record(said) && self.field.as_ref().is_none_or(|field| field.is_in_text(text))
    }

    /// Whether a record with this level and logger passes. What has no level is below all levels.
    pub(super) fn take_record(&self, said: Said<'_>) -> bool {
        let level = said.level.unwrap_or(Level::NOTSET);
        self.levels.as_ref().is_none_or(|levels| levels.contain(level))
            && self.logger.as_ref().is_none_or(|wanted| said.logger.is_some_and(|name| is_below(name, wanted)))
    }

    /// Whether a line of this text passes `q` and `x`.
    pub(super) fn take_text(&self, text: &[u8]) -> bool {
        self.text.as_ref().is_none_or(|pattern| pattern.is_match(text))
            && self.without.as_ref().is_none_or(|pattern| !pattern.is_match(text))
    }

    /// Whether it is worth reading the line of a record: one of a feed that is merged always is, for others may go on with
    /// it.
    pub(super) fn may_take(&self, line: &[u8]) -> bool {
        let is_joined = || line.starts_with(FEED) || memchr::memmem::find(line, LOG_FILE).is_some();
        self.field.as_ref().is_none_or(|field| field.may_be_in(line)) || is_joined()
    }

    /// Whether a line passes that should be a record's and is none.
    pub(super) fn take_unread(&self, line: &[u8]) -> bool {
        self.take_text(line) && self.field.as_ref().is_none_or(|field| field.is_in_text(line))
    }

    /// What a record of a logging library has of `q`, `x` and `field`.
    pub(super) fn look_into(&self, entry: &Entry<'_>, plain: &mut Plain) -> Finding {
        let mut has = |pattern: &Regex| entry.any_text(|text| pattern.is_match(plain.of(text.as_bytes())));
        Finding {
            has: self.text.as_ref().is_none_or(&mut has),
            has_unwanted: self.without.as_ref().is_some_and(has),
            has_field: self.field.as_ref().is_none_or(|field| field.is_of(entry)),
        }
    }
}

/// What a record has of what is looked for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Finding {
    /// `q` is in it, or is not asked for.
    has: bool,
    /// `x` is in it.
    has_unwanted: bool,
    /// It has the field, or none is asked for.
    has_field: bool,
}

impl Finding {
    /// Whether the record passes.
    pub(super) fn passes(self) -> bool {
        self.has && !self.has_unwanted && self.has_field
    }

    /// The same of both, which are parts of one record.
    pub(super) fn and(self, other: Finding) -> Finding {
        Finding {
            has: self.has || other.has,
            has_unwanted: self.has_unwanted || other.has_unwanted,
            has_field: self.has_field || other.has_field,
        }
    }
}

/// A regular expression that takes time linear in the line and no more memory than it is given.
fn compile(word: &str, pattern: &str) -> Result<Regex, Refusal> {
    let compiled = RegexBuilder::new(pattern).size_limit(PATTERN).dfa_size_limit(PATTERN).nest_limit(100).build();
    compiled.map_err(|error| {
        let why = match error {
            regex::Error::CompiledTooBig(_) => "it is too large".to_owned(),
            // the lines before the last show where, in a typewriter's letters
            error => error.to_string().lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned(),
        };
        Refusal::bad_request(format!("`{word}` cannot be `{pattern}`: {why}"))
            .remedy("allowed: a regular expression (https://docs.rs/regex/#syntax)")
    })
}

/// Whether the logger `name` is `wanted` or below it: `app.db.pool` is below `app.db`, `app.dbx` is not.
fn is_below(name: &[u8], wanted: &str) -> bool {
    name.strip_prefix(wanted.as_bytes()).is_some_and(|rest| matches!(rest.first(), None | Some(b'.' | b':' | b'/')))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn terms(query: &str) -> Result<Terms, String> {
        Terms::of_query(&Query::parse(query).unwrap()).map_err(|refusal| refusal.line())
    }

    fn said(level: Option<i32>, logger: Option<&str>) -> Said<'_> {
        Said { level: level.map(Level::new), logger: logger.map(str::as_bytes) }
    }

    #[test]
    fn a_form_that_was_not_filled_in_asks_for_nothing() {
        let terms = terms("q=&x=&level=&logger=&field=&stream=").unwrap();
        assert!(!terms.sift() && terms.take_stream(Stream::System) && terms.take_text(b"x"));
        assert!(terms.take_record(said(None, None)));
    }

    #[test]
    fn what_shows_no_level_counts_as_the_lowest() {
        for (level, takes) in [("warning", false), ("0", true), ("0,30", true), ("debug,info", false), ("..info", true)]
        {
            assert_eq!(terms(&format!("level={level}")).unwrap().take_record(said(None, None)), takes, "{level}");
        }
    }

    #[test]
    fn a_logger_takes_those_below_it() {
        let terms = terms("logger=app.db").unwrap();
        for (name, takes) in [
            (Some("app.db"), true),
            (Some("app.db.pool"), true),
            (Some("app.dbx"), false),
            (Some("app"), false),
            (Some("x.app.db"), false),
            (None, false),
        ] {
            assert_eq!(terms.take_record(said(None, name)), takes, "{name:?}");
        }
    }

    #[test]
    fn what_cannot_be_meant_is_refused_by_name_value_and_reason() {
        for (query, expected) in [
            ("q=a(", "`q` cannot be `a(`: unclosed group; allowed: a regular expression"),
            ("q=%5Cw{999}{999}", "`q` cannot be `\\w{999}{999}`: it is too large"),
            ("x=%5B", "`x` cannot be `[`: unclosed character class; allowed: a regular expression"),
            ("level=loud", "`level` cannot be `loud`; allowed: trace, debug, info"),
            ("level=..", "`level` cannot be `..`"),
            ("level=error..info", "`level` cannot be `error..info`"),
            ("level=warning,", "`level` cannot be `warning,`; allowed: trace, debug, info"),
            (
                "field=%3D42",
                "`field` cannot be `=42`; allowed: the name of a field, or a name and a value, such as run=42",
            ),
            ("stream=stdin", "`stream` cannot be `stdin`; allowed: stdout, stderr, system"),
        ] {
            let refused = terms(query).unwrap_err();
            assert!(refused.starts_with(expected), "{query}: {refused}");
        }
    }
}
