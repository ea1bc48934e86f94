//! The writer of a feed, which everything that brings it lines shares, and the feeds that take its lines too. It never
//! waits for a reader.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;

use super::{Origin, Strand};
use crate::journal::{Journal, Writer};
use crate::record::Stream;

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

    /// Has the lines that come from here on go to these feeds as well, and to no others. One that had them before has the
    /// line that is under way whole.
    pub fn lead_to(&self, onward: Vec<Onward>) {
        let mut inner = self.lock();
        let mut before = std::mem::take(&mut inner.onward);
        for next in onward {
            let same = before.iter().position(|old| Arc::ptr_eq(old.sink.journal(), next.sink.journal()));
            inner.onward.push(same.map_or(next, |same| before.swap_remove(same)));
        }
        before.iter_mut().for_each(Onward::settle);
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

    /// Has the other feeds take the line that is under way as it is: nothing is going to bring its rest soon.
    pub fn settle(&self) {
        self.lock().onward.iter_mut().for_each(Onward::settle);
    }

    /// Ends it, for now: readers are told, and nothing is appended any more.
    pub fn end(&self) {
        let mut inner = self.lock();
        inner.onward.drain(..).for_each(|mut onward| onward.settle());
        inner.writer = None;
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

impl Onward {
    /// The lines of `feed` go to `sink`.
    pub fn new(feed: &str, sink: Sink) -> Onward {
        Onward { origin: Origin::Feed(feed.to_owned()), sink, strands: Default::default() }
    }

    /// Passes the lines of `bytes` on, as far as they are whole.
    fn pass(&mut self, stream: Stream, bytes: &[u8]) {
        let mut records = Vec::with_capacity(bytes.len() + 64);
        self.strands[stream as usize].pass(&self.origin, stream, bytes, &mut records);
        self.append(records);
    }

    /// Passes on what waits for the rest of its line: that comes too late, or never.
    fn settle(&mut self) {
        let mut records = Vec::new();
        for (stream, strand) in Stream::ALL.into_iter().zip(&mut self.strands) {
            strand.settle(&self.origin, stream, &mut records);
        }
        self.append(records);
    }

    fn append(&self, records: Vec<u8>) {
        if !records.is_empty() {
            self.sink.append(Stream::Record, records.into());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::journal::{Origin, Selection, Step};
    use crate::record::{Entry, Level, RunId};
    use jiff::Timestamp;

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
    async fn a_long_line_that_comes_in_parts_is_cut_and_its_newline_is_its_own() {
        const LONGEST: usize = 64 << 10;
        let folder = tempfile::tempdir().unwrap();
        let [a, all] = ["a", "all"].map(|name| sink(folder.path(), name));
        a.lead_to(vec![Onward::new("a", all.clone())]);
        for length in [LONGEST, 2 * LONGEST, 2 * LONGEST + 1] {
            a.append(Stream::Stdout, vec![b'x'; length].into());
            a.append(Stream::Stdout, Bytes::from_static(b"\n"));
        }
        let lengths: Vec<_> = lines(&all)
            .await
            .iter()
            .map(|(_, line)| line.len() - r#"{"feed":"a","text":"","record":{}}"#.len())
            .collect();
        assert_eq!(lengths, [LONGEST, LONGEST, LONGEST, LONGEST, LONGEST, 1]);
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
    async fn a_line_under_way_stays_whole_for_who_had_it_before_and_is_taken_as_it_is_by_who_gets_no_more() {
        let folder = tempfile::tempdir().unwrap();
        let [a, stays, goes, ends] = ["a", "stays", "goes", "ends"].map(|name| sink(folder.path(), name));
        a.lead_to(vec![Onward::new("a", goes.clone()), Onward::new("a", stays.clone())]);
        a.append(Stream::Stdout, Bytes::from_static(b"WARNING:x:on"));
        a.lead_to(vec![Onward::new("a", stays.clone()), Onward::new("a", ends.clone())]);
        a.append(Stream::Stdout, Bytes::from_static(b"e\n  and\ntw"));
        a.settle();
        a.append(Stream::Stdout, Bytes::from_static(b"o\nthree"));
        a.end();
        let told = async |sink: &Sink| {
            let lines = lines(sink).await;
            let entries = lines.iter().map(|(_, line)| Entry::read(line.as_bytes()).unwrap());
            entries.map(|entry| (entry.level, entry.text.into_owned())).collect::<Vec<_>>()
        };
        let line = |level, text: &str| (level, text.to_owned());
        assert_eq!(told(&goes).await, [line(Some(Level::WARNING), "WARNING:x:on")]);
        let whole = [
            line(Some(Level::WARNING), "WARNING:x:one\n  and"),
            line(None, "tw"),
            line(None, "o"),
            line(None, "three"),
        ];
        assert_eq!(told(&stays).await, whole);
        assert_eq!(told(&ends).await[1..], whole[1..]);
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
