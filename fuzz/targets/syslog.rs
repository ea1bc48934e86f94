//! A connection of syslog, cut anywhere: the pieces do not matter, nothing waits beyond the bound, nothing but counts and
//! separators is lost, and every message is a record.
#![no_main]

use bytes::{Bytes, BytesMut};
use joblines::logging::{Framer, read_syslog};
use joblines::record::Entry;
use libfuzzer_sys::fuzz_target;

fn cut<'a>(pieces: impl IntoIterator<Item = &'a [u8]>, longest: usize) -> Vec<Bytes> {
    let (mut framer, mut buffer, mut messages) = (Framer::new(longest), BytesMut::new(), Vec::new());
    for piece in pieces {
        buffer.extend_from_slice(piece);
        messages.extend(std::iter::from_fn(|| framer.cut(&mut buffer)));
        assert!(buffer.len() <= longest + 20, "{} bytes wait", buffer.len());
    }
    messages.extend(std::iter::from_fn(|| framer.finish(&mut buffer)));
    assert!(buffer.is_empty());
    messages
}

/// What no framing takes for its own.
fn text(bytes: &[u8]) -> Vec<u8> {
    bytes.iter().filter(|byte| !b"\0\r\n 0123456789".contains(byte)).copied().collect()
}

fuzz_target!(|bytes: &[u8]| {
    let Some((&longest, stream)) = bytes.split_first() else { return };
    let longest = usize::from(longest) + 1;
    let whole = cut([stream], longest);
    assert_eq!(cut(stream.chunks(1), longest), whole);
    for at in 0..stream.len().min(64) {
        let (left, right) = stream.split_at(at);
        assert_eq!(cut([left, right], longest), whole, "cut at {at}");
    }
    assert_eq!(text(&whole.concat()), text(stream));
    let (mut framer, mut buffer) = (Framer::new(longest), BytesMut::new());
    for piece in stream.chunks(7) {
        buffer.extend_from_slice(piece);
        while framer.settle(&mut buffer).is_some() {}
    }
    for message in whole.iter().map(|message| &message[..]).chain([stream]) {
        let (entry, mut line) = (read_syslog(message), Vec::new());
        entry.write(&mut line);
        assert_eq!(Entry::read(&line), Some(entry));
    }
});
