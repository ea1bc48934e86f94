//! What stands before the first row of a feed's table and after the last one: the two blocks of `templates/feed.html`.

use askama::Template;

use crate::record::{End, FeedStart};
use crate::views::{FeedOptions, ICON, STYLE, in_digits};

#[derive(Template)]
#[template(path = "feed.html", block = "start")]
struct StartPage<'a> {
    base: &'a str,
    style: String,
    icon: String,
    banner: Option<&'a str>,
    description: &'a str,
    feed: &'a str,
    title: String,
    address: &'a str,
    /// How many lines there are before the first one shown.
    earlier: Option<String>,
}

#[derive(Template)]
#[template(path = "feed.html", block = "end")]
struct EndPage<'a> {
    address: &'a str,
    sentence: String,
    next: Option<u64>,
}

/// How a page ends.
pub(super) enum Ending<'a> {
    /// It has as many rows as it may have; the next one would be this.
    Full {
        next: u64,
    },
    /// All there was is shown, and more was not asked for.
    Pause,
    Stopped(&'a End),
}

/// Everything up to the first row.
pub(super) fn start(start: &FeedStart, first_line: u64, options: &FeedOptions) -> String {
    let base = options.base_path.as_str();
    let page = StartPage {
        base,
        style: STYLE.url(base),
        icon: ICON.url(base),
        banner: options.banner.as_deref(),
        description: &options.description,
        feed: &start.feed,
        title: start.path.clone().unwrap_or_else(|| start.feed.clone()),
        address: &options.address,
        earlier: (first_line > 1 && !options.filters.are_on()).then(|| in_digits(first_line - 1)),
    };
    page.render().unwrap_or_default()
}

/// Everything behind the last row.
pub(super) fn end(ending: &Ending<'_>, options: &FeedOptions) -> String {
    let (sentence, next) = match ending {
        Ending::Full { next } => ("this page is full".to_owned(), Some(*next)),
        Ending::Pause => ("that is all there is so far".to_owned(), None),
        Ending::Stopped(end) => (format!("the feed has stopped after {} lines", in_digits(end.lines)), None),
    };
    EndPage { address: &options.address, sentence, next }.render().unwrap_or_default()
}
