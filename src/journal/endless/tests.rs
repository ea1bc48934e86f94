//! Endless journals that go on, forget, and are torn.

use std::fs::OpenOptions;
use std::path::Path;

use bytes::Bytes;
use jiff::Timestamp;

use super::*;
use crate::journal::{Reader, Selection, Step};
use crate::record::{Chunk, RunId, State};

const MIB: u64 = 1 << 20;

fn resume(folder: &Path, keep: u64) -> Resumed {
    let origin = Origin {
        run: RunId::new(),
        job: "feed".to_owned(),
        trigger: String::new(),
        started: Timestamp::now(),
        child: None,
    };
    Journal::resume(folder.join("lines"), origin, keep).unwrap()
}

fn append(writer: &mut Writer, text: &str) {
    writer.append(Stream::Stdout, Bytes::copy_from_slice(text.as_bytes()));
}

async fn chunk(reader: &mut Reader) -> Chunk {
    match reader.next().await.unwrap() {
        Step::Chunk(chunk) => chunk,
        step => panic!("no lines but {step:?}"),
    }
}

/// All that there is now: each line's number, stream and text.
async fn lines(journal: &Arc<Journal>, selection: Selection) -> Vec<(u64, Stream, String)> {
    let mut reader = journal.read(&Selection { follow: false, ..selection }).unwrap();
    let mut lines = Vec::new();
    while let Step::Chunk(chunk) = reader.next().await.unwrap() {
        let each =
            chunk.lines().map(|(number, text)| (number, chunk.stream, String::from_utf8_lossy(text).into_owned()));
        lines.extend(each);
    }
    lines
}

fn numbers_of(lines: &[(u64, Stream, String)]) -> Vec<u64> {
    lines.iter().map(|(number, ..)| *number).collect()
}

#[tokio::test]
async fn it_goes_on_after_a_restart_under_its_name_with_its_numbers() {
    let folder = tempfile::tempdir().unwrap();
    let first = resume(folder.path(), MIB);
    assert!(first.is_new);
    let mut writer = first.writer;
    append(&mut writer, "one\ntwo\n");
    drop(writer);
    assert_eq!(first.journal.end().map(|end| end.state), Some(State::Cancelled));
    let again = resume(folder.path(), MIB);
    assert!(!again.is_new);
    assert_eq!(again.origin.run, first.origin.run);
    let mut writer = again.writer;
    append(&mut writer, "three\n");
    let all = lines(&again.journal, Selection::default()).await;
    assert_eq!(numbers_of(&all), [1, 2, 3]);
    let tail = lines(&again.journal, Selection { tail: Some(1), ..Selection::default() }).await;
    assert_eq!(tail, [(3, Stream::Stdout, "three".to_owned())]);
}

#[tokio::test]
async fn what_is_torn_is_cut_off_and_a_line_that_was_begun_is_ended() {
    let folder = tempfile::tempdir().unwrap();
    let mut first = resume(folder.path(), MIB);
    append(&mut first.writer, "one\n");
    append(&mut first.writer, "name? ");
    drop(first.writer);
    for file in ["lines.output", "lines.index"] {
        let mut file = OpenOptions::new().append(true).open(folder.path().join(file)).unwrap();
        std::io::Write::write_all(&mut file, b"torn").unwrap();
    }
    let mut again = resume(folder.path(), MIB);
    assert_eq!(again.cut, 4);
    append(&mut again.writer, "two\n");
    let texts: Vec<_> = lines(&again.journal, Selection::default()).await;
    let texts: Vec<_> = texts.iter().map(|(number, _, text)| (*number, text.as_str())).collect();
    assert_eq!(texts, [(1, "one"), (2, "name? "), (2, ""), (3, "two")]);
}

#[tokio::test]
async fn a_part_whose_index_is_damaged_is_set_aside() {
    let folder = tempfile::tempdir().unwrap();
    let mut first = resume(folder.path(), MIB);
    append(&mut first.writer, "one\n");
    drop(first.writer);
    let index = folder.path().join("lines.index");
    let mut bytes = std::fs::read(&index).unwrap();
    bytes[200] ^= 1;
    std::fs::write(&index, bytes).unwrap();
    let mut again = resume(folder.path(), MIB);
    assert!(again.is_new && again.cut == 4);
    append(&mut again.writer, "two\n");
    assert_eq!(numbers_of(&lines(&again.journal, Selection::default()).await), [1]);
    assert_eq!(std::fs::read(folder.path().join("lines.output.damaged")).unwrap(), b"one\n");
    drop(again.writer);
    assert!(!resume(folder.path(), MIB).is_new);
}

