//! A journal's records rendered for a client: html, text, ndjson, sse, and the pages that do not stream. Values in,
//! bytes out; nothing here waits, reads or writes.
//!
//! A [`View`] is told the start, then chunks, then the end, and appends what a client shall get to [`Frames`]. The
//! formats have one shape: `html`, `text`, and `json` with its two framings `ndjson` and `sse`. What several of them
//! need (the number that counts up in place, the time, the characters that never go out raw) stands here.

pub mod assets;
mod feed;
mod filters;
mod html;
mod json;
mod messages;
pub mod pages;
mod raw;
mod table;
mod text;
mod words;

use std::time::Duration;
use std::vec;

use bytes::{Bytes, BytesMut};

pub use crate::views::feed::{FeedOptions, Sender};
pub use crate::views::filters::Filters;
pub use crate::views::html::Plain;
pub use crate::views::json::{
    EndRecord, EventId, FeedObject, LineObject, PublishedObject, QueueObject, Reached, RunObject, StoppedObject,
    end_record,
};

pub use crate::views::table::{Bar, Histogram};
pub use crate::views::text::RECORD_FIELDS;

use crate::record::{Chunk, End, FeedStart, Start};
use crate::views::assets::{FEED_SCRIPT, ICON, SCRIPT, STYLE, state_icon, state_icon_pattern};
use crate::views::filters::Choice;
use crate::views::html::{Html, Strand, escape_text};
use crate::views::json::{Ndjson, Published, Sse};
use crate::views::messages::Messages;
use crate::views::raw::{Care, Counted, Pieces, is_unsafe, none, whole_lines};
use crate::views::table::Table;
use crate::views::text::Text;
use crate::views::words::{encode, in_bytes, in_digits, in_duration, in_lines, legible, shortened};

/// The formats a journal can be streamed in.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Format {
    /// A page.
    Html,
    /// The child's bytes.
    Text,
    /// One JSON object a line.
    Ndjson,
    /// Server-sent events (WHATWG HTML §9.2).
    Sse,
}

impl Format {
    /// What the `Content-Type` header says.
    pub fn content_type(self) -> &'static str {
        match self {
            Format::Html => "text/html; charset=utf-8",
            Format::Text => "text/plain; charset=utf-8",
            Format::Ndjson => "application/x-ndjson",
            Format::Sse => "text/event-stream",
        }
    }

    /// What the name of a file in it ends with.
    pub fn ending(self) -> &'static str {
        match self {
            Format::Html => "html",
            Format::Text => "txt",
            Format::Ndjson => "ndjson",
            Format::Sse => "sse",
        }
    }
}

/// What a view has rendered and nobody has sent yet: a few buffers, in order.
#[derive(Default, Debug)]
pub struct Frames {
    done: Vec<Bytes>,
    buffer: BytesMut,
}

impl Frames {
    /// Bytes from here on are worth a buffer of their own rather than a copy.
    const WORTH_SHARING: usize = 4096;

    /// The buffer to append rendered bytes to.
    pub fn buffer(&mut self) -> &mut BytesMut {
        &mut self.buffer
    }

    /// Appends `bytes` as they are, without a copy where they are many.
    pub fn share(&mut self, bytes: &Bytes) {
        if bytes.len() < Self::WORTH_SHARING {
            self.buffer.extend_from_slice(bytes);
            return;
        }
        self.close();
        self.done.push(bytes.clone());
    }

    /// Everything rendered since the last call, in order; empty where nothing was.
    pub fn take(&mut self) -> vec::Drain<'_, Bytes> {
        self.close();
        self.done.drain(..)
    }

    fn close(&mut self) {
        if !self.buffer.is_empty() {
            self.done.push(self.buffer.split().freeze());
        }
    }
}

/// What a page says of a run beside its lines. Only html shows it.
#[derive(Clone, Default, Debug)]
pub struct About {
    /// The job's, empty where it has none.
    pub description: String,
    /// Who asked for the run, and how.
    pub trigger: String,
    /// The values of its parameters, as they may be shown.
    pub params: Vec<(String, String)>,
    /// How such a run is started again.
    pub again: Again,
    /// How long ago the run was asked for.
    pub age: Duration,
    /// The run ends when the page is left.
    pub tied: bool,
    /// What everybody should know before anything else.
    pub banner: Option<String>,
}

