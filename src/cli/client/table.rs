//! Tables for people and for programs: aligned, coloured and cut to the width of a terminal; whole and separated by
//! tabs anywhere else. It prints nothing itself.

use std::io::{self, IsTerminal};

use anstream::{AutoStream, ColorChoice};
use anstyle::{AnsiColor, Style};
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// Between two columns of a terminal.
const GAP: usize = 2;
/// A column that shrinks keeps so much.
const LEAST: usize = 10;
/// Where a terminal does not tell its width.
const USUAL_WIDTH: usize = 80;

/// What there is to print on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Look {
    /// The columns of the terminal; `None` where it is none.
    pub width: Option<usize>,
    /// Whether there are colours: on a terminal that has them, unless NO_COLOR or CLICOLOR_FORCE say otherwise.
    pub colours: bool,
}

impl Look {
    /// That of our standard output.
    pub fn of_stdout() -> Look {
        let stdout = io::stdout();
        let size = || rustix::termios::tcgetwinsize(&stdout).ok().map(|size| usize::from(size.ws_col));
        let width = || size().filter(|width| *width > 0).unwrap_or(USUAL_WIDTH);
        Look { width: stdout.is_terminal().then(width), colours: AutoStream::choice(&stdout) != ColorChoice::Never }
    }
}

/// A column's head, and how it may be treated.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Column {
    /// Text, which is never cut.
    Text(&'static str),
    /// Numbers, which end below each other.
    Number(&'static str),
    /// Text that is cut where the terminal is too narrow.
    Long(&'static str),
}

impl Column {
    fn title(self) -> &'static str {
        match self {
            Column::Text(title) | Column::Number(title) | Column::Long(title) => title,
        }
    }
}

/// One field: without control characters, whoever made its text.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Cell {
    text: String,
    style: Style,
}

impl Cell {
    /// A text.
    pub fn new(text: &str) -> Cell {
        Cell { text: text.replace(char::is_control, "\u{fffd}"), style: Style::new() }
    }

    /// The state of a run, in its colour.
    pub fn of_state(state: &str) -> Cell {
        let colour = match state {
            "succeeded" => Some(AnsiColor::Green),
            "failed" | "timed_out" | "lost" => Some(AnsiColor::Red),
            "running" => Some(AnsiColor::Cyan),
            "queued" | "cancelled" => Some(AnsiColor::Yellow),
            _ => None,
        };
        Cell { style: Style::new().fg_color(colour.map(Into::into)), ..Cell::new(state) }
    }
}

/// Rows of cells below a head.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Table {
    columns: Vec<Column>,
    rows: Vec<Vec<Cell>>,
}

impl Table {
    /// One without rows.
    pub fn new(columns: &[Column]) -> Table {
        Table { columns: columns.to_vec(), rows: Vec::new() }
    }

    /// A row more.
    pub fn push(&mut self, row: Vec<Cell>) {
        self.rows.push(row);
    }

    /// As it is printed. For a program: no head, a tab between two cells, nothing cut.
    pub fn render(&self, look: Look) -> String {
        let Some(width) = look.width else {
            let line = |row: &Vec<Cell>| row.iter().map(|cell| paint(&cell.text, cell, look)).collect::<Vec<_>>();
            return self.rows.iter().map(|row| line(row).join("\t") + "\n").collect();
        };
        let style = Style::new().bold();
        let head = self.columns.iter().map(|column| Cell { style, ..Cell::new(column.title()) }).collect();
        let widths = self.widths(width);
        let rows = [&head].into_iter().chain(&self.rows);
        rows.map(|row| self.line(row, &widths, look)).collect()
    }

    /// How wide each column is on a terminal of `width`.
    fn widths(&self, width: usize) -> Vec<usize> {
        let widest = |(at, column): (usize, &Column)| {
            let cells = self.rows.iter().filter_map(|row| row.get(at)).map(|cell| cell.text.width());
            cells.chain([column.title().width()]).max().unwrap_or(0)
        };
        let mut widths: Vec<_> = self.columns.iter().enumerate().map(widest).collect();
        let needed = widths.iter().sum::<usize>() + GAP * widths.len().saturating_sub(1);
        let mut excess = needed.saturating_sub(width);
        for (column, width) in self.columns.iter().zip(&mut widths) {
            if matches!(column, Column::Long(_)) {
                let cut = excess.min(width.saturating_sub(LEAST));
                *width -= cut;
                excess -= cut;
            }
        }
        widths
    }

