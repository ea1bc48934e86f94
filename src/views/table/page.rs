//! What stands before the first row of a feed's table and after the last one: the two blocks of `templates/feed.html`.

use askama::Template;

use super::{Bar, Histogram};
use crate::record::{End, FeedStart};
use crate::views::{FEED_SCRIPT, FeedOptions, Filters, ICON, STYLE, in_digits, in_lines};

/// So many lines a link goes back.
const STEP: u64 = 1000;

#[derive(Template)]
#[template(path = "feed.html", block = "start")]
struct StartPage<'a> {
    base: &'a str,
    style: String,
    script: String,
    icon: String,
    options: &'a FeedOptions,
    filters: &'a Filters,
    feed: &'a str,
    path: Option<&'a str>,
    address: &'a str,
    lines: String,
    /// What is before the first line shown, in words, and where a page of some of that begins.
    earlier: Option<(String, Option<String>)>,
    first_line: u64,
    histogram: Option<&'a Histogram>,
    /// The bars that have lines.
    bars: Vec<&'a Bar>,
}

#[derive(Template)]
#[template(path = "feed.html", block = "end")]
struct EndPage {
    class: &'static str,
    sentence: String,
    links: Vec<(String, &'static str)>,
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

/// What a page has, at its end.
pub(super) struct Left {
    /// The number of its oldest line.
    pub(super) first: u64,
    /// How many rows it has, where the newest comes first.
    pub(super) shown: Option<u64>,
}

/// Everything up to the first row.
pub(super) fn start(start: &FeedStart, first_line: u64, options: &FeedOptions) -> String {
    let base = options.base_path.as_str();
    let filters = &options.filters;
    let page = StartPage {
        base,
        style: STYLE.url(base),
        script: FEED_SCRIPT.url(base),
        icon: ICON.url(base),
        options,
        filters,
        feed: &start.feed,
        path: start.path.as_deref(),
        address: &options.address,
        lines: in_lines(options.lines),
        earlier: earlier(first_line, options),
        first_line,
        histogram: options.histogram.as_ref().filter(|histogram| !histogram.bars.is_empty()),
        bars: options.histogram.iter().flat_map(|histogram| &histogram.bars).filter(|bar| bar.total() > 0).collect(),
    };
    page.render().unwrap_or_default()
}

/// What is before the first line shown, and the address of a page of some of that. How many of them match is not known.
fn earlier(first_line: u64, options: &FeedOptions) -> Option<(String, Option<String>)> {
    let filters = &options.filters;
    if filters.are_on() {
        filters.last.filter(|last| options.lines - options.oldest.min(options.lines) >= *last)?;
        return Some((filters.at_most()?, None));
    }
    let words = match first_line.checked_sub(options.oldest).filter(|lines| *lines > 0)? {
        1 => "1 earlier line is not on this page".to_owned(),
        kept => format!("{} earlier lines are not on this page", in_digits(kept)),
    };
    let from = first_line.saturating_sub(STEP).max(options.oldest);
    Some((words, Some(filters.link(&options.address, &format!("from={from}")) + &format!("#L{first_line}"))))
}

/// Everything behind the last row.
pub(super) fn end(ending: &Ending<'_>, left: &Left, options: &FeedOptions) -> String {
    let link = |more: &str| options.link(more);
    let (class, sentence, mut links) = match ending {
        Ending::Full { next } => {
            ("full", "this page is full".to_owned(), vec![(link(&format!("from={next}")), "go on")])
        }
        Ending::Pause => match left.shown {
            Some(0) => ("paused", "no line is there yet".to_owned(), Vec::new()),
            Some(shown) => ("paused", format!("the newest {}", in_lines(shown)), Vec::new()),
            None => ("paused", "that is all there is so far".to_owned(), Vec::new()),
        },
        Ending::Stopped(end) => ("stopped", format!("the feed has stopped after {}", in_lines(end.lines)), Vec::new()),
    };
    if left.shown.is_some() && left.first > options.oldest {
        let from = left.first.saturating_sub(STEP).max(options.oldest);
        let filters = &options.filters;
        links.push((
            filters.link(&options.address, &format!("from={from}")) + &format!("#L{}", left.first),
            "older lines",
        ));
    }
    if !matches!(ending, Ending::Full { .. }) {
        links.push((options.filters.link(&options.address, ""), "follow it"));
    }
    EndPage { class, sentence, links }.render().unwrap_or_default()
}
