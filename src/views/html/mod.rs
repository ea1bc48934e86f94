//! The html view: a page that is valid at every moment while it grows, one row a line. It never takes bytes back and
//! never needs a script.
//!
//! # Rows
//!
//! `<span class=part><span class=block><span id=L1>text⏎</span><span id=L2><span class="stderr">text</span>⏎</span></span></span>`
//!
//! The text content of `<pre id="lines">` is what the bytes decode to; numbers, marks, counts and notices are drawn by
//! the style sheet from attributes of elements without text. A block holds [`Blocks::ROWS`] rows and a part
//! [`Blocks::IN_PART`] blocks, and the browser may skip either while it is out of sight: without blocks a short scroll
//! costs all rows, without parts a page of a million rows costs as much as its 5,000 blocks.
//!
//! # Rows that are not finished
//!
//! A piece of a line leaves its row open, so that a prompt shows at once, and puts its text in `<span class=was>`. A
//! piece that goes on with the text is appended there. One that rewrites the row (a progress bar's carriage return)
//! ends that element, and after a `<wbr>` begins another with the whole row as it is now. The style sheet hides a state
//! that a `<wbr>` follows, so the browser replaces it in the moment the next one begins, without a script. A notice
//! goes in the same way when output follows it. (Chromium lets neither `:last-child` match nor `:has()` see an element
//! before its end tag has come; a `<wbr>` has none.)
//!
//! When another stream's line comes between, the row is closed where it is, and what follows gets a row without a
//! number, `<span class=cont>`. A whole line that rewrites itself is written once, as it ends.

mod ansi;
mod cells;
mod escape;
mod page;
mod pen;
mod strand;

use std::mem;

use bytes::BytesMut;

use crate::record::stamp;
use crate::record::{Chunk, End, Start, Stream};
use crate::views::{Counted, Frames, Options, in_digits, whole_lines};

pub use self::ansi::Plain;

// what the table needs of it
pub(super) use self::escape::text as escape_text;
pub(super) use self::strand::Strand;

use self::ansi::{Parser, Token};
use self::cells::Cells;
use self::escape::{attribute, escape_bytes, escape_char, incomplete_tail, is_plain, visible_char};
use self::pen::Pen;

/// See the module.
pub(super) struct Html {
    options: Options,
    /// The address of the run.
    run: String,
    /// The address that starts runs of its job.
    job: String,
    blocks: Blocks,
    /// The stream whose row is open.
    open: Option<Stream>,
    strands: Strands,
    /// The number of the line after the last one shown.
    next: u64,
    /// How many lines are on the page.
    shown: u64,
    /// The last thing on the page is a notice.
    noticed: bool,
}

/// What is carried over in each stream.
#[derive(Default)]
struct Strands {
    stdout: Strand,
    stderr: Strand,
    system: Strand,
    record: Strand,
}

impl Strands {
    fn of(&mut self, stream: Stream) -> &mut Strand {
        match stream {
            Stream::Stdout => &mut self.stdout,
            Stream::Stderr => &mut self.stderr,
            Stream::System => &mut self.system,
            Stream::Record => &mut self.record,
        }
    }
}

/// The block that rows are put in, and the part that blocks are.
#[derive(Default)]
struct Blocks {
    /// In the open block; none is open where there are none.
    rows: u32,
    /// In the open part.
    blocks: u32,
}

impl Blocks {
    /// So many rows a browser lays out, or skips, together.
    const ROWS: u32 = 200;
    /// So many blocks likewise.
    const IN_PART: u32 = 25;

    /// Before each row.
    #[inline]
    fn enter(&mut self, out: &mut BytesMut) {
        if self.rows == Self::ROWS {
            self.leave_block(out);
        }
        if self.rows == 0 {
            self.enter_block(out);
        }
        self.rows += 1;
    }

    fn enter_block(&mut self, out: &mut BytesMut) {
        if self.blocks == Self::IN_PART {
            self.leave(out);
        }
        if self.blocks == 0 {
            out.extend_from_slice(b"<span class=part>");
        }
        self.blocks += 1;
        out.extend_from_slice(b"<span class=block>");
    }

    fn leave_block(&mut self, out: &mut BytesMut) {
        if self.rows > 0 {
            out.extend_from_slice(b"</span>");
        }
        self.rows = 0;
    }

