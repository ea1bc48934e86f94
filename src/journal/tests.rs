//! The journal as its writer and its readers use it together.

use std::fs;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use jiff::Timestamp;
use tempfile::TempDir;

use super::*;
use crate::record::{Outcome, RunId, State, Stream};

fn origin() -> Origin {
    let started = Timestamp::UNIX_EPOCH;
    Origin { run: RunId::new(), job: "test".to_owned(), trigger: "a test".to_owned(), started, child: None }
}

pub(super) fn journal(limit: u64) -> (TempDir, Writer, Arc<Journal>) {
    let folder = tempfile::tempdir().unwrap();
    let (writer, journal) = Journal::create(folder.path().join("run"), origin(), limit);
    (folder, writer, journal)
}

pub(super) fn finish(writer: Writer) -> Arc<End> {
    writer.end(State::Succeeded, Outcome::Exited(0), None, Duration::from_secs(1))
}

/// One of its files.
pub(super) fn file(base: &Path, name: &str) -> PathBuf {
    PathBuf::from(format!("{}.{name}", base.display()))
}

async fn all(mut reader: Reader) -> (Vec<Chunk>, Option<Arc<End>>) {
    let mut chunks = Vec::new();
    loop {
        match reader.next().await.unwrap() {
            Step::Chunk(chunk) => chunks.push(chunk),
            Step::End(end) => return (chunks, Some(end)),
            Step::Pause => return (chunks, None),
        }
    }
}

fn numbered(chunks: &[Chunk]) -> Vec<(u64, String)> {
    let text = |line: &[u8]| String::from_utf8_lossy(line).into_owned();
    chunks
        .iter()
        .flat_map(|chunk| chunk.lines().map(|(number, line)| (number, text(line))).collect::<Vec<_>>())
        .collect()
}

fn bytes_of(chunks: &[Chunk]) -> Vec<u8> {
    chunks.iter().flat_map(|chunk| chunk.bytes.to_vec()).collect()
}

#[tokio::test]
async fn a_late_reader_sees_every_line_and_the_receipt() {
    let (_folder, mut writer, journal) = journal(u64::MAX);
    writer.append(Stream::Stdout, Bytes::from_static(b"one\ntwo\n"));
    writer.append(Stream::Stderr, Bytes::from_static(b"oops\n"));
    let end = finish(writer);
    assert_eq!((end.lines, end.bytes), (3, 13));
    let (chunks, seen) = all(journal.read(&Selection::default()).unwrap()).await;
    assert_eq!(numbered(&chunks), [(1, "one".into()), (2, "two".into()), (3, "oops".into())]);
    assert_eq!(seen, Some(end));
}

#[tokio::test]
async fn an_ended_journal_is_read_back_from_its_files() {
    let (_folder, mut writer, journal) = journal(u64::MAX);
    writer.append(Stream::Stdout, Bytes::from_static(b"one\n"));
    writer.say("a word of ours");
    let end = finish(writer);
    let opened = Journal::open(journal.base().to_owned(), None).unwrap();
    assert_eq!(opened.totals(), journal.totals());
    let (chunks, seen) = all(opened.read(&Selection::default()).unwrap()).await;
    assert_eq!(numbered(&chunks), [(1, "one".into()), (2, "a word of ours".into())]);
    assert_eq!(seen.unwrap().lines, end.lines);
    assert_eq!(fs::read(file(journal.base(), "output")).unwrap(), b"one\na word of ours\n");
}

#[tokio::test]
async fn a_waiting_reader_is_woken_by_the_next_line_and_by_the_end() {
    let (_folder, mut writer, journal) = journal(u64::MAX);
    let reader = journal.read(&Selection::default()).unwrap();
    let reading = tokio::spawn(all(reader));
    tokio::task::yield_now().await;
    writer.append(Stream::Stdout, Bytes::from_static(b"now\n"));
    tokio::task::yield_now().await;
    finish(writer);
    let (chunks, end) = reading.await.unwrap();
    assert_eq!(numbered(&chunks), [(1, "now".into())]);
    assert!(end.is_some());
}

#[tokio::test]
async fn pieces_of_a_line_keep_its_number_whatever_comes_between() {
    let (_folder, mut writer, journal) = journal(u64::MAX);
    writer.append(Stream::Stdout, Bytes::from_static(b"name? "));
    writer.append(Stream::Stderr, Bytes::from_static(b"warning\n"));
    writer.append(Stream::Stdout, Bytes::from_static(b"bob\nhello\n"));
    finish(writer);
    let (chunks, _) = all(journal.read(&Selection::default()).unwrap()).await;
    let shape: Vec<_> = chunks.iter().map(|chunk| (chunk.line, chunk.continues, chunk.open)).collect();
    assert_eq!(shape, [(1, false, true), (2, false, false), (1, true, false), (3, false, false)]);
    assert_eq!(bytes_of(&chunks), b"name? warning\nbob\nhello\n");
}

