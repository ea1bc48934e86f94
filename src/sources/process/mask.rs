//! Puts [`MASK`] in the place of secrets wherever they occur in what a command prints, however the reads cut it. It holds
//! back what could be the beginning of one, and nothing else; it neither reads nor writes.

use std::collections::{BTreeSet, HashMap};
use std::ops::Range;

use aho_corasick::automaton::{Automaton, StateID};
use aho_corasick::nfa::contiguous::NFA;
use aho_corasick::{Anchored, BuildError};
use bytes::{Buf, BytesMut};

use crate::parameters::{MASK, Values};

/// A line of a secret of several lines is masked where it stands alone too, if it has so many characters: a lone brace
/// gives nothing away, and masking it would leave nothing readable.
const SHORTEST_LINE: usize = 4;

/// The secrets of one run. Where occurrences overlap, all of their bytes are covered, by one mask.
pub struct Mask {
    finder: NFA,
    start: StateID,
    /// How many bytes back the beginning of a further occurrence may lie, once the finder is in a state; 0 where absent.
    holds: HashMap<StateID, u32>,
    /// The bytes that a secret may begin with, if they are few; some may stand there twice.
    heads: Option<[u8; 3]>,
}

/// What one stream brought, on its way past a [`Mask`].
pub struct Masker<'a> {
    mask: &'a Mask,
    state: StateID,
    /// What is held back, then what a read brings.
    held: BytesMut,
    /// Where secrets lie in it, in order; no two overlap.
    found: Vec<Range<usize>>,
    /// The first of them began in what has been let go already, and its mask with it.
    is_shown: bool,
}

impl Mask {
    /// Of the secret ones among `values`; `None` where there is nothing to mask.
    ///
    /// # Errors
    /// Where they are too long to be looked for.
    pub fn of(values: &Values) -> Result<Option<Mask>, BuildError> {
        let mut forms = BTreeSet::new();
        values.iter().filter(|value| value.secret).for_each(|value| add_forms(&value.text, &mut forms));
        match forms.is_empty() {
            true => Ok(None),
            false => Mask::new(forms).map(Some),
        }
    }

    fn new(forms: BTreeSet<String>) -> Result<Mask, BuildError> {
        let finder = NFA::new(&forms)?;
        let start = finder.start_state(Anchored::No).expect("a finder of the standard kind starts anywhere");
        let firsts: Vec<u8> =
            forms.iter().filter_map(|form| form.bytes().next()).collect::<BTreeSet<_>>().into_iter().collect();
        let heads = match firsts[..] {
            [a] => Some([a, a, a]),
            [a, b] => Some([a, b, b]),
            [a, b, c] => Some([a, b, c]),
            _ => None,
        };
        let holds = holds(&finder, start, forms);
        Ok(Mask { finder, start, holds, heads })
    }

    /// `text` with its secrets masked.
    pub fn hide(&self, text: &str) -> String {
        let (mut masker, mut masked) = (Masker::new(self), BytesMut::new());
        masker.buffer().extend_from_slice(text.as_bytes());
        masker.pass(text.len(), &mut masked);
        masker.finish(&mut masked);
        String::from_utf8_lossy(&masked).into_owned()
    }

    /// The length of the longest secret that ends where the finder is in `state`.
    fn longest(&self, state: StateID) -> usize {
        let ending = 0..self.finder.match_len(state);
        ending.map(|at| self.finder.pattern_len(self.finder.match_pattern(state, at))).max().unwrap_or(0)
    }
}

/// What a secret may look like in the output: as it is, its newlines as a terminal or a form writes them, its lines.
fn add_forms(secret: &str, forms: &mut BTreeSet<String>) {
    // newlines around it are left, so that lines end where they did; `$(…)` takes them off as well
    let core = secret.trim_matches(['\r', '\n']);
    if core.trim().is_empty() {
        return;
    }
    let lines: Vec<&str> = core.split('\n').map(|line| line.strip_suffix('\r').unwrap_or(line)).collect();
    forms.extend([core.to_owned(), core.replace('\n', "\r\n"), lines.join("\n"), lines.join("\r\n")]);
    let alone = lines.iter().map(|line| line.trim()).filter(|line| line.chars().count() >= SHORTEST_LINE);
    forms.extend(alone.map(str::to_owned));
}

/// For each state of `finder`: how many of the last bytes may begin an occurrence of `forms` that is not complete yet.
fn holds(finder: &NFA, start: StateID, forms: BTreeSet<String>) -> HashMap<StateID, u32> {
    let step = |state, byte: &u8| finder.next_state(Anchored::No, state, *byte);
    let mut holds = HashMap::new();
    for form in &forms {
        let beginning = &form.as_bytes()[..form.len() - 1];
        let mut state = start;
        for (length, byte) in (1..).zip(beginning) {
            state = step(state, byte);
            holds.insert(state, length);
        }
    }
    // what is complete and begins no longer one may still end with the beginning of another: shorter ones first
    let mut forms: Vec<String> = forms.into_iter().collect();
    forms.sort_by_key(String::len);
    for form in forms {
        let whole = form.bytes().fold(start, |state, byte| step(state, &byte));
        if !holds.contains_key(&whole) {
            let rest = form.bytes().skip(1).fold(start, |state, byte| step(state, &byte));
            holds.insert(whole, holds.get(&rest).copied().unwrap_or(0));
        }
    }
    holds
}