    fn line(&self, row: &[Cell], widths: &[usize], look: Look) -> String {
        let mut line = String::new();
        for ((cell, column), &width) in row.iter().zip(&self.columns).zip(widths) {
            let text = cut(&cell.text, width);
            let blanks = " ".repeat(width.saturating_sub(text.width()));
            let painted = paint(&text, cell, look);
            line += &match column {
                Column::Number(_) => blanks + &painted,
                Column::Text(_) | Column::Long(_) => painted + &blanks,
            };
            line += &" ".repeat(GAP);
        }
        line.truncate(line.trim_end_matches(' ').len());
        line + "\n"
    }
}

fn paint(text: &str, cell: &Cell, look: Look) -> String {
    match look.colours && cell.style != Style::new() {
        true => format!("{}{text}{}", cell.style.render(), cell.style.render_reset()),
        false => text.to_owned(),
    }
}

/// As much of `text` as `width` columns take, with an ellipsis where that is not all.
fn cut(text: &str, width: usize) -> String {
    if text.width() <= width {
        return text.to_owned();
    }
    let room = width.saturating_sub(1);
    let mut left = room;
    let fits = |c: &char| {
        let wide = c.width().unwrap_or(0);
        let fits = wide <= left;
        left = left.saturating_sub(wide);
        fits
    };
    let mut kept: String = text.chars().take_while(fits).collect();
    // some characters are wider together than each alone
    while kept.width() > room {
        kept.pop();
    }
    kept + "…"
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn table(rows: &[[&str; 3]]) -> Table {
        let mut table = Table::new(&[Column::Text("JOB"), Column::Number("LINES"), Column::Long("DESCRIPTION")]);
        rows.iter().for_each(|row| table.push(row.iter().map(|text| Cell::new(text)).collect()));
        table
    }

    const PLAIN: Look = Look { width: None, colours: false };

    fn screen(width: usize) -> Look {
        Look { width: Some(width), colours: false }
    }

    #[test]
    fn a_terminal_gets_columns_and_a_program_gets_tabs() {
        let table = table(&[["backup", "1", "Back up the database"], ["日本", "12345678", ""]]);
        let wide = "JOB        LINES  DESCRIPTION\nbackup         1  Back up the database\n日本    12345678\n";
        assert_eq!(table.render(screen(80)), wide);
        let narrow = "JOB        LINES  DESCRIPTION\nbackup         1  Back up th…\n日本    12345678\n";
        assert_eq!(table.render(screen(29)), narrow);
        assert_eq!(table.render(PLAIN), "backup\t1\tBack up the database\n日本\t12345678\t\n");
    }

    #[test]
    fn control_characters_reach_no_terminal_and_separate_nothing() {
        let table = table(&[["a\x1b[2J", "1\t2", "x\ny\u{9b}"]]);
        for look in [PLAIN, screen(80)] {
            let printed = table.render(look);
            let controls = printed.matches(|c: char| c.is_control() && c != '\n').count();
            assert_eq!(controls, if look == PLAIN { 2 } else { 0 }, "{printed:?}");
        }
    }

    #[test]
    fn colours_are_there_only_where_they_are_wanted() {
        let mut table = Table::new(&[Column::Text("STATE")]);
        table.push(vec![Cell::of_state("failed")]);
        assert_eq!(table.render(Look { width: Some(80), colours: false }), "STATE\nfailed\n");
        let coloured = table.render(Look { width: Some(80), colours: true });
        assert_eq!(coloured, "\u{1b}[1mSTATE\u{1b}[0m\n\u{1b}[31mfailed\u{1b}[0m\n");
    }

    proptest! {
        #[test]
        fn no_line_is_wider_than_a_terminal_that_is_wide_enough(text in "\\PC{0,60}", width in 27usize..90) {
            for line in table(&[["job", "1", &text]]).render(screen(width)).lines() {
                prop_assert!(line.width() <= width, "{} > {width}: {line}", line.width());
            }
        }
    }
}