#[tokio::test]
async fn going_on_behind_a_line_neither_repeats_nor_loses_an_unfinished_one() {
    let (_folder, mut writer, journal) = journal(u64::MAX);
    for (stream, bytes) in [
        (Stream::Stdout, "one\ntwo\n"),
        (Stream::Stdout, "name? "),
        (Stream::Stderr, "warning\n"),
        (Stream::Stdout, "bob\n"),
        (Stream::Stdout, "last\n"),
    ] {
        writer.append(stream, Bytes::from(bytes));
    }
    finish(writer);
    for (seen, rest) in [
        (1, "two\nname? warning\nbob\nlast\n"),
        (2, "name? warning\nbob\nlast\n"),
        (4, "bob\nlast\n"),
        (3, "last\n"),
        (5, ""),
    ] {
        let selection = Selection { after: Some(seen), ..Selection::default() };
        let (chunks, _) = all(journal.read(&selection).unwrap()).await;
        assert_eq!(String::from_utf8(bytes_of(&chunks)).unwrap(), rest, "after {seen}");
    }
}

#[tokio::test]
async fn what_is_over_the_limit_is_counted_and_said() {
    let (_folder, mut writer, journal) = journal(10);
    writer.append(Stream::Stdout, Bytes::from_static(b"1234\n6789\nlost\n"));
    writer.append(Stream::Stdout, Bytes::from_static(b"lost too\n"));
    let end = finish(writer);
    assert_eq!(end.bytes_not_kept, 14);
    let (chunks, _) = all(journal.read(&Selection::default()).unwrap()).await;
    let text = String::from_utf8(bytes_of(&chunks)).unwrap();
    assert_eq!(
        text,
        "1234\n6789\noutput from here on is not kept: max_output is reached\n\
         14 bytes of output were not kept: max_output is reached\n"
    );
}

#[tokio::test]
async fn a_folder_that_cannot_be_made_costs_the_output_but_not_the_run() {
    let folder = tempfile::tempdir().unwrap();
    let (mut writer, journal) = Journal::create(folder.path().join("no/such"), origin(), u64::MAX);
    writer.append(Stream::Stdout, Bytes::from_static(b"gone\n"));
    let end = finish(writer);
    assert_eq!(end.bytes_not_kept, 5);
    let (chunks, _) = all(journal.read(&Selection::default()).unwrap()).await;
    assert!(chunks.iter().all(|chunk| chunk.stream == Stream::System));
    assert!(String::from_utf8(bytes_of(&chunks)).unwrap().contains("5 bytes of output were not kept"));
}

#[tokio::test]
async fn a_reader_that_does_not_follow_stops_at_what_there_is() {
    let (_folder, mut writer, journal) = journal(u64::MAX);
    writer.append(Stream::Stdout, Bytes::from_static(b"one\n"));
    let reader = journal.read(&Selection { follow: false, ..Selection::default() }).unwrap();
    writer.append(Stream::Stdout, Bytes::from_static(b"two\n"));
    let (chunks, end) = all(reader).await;
    assert_eq!((numbered(&chunks), end), (vec![(1, "one".into())], None));
}

#[tokio::test]
async fn a_dropped_writer_leaves_a_lost_run_and_no_waiting_reader() {
    let (_folder, writer, journal) = journal(u64::MAX);
    let reading = tokio::spawn(all(journal.read(&Selection::default()).unwrap()));
    tokio::task::yield_now().await;
    drop(writer);
    assert_eq!(reading.await.unwrap().1.unwrap().state, State::Lost);
}

/// A journal of `lines` numbered lines in chunks of 1 to 7, every third chunk on stderr.
pub(super) fn write_many(writer: &mut Writer, lines: u64) {
    let (mut line, mut chunk) = (1, 0);
    while line <= lines {
        let end = (line + chunk % 7).min(lines);
        let text: String = (line..=end).map(|line| format!("line {line}\n")).collect();
        let stream = if chunk % 3 == 2 { Stream::Stderr } else { Stream::Stdout };
        writer.append(stream, Bytes::from(text));
        (line, chunk) = (end + 1, chunk + 1);
    }
}

