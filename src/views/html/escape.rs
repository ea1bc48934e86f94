//! Bytes as the text of an element: decoded, escaped, with no control character left. It knows no escape sequences.

use bytes::BytesMut;

use crate::views::{Care, is_unsafe, none};

/// Whether lines can stand in an element as they are.
pub(super) fn is_plain(bytes: &[u8]) -> bool {
    none(bytes, |byte| {
        (byte < 0x20) & (byte != b'\n') & (byte != b'\t') | (byte >= 0x7F) | (byte == b'<') | (byte == b'&')
    })
}

/// Appends what the bytes decode to.
pub(super) fn escape_bytes(bytes: &[u8], out: &mut BytesMut) {
    match std::str::from_utf8(bytes) {
        Ok(valid) => text(valid, out),
        Err(_) => text(&String::from_utf8_lossy(bytes), out),
    }
}

/// Appends text.
pub(in crate::views) fn text(text: &str, out: &mut BytesMut) {
    const CARE: Care = Care::and(b"<&");
    CARE.copy(text, out, |char, out| {
        match char {
            '<' => out.extend_from_slice(b"&lt;"),
            '&' => out.extend_from_slice(b"&amp;"),
            _ if is_unsafe(char) => escape_char(visible_char(char), out),
            _ => return false,
        }
        true
    });
}

/// Appends one visible character.
pub(super) fn escape_char(char: char, out: &mut BytesMut) {
    match char {
        '<' => out.extend_from_slice(b"&lt;"),
        '&' => out.extend_from_slice(b"&amp;"),
        _ => out.extend_from_slice(char.encode_utf8(&mut [0; 4]).as_bytes()),
    }
}

/// The value of an attribute in double quotes.
pub(super) fn attribute(text: &str) -> String {
    text.replace('&', "&amp;").replace('"', "&quot;")
}

/// What stands for a character: its picture (U+2400 and on) for a control, U+FFFD for what would reorder the page.
pub(super) fn visible_char(char: char) -> char {
    match char {
        _ if !is_unsafe(char) => char,
        '\u{7F}' => '\u{2421}',
        '\0'..' ' => char::from_u32(0x2400 + u32::from(char)).unwrap_or(char::REPLACEMENT_CHARACTER),
        _ => char::REPLACEMENT_CHARACTER,
    }
}

/// How many bytes at the end are the beginning of a character whose rest may still come.
pub(super) fn incomplete_tail(bytes: &[u8]) -> usize {
    let longest = bytes.len().min(3);
    (1..=longest)
        .find(|back| {
            let tail = &bytes[bytes.len() - back..];
            std::str::from_utf8(tail).is_err_and(|error| error.valid_up_to() == 0 && error.error_len().is_none())
        })
        .unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn escaped(input: &[u8]) -> String {
        let mut out = BytesMut::new();
        escape_bytes(input, &mut out);
        String::from_utf8(out.to_vec()).unwrap()
    }

    #[test]
    fn markup_becomes_text() {
        assert_eq!(escaped(b"</pre><script>&amp;\"'"), "&lt;/pre>&lt;script>&amp;amp;\"'");
    }

    #[test]
    fn controls_are_shown_as_their_pictures() {
        assert_eq!(escaped(b"a\0b\x07c\x7fd\te"), "a\u{2400}b\u{2407}c\u{2421}d\te");
        assert_eq!(escaped("\u{85}\u{9b}".as_bytes()), "\u{FFFD}\u{FFFD}");
    }

    #[test]
    fn bytes_that_are_no_text_become_replacement_characters() {
        assert_eq!(escaped(b"caf\xe9 \xff\xe2\x82"), "caf\u{FFFD} \u{FFFD}\u{FFFD}");
        assert_eq!(escaped("─ é 語 \u{a0}".as_bytes()), "─ é 語 \u{a0}");
    }

    #[test]
    fn nothing_reorders_the_page() {
        assert_eq!(
            escaped("a\u{202E}b\u{2066}c\u{2029}d\u{200F}e".as_bytes()),
            "a\u{FFFD}b\u{FFFD}c\u{FFFD}d\u{200F}e"
        );
    }

    #[test]
    fn a_character_cut_in_two_is_noticed() {
        assert_eq!(incomplete_tail(b"a\xe2\x82"), 2);
        assert_eq!(incomplete_tail(b"a\xf0"), 1);
        assert_eq!(incomplete_tail("a€".as_bytes()), 0);
        assert_eq!(incomplete_tail(b"a\xff"), 0);
        assert_eq!(incomplete_tail(b"\x82\x82"), 0);
        assert_eq!(incomplete_tail(b""), 0);
    }
}