    /// Closes what is open.
    fn leave(&mut self, out: &mut BytesMut) {
        self.leave_block(out);
        if self.blocks > 0 {
            out.extend_from_slice(b"</span>");
        }
        self.blocks = 0;
    }
}

/// The tags around the text of a row, inside it.
fn inner(stream: Stream) -> (&'static [u8], &'static [u8]) {
    match stream {
        Stream::Stdout | Stream::Record => (b"", b""),
        Stream::Stderr => (b"<span class=\"stderr\">", b"</span>"),
        Stream::System => (b"<span class=\"system\">", b"</span>"),
    }
}

impl Html {
    pub(super) fn new(options: Options) -> Html {
        Html {
            options,
            run: String::new(),
            job: String::new(),
            blocks: Blocks::default(),
            open: None,
            strands: Strands::default(),
            next: 1,
            shown: 0,
            noticed: false,
        }
    }

    pub(super) fn start(&mut self, start: &Start, first_line: u64, out: &mut Frames) {
        self.run = format!("{}/runs/{}", self.options.base_path, start.run);
        self.job = format!("{}/jobs/{}", self.options.base_path, start.job);
        if self.options.about.again.form.is_empty() {
            self.options.about.again.form = format!("{}/form", self.job);
        }
        self.next = first_line;
        out.buffer().extend_from_slice(page::start(start, first_line, &self.options).as_bytes());
    }

    pub(super) fn chunk(&mut self, chunk: &Chunk, out: &mut Frames) {
        self.hide_notice(out.buffer());
        let time = self.options.time.then(|| format!("<span class=time>{} </span>", stamp(chunk.time)));
        let time = time.unwrap_or_default();
        match chunk.open || chunk.continues {
            true => self.piece(chunk, time.as_bytes(), out.buffer()),
            false => self.whole(chunk, time.as_bytes(), out.buffer()),
        }
    }

    /// The hot path: where nothing needs care, a line is three copies.
    fn whole(&mut self, chunk: &Chunk, time: &[u8], out: &mut BytesMut) {
        self.close_row(b"", out);
        let (open, close) = inner(chunk.stream);
        let close = [close, b"\n</span>"].concat();
        let mut head = Counted::new(b"<span id=L", chunk.line, &[b">", time, open]);
        let strand = self.strands.of(chunk.stream);
        strand.begin(None);
        let plain = strand.is_default() && is_plain(&chunk.bytes);
        let count = memchr::memchr_iter(b'\n', &chunk.bytes).count();
        out.reserve(chunk.bytes.len() + (count + 1) * (head.bytes().len() + close.len() + 2) + 64);
        for line in whole_lines(&chunk.bytes) {
            self.blocks.enter(out);
            out.extend_from_slice(head.bytes());
            head.advance();
            match plain {
                true => out.extend_from_slice(line),
                false => strand.line(line, out),
            }
            out.extend_from_slice(&close);
        }
        self.next = chunk.line + count as u64;
        self.shown += count as u64;
    }

    fn piece(&mut self, chunk: &Chunk, time: &[u8], out: &mut BytesMut) {
        let within = chunk.continues && self.strands.of(chunk.stream).is_within(chunk.line);
        let fresh = !(within && self.open == Some(chunk.stream));
        if fresh {
            self.close_row(b"", out);
            self.blocks.enter(out);
            if within {
                out.extend_from_slice(b"<span class=cont>");
            } else {
                out.extend_from_slice(format!("<span id=L{}>", chunk.line).as_bytes());
                out.extend_from_slice(time);
                self.strands.of(chunk.stream).begin(Some(chunk.line));
                self.shown += 1;
            }
            out.extend_from_slice(inner(chunk.stream).0);
            out.extend_from_slice(Strand::STATE);
            self.open = Some(chunk.stream);
        }
        let text = match chunk.open {
            true => &chunk.bytes[..],
            false => chunk.bytes.strip_suffix(b"\n").unwrap_or(&chunk.bytes),
        };
        let strand = self.strands.of(chunk.stream);
        strand.piece(text, fresh, chunk.open, out);
        if !chunk.open {
            strand.begin(None);
            self.close_row(b"\n", out);
            self.next = chunk.line + 1;
        }
    }

