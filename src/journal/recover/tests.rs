//! What a crash leaves of a journal, and what is made of it.

use std::fs;
use std::path::PathBuf;

use proptest::prelude::*;
use tempfile::TempDir;

use super::*;
use crate::journal::tests::{file, finish, journal, write_many};
use crate::journal::{HEADER, Journal};

/// A journal that its writer never ended, as a killed server leaves it.
fn abandoned() -> (TempDir, PathBuf) {
    let (folder, mut writer, journal) = journal(u64::MAX);
    write_many(&mut writer, 100);
    std::mem::forget(writer);
    (folder, journal.base().to_owned())
}

#[test]
fn a_journal_without_an_end_is_ended_as_lost_with_every_line() {
    let (_folder, path) = abandoned();
    let recovered = recover(&path, Timestamp::UNIX_EPOCH).unwrap();
    assert_eq!((recovered.end.state, recovered.end.lines, recovered.cut), (State::Lost, 100, 0));
    assert_eq!(Journal::open(path.clone(), None).unwrap().end().unwrap().lines, 100);
    assert_eq!(recover(&path, Timestamp::UNIX_EPOCH).unwrap().end.state, State::Lost);
}

#[test]
fn a_run_that_ended_before_the_crash_keeps_its_receipt() {
    let (_folder, mut writer, journal) = journal(u64::MAX);
    write_many(&mut writer, 10);
    let end = finish(writer);
    assert_eq!(recover(journal.base(), Timestamp::UNIX_EPOCH).unwrap().end.duration, end.duration);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn wherever_a_crash_cuts_the_files_a_whole_prefix_is_left(output in 0u64..1200, index in 0u64..2900) {
        let (_folder, path) = abandoned();
        let text = fs::read(file(&path, "output")).unwrap();
        let cut = |name: &str, length: u64| {
            let file = fs::OpenOptions::new().write(true).open(file(&path, name)).unwrap();
            file.set_len(length.min(file.metadata().unwrap().len())).unwrap();
        };
        cut("output", output);
        cut("index", index);
        let recovered = recover(&path, Timestamp::UNIX_EPOCH);
        if index < HEADER as u64 && output > 0 {
            // a crash leaves no output before its header; whoever did, it is not ours to throw away
            prop_assert!(recovered.is_err());
            prop_assert!(fs::read(file(&path, "output")).unwrap().len() as u64 == output.min(text.len() as u64));
            return Ok(());
        }
        let recovered = recovered.unwrap();
        prop_assert_eq!(recovered.end.state, State::Lost);
        let left = fs::read(file(&path, "output")).unwrap_or_default();
        prop_assert!(text.starts_with(&left));
        prop_assert_eq!(recovered.end.bytes, left.len() as u64);
        prop_assert!(left.is_empty() || left.ends_with(b"\n"));
    }

    #[test]
    fn garbage_behind_the_last_entry_is_cut_off(garbage in proptest::collection::vec(any::<u8>(), 1..200)) {
        let (_folder, path) = abandoned();
        for name in ["output", "index"] {
            let mut file = fs::OpenOptions::new().append(true).open(file(&path, name)).unwrap();
            std::io::Write::write_all(&mut file, &garbage).unwrap();
        }
        let recovered = recover(&path, Timestamp::UNIX_EPOCH).unwrap();
        prop_assert_eq!((recovered.end.lines, recovered.cut), (100, garbage.len() as u64));
    }
}
