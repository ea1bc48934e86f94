//! Lines that are cut anywhere, sifted by anything, left and come back to anywhere.

use proptest::prelude::*;

use super::*;

const QUERIES: [&str; 9] = [
    "q=a",
    "x=a|^$",
    "q=^a|b$",
    "level=error",
    "level=0,40",
    "level=info&q=x",
    "logger=app",
    "field=a=b",
    "stream=stderr&q=.",
];

/// Appends of either stream, in which lines are cut anywhere.
fn appends() -> impl Strategy<Value = Vec<(bool, String)>> {
    let part = prop_oneof![
        "[ab x]{0,3}\n{0,2}",
        Just("ERROR:app:".to_owned()),
        Just("a=b ".to_owned()),
        Just("{\"a\":\"b\"}".to_owned()),
        Just("INFO:".to_owned()),
        Just("\n  at x\n".to_owned()),
        Just("Traceback (most\n a\nKey\n".to_owned()),
        Just("\x1b[1".to_owned()),
        Just("m".to_owned()),
    ];
    proptest::collection::vec((any::<bool>(), part), 0..40)
}

fn journal_of(appends: &[(bool, String)]) -> Journal {
    let mut journal = Journal::default();
    for (is_err, text) in appends {
        journal.append(if *is_err { ERR } else { OUT }, text.as_bytes());
    }
    journal
}

proptest! {
    #[test]
    fn however_lines_are_cut_the_same_ones_pass(appends in appends(), query in 0..QUERIES.len()) {
        let terms = terms(QUERIES[query]);
        let journal = journal_of(&appends);
        let whole = lines(&journal.chunks);
        // the same lines with the same numbers, each a chunk of its own
        let uncut: Vec<Chunk> = whole.iter().map(|(line, stream, bytes)| Chunk {
            line: *line,
            time: Timestamp::UNIX_EPOCH,
            stream: *stream,
            continues: false,
            open: !bytes.ends_with(b"\n"),
            bytes: Bytes::copy_from_slice(bytes),
        }).collect();
        let passed = journal.sift(&terms, ALL);
        prop_assert_eq!(lines(&passed), lines(&sift(&uncut, &terms, ALL)));
        let all: Vec<_> = whole.into_iter().map(|(_, _, bytes)| bytes).collect();
        for (line, _, bytes) in lines(&passed) {
            prop_assert_eq!(&all[line as usize - 1], &bytes, "its number and its bytes are those of the journal");
        }
    }

    #[test]
    fn who_comes_back_after_any_line_gets_each_other_line_once(appends in appends(), query in 0..QUERIES.len()) {
        let terms = terms(QUERIES[query]);
        let journal = journal_of(&appends);
        let whole = journal.sift(&terms, ALL);
        // the ends of lines, in the order in which they are told
        let ended = |chunk: &Chunk| match (chunk.open, chunk.continues) {
            (true, _) => chunk.line..chunk.line,
            (false, true) => chunk.line..chunk.line + 1,
            (false, false) => chunk.line..chunk.line + chunk.bytes.iter().filter(|byte| **byte == b'\n').count() as u64,
        };
        let ends: Vec<u64> = whole.iter().flat_map(ended).collect();
        for (at, &seen) in ends.iter().enumerate() {
            let rest = journal.sift(&terms, Span { after: Some(seen), ..ALL });
            prop_assert_eq!(rest.iter().flat_map(ended).collect::<Vec<_>>(), &ends[at + 1..], "after line {}", seen);
            for (line, _, bytes) in lines(&rest) {
                let (_, _, same) = lines(&whole).into_iter().find(|(other, ..)| *other == line).unwrap();
                prop_assert_eq!(bytes, same, "line {} is whole", line);
            }
        }
    }

    #[test]
    fn the_last_lines_are_the_end_of_all(appends in appends(), skip in 0..20_u64) {
        let terms = terms("q=a|x");
        let journal = journal_of(&appends);
        let all = lines(&journal.sift(&terms, ALL));
        let some = lines(&journal.sift(&terms, Span { skip, ..ALL }));
        prop_assert_eq!(some.len(), all.len().saturating_sub(skip as usize));
        prop_assert!(some.iter().all(|line| all.contains(line)));
    }
}
