//! Headers and entries, there and back.

use proptest::prelude::*;

use super::*;

fn chunk() -> ChunkEntry {
    ChunkEntry {
        stream: Stream::Stderr,
        continues: true,
        open: false,
        time: Timestamp::from_microsecond(1_700_000_000_123_456).unwrap(),
        offset: 1 << 40,
        length: 65_536,
        line: 7,
        next_line: 12,
        checksum: 0xdead_beef,
    }
}

#[test]
fn an_entry_of_more_than_anybody_writes_is_none() {
    let entry = |length| Entry::decode(&ChunkEntry { length, ..chunk() }.encode());
    assert!(entry(LONGEST_CHUNK as u32).is_some() && entry(LONGEST_CHUNK as u32 + 1).is_none());
    assert!(entry(u32::MAX).is_none());
}

#[test]
fn a_header_comes_back_as_it_was() {
    let origin = Origin {
        run: RunId::new(),
        job: "backup".to_owned(),
        trigger: "GET from 127.0.0.1".to_owned(),
        started: Timestamp::from_microsecond(1_700_000_000_123_456).unwrap(),
        child: Some(Child { pid: 4711, started: Timestamp::from_microsecond(1_700_000_000_123_999).unwrap() }),
    };
    let header = Header { origin, segment: 3, offset: 1 << 33, first_entry: 99, next_line: 1234 };
    assert_eq!(Header::decode(&header.encode()), Some(header));
}

#[test]
fn a_long_trigger_is_cut_between_characters() {
    let mut field = [0; 5];
    let length = put_text(&mut field, "aé\u{20ac}x");
    assert_eq!(text(&field, length.into()), "aé");
}

#[test]
fn a_chunk_entry_comes_back_as_it_was() {
    assert_eq!(Entry::decode(&chunk().encode()), Some(Entry::Chunk(chunk())));
}

#[test]
fn an_end_entry_comes_back_as_it_was() {
    let usage = Usage {
        cpu_user: Duration::from_micros(1_500_000),
        cpu_system: Duration::from_micros(7),
        max_rss: Some(12 << 20),
    };
    for (state, outcome, usage) in [
        (State::Succeeded, Outcome::Exited(0), Some(usage)),
        (State::Failed, Outcome::Exited(-1), None),
        (State::TimedOut, Outcome::Signalled(9), Some(Usage::default())),
        (State::Lost, Outcome::Unknown, None),
    ] {
        let end = EndEntry {
            state,
            outcome,
            time: Timestamp::from_microsecond(5).unwrap(),
            duration: Duration::from_micros(3_200_001),
            usage,
            bytes_not_kept: 17,
        };
        assert_eq!(Entry::decode(&end.encode()), Some(Entry::End(end)));
    }
}

proptest! {
    #[test]
    fn any_flipped_bit_is_noticed(bit in 0usize..ENTRY * 8) {
        let mut block = chunk().encode();
        block[bit / 8] ^= 1 << (bit % 8);
        prop_assert_eq!(Entry::decode(&block), None);
    }

    #[test]
    fn no_block_makes_it_panic(bytes in proptest::collection::vec(any::<u8>(), HEADER)) {
        let mut entry = [0; ENTRY];
        entry.copy_from_slice(&bytes[..ENTRY]);
        let _ = Entry::decode(&seal(entry));
        let mut header = [0; HEADER];
        header.copy_from_slice(&bytes);
        header[..8].copy_from_slice(MAGIC);
        header[8..10].copy_from_slice(&VERSION.to_le_bytes());
        let _ = Header::decode(&seal(header));
    }
}
