//! The filters of a run's page, as its form has them. It never filters.

use super::in_digits;
use crate::record::{Level, Stream};

/// Which lines a page shows, as its query says.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Filters {
    /// The regular expression; empty where there is none, as in the following.
    pub q: String,
    /// The regular expression of what is not shown.
    pub x: String,
    /// The level, or the range of them.
    pub level: String,
    /// The logger.
    pub logger: String,
    /// The field: its name, and perhaps its value.
    pub field: String,
    /// When the first line came, as it was asked for.
    pub since: String,
    /// When the last one did.
    pub until: String,
    /// The stream.
    pub stream: Option<Stream>,
    /// All of them, with times that stay the same, as the query of a URL; empty where every line is shown.
    pub query: String,
    /// Only so many of the last lines that match are shown, though nobody asked for that.
    pub last: Option<u64>,
}

/// What a form lets one choose.
pub(super) struct Choice {
    pub(super) name: String,
    pub(super) is_chosen: bool,
}

impl Filters {
    /// Whether they leave anything out.
    pub fn are_on(&self) -> bool {
        !self.query.is_empty()
    }

    /// What is said of the lines that are left out where `last` is set. How many of those before match is not known.
    pub(super) fn at_most(&self) -> Option<String> {
        let last = in_digits(self.last?);
        Some(format!("Of the lines that match, at most the last {last} are on this page"))
    }

    /// The address `run` with these filters, and with `more` in its query.
    pub(super) fn link(&self, run: &str, more: &str) -> String {
        let query: Vec<&str> = [self.query.as_str(), more].into_iter().filter(|part| !part.is_empty()).collect();
        if query.is_empty() { run.to_owned() } else { format!("{run}?{}", query.join("&")) }
    }

    /// The levels with names, and the one that is asked for, whatever it is.
    pub(super) fn levels(&self) -> Vec<Choice> {
        let chosen = self.level.parse::<Level>().ok();
        let named = Level::NAMED.map(|level| Choice { name: level.to_string(), is_chosen: chosen == Some(level) });
        let mut levels = Vec::from(named);
        if !self.level.is_empty() && !levels.iter().any(|level| level.is_chosen) {
            levels.push(Choice { name: self.level.clone(), is_chosen: true });
        }
        levels
    }

    /// These streams, and the one that is asked for.
    pub(super) fn streams(&self, offered: &[Stream]) -> Vec<Choice> {
        let choice = |stream: Stream| Choice { name: stream.name().to_owned(), is_chosen: self.stream == Some(stream) };
        let other = self.stream.filter(|stream| !offered.contains(stream));
        offered.iter().copied().chain(other).map(choice).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_keeps_the_filters() {
        let none = Filters::default();
        assert_eq!((none.link("/runs/1", ""), none.link("/runs/1", "all")), ("/runs/1".into(), "/runs/1?all".into()));
        let some = Filters { query: "q=a&level=info".to_owned(), ..none };
        assert_eq!(some.link("/runs/1", ""), "/runs/1?q=a&level=info");
        assert_eq!(some.link("/runs/1", "all"), "/runs/1?q=a&level=info&all");
    }

    #[test]
    fn what_was_asked_for_is_chosen() {
        let chosen = |level: &str| {
            let filters = Filters { level: level.to_owned(), ..Filters::default() };
            filters.levels().into_iter().filter(|level| level.is_chosen).map(|level| level.name).collect::<Vec<_>>()
        };
        assert_eq!(chosen(""), [""; 0]);
        assert_eq!(chosen("WARN"), ["warning"]);
        assert_eq!(chosen("33"), ["33"]);
        assert_eq!(chosen("debug..info"), ["debug..info"]);
    }
}
