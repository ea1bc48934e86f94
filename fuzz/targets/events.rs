//! NDJSON as the client takes it from a server: in whatever portions it comes, the same events come out.
#![no_main]

use joblines::cli::client::{Event, Events};
use libfuzzer_sys::fuzz_target;

/// The events before the first line that is none.
fn read<'a>(portions: impl Iterator<Item = &'a [u8]>) -> Vec<Event> {
    let (mut events, mut seen) = (Events::default(), Vec::new());
    for portion in portions {
        events.push(portion);
        loop {
            match events.take() {
                Ok(Some(event)) => seen.push(event),
                Ok(None) => break,
                Err(error) => {
                    assert!(!error.to_string().is_empty());
                    return seen;
                }
            }
        }
    }
    seen
}

fuzz_target!(|input: &[u8]| {
    let Some((&size, bytes)) = input.split_first() else { return };
    assert_eq!(read(bytes.chunks(usize::from(size).max(1))), read(std::iter::once(bytes)));
});
