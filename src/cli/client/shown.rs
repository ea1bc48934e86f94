//! Which lines of a run have been shown, and how far, so that a stream that is asked for again goes on where the one
//! before broke off. It shows nothing itself.

use super::Text;

/// What has been shown of a run.
#[derive(Debug, Default)]
pub struct Shown {
    /// The highest number of a line.
    last: u64,
    /// Lines up to this one came in a stream that broke off.
    before: u64,
    /// Lines that have no end yet: one for each stream at the most.
    open: Vec<Open>,
}

/// A line of which a part has been shown.
#[derive(Debug)]
struct Open {
    seq: u64,
    shown: usize,
    /// So many bytes of it come once more.
    again: usize,
}

impl Shown {
    /// The line with which a stream has to begin that goes on where this one has broken off.
    pub fn go_on(&mut self) -> u64 {
        self.before = self.last;
        for open in &mut self.open {
            open.again = open.shown;
        }
        self.open.iter().map(|open| open.seq).min().unwrap_or(self.last + 1)
    }

    /// What of `text` has not been shown yet, which is shown by now; `None` where all of it has been.
    pub fn take<'a>(&mut self, text: &'a Text) -> Option<&'a [u8]> {
        let Some(at) = self.open.iter().position(|open| open.seq == text.seq) else {
            // the first line is 1: what has no number cannot be known again
            if (1..=self.before).contains(&text.seq) {
                return None;
            }
            self.last = self.last.max(text.seq);
            if text.is_partial {
                self.open.push(Open { seq: text.seq, shown: text.bytes.len(), again: 0 });
            }
            return Some(&text.bytes);
        };
        let open = self.open.get_mut(at)?;
        let known = open.again.min(text.bytes.len());
        open.again -= known;
        open.shown += text.bytes.len() - known;
        let rest = text.bytes.get(known..).unwrap_or_default();
        if !text.is_partial {
            self.open.swap_remove(at);
        } else if rest.is_empty() {
            return None;
        }
        Some(rest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(seq: u64, bytes: &str, is_partial: bool) -> Text {
        Text { seq, stream: "stdout".to_owned(), bytes: bytes.as_bytes().to_vec(), is_partial }
    }

    /// What is shown of these, each with a newline where its line ends.
    fn show(shown: &mut Shown, texts: &[(u64, &str, bool)]) -> String {
        let mut all = String::new();
        for &(seq, bytes, is_partial) in texts {
            if let Some(rest) = shown.take(&text(seq, bytes, is_partial)) {
                all += &String::from_utf8_lossy(rest);
                all += if is_partial { "" } else { "\n" };
            }
        }
        all
    }

    #[test]
    fn whole_lines_are_shown_once() {
        let mut shown = Shown::default();
        assert_eq!(shown.go_on(), 1);
        assert_eq!(show(&mut shown, &[(1, "one", false), (2, "two", false)]), "one\ntwo\n");
        assert_eq!(shown.go_on(), 3);
        assert_eq!(show(&mut shown, &[(2, "two", false), (3, "three", false)]), "three\n");
    }

    #[test]
    fn an_unfinished_line_goes_on_where_it_stopped_in_whatever_pieces_it_comes() {
        for pieces in [
            &[(5, "name? Ann", false)][..],
            &[(5, "name? ", true), (5, "Ann", false)],
            &[(5, "na", true), (5, "me", true), (5, "? An", true), (5, "n", false)],
        ] {
            let mut shown = Shown::default();
            show(&mut shown, &[(5, "nam", true), (6, "from the other stream", false), (5, "e? ", true)]);
            assert_eq!(shown.go_on(), 5);
            assert_eq!(show(&mut shown, pieces), "Ann\n", "{pieces:?}");
            assert_eq!(show(&mut shown, &[(6, "from the other stream", false), (7, "last", false)]), "last\n");
            assert_eq!(shown.go_on(), 8);
        }
    }

    #[test]
    fn a_line_whose_end_alone_is_missing_gets_it() {
        let mut shown = Shown::default();
        show(&mut shown, &[(1, "all", true)]);
        shown.go_on();
        assert_eq!(show(&mut shown, &[(1, "all", true), (1, "", false)]), "\n");
    }

    #[test]
    fn a_stream_may_break_off_twice() {
        let mut shown = Shown::default();
        show(&mut shown, &[(1, "ab", true)]);
        shown.go_on();
        assert_eq!(show(&mut shown, &[(1, "a", true)]), "");
        assert_eq!(shown.go_on(), 1);
        assert_eq!(show(&mut shown, &[(1, "abc", false)]), "c\n");
    }
}
