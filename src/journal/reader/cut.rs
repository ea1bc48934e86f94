//! Chunks cut to the lines that are wanted of them. It knows no journal.

use crate::record::Chunk;

/// `chunk` without the lines before `first`; `None` where nothing is left.
pub(super) fn cut(mut chunk: Chunk, first: u64) -> Option<Chunk> {
    let surplus = usize::try_from(first.checked_sub(chunk.line + 1)?).ok()?;
    let end = memchr::memchr_iter(b'\n', &chunk.bytes).nth(surplus)? + 1;
    let bytes = chunk.bytes.split_off(end);
    (!bytes.is_empty()).then_some(Chunk { line: first, bytes, ..chunk })
}

/// `chunk` without the lines from `to` on; `None` where nothing is left.
pub(super) fn cut_end(chunk: Chunk, to: u64) -> Option<Chunk> {
    let lines = usize::try_from(to.checked_sub(chunk.line + 1)?).ok()?;
    match memchr::memchr_iter(b'\n', &chunk.bytes).nth(lines) {
        Some(end) => Some(Chunk { bytes: chunk.bytes.slice(..=end), ..chunk }),
        None => Some(chunk),
    }
}

/// What of `chunk` comes behind the end of line `seen`; `after` is cleared once that has been met.
pub(super) fn behind(chunk: Chunk, seen: u64, after: &mut Option<u64>) -> Option<Chunk> {
    let lines = if chunk.open { 0 } else { memchr::memchr_iter(b'\n', &chunk.bytes).count() as u64 };
    if !(chunk.line..chunk.line + lines).contains(&seen) {
        return None;
    }
    *after = None;
    cut(chunk, seen + 1)
}