    /// Closes the open row, if there is one, with `newline` before its end.
    fn close_row(&mut self, newline: &[u8], out: &mut BytesMut) {
        if let Some(stream) = self.open.take() {
            out.extend_from_slice(b"</span>");
            out.extend_from_slice(inner(stream).1);
            out.extend_from_slice(newline);
            out.extend_from_slice(b"</span>");
        }
    }

    pub(super) fn left_out(&mut self, lines_so_far: u64, out: &mut Frames) {
        let out = out.buffer();
        self.hide_notice(out);
        self.close_row(b"", out);
        self.blocks.leave(out);
        let words = in_digits(lines_so_far);
        let count = format!("<span class=count data-lines={lines_so_far} data-text=\"{words} lines so far\"></span>");
        out.extend_from_slice(count.as_bytes());
    }

    pub(super) fn resume(&mut self, first_line: u64, out: &mut Frames) {
        let out = out.buffer();
        self.hide_notice(out);
        self.close_row(b"", out);
        self.blocks.leave(out);
        self.strands = Strands::default();
        if first_line > self.next {
            let (from, to) = (self.next, first_line - 1);
            let text = format!("lines {} to {} are not on this page", in_digits(from), in_digits(to));
            let link = format!(
                "<a class=gap href=\"{}#L{from}\" aria-label=\"{text}: show all\" data-text=\"{text}\"></a>",
                attribute(&self.options.filters.link(&self.run, "all"))
            );
            out.extend_from_slice(link.as_bytes());
        }
        self.next = first_line;
    }

    pub(super) fn notice(&mut self, text: &str, out: &mut Frames) {
        let notice = format!("<span class=notice data-text=\"{}\"></span>", attribute(text));
        out.buffer().extend_from_slice(notice.as_bytes());
        self.noticed = true;
    }

    pub(super) fn remaining(&mut self, lines: u64, out: &mut Frames) {
        self.hide_notice(out.buffer());
        self.notice(&format!("{} remaining", in_digits(lines)), out);
    }

    pub(super) fn queued(&mut self, ahead: usize, out: &mut Frames) {
        self.hide_notice(out.buffer());
        let place = match ahead {
            0 => "it is the next".to_owned(),
            1 => "1 run ahead".to_owned(),
            ahead => format!("{} runs ahead", in_digits(ahead as u64)),
        };
        self.notice(&format!("waiting for its turn: {place}"), out);
    }

    pub(super) fn begun(&mut self, out: &mut Frames) {
        self.hide_notice(out.buffer());
    }

    /// Something follows: what a notice said is no longer so.
    fn hide_notice(&mut self, out: &mut BytesMut) {
        if mem::take(&mut self.noticed) {
            out.extend_from_slice(b"<wbr>");
        }
    }

    pub(super) fn pause(&mut self, out: &mut Frames) {
        let out = out.buffer();
        self.close_lines(out);
        out.extend_from_slice(page::pause(&self.options.filters.link(&self.run, "")).as_bytes());
    }

    fn close_lines(&mut self, out: &mut BytesMut) {
        self.hide_notice(out);
        self.finish_characters(out);
        self.close_row(b"", out);
        self.blocks.leave(out);
    }

    pub(super) fn end(&mut self, end: &End, out: &mut Frames) {
        let out = out.buffer();
        self.close_lines(out);
        let shown = self.options.filters.are_on().then_some(self.shown);
        let again = &self.options.about.again;
        out.extend_from_slice(page::end(end, shown, [&self.run, &self.job], again).as_bytes());
    }

    /// Shows what is there of characters that were cut in two and never went on.
    fn finish_characters(&mut self, out: &mut BytesMut) {
        for stream in Stream::ALL {
            let strand = self.strands.of(stream);
            if !strand.has_tail() {
                continue;
            }
            let fresh = self.open != Some(stream);
            if fresh {
                self.close_row(b"", out);
                self.blocks.enter(out);
                out.extend_from_slice(b"<span class=cont>");
                out.extend_from_slice(inner(stream).0);
                out.extend_from_slice(Strand::STATE);
                self.open = Some(stream);
            }
            self.strands.of(stream).piece(b"", fresh, false, out);
        }
    }
}

#[cfg(test)]
mod tests;
