//! Finds where the last lines of a file begin, by reading blocks backwards from its end. It reads no more than it must.

use std::io;

/// How much is read at a time.
const BLOCK: usize = 64 << 10;

/// Where the last `lines` lines of what `read_at` reads begin, within its last `limit` bytes before `size`: a last line
/// without a newline is one. Where there are fewer in there, at the first that begins there; where none does, at the
/// limit. `read_at` fills a buffer from an offset, as far as there is something.
///
/// # Errors
/// Those of `read_at`.
pub(super) fn last_lines(
    mut read_at: impl FnMut(&mut [u8], u64) -> io::Result<usize>,
    size: u64,
    lines: u64,
    limit: u64,
) -> io::Result<u64> {
    let floor = size.saturating_sub(limit);
    // the newline that ends the last line begins none
    let (mut end, mut missing) = (size.saturating_sub(1), lines);
    let mut earliest = None;
    let mut block = vec![0; BLOCK];
    if lines == 0 {
        return Ok(size);
    }
    while end > floor {
        let start = end.saturating_sub(BLOCK as u64).max(floor);
        let wanted = block.get_mut(..(end - start) as usize).unwrap_or_default();
        let count = read_at(wanted, start)?;
        for at in memchr::memrchr_iter(b'\n', wanted.get(..count).unwrap_or_default()) {
            earliest = Some(start + at as u64 + 1);
            missing -= 1;
            if missing == 0 {
                return Ok(start + at as u64 + 1);
            }
        }
        end = start;
    }
    Ok(if floor == 0 { 0 } else { earliest.unwrap_or(floor) })
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::os::unix::fs::FileExt;

    use proptest::prelude::*;

    use super::*;

    fn find(text: &[u8], lines: u64, limit: u64) -> u64 {
        let read = |buffer: &mut [u8], offset: u64| {
            let from = &text[offset as usize..];
            let count = from.len().min(buffer.len());
            buffer[..count].copy_from_slice(&from[..count]);
            Ok(count)
        };
        last_lines(read, text.len() as u64, lines, limit).unwrap()
    }

    #[test]
    fn the_last_lines_of_ten_gigabytes_are_found_by_reading_their_own_blocks() {
        let file = tempfile::tempfile().unwrap();
        let lines: String = (0..2000).map(|number| format!("{number:063}\n")).collect();
        let hole = 10 << 30;
        file.set_len(hole).unwrap();
        file.write_all_at(lines.as_bytes(), hole).unwrap();
        let mut bytes = 0;
        let start = last_lines(|buffer, offset| read(&file, buffer, offset, &mut bytes), hole + 128_000, 1000, 1 << 24);
        assert_eq!(start.unwrap(), hole + 64_000);
        assert!(bytes <= 64_000 + 2 * BLOCK, "{bytes} bytes were read");
        // and where there are no lines, the limit holds
        bytes = 0;
        let start = last_lines(|buffer, offset| read(&file, buffer, offset, &mut bytes), hole, 1000, 1 << 24).unwrap();
        assert_eq!((start, bytes), (hole - (1 << 24), (1 << 24) - 1));
    }

    fn read(file: &File, buffer: &mut [u8], offset: u64, bytes: &mut usize) -> io::Result<usize> {
        let count = file.read_at(buffer, offset)?;
        *bytes += count;
        Ok(count)
    }

    proptest! {
        #[test]
        fn they_are_what_one_would_count(text in "(a{0,3}\n|b|\n){0,40}", lines in 0_u64..12) {
            let all: Vec<&str> = text.split_inclusive('\n').collect();
            let kept: usize = all.iter().rev().take(lines as usize).map(|line| line.len()).sum();
            prop_assert_eq!(find(text.as_bytes(), lines, u64::MAX), (text.len() - kept) as u64);
        }

        #[test]
        fn within_a_limit_they_begin_where_a_line_does_or_at_the_limit(text in "(a{0,9}\n){1,20}", limit in 1_u64..99) {
            let (start, size) = (find(text.as_bytes(), 5, limit), text.len() as u64);
            prop_assert!(size - start <= limit);
            let begins = start == 0 || text.as_bytes()[start as usize - 1] == b'\n';
            prop_assert!(begins || start == size - limit);
        }
    }
}
