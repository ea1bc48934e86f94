//! Pickles, frames and datagrams that anybody may send: whatever the bytes are, a record of them is one line of JSON in
//! bounds, the same when it is read back, and a reader that has seen the one reads the next as if it had not.
#![no_main]

use joblines::logging::{Datagram, Frames, Reader, datagram, read_pickle};
use joblines::record::Entry;
use libfuzzer_sys::fuzz_target;

/// The line that a record becomes.
fn line(reader: &mut Reader, pickle: &[u8]) -> Option<Vec<u8>> {
    let entry = read_pickle(reader, pickle).ok()?;
    let mut out = Vec::new();
    entry.write(&mut out);
    assert!(out.len() <= 8 * (4 * pickle.len() + (1 << 16)));
    assert_eq!(out.iter().filter(|byte| **byte < b' ').count(), 1);
    assert_eq!(Entry::read(&out), Some(entry));
    Some(out)
}

fuzz_target!(|bytes: &[u8]| {
    let mut reader = Reader::new();
    // most programs leave no dict: as a value of one, whatever they leave is written out
    let inside = [b"}X\x03\0\0\0odd", bytes, b"s."].concat();
    for pickle in [bytes, &inside] {
        let first = line(&mut reader, pickle);
        assert_eq!(line(&mut reader, pickle), first);
    }
    let mut frames = Frames::new(1 << 16);
    frames.buffer().extend_from_slice(bytes);
    while let Ok(Some(frame)) = frames.cut() {
        line(&mut reader, frame);
    }
    if let Datagram::Pickle(pickle) | Datagram::Bare(pickle) = datagram(bytes) {
        line(&mut reader, pickle);
    }
});