#[tokio::test]
async fn readers_in_memory_and_behind_it_see_the_same() {
    let (_folder, mut writer, journal) = journal(u64::MAX);
    let early = journal.read(&Selection::default()).unwrap();
    write_many(&mut writer, 40_000);
    let late = journal.read(&Selection::default()).unwrap();
    let following = tokio::spawn(all(early));
    let also = tokio::spawn(all(late));
    write_many(&mut writer, 10_000);
    finish(writer);
    let (early, late) = (following.await.unwrap().0, also.await.unwrap().0);
    assert_eq!(bytes_of(&early), bytes_of(&late));
    let numbers: Vec<_> = numbered(&late).into_iter().map(|(number, _)| number).collect();
    assert_eq!(numbers, (1..=50_000).collect::<Vec<_>>());
}

#[tokio::test]
async fn from_tail_and_stream_choose_the_lines() {
    let (_folder, mut writer, journal) = journal(u64::MAX);
    write_many(&mut writer, 1000);
    finish(writer);
    for journal in [Arc::clone(&journal), Journal::open(journal.base().to_owned(), None).unwrap()] {
        let everything = numbered(&all(journal.read(&Selection::default()).unwrap()).await.0);
        for from in [1, 2, 17, 999, 1000, 1001] {
            let chosen = all(journal.read(&Selection { from, ..Selection::default() }).unwrap()).await.0;
            assert_eq!(numbered(&chosen), everything[from as usize - 1..]);
        }
        let selection = Selection { tail: Some(5), ..Selection::default() };
        assert_eq!(numbered(&all(journal.read(&selection).unwrap()).await.0), everything[995..]);
        let stream = Some(Stream::Stderr);
        let errors = all(journal.read(&Selection { stream, ..Selection::default() }).unwrap()).await.0;
        assert!(errors.iter().all(|chunk| chunk.stream == Stream::Stderr));
        let errors = numbered(&errors);
        let last = all(journal.read(&Selection { stream, tail: Some(30), ..Selection::default() }).unwrap()).await.0;
        assert_eq!(numbered(&last), errors[errors.len() - 30..]);
    }
}

#[tokio::test]
async fn a_long_journal_goes_on_in_further_segments() {
    let (_folder, mut writer, journal) = journal(u64::MAX);
    writer.segment_bytes = 1000;
    let early = tokio::spawn(all(journal.read(&Selection::default()).unwrap()));
    write_many(&mut writer, 5000);
    finish(writer);
    assert!(file(journal.base(), "output.40").exists());
    let opened = Journal::open(journal.base().to_owned(), None).unwrap();
    let late = all(opened.read(&Selection::default()).unwrap()).await.0;
    assert_eq!(bytes_of(&late), bytes_of(&early.await.unwrap().0));
    let tail = Selection { tail: Some(700), stream: Some(Stream::Stderr), ..Selection::default() };
    let last = numbered(&all(opened.read(&tail).unwrap()).await.0);
    let errors: Vec<_> = late.into_iter().filter(|chunk| chunk.stream == Stream::Stderr).collect();
    assert_eq!(last, numbered(&errors)[numbered(&errors).len() - 700..]);
}

#[test]
fn a_crash_between_segments_loses_neither() {
    let (_folder, mut writer, journal) = journal(u64::MAX);
    writer.segment_bytes = 100;
    write_many(&mut writer, 50);
    std::mem::forget(writer);
    fs::write(file(journal.base(), "index.99"), b"torn").unwrap();
    let last =
        (0..).take_while(|number| file(journal.base(), &format!("index.{number}")).exists() || *number == 0).count();
    fs::write(file(journal.base(), &format!("index.{last}")), b"torn").unwrap();
    let recovered = recover(journal.base(), Timestamp::UNIX_EPOCH).unwrap();
    assert_eq!((recovered.end.state, recovered.end.lines), (State::Lost, 50));
    assert!(!file(journal.base(), &format!("index.{last}")).exists());
    assert_eq!(Journal::open(journal.base().to_owned(), None).unwrap().totals().lines, 50);
}

#[tokio::test]
async fn a_journal_without_files_has_the_end_that_others_know() {
    let (_folder, writer, journal) = journal(u64::MAX);
    let end = (*finish(writer)).clone();
    retire(journal.base()).and_then(|()| forget(journal.base())).unwrap();
    let opened = Journal::open(journal.base().to_owned(), Some(end.clone())).unwrap();
    let (chunks, seen) = all(opened.read(&Selection::default()).unwrap()).await;
    assert_eq!((chunks.len(), seen.as_deref()), (0, Some(&end)));
    assert!(Journal::open(journal.base().to_owned(), None).is_err());
}