/// How a run is started again as it was.
#[derive(Clone, Default, Debug)]
pub struct Again {
    /// The address of the job's form, filled in; the form as it is where this is empty.
    pub form: String,
    /// A button posts; otherwise it visits the job's address.
    pub by_post: bool,
    /// The names and values that a button sends; `None` where something has to be asked first.
    pub values: Option<Vec<(String, String)>>,
    /// Nothing starts it again.
    pub never: bool,
}

/// What a client asked of a view beyond its format.
#[derive(Clone, Default, Debug)]
pub struct Options {
    /// Where joblines is mounted: empty, or a path such as `/joblines`.
    pub base_path: String,
    /// Prefix each line with its time, in text and html.
    pub time: bool,
    /// What is told of the run.
    pub about: About,
    /// Which lines it is given, for the form of a page and its links.
    pub filters: Filters,
    /// The last line that the client had before; 0 where it comes for the first time.
    pub seen: u64,
}

/// The rendering of one journal for one client. It holds a few kilobytes, however long the journal is.
pub struct View(Kind);

enum Kind {
    Html(Box<Html>),
    Table(Box<Table>),
    Messages(Box<Messages>),
    Published(Box<Published>),
    Text(Text),
    Ndjson(Ndjson),
    Sse(Sse),
}

impl View {
    /// A view that nothing has been shown to yet.
    pub fn new(format: Format, options: Options) -> View {
        View(match format {
            Format::Html => Kind::Html(Box::new(Html::new(options))),
            Format::Text => Kind::Text(Text::new(options)),
            Format::Ndjson => Kind::Ndjson(Ndjson::default()),
            Format::Sse => Kind::Sse(Sse::behind(options.seen)),
        })
    }

    /// A view of a feed that nothing has been shown to yet.
    pub fn of_feed(format: Format, options: FeedOptions) -> View {
        View(match format {
            Format::Html => Kind::Table(Box::new(Table::new(options))),
            Format::Text => Kind::Text(Text::of_feed(options)),
            Format::Ndjson => Kind::Ndjson(Ndjson::default()),
            Format::Sse => Kind::Sse(Sse::behind(options.seen)),
        })
    }

    /// A view of a feed as the events that flask-log-viewer sent: each line a message.
    pub fn messages() -> View {
        View(Kind::Messages(Box::default()))
    }

    /// A view of a feed as the events that Elva's server sent: each line a message with an object of python-redis-log's.
    pub fn published() -> View {
        View(Kind::Published(Box::default()))
    }

    /// The beginning. `first_line` is the number of the first line that will be shown; above 1 the earlier ones are
    /// left out, and html links to them.
    pub fn start(&mut self, start: &Start, first_line: u64, out: &mut Frames) {
        match &mut self.0 {
            Kind::Html(html) => html.start(start, first_line, out),
            Kind::Text(_) | Kind::Table(_) | Kind::Messages(_) | Kind::Published(_) => {}
            Kind::Ndjson(ndjson) => ndjson.start(start, out),
            Kind::Sse(sse) => sse.start(start, out),
        }
    }

    /// The beginning of a feed, in the place of [`View::start`].
    pub fn start_feed(&mut self, start: &FeedStart, first_line: u64, out: &mut Frames) {
        match &mut self.0 {
            Kind::Table(table) => table.start_feed(start, first_line, out),
            Kind::Messages(messages) => messages.start_feed(start),
            Kind::Published(published) => published.start_feed(start),
            Kind::Text(_) | Kind::Html(_) => {}
            Kind::Ndjson(ndjson) => ndjson.start_feed(start, out),
            Kind::Sse(sse) => sse.start_feed(start, out),
        }
    }

    /// What one read brought.
    pub fn chunk(&mut self, chunk: &Chunk, out: &mut Frames) {
        match &mut self.0 {
            Kind::Html(html) => html.chunk(chunk, out),
            Kind::Table(table) => table.chunk(chunk, out),
            Kind::Messages(messages) => messages.chunk(chunk, out),
            Kind::Published(published) => published.chunk(chunk, out),
            Kind::Text(text) => text.chunk(chunk, out),
            Kind::Ndjson(ndjson) => ndjson.chunk(chunk, out),
            Kind::Sse(sse) => sse.chunk(chunk, out),
        }
    }

    /// A long live page goes on with a count; call it every few seconds. Only html shows it.
    pub fn left_out(&mut self, lines_so_far: u64, out: &mut Frames) {
        if let Kind::Html(html) = &mut self.0 {
            html.left_out(lines_so_far, out);
        }
    }