#[tokio::test]
async fn it_keeps_to_its_size_and_to_the_youngest_lines() {
    let folder = tempfile::tempdir().unwrap();
    let mut feed = resume(folder.path(), MIB);
    for number in 0..40_000_u32 {
        append(&mut feed.writer, &format!("line {number} {}\n", "x".repeat(60)));
        if number % 5000 == 0 {
            let files = std::fs::read_dir(folder.path()).unwrap();
            let bytes: u64 = files.map(|file| file.unwrap().metadata().unwrap().len()).sum();
            assert!(bytes <= MIB, "{bytes} bytes after {number} lines");
        }
    }
    let oldest = feed.journal.first_line();
    assert!(oldest > 30_000 && oldest < 40_000 - 5000, "{oldest}");
    let all = lines(&feed.journal, Selection::default()).await;
    assert_eq!(numbers_of(&all), (oldest..=40_000).collect::<Vec<_>>());
    assert!(all.iter().all(|(number, _, text)| text.starts_with(&format!("line {} ", number - 1))));
    drop(feed.writer);
    let again = resume(folder.path(), MIB);
    assert_eq!(numbers_of(&lines(&again.journal, Selection::default()).await), numbers_of(&all));
}

#[tokio::test]
async fn a_reader_that_is_overtaken_is_told_once_how_many_lines_it_missed() {
    let folder = tempfile::tempdir().unwrap();
    let mut feed = resume(folder.path(), MIB);
    append(&mut feed.writer, "one\n");
    let mut reader = feed.journal.read(&Selection::default()).unwrap();
    assert_eq!(&chunk(&mut reader).await.bytes[..], b"one\n");
    for number in 2..=40_000_u32 {
        append(&mut feed.writer, &format!("line {number} {}\n", "x".repeat(60)));
    }
    let told = chunk(&mut reader).await;
    let oldest = feed.journal.first_line();
    assert_eq!(told.stream, Stream::System);
    let skipped = format!("{} lines skipped (2 to {}): they are not kept any more\n", oldest - 2, oldest - 1);
    assert_eq!(String::from_utf8_lossy(&told.bytes), skipped);
    assert_eq!(told.line, oldest - 1);
    assert_eq!(chunk(&mut reader).await.line, oldest);
}

#[tokio::test]
async fn who_comes_back_for_forgotten_lines_is_told_and_who_asks_for_all_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let mut feed = resume(folder.path(), MIB);
    for number in 1..=40_000_u32 {
        append(&mut feed.writer, &format!("line {number} {}\n", "x".repeat(60)));
    }
    let oldest = feed.journal.first_line();
    let back = lines(&feed.journal, Selection { after: Some(7), ..Selection::default() }).await;
    assert_eq!((back[0].0, back[0].1, back[1].0), (oldest - 1, Stream::System, oldest));
    assert!(back[0].2.starts_with(&format!("{} lines skipped (8 to ", oldest - 8)));
    for after in [oldest - 1, oldest, 39_999] {
        let back = lines(&feed.journal, Selection { after: Some(after), ..Selection::default() }).await;
        assert_eq!((back[0].0, back[0].1), (after + 1, Stream::Stdout), "{after}");
    }
    let all = lines(&feed.journal, Selection { from: 5, ..Selection::default() }).await;
    assert_eq!((all[0].0, all[0].1), (oldest, Stream::Stdout));
}

/// Offers `text` until there is room.
fn offer(writer: &mut Writer, text: &str) {
    let begun = Instant::now();
    while !writer.offer(Stream::Stdout, Bytes::copy_from_slice(text.as_bytes())).is_empty() {
        assert!(begun.elapsed() < Duration::from_secs(60));
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[tokio::test]
async fn what_there_is_no_room_for_is_given_back_or_counted_and_what_was_said_is_said_later() {
    let folder = tempfile::tempdir().unwrap();
    let state = folder.path().join("state");
    // its files cannot even be made
    let mut feed = resume(&state, MIB);
    let offered = Bytes::from_static(b"one\ntwo\n");
    assert_eq!(feed.writer.offer(Stream::Stdout, offered.clone()), offered);
    feed.writer.say("something happened");
    std::fs::create_dir(&state).unwrap();
    offer(&mut feed.writer, "one\ntwo\n");
    append(&mut feed.writer, "three\n");
    let texts = |lines: Vec<(u64, Stream, String)>| lines.into_iter().map(|(_, _, text)| text).collect::<Vec<_>>();
    let all = texts(lines(&feed.journal, Selection::default()).await);
    assert!(all[2].starts_with("lines waited for room: No such file"), "{all:?}");
    assert_eq!([&all[..2], &all[3..]].concat(), ["one", "two", "something happened", "three"]);

    // a segment cannot be begun
    std::fs::rename(&state, folder.path().join("away")).unwrap();
    let block = "x".repeat(63) + "\n";
    (0..4096).for_each(|_| append(&mut feed.writer, &block));
    std::fs::rename(folder.path().join("away"), &state).unwrap();
    offer(&mut feed.writer, "back\n");
    drop(feed.writer);
    let again = resume(&state, MIB);
    let all = lines(&again.journal, Selection::default()).await;
    assert_eq!(numbers_of(&all), (1..=all.len() as u64).collect::<Vec<_>>(), "no number is missing");
    let all = texts(all);
    let kept = all.iter().filter(|text| text.len() == 63).count();
    let lost = format!("{} bytes were not kept: No such file or directory (os error 2)", (4096 - kept) * 64);
    assert!(kept > 0 && kept < 4096 && all.contains(&lost), "{kept} kept, {:?}", all.last());
}