#[tokio::test]
async fn bytes_of_any_shape_are_numbered_line_by_line() {
    let (_folder, mut writer, journal) = journal(u64::MAX);
    writer.append(Stream::Stdout, Bytes::from_static(b"a\nb"));
    writer.append(Stream::Stdout, Bytes::from_static(b"b\nc\nd"));
    writer.append(Stream::Stdout, Bytes::from(vec![b'x'; 600 << 10]));
    writer.append(Stream::Stdout, Bytes::from_static(b"\ne\n"));
    finish(writer);
    let (chunks, _) = all(journal.read(&Selection::default()).unwrap()).await;
    let numbers: Vec<_> = chunks.iter().map(|chunk| (chunk.line, chunk.lines().count(), chunk.continues)).collect();
    assert_eq!(numbers[..4], [(1, 1, false), (2, 1, false), (2, 1, true), (3, 1, false)]);
    assert!(numbers[4..].iter().all(|(line, lines, _)| *lines == 1 && (4..=5).contains(line)));
    assert_eq!(numbers.last(), Some(&(5, 1, false)));
}

#[tokio::test]
async fn lines_are_found_by_the_time_at_which_they_came() {
    let (_folder, mut writer, journal) = journal(u64::MAX);
    assert_eq!(journal.line_at(Timestamp::now()).unwrap(), 1);
    for number in 0..200 {
        writer.append(Stream::Stdout, Bytes::from(format!("a{number}\nb{number}\nopen ")));
        writer.append(Stream::Stdout, Bytes::from_static(b"end\n"));
    }
    let (chunks, _) = all(journal.read(&Selection { follow: false, ..Selection::default() }).unwrap()).await;
    let begun: Vec<(u64, Timestamp)> = chunks
        .iter()
        .filter(|chunk| !chunk.continues)
        .flat_map(|chunk| chunk.lines().map(|(line, _)| (line, chunk.time)).collect::<Vec<_>>())
        .collect();
    assert_eq!(begun.len(), 600);
    for (_, time) in begun.iter().step_by(7) {
        let first = begun.iter().find(|(_, came)| came >= time).unwrap().0;
        assert_eq!(journal.line_at(*time).unwrap(), first);
    }
    let after = begun.last().unwrap().1 + Duration::from_secs(1);
    assert_eq!(journal.line_at(after).unwrap(), 601);
    assert_eq!(journal.line_at(Timestamp::UNIX_EPOCH).unwrap(), 1);
}

#[tokio::test]
async fn a_reader_stops_before_the_line_that_it_was_told() {
    let (_folder, mut writer, journal) = journal(u64::MAX);
    writer.append(Stream::Stdout, Bytes::from_static(b"1\n2\n3\n"));
    writer.append(Stream::Stderr, Bytes::from_static(b"4\n"));
    writer.append(Stream::Stdout, Bytes::from_static(b"5\nopen"));
    writer.append(Stream::Stderr, Bytes::from_static(b"7\n"));
    writer.append(Stream::Stdout, Bytes::from_static(b"ed\n"));
    let read = |selection| all(journal.read(&selection).unwrap());
    let some = |to| Selection { to: Some(to), ..Selection::default() };
    for (to, expected) in
        [(1, ""), (2, "1\n"), (3, "1\n2\n"), (4, "1\n2\n3\n"), (5, "1\n2\n3\n4\n"), (6, "1\n2\n3\n4\n5\n")]
    {
        let (chunks, end) = read(some(to)).await;
        assert_eq!((String::from_utf8(bytes_of(&chunks)).unwrap().as_str(), end), (expected, None), "{to}");
    }
    assert_eq!(bytes_of(&read(Selection { tail: Some(2), ..some(5) }).await.0), b"3\n4\n");
    assert_eq!(bytes_of(&read(Selection { from: 3, ..some(5) }).await.0), b"3\n4\n");
    let stderr = Selection { tail: Some(1), stream: Some(Stream::Stderr), ..some(7) };
    assert_eq!(bytes_of(&read(stderr).await.0), b"4\n");
    assert_eq!(bytes_of(&read(Selection { follow: false, ..some(9) }).await.0), b"1\n2\n3\n4\n5\nopen7\ned\n");
    let mut reader = journal.read(&Selection::default()).unwrap();
    reader.stop_following();
    assert_eq!(all(reader).await.1, None);
    let end = finish(writer);
    assert_eq!(read(some(2)).await.1, Some(end), "whose end is known is told it");
}