    /// After [`View::left_out`]: the last lines follow, from the one with this number. Only html shows it.
    pub fn resume(&mut self, first_line: u64, out: &mut Frames) {
        if let Kind::Html(html) = &mut self.0 {
            html.resume(first_line, out);
        }
    }

    /// A word to whoever watches, which is not part of the output: html shows it until more output comes, sse sends
    /// it as a comment, text and ndjson nothing.
    pub fn notice(&mut self, text: &str, out: &mut Frames) {
        match &mut self.0 {
            Kind::Html(html) => html.notice(text, out),
            Kind::Table(table) => table.notice(text, out),
            Kind::Sse(sse) => sse.notice(text, out),
            Kind::Text(_) | Kind::Ndjson(_) | Kind::Messages(_) | Kind::Published(_) => {}
        }
    }

    /// The run waits for its turn, after `ahead` others of the `waiting`; said again whenever that changes. Html shows it
    /// until the run begins, sse and ndjson send an event, text nothing.
    pub fn queued(&mut self, ahead: usize, waiting: usize, out: &mut Frames) {
        match &mut self.0 {
            Kind::Html(html) => html.queued(ahead, out),
            Kind::Table(_) | Kind::Messages(_) | Kind::Published(_) => {}
            Kind::Ndjson(ndjson) => ndjson.queue(Some((ahead, waiting)), out),
            Kind::Sse(sse) => sse.queue(Some((ahead, waiting)), out),
            Kind::Text(_) => {}
        }
    }

    /// After [`View::queued`]: the run waits no longer.
    pub fn begun(&mut self, out: &mut Frames) {
        match &mut self.0 {
            Kind::Html(html) => html.begun(out),
            Kind::Table(_) | Kind::Messages(_) | Kind::Published(_) => {}
            Kind::Ndjson(ndjson) => ndjson.queue(None, out),
            Kind::Sse(sse) => sse.queue(None, out),
            Kind::Text(_) => {}
        }
    }

    /// Bytes that mean nothing, so that proxies keep a silent stream open; none in text and ndjson.
    pub fn heartbeat(&mut self, out: &mut Frames) {
        match &self.0 {
            Kind::Html(_) | Kind::Table(_) => out.buffer().extend_from_slice(b"<!-- -->"),
            Kind::Sse(_) | Kind::Messages(_) | Kind::Published(_) => out.buffer().extend_from_slice(b": \n\n"),
            Kind::Text(_) | Kind::Ndjson(_) => {}
        }
    }

    /// Stops before the end, where only what there was so far had been asked for: html is closed all the same.
    pub fn pause(&mut self, out: &mut Frames) {
        match &mut self.0 {
            Kind::Html(html) => html.pause(out),
            Kind::Table(table) => table.pause(out),
            Kind::Text(_) | Kind::Ndjson(_) | Kind::Sse(_) | Kind::Messages(_) | Kind::Published(_) => {}
        }
    }

    /// So many lines are there that a pace has not let through yet. Only html shows it.
    pub fn remaining(&mut self, lines: u64, out: &mut Frames) {
        match &mut self.0 {
            Kind::Table(table) => table.remaining(lines, out),
            Kind::Html(html) => html.remaining(lines, out),
            Kind::Text(_) | Kind::Ndjson(_) | Kind::Sse(_) | Kind::Messages(_) | Kind::Published(_) => {}
        }
    }

    /// A feed's page has as many rows as it may have, and would go on at line `next`: it is closed, and leads there.
    pub fn full(&mut self, next: u64, out: &mut Frames) {
        if let Kind::Table(table) = &mut self.0 {
            table.full(next, out);
        }
    }

    /// A feed stops, for its server does or it is configured otherwise. Nothing may follow it.
    pub fn stop(&mut self, end: &End, out: &mut Frames) {
        match &mut self.0 {
            Kind::Table(table) => table.stop(end, out),
            Kind::Text(_) | Kind::Html(_) | Kind::Messages(_) | Kind::Published(_) => {}
            Kind::Ndjson(ndjson) => ndjson.stop(end, out),
            Kind::Sse(sse) => sse.stop(end, out),
        }
    }

    /// The end. Nothing may follow it.
    pub fn end(&mut self, end: &End, out: &mut Frames) {
        match &mut self.0 {
            Kind::Html(html) => html.end(end, out),
            Kind::Text(_) | Kind::Table(_) | Kind::Messages(_) | Kind::Published(_) => {}
            Kind::Ndjson(ndjson) => ndjson.end(end, out),
            Kind::Sse(sse) => sse.end(end, out),
        }
    }
}

#[cfg(test)]
mod tests;
