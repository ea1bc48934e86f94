//! Any secrets, any text, any cutting into reads: what comes out is what comes out when all of it is read at once, and no
//! secret is in it.
#![no_main]

use bytes::BytesMut;
use joblines::parameters::{MASK, Value, Values};
use joblines::sources::process::{Mask, Masker};
use libfuzzer_sys::fuzz_target;

/// What comes out of `text`, read in pieces as long as `lengths` say, over and over.
fn masked(mask: &Mask, text: &[u8], lengths: &[u8]) -> Vec<u8> {
    let (mut masker, mut out) = (Masker::new(mask), BytesMut::new());
    let mut rest = text;
    for length in lengths.iter().cycle() {
        if rest.is_empty() {
            break;
        }
        let (read, behind) = rest.split_at(rest.len().min(usize::from(*length) + 1));
        masker.buffer().extend_from_slice(read);
        masker.pass(read.len(), &mut out);
        rest = behind;
    }
    masker.finish(&mut out);
    out.to_vec()
}

fuzz_target!(|input: (Vec<String>, Vec<u8>, Vec<u8>)| {
    let (secrets, text, mut lengths) = input;
    lengths.push(6);
    let value = |text: &String| Value { name: "s".to_owned(), text: text.clone(), secret: true };
    let values = Values::new(secrets.iter().map(value).collect());
    let Ok(Some(mask)) = Mask::of(&values) else { return };
    // what was printed is often a secret, or almost
    let mut printed = text.clone();
    for (at, secret) in secrets.iter().enumerate() {
        let from = text.get(at).map_or(0, |byte| usize::from(*byte) % (printed.len() + 1));
        printed.splice(from..from, secret.bytes());
    }
    let whole = masked(&mask, &printed, &[255]);
    assert_eq!(masked(&mask, &printed, &lengths), whole, "however it is read");
    let blank = |secret: &str| secret.trim_matches(['\r', '\n']).trim().is_empty();
    for secret in secrets.iter().filter(|secret| !blank(secret) && !MASK.chars().any(|char| secret.contains(char))) {
        let shows = whole.windows(secret.len()).any(|window| window == secret.as_bytes());
        assert!(!shows, "{secret:?} shows");
    }
});
