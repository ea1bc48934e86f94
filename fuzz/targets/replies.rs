//! What a Redis server says, on its way to whoever reads it: however it is cut into pieces the same goes on, never
//! more than came, and all of what is short.
#![no_main]

use joblines::sources::redis::Replies;
use libfuzzer_sys::fuzz_target;

const LONGEST: usize = 1 << 20;

static BEHIND: [u8; LONGEST] = [b'x'; LONGEST];

fn pass<'a>(pieces: impl Iterator<Item = &'a [u8]>) -> Vec<u8> {
    let (mut replies, mut passed) = (Replies::default(), Vec::new());
    pieces.for_each(|piece| replies.pass(piece, &mut passed));
    passed
}

fuzz_target!(|input: (u8, Vec<u8>)| {
    let (cut, bytes) = input;
    let whole = pass(std::iter::once(&bytes[..]));
    assert_eq!(pass(bytes.chunks(usize::from(cut).max(1))), whole);
    // what is longer than is kept, without holding that much for each input
    let passed = pass([&bytes[..], &BEHIND, &BEHIND, &BEHIND].into_iter());
    if !bytes.contains(&b'$') {
        assert_eq!(whole, bytes);
    }
    assert!(passed.len() <= bytes.len() + 3 * LONGEST + 64, "no more goes on than came");
});
