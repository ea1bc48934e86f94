//! The lines of one stream among those of others: each record as one, as far as it came at once, with the name of where it
//! came from. It appends nowhere.

use std::borrow::Cow;

use jiff::Timestamp;

use crate::record::{Entry, Level, Records, Stream, begins_exception, said};

/// The beginning of a line that is not whole goes on as a line by itself once it has more bytes than this.
const LONGEST_LINE: usize = 64 << 10;

/// Once so much of a file is made into records, these are appended.
const PORTION: usize = 16 << 10;

/// The lines of one of the files that a feed follows as one, as records that say which it is.
#[derive(Clone, Debug)]
pub(super) struct FileLines {
    origin: Origin,
    strand: Strand,
}

/// Where lines come from.
#[derive(Clone, Debug)]
pub(super) enum Origin {
    /// Another feed.
    Feed(String),
    /// One of several files.
    File(String),
}

/// What of a stream matters to its next line.
#[derive(Clone, Default, Debug)]
pub(super) struct Strand {
    /// The beginning of a line that is not whole yet.
    open: Vec<u8>,
    /// How many lines it has had.
    lines: u64,
    records: Records,
    /// What the record says that the line before belongs to.
    level: Option<Level>,
    logger: Option<String>,
    /// The lines of that record which came at once, and are not passed yet.
    gathered: Option<Gathered>,
}

/// Lines of one record.
#[derive(Clone, Debug)]
struct Gathered {
    text: String,
    /// From the line on that begins one.
    exception: Option<String>,
    /// The record has lines that were passed before.
    goes_on: bool,
}

impl FileLines {
    /// Of the file that people know by this name.
    pub(super) fn new(name: &str) -> FileLines {
        FileLines { origin: Origin::File(name.to_owned()), strand: Strand::default() }
    }

    /// The records of the first lines of `bytes`, and how many bytes those are: a moderate portion. What has no newline is
    /// a line too, and so is each piece of one that is too long.
    pub(super) fn records(&mut self, bytes: &[u8]) -> (Vec<u8>, usize) {
        let (mut records, mut rest) = (Vec::new(), bytes);
        while !rest.is_empty() && bytes.len() - rest.len() < PORTION && records.len() < PORTION {
            let (line, behind) = rest.split_at(first_line(rest));
            self.strand.take(&self.origin, Stream::Stdout, line, &mut records);
            rest = behind;
        }
        self.strand.write(&self.origin, &mut records);
        (records, bytes.len() - rest.len())
    }
}

/// The length of the first line of `bytes` with its newline, or of the first piece of it where it is too long.
pub(super) fn first_line(bytes: &[u8]) -> usize {
    let most = bytes.get(..LONGEST_LINE + 1).unwrap_or(bytes);
    memchr::memchr(b'\n', most).map_or(bytes.len().min(LONGEST_LINE), |end| end + 1)
}

impl Origin {
    /// What people know it by.
    pub(super) fn name(&self) -> &str {
        let (Origin::Feed(name) | Origin::File(name)) = self;
        name
    }

    /// `entry`, which says that it came from here unless it says already where from.
    fn mark<'a>(&'a self, entry: Entry<'a>) -> Entry<'a> {
        let name = Some(Cow::Borrowed(self.name()));
        match self {
            Origin::Feed(_) => Entry { feed: entry.feed.or(name), ..entry },
            Origin::File(_) => Entry { file: entry.file.or(name), ..entry },
        }
    }
}

impl Strand {
    /// Takes the next bytes of a stream, and writes the records of its lines that are whole with them. None waits for what
    /// may follow it: that goes on with it.
    pub(super) fn pass(&mut self, origin: &Origin, stream: Stream, bytes: &[u8], out: &mut Vec<u8>) {
        for piece in bytes.split_inclusive(|&byte| byte == b'\n') {
            let is_whole = piece.ends_with(b"\n");
            if self.open.is_empty() && is_whole {
                self.take(origin, stream, piece, out);
                continue;
            }
            self.open.extend_from_slice(piece);
            while self.open.len() > LONGEST_LINE + usize::from(is_whole) {
                let rest = self.open.split_off(LONGEST_LINE);
                let line = std::mem::replace(&mut self.open, rest);
                self.take(origin, stream, &line, out);
            }
            if is_whole {
                let line = std::mem::take(&mut self.open);
                self.take(origin, stream, &line, out);
            }
        }
        self.write(origin, out);
    }

    /// Writes what waits for its newline as a line.
    pub(super) fn settle(&mut self, origin: &Origin, stream: Stream, out: &mut Vec<u8>) {
        if !self.open.is_empty() {
            let line = std::mem::take(&mut self.open);
            self.take(origin, stream, &line, out);
            self.write(origin, out);
        }
    }

    /// A line that says where it came from: one that was merged before does so already; one that goes on with the
    /// record before it, as a traceback's does, has that one's level and logger.
    fn take(&mut self, origin: &Origin, stream: Stream, line: &[u8], out: &mut Vec<u8>) {
        let line = line.strip_suffix(b"\n").unwrap_or(line);
        let entry = if stream == Stream::Record { Entry::read(line) } else { None };
        if let Some(entry) = entry {
            self.write(origin, out);
            return origin.mark(entry).write(out);
        }
        self.lines += 1;
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let said = self.records.begin(self.lines, Timestamp::now(), line);
        if let (None, Some(gathered)) = (&said, &mut self.gathered)
            && gathered.has_room()
        {
            return gathered.add(line);
        }
        self.write(origin, out);
        self.gathered = Some(Gathered::new(line, said.is_none()));
        if let Some(said) = said {
            self.level = said.level;
            self.logger = said.logger.map(|name| String::from_utf8_lossy(name).into_owned());
        }
    }

    /// Writes what is gathered, where something is.
    fn write(&mut self, origin: &Origin, out: &mut Vec<u8>) {
        let Some(Gathered { text, exception, goes_on }) = self.gathered.take() else { return };
        let entry = Entry {
            goes_on,
            level: self.level,
            logger: self.logger.as_deref().map(Cow::Borrowed),
            text: text.into(),
            exception: exception.map(Cow::Owned),
            ..Entry::default()
        };
        origin.mark(entry).write(out);
    }
}

impl Gathered {
    fn new(line: &[u8], goes_on: bool) -> Gathered {
        Gathered { text: String::from_utf8_lossy(line).into_owned(), exception: None, goes_on }
    }

    fn has_room(&self) -> bool {
        self.text.len() + self.exception.as_ref().map_or(0, String::len) < LONGEST_LINE
    }

    /// One more line of the record.
    fn add(&mut self, line: &[u8]) {
        let text = String::from_utf8_lossy(line);
        match &mut self.exception {
            // what it belongs to is told already
            None if !self.goes_on && begins_exception(line) => self.exception = Some(text.into_owned()),
            None => self.text.extend(["\n", &text]),
            Some(exception) => exception.extend(["\n", &text]),
        }
    }
}

/// A text that is no record, as one: level and logger are those that it shows.
pub(super) fn entry_of(text: &[u8]) -> Entry<'_> {
    let said = said(text);
    Entry {
        level: said.level,
        logger: said.logger.map(String::from_utf8_lossy),
        text: String::from_utf8_lossy(text.strip_suffix(b"\r").unwrap_or(text)),
        ..Entry::default()
    }
}
