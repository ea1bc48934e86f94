//! How many lines came when, and how grave they were: a picture of bars, and the same as a table. It counts nothing.

use std::fmt::Write;
use std::time::Duration;

use jiff::Timestamp;

use super::in_digits;

/// How many lines came when.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Histogram {
    /// How long a bar lasts.
    pub width: Duration,
    /// One after the other, those without lines among them.
    pub bars: Vec<Bar>,
    /// There were more lines before than were counted.
    pub is_cut: bool,
}

/// The lines of one span of time.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Bar {
    /// When it begins.
    pub start: Timestamp,
    /// The number of its first line; 0 where it has none.
    pub first_line: u64,
    /// How many lines were errors or worse, warnings, infos or notices, and anything else.
    pub lines: [u64; 4],
}

/// The classes of what a bar tells apart, the worst first.
const CLASSES: [&str; 4] = ["level-error", "level-warning", "level-info", "level-none"];

impl Bar {
    pub(super) fn total(&self) -> u64 {
        self.lines.iter().sum()
    }

    pub(super) fn digits(&self) -> [String; 4] {
        self.lines.map(in_digits)
    }
}

impl Histogram {
    const HEIGHT: u64 = 100;
    const STEP: usize = 10;
    /// There is room for so many bars, however few there are.
    const LEAST: usize = 60;

    /// `minute`, `10 seconds`.
    fn span(&self) -> String {
        let (number, unit) = match self.width.as_secs() {
            seconds @ 0..60 => (seconds, "second"),
            seconds @ 60..3600 => (seconds / 60, "minute"),
            seconds @ 3600..86_400 => (seconds / 3600, "hour"),
            seconds => (seconds / 86_400, "day"),
        };
        if number == 1 { unit.to_owned() } else { format!("{number} {unit}s") }
    }

    /// `12:00`, with seconds where bars are that short, with the day where they are that long.
    pub(super) fn words(&self, bar: &Bar) -> String {
        let format = match self.width.as_secs() {
            0..60 => "%H:%M:%S",
            60..3600 => "%H:%M",
            3600..86_400 => "%-d %b %H:%M",
            _ => "%-d %b",
        };
        bar.start.strftime(format).to_string()
    }

    /// The query of a page of the bar's lines.
    pub(super) fn query(&self, bar: &Bar) -> String {
        let end = bar.start.checked_add(self.width).unwrap_or(bar.start);
        format!("since={}&until={}", bar.start, end)
    }

    /// What the picture shows, in a sentence.
    pub(super) fn sentence(&self) -> String {
        let sum = |part: usize| self.bars.iter().map(|bar| bar.lines[part]).sum::<u64>();
        let all: u64 = self.bars.iter().map(Bar::total).sum();
        let ends = [self.bars.first(), self.bars.last()].map(|bar| bar.map(|bar| self.words(bar)).unwrap_or_default());
        let count =
            |number: u64, what: &str| format!("{} {what}{}", in_digits(number), if number == 1 { "" } else { "s" });
        let last = if self.is_cut { "the last " } else { "" };
        let [from, to] = ends;
        format!(
            "Lines per {}, {from} to {to} UTC: {last}{}, {}, {}",
            self.span(),
            count(all, "line"),
            count(sum(0), "error"),
            count(sum(1), "warning")
        )
    }

    /// The bars as SVG, the worst part of each at its foot.
    pub(super) fn svg(&self) -> String {
        let most = self.bars.iter().map(Bar::total).max().unwrap_or(0).max(1);
        let mut svg = format!(
            "<svg viewBox=\"0 0 {} {}\" preserveAspectRatio=\"none\" role=\"img\" aria-label=\"{}\">",
            self.bars.len().max(Self::LEAST) * Self::STEP,
            Self::HEIGHT,
            self.sentence()
        );
        // a single error among thousands of lines is seen all the same
        const HEIGHTS: [u64; 4] = [7, 4, 2, 2];
        for (at, bar) in self.bars.iter().enumerate() {
            let mut top = Self::HEIGHT;
            for ((lines, class), least) in bar.lines.iter().zip(CLASSES).zip(HEIGHTS) {
                if *lines == 0 {
                    continue;
                }
                let height = (lines * Self::HEIGHT / most).max(least).min(top);
                top -= height;
                let x = at * Self::STEP + 1;
                let _ = write!(svg, "<rect class=\"{class}\" x=\"{x}\" y=\"{top}\" width=\"8\" height=\"{height}\"/>");
            }
        }
        svg + "</svg>"
    }
}
