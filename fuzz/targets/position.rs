//! Where a followed file was read to, as a file says that anybody may have written: what is taken for a position is saved
//! as the same bytes, but for those that mean nothing.
#![no_main]

use joblines::sources::file::Position;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    // with a checksum that is right, so that the rest is judged too
    let mut sealed = bytes.to_vec();
    if let Some(body) = sealed.len().checked_sub(4) {
        let sum = crc32fast::hash(&sealed[..body]);
        sealed[body..].copy_from_slice(&sum.to_le_bytes());
    }
    for bytes in [bytes, &sealed] {
        if let Some(position) = Position::decode(bytes) {
            assert_eq!(Position::decode(&position.encode()), Some(position));
        }
    }
});
