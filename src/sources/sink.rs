//! The writer of a feed, which everything that brings it lines shares, and the feeds that take its lines too. It never
//! waits for a reader.

use std::borrow::Cow;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use jiff::Timestamp;

use crate::journal::{Journal, Writer};
use crate::record::{Entry, Level, Records, Stream, begins_exception, said};

/// A line that others take is whole for them once it has so many bytes.
const LONGEST_LINE: usize = 64 << 10;

/// Once so much of a file is made into records, these are appended.
const PORTION: usize = 16 << 10;

/// See the module. Clones append to the same journal.
#[derive(Clone, Debug)]
pub struct Sink {
    inner: Arc<Mutex<Inner>>,
    journal: Arc<Journal>,
}

#[derive(Debug)]
struct Inner {
    /// None once it has ended.
    writer: Option<Writer>,
    onward: Vec<Onward>,
}

impl Sink {
    /// What appends to the journal of `writer`, which stops with [`Sink::end`], or with the last clone.
    pub fn new(writer: Writer) -> Sink {
        let journal = Arc::clone(writer.journal());
        Sink { inner: Arc::new(Mutex::new(Inner { writer: Some(writer), onward: Vec::new() })), journal }
    }

    /// Has the lines that come from here on go to these feeds as well, and to no others.
    pub fn lead_to(&self, onward: Vec<Onward>) {
        self.lock().onward = onward;
    }

    /// Appends bytes: whole lines, unless nobody else brings this stream any. `false` where it has ended: then they are
    /// nowhere.
    pub fn append(&self, stream: Stream, bytes: Bytes) -> bool {
        let mut inner = self.lock();
        let Inner { writer: Some(writer), onward } = &mut *inner else { return false };
        for onward in onward {
            onward.pass(stream, &bytes);
        }
        writer.append(stream, bytes);
        true
    }

    /// Appends as [`append`](Sink::append) does, as far as there is room, and returns the rest, for whoever has it still and
    /// offers it again. Once it has ended, that is all of it.
    pub fn offer(&self, stream: Stream, bytes: Bytes) -> Bytes {
        let mut inner = self.lock();
        let Inner { writer: Some(writer), onward } = &mut *inner else { return bytes };
        let rest = writer.offer(stream, bytes.clone());
        let kept = &bytes[..bytes.len() - rest.len()];
        for onward in onward.iter_mut().filter(|_| !kept.is_empty()) {
            onward.pass(stream, kept);
        }
        rest
    }

    /// Appends a line of joblines' own.
    pub fn say(&self, text: &str) {
        let mut inner = self.lock();
        let Inner { writer: Some(writer), onward } = &mut *inner else { return };
        for onward in onward {
            onward.sink.say(&format!("{}: {text}", onward.origin.name()));
        }
        writer.say(text);
    }

    /// Ends it, for now: readers are told, and nothing is appended any more.
    pub fn end(&self) {
        self.lock().writer = None;
    }