impl<'a> Masker<'a> {
    /// Of a stream that has brought nothing yet.
    pub fn new(mask: &'a Mask) -> Masker<'a> {
        Masker { mask, state: mask.start, held: BytesMut::new(), found: Vec::new(), is_shown: false }
    }

    /// Where the next read goes: behind what is held back.
    pub fn buffer(&mut self) -> &mut BytesMut {
        &mut self.held
    }

    /// After a read that brought `new` bytes: moves what can be told by now into `masked`. How many bytes that gave.
    pub fn pass(&mut self, new: usize, masked: &mut BytesMut) -> usize {
        self.find(self.held.len().saturating_sub(new));
        let hold = self.mask.holds.get(&self.state).map_or(0, |hold| *hold as usize);
        self.release(self.held.len().saturating_sub(hold), masked)
    }

    /// At the end of the stream: what is held back was no secret. How many bytes that gave.
    pub fn finish(&mut self, masked: &mut BytesMut) -> usize {
        self.state = self.mask.start;
        self.release(self.held.len(), masked)
    }

    /// Looks for secrets that end behind `at`.
    fn find(&mut self, mut at: usize) {
        let mask = self.mask;
        while at < self.held.len() {
            if self.state == mask.start
                && let Some([a, b, c]) = mask.heads
            {
                match memchr::memchr3(a, b, c, &self.held[at..]) {
                    Some(skipped) => at += skipped,
                    None => return,
                }
            }
            self.state = mask.finder.next_state(Anchored::No, self.state, self.held[at]);
            at += 1;
            if mask.finder.is_match(self.state) {
                self.cover(at - mask.longest(self.state)..at);
            }
        }
    }

    /// Notes a secret; it ends behind all that were noted before.
    fn cover(&mut self, mut range: Range<usize>) {
        while let Some(before) = self.found.pop_if(|before| before.end > range.start) {
            range.start = range.start.min(before.start);
        }
        self.found.push(range);
    }

    /// Moves the first `count` bytes into `masked`, a mask for each secret that begins in them.
    fn release(&mut self, count: usize, masked: &mut BytesMut) -> usize {
        let before = masked.len();
        let mut at = 0;
        let begun = self.found.partition_point(|range| range.start < count);
        for range in self.found.drain(..begun) {
            masked.extend_from_slice(&self.held[at..range.start]);
            if !std::mem::take(&mut self.is_shown) {
                masked.extend_from_slice(MASK.as_bytes());
            }
            at = range.end;
        }
        masked.extend_from_slice(self.held.get(at..count).unwrap_or_default());
        self.held.advance(count);
        self.found.iter_mut().for_each(|range| *range = range.start - count..range.end - count);
        if at > count {
            self.is_shown = true;
            self.found.insert(0, 0..at - count);
        }
        masked.len() - before
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;
    use crate::parameters::Value;

    fn mask(secrets: &[&str]) -> Option<Mask> {
        let value =
            |(at, text): (usize, &&str)| Value { name: format!("s{at}"), text: (*text).to_owned(), secret: true };
        Mask::of(&Values::new(secrets.iter().enumerate().map(value).collect())).unwrap()
    }

    /// What has come out after each of `reads`, and at the end.
    fn pieces(secrets: &[&str], reads: &[&[u8]]) -> Vec<Vec<u8>> {
        let mask = mask(secrets).unwrap();
        let mut masker = Masker::new(&mask);
        let mut pieces = Vec::new();
        for read in reads {
            let mut out = BytesMut::new();
            masker.buffer().extend_from_slice(read);
            assert_eq!(masker.pass(read.len(), &mut out), out.len());
            pieces.push(out.to_vec());
        }
        let mut out = BytesMut::new();
        masker.finish(&mut out);
        assert!(masker.buffer().is_empty(), "nothing stays behind");
        pieces.push(out.to_vec());
        pieces
    }

    /// The same as text.
    fn told(secrets: &[&str], reads: &[&str]) -> Vec<String> {
        let reads: Vec<&[u8]> = reads.iter().map(|read| read.as_bytes()).collect();
        pieces(secrets, &reads).into_iter().map(|piece| String::from_utf8(piece).unwrap()).collect()
    }

    fn hidden(secrets: &[&str], text: &str) -> String {
        mask(secrets).unwrap().hide(text)
    }

    #[test]
    fn a_secret_is_masked_wherever_it_occurs() {
        assert_eq!(hidden(&["hunter2"], "a hunter2, hunter2hunter2!"), "a ••••, ••••••••!");
        assert_eq!(hidden(&["hunter2"], "hunter, unter2"), "hunter, unter2");
        assert_eq!(hidden(&["pässwörd"], "my pässwörd"), "my ••••");
    }

    #[test]
    fn without_a_secret_there_is_no_mask() {
        let open = Value { name: "open".to_owned(), text: "open".to_owned(), secret: false };
        assert!(Mask::of(&Values::new(vec![open])).unwrap().is_none());
        assert!(mask(&[]).is_none());
        assert!(mask(&["", "\n", " \r\n\t"]).is_none(), "nothing and blanks are no secrets");
    }

    #[test]
    fn of_several_that_match_the_longest_is_masked() {
        assert_eq!(hidden(&["abc", "abcdef", "bc"], "abcdef abc bc abcde"), "•••• •••• •••• ••••de");
    }

    #[test]
    fn where_secrets_overlap_nothing_of_either_is_left() {
        assert_eq!(hidden(&["abcd", "cdef"], "[abcdef]"), "[••••]");
        assert_eq!(hidden(&["abab"], "[ababab]"), "[••••]");
        assert_eq!(told(&["abcd", "cdef"], &["[abcd", "ef]"]), ["[••••", "]", ""]);
    }

    #[test]
    fn only_what_could_begin_a_secret_waits() {
        assert_eq!(
            told(&["hunter2"], &["name? ", "h", "i h", "unt", "er2 hun"]),
            ["name? ", "", "hi ", "", "•••• ", "hun"]
        );
        assert_eq!(told(&["hunter2"], &["it is hunter2"]), ["it is ••••", ""], "what is complete does not");
        assert_eq!(told(&["abc", "abcdef"], &["abc", "d", "x"]), ["", "", "••••dx", ""], "what may go on does");
    }

    #[test]
    fn a_secret_of_several_lines_is_masked_whole_and_line_by_line() {
        let key = "-----BEGIN-----\nMIIEpAIB\n  {\nQUJD\n-----END-----\n";
        assert_eq!(hidden(&[key], &format!("key:\n{key}done\n")), "key:\n••••\ndone\n");
        assert_eq!(hidden(&[key], "QUJD {\n-----END----- MIIE"), "•••• {\n•••• MIIE");
        assert_eq!(hidden(&[key], &key.replace('\n', "\r\n")), "••••\r\n", "from a terminal");
        assert_eq!(hidden(&["one\r\n2"], "one\n2, one\r\n2, one\r\r\n2"), "••••, ••••, ••••", "from a form");
    }

    #[test]
    fn lines_still_end_where_a_secret_with_newlines_around_it_is_printed() {
        assert_eq!(hidden(&["\nhunter2\n"], "a\nhunter2\nb"), "a\n••••\nb");
        assert_eq!(hidden(&["pin\n"], "the pin is pin"), "the •••• is ••••");
    }

    /// All occurrences at once, byte by byte.
    fn oracle(forms: &BTreeSet<String>, text: &[u8]) -> Vec<u8> {
        let mut found: Vec<Range<usize>> = Vec::new();
        for form in forms {
            let starts = 0..=text.len().saturating_sub(form.len());
            found.extend(starts.filter(|at| text[*at..].starts_with(form.as_bytes())).map(|at| at..at + form.len()));
        }
        found.sort_by_key(|range| (range.start, range.end));
        let (mut masked, mut at) = (Vec::new(), 0);
        for range in found {
            if range.start >= at {
                masked.extend_from_slice(&text[at..range.start]);
                masked.extend_from_slice(MASK.as_bytes());
            }
            at = at.max(range.end);
        }
        masked.extend_from_slice(&text[at..]);
        masked
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]
        #[test]
        fn however_it_is_read_it_is_masked_as_if_it_came_at_once(
            secrets in vec("[ab\n]{1,2}|[ab\r\n]{3,9}|[abc]{1,5}", 1..4),
            reads in vec("[abc\r\n]{0,7}|[ab]{0,12}", 0..12),
        ) {
            let mut forms = BTreeSet::new();
            secrets.iter().for_each(|secret| add_forms(secret, &mut forms));
            prop_assume!(!forms.is_empty());
            let secrets: Vec<&str> = secrets.iter().map(String::as_str).collect();
            let reads: Vec<&[u8]> = reads.iter().map(String::as_bytes).collect();
            let whole = oracle(&forms, &reads.concat());
            let cut = pieces(&secrets, &reads);
            prop_assert_eq!(&cut.concat(), &whole);
            let text = reads.concat();
            let single: Vec<&[u8]> = text.chunks(1).collect();
            prop_assert_eq!(pieces(&secrets, &single).concat(), &whole[..]);
            for form in &forms {
                prop_assert!(memchr::memmem::find(&whole, form.as_bytes()).is_none(), "{form:?} shows");
            }
        }

        #[test]
        fn bytes_that_begin_no_secret_never_wait(text in "[a-w\n]{0,40}") {
            prop_assert_eq!(told(&["xyz", "zzz\nx"], &[&text]), [text, String::new()]);
        }
    }
}
