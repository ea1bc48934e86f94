//! One row of a feed's table. It escapes whatever a sender may have written.

use bytes::BytesMut;

use crate::record::{Entry, Level, Said, Stream};

/// What one row shows.
pub(super) struct Row<'a> {
    number: u64,
    time: &'a str,
    stream: Stream,
    level: Option<Level>,
    level_name: String,
    logger: String,
    text: String,
    place: String,
    more: Option<String>,
}

impl<'a> Row<'a> {
    /// Of a record.
    pub(super) fn of_entry(number: u64, time: &'a str, entry: &Entry<'_>) -> Row<'a> {
        let level_name = entry.level_name.as_deref().map(str::to_owned);
        let place = match (&entry.file, entry.line) {
            (Some(file), Some(line)) => format!("{file}:{line}"),
            (Some(file), None) => file.to_string(),
            _ => String::new(),
        };
        Row {
            number,
            time,
            stream: Stream::Record,
            level: entry.level,
            level_name: level_name.or_else(|| entry.level.map(|level| level.to_string())).unwrap_or_default(),
            logger: entry.logger.as_deref().unwrap_or_default().to_owned(),
            text: entry.text.to_string(),
            place,
            more: entry.exception.as_deref().map(str::to_owned),
        }
    }

    /// Of a plain line.
    pub(super) fn of_line(number: u64, time: &'a str, stream: Stream, (line, said): (&[u8], Said<'_>)) -> Row<'a> {
        Row {
            number,
            time,
            stream,
            level: said.level,
            level_name: said.level.map(|level| level.to_string()).unwrap_or_default(),
            logger: said.logger.map(|logger| String::from_utf8_lossy(logger).into_owned()).unwrap_or_default(),
            text: String::from_utf8_lossy(line).into_owned(),
            place: String::new(),
            more: None,
        }
    }

    /// Appends it as a row.
    pub(super) fn write(&self, out: &mut BytesMut) {
        let mut html = String::with_capacity(256 + self.text.len());
        let class = self.level.and_then(Level::name).unwrap_or(self.stream.name());
        html.push_str(&format!("<tr id=L{} class=\"{class}\"><td>", self.number));
        for cell in [self.time, &self.level_name, &self.logger, &self.text] {
            escape(cell, &mut html);
            html.push_str("<td>");
        }
        escape(&self.place, &mut html);
        if let Some(more) = &self.more {
            html.push_str("<details><summary>traceback</summary><pre>");
            escape(more, &mut html);
            html.push_str("</pre></details>");
        }
        html.push('\n');
        out.extend_from_slice(html.as_bytes());
    }
}

fn escape(text: &str, out: &mut String) {
    for char in text.chars() {
        match char {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '"' => out.push_str("&quot;"),
            '\n' | '\t' => out.push(char),
            _ if crate::views::is_unsafe(char) => out.push('\u{fffd}'),
            _ => out.push(char),
        }
    }
}