    /// The journal as its readers see it.
    pub fn journal(&self) -> &Arc<Journal> {
        &self.journal
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A feed that takes the lines of another one too, each with the name of where it came from.
#[derive(Debug)]
pub struct Onward {
    origin: Origin,
    sink: Sink,
    /// What is carried over in each stream.
    strands: [Strand; Stream::ALL.len()],
}

/// The lines of one of the files that a feed follows as one, as records that say which it is.
#[derive(Clone, Debug)]
pub(super) struct FileLines {
    origin: Origin,
    strand: Strand,
}

/// Where lines come from.
#[derive(Clone, Debug)]
enum Origin {
    /// Another feed.
    Feed(String),
    /// One of several files.
    File(String),
}

/// What of a stream matters to its next line.
#[derive(Clone, Default, Debug)]
struct Strand {
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

impl Onward {
    /// The lines of `feed` go to `sink`.
    pub fn new(feed: &str, sink: Sink) -> Onward {
        Onward { origin: Origin::Feed(feed.to_owned()), sink, strands: Default::default() }
    }

    /// Passes the lines of `bytes` on, each record as one as far as it is there. None waits for what may follow it: that
    /// goes on with it.
    fn pass(&mut self, stream: Stream, bytes: &[u8]) {
        let mut records = Vec::with_capacity(bytes.len() + 64);
        let strand = &mut self.strands[stream as usize];
        for piece in bytes.split_inclusive(|&byte| byte == b'\n') {
            let is_whole = piece.ends_with(b"\n");
            if strand.open.is_empty() && is_whole {
                strand.take(&self.origin, stream, piece, &mut records);
                continue;
            }
            strand.open.extend_from_slice(piece);
            if is_whole || strand.open.len() >= LONGEST_LINE {
                let line = std::mem::take(&mut strand.open);
                strand.take(&self.origin, stream, &line, &mut records);
            }
        }
        strand.write(&self.origin, &mut records);
        if !records.is_empty() {
            self.sink.append(Stream::Record, records.into());
        }
    }
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
    fn name(&self) -> &str {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::journal::{Origin, Selection, Step};
    use crate::record::RunId;

    fn sink(folder: &std::path::Path, name: &str) -> Sink {
        let origin = Origin {
            run: RunId::new(),
            job: name.to_owned(),
            trigger: String::new(),
            started: Timestamp::now(),
            child: None,
        };
        Sink::new(Journal::resume(folder.join(name), origin, 1 << 20).unwrap().writer)
    }

    async fn lines(sink: &Sink) -> Vec<(Stream, String)> {
        let mut reader = sink.journal().read(&Selection { follow: false, ..Selection::default() }).unwrap();
        let mut lines = Vec::new();
        while let Step::Chunk(chunk) = reader.next().await.unwrap() {
            lines.extend(chunk.lines().map(|(_, line)| (chunk.stream, String::from_utf8_lossy(line).into_owned())));
        }
        lines
    }

    #[tokio::test]
    async fn what_one_feed_gets_another_gets_with_its_name_in_order_of_arrival() {
        let folder = tempfile::tempdir().unwrap();
        let [a, b, all] = ["a", "b", "all"].map(|name| sink(folder.path(), name));
        a.lead_to(vec![Onward::new("a", all.clone())]);
        b.lead_to(vec![Onward::new("b", all.clone())]);
        a.append(Stream::Stdout, Bytes::from_static(b"ERROR:x:one\ntw"));
        let mut record = Vec::new();
        Entry { text: "rec\nord".into(), ..Entry::default() }.write(&mut record);
        b.append(Stream::Record, record.into());
        b.say("gone");
        a.append(Stream::Stdout, Bytes::from_static(b"o\n"));
        let expected = [
            (Stream::Record, r#"{"feed":"a","level":40,"logger":"x","text":"ERROR:x:one","record":{}}"#),
            (Stream::Record, r#"{"feed":"b","text":"rec\nord","record":{}}"#),
            (Stream::System, "b: gone"),
            (Stream::Record, r#"{"feed":"a","text":"two","record":{}}"#),
        ];
        assert_eq!(lines(&all).await, expected.map(|(stream, text)| (stream, text.to_owned())));
        assert_eq!(lines(&a).await.last().unwrap().1, "o");
    }

    #[tokio::test]
    async fn a_record_that_came_at_once_is_one_and_what_comes_later_goes_on_with_it() {
        let folder = tempfile::tempdir().unwrap();
        let [a, all] = ["a", "all"].map(|name| sink(folder.path(), name));
        a.lead_to(vec![Onward::new("a", all.clone())]);
        a.append(
            Stream::Stdout,
            Bytes::from_static(b"x\nERROR:app:one\n of two\nTraceback (most\n  File\nKeyError: 1\ny\n"),
        );
        a.append(Stream::Stdout, Bytes::from_static(b"ERROR:app:two\nTraceb"));
        a.append(Stream::Stdout, Bytes::from_static(b"ack (most\n  File\n"));
        a.append(Stream::Stdout, Bytes::from_static(b"KeyError: 2\nz\n"));
        let error = |text: &str| format!(r#"{{"feed":"a",{text}}}"#);
        let expected = [
            error(r#""text":"x","record":{}"#),
            error(
                r#""level":40,"logger":"app","text":"ERROR:app:one\n of two","record":{"exception":"Traceback (most\n  File\nKeyError: 1"}"#,
            ),
            error(r#""text":"y","record":{}"#),
            error(r#""level":40,"logger":"app","text":"ERROR:app:two","record":{}"#),
            error(r#""goes_on":true,"level":40,"logger":"app","text":"Traceback (most\n  File","record":{}"#),
            error(r#""goes_on":true,"level":40,"logger":"app","text":"KeyError: 2","record":{}"#),
            error(r#""text":"z","record":{}"#),
        ];
        let told: Vec<_> = lines(&all).await.into_iter().map(|(_, text)| text).collect();
        assert_eq!(told, expected);
    }

    #[tokio::test]
    async fn a_record_of_many_lines_has_an_end() {
        let folder = tempfile::tempdir().unwrap();
        let [a, all] = ["a", "all"].map(|name| sink(folder.path(), name));
        a.lead_to(vec![Onward::new("a", all.clone())]);
        let more = format!(" {}\n", "x".repeat(999)).repeat(200);
        a.append(Stream::Stdout, format!("one\n{more}").into());
        let entries = lines(&all).await;
        let entries: Vec<_> = entries.iter().map(|(_, line)| Entry::read(line.as_bytes()).unwrap()).collect();
        assert_eq!(entries.iter().map(|entry| entry.goes_on).collect::<Vec<_>>(), [false, true, true, true]);
        assert_eq!(entries.iter().map(|entry| entry.text.lines().count()).sum::<usize>(), 201);
    }

    #[tokio::test]
    async fn what_was_merged_before_keeps_its_name_and_what_has_ended_takes_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let [a, some, all] = ["a", "some", "all"].map(|name| sink(folder.path(), name));
        a.lead_to(vec![Onward::new("a", some.clone())]);
        some.lead_to(vec![Onward::new("some", all.clone())]);
        a.append(Stream::Stdout, Bytes::from_static(b"x\n"));
        some.end();
        assert!(!some.append(Stream::Stdout, Bytes::from_static(b"nowhere\n")));
        a.append(Stream::Stdout, Bytes::from_static(b"y\n"));
        assert_eq!(lines(&all).await, [(Stream::Record, r#"{"feed":"a","text":"x","record":{}}"#.to_owned())]);
        assert!(some.journal().end().is_some());
    }
}
