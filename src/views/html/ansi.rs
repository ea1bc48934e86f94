//! Escape sequences (ECMA-48, ISO 6429) told from text, in one pass over bytes that may be cut anywhere. It removes
//! sequences and never acts on one.
//!
//! The states are those of Paul Williams' parser for the VT500 as far as they change what is text. Cut input costs a
//! state and at most [`Parser::LONGEST`] bytes of parameters: a longer sequence is removed without effect. Strings
//! (OSC with its hyperlinks and titles, DCS, APC, PM, SOS) have no length here. Bytes from 0x80 on are never C1
//! controls, as in every terminal that speaks UTF-8.

const ESC: u8 = 0x1B;

/// Where the parser stands between two bytes.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
enum State {
    #[default]
    Ground,
    Escape,
    EscapeIntermediate,
    Csi,
    Osc,
    String,
}

/// What the parser found.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Token<'a> {
    /// Text, or a control character from within a sequence, which acts as if it stood before it.
    Text(&'a [u8]),
    /// A control sequence with this last byte; [`Parser::params`] holds its parameters.
    Csi(u8),
}

/// See the module.
#[derive(Default, Debug)]
pub(super) struct Parser {
    state: State,
    params: Vec<u8>,
}

enum Step {
    Nothing,
    Control,
    Csi(u8),
}

impl Parser {
    /// Parameters beyond this many bytes make a sequence meaningless.
    const LONGEST: usize = 128;

    /// Forgets a sequence that was begun.
    pub(super) fn reset(&mut self) {
        self.state = State::Ground;
    }

    /// Whether the next byte is text unless it begins a sequence.
    pub(super) fn is_ground(&self) -> bool {
        self.state == State::Ground
    }

    /// The parameters of the sequence found last: digits, `;` and `:`. `None` where it is a private or broken one.
    pub(super) fn params(&self) -> Option<&[u8]> {
        let ordinary = self.params.iter().all(|byte| matches!(byte, b'0'..=b';'));
        (ordinary && self.params.len() <= Self::LONGEST).then_some(&self.params)
    }

    /// The next token of `input`, which shrinks to what follows it; `None` when there is none in what is left.
    pub(super) fn next<'i>(&mut self, input: &mut &'i [u8]) -> Option<Token<'i>> {
        loop {
            let here = *input;
            if self.state == State::Ground {
                let at = memchr::memchr(ESC, here).unwrap_or(here.len());
                let (text, rest) = here.split_at(at);
                *input = rest.get(1..).unwrap_or_default();
                if !rest.is_empty() {
                    self.state = State::Escape;
                }
                match text.is_empty() {
                    false => return Some(Token::Text(text)),
                    true if rest.is_empty() => return None,
                    true => continue,
                }
            }
            let (&byte, rest) = here.split_first()?;
            *input = rest;
            match self.step(byte) {
                Step::Nothing => {}
                Step::Control => return Some(Token::Text(&here[..1])),
                Step::Csi(last) => return Some(Token::Csi(last)),
            }
        }
    }

    fn step(&mut self, byte: u8) -> Step {
        use State::{Csi, Escape, EscapeIntermediate, Ground, Osc, String};
        match (self.state, byte) {
            (_, ESC) => self.state = Escape,
            (_, 0x18 | 0x1A) => {
                self.state = Ground;
                return Step::Control;
            }
            (Osc, 0x07) => self.state = Ground,
            (Ground | Osc | String, _) => {}
            (_, 0x00..=0x1F) => return Step::Control,
            (_, 0x7F..) => {}
            (Escape, b'[') => {
                self.params.clear();
                self.state = Csi;
            }
            (Escape, b']') => self.state = Osc,
            (Escape, b'P' | b'X' | b'^' | b'_') => self.state = String,
            (Escape | EscapeIntermediate, 0x20..=0x2F) => self.state = EscapeIntermediate,
            (Escape | EscapeIntermediate, _) => self.state = Ground,
            (Csi, 0x20..=0x3F) if self.params.len() > Self::LONGEST => {}
            (Csi, 0x20..=0x3F) => self.params.push(byte),
            (Csi, _) => {
                self.state = Ground;
                return Step::Csi(byte);
            }
        }
        Step::Nothing
    }
}

/// Lines as people see them: without escape sequences. It keeps its buffer, so that a line costs no memory of its own.
#[derive(Default, Debug)]
pub struct Plain {
    parser: Parser,
    text: Vec<u8>,
}

impl Plain {
    /// `line` without its escape sequences; a sequence that is not complete at its end is removed all the same.
    pub fn of<'a>(&'a mut self, mut line: &'a [u8]) -> &'a [u8] {
        if memchr::memchr(ESC, line).is_none() {
            return line;
        }
        self.text.clear();
        self.parser.reset();
        while let Some(token) = self.parser.next(&mut line) {
            if let Token::Text(text) = token {
                self.text.extend_from_slice(text);
            }
        }
        &self.text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens(parser: &mut Parser, mut input: &[u8]) -> Vec<String> {
        let mut found = Vec::new();
        while let Some(token) = parser.next(&mut input) {
            found.push(match token {
                Token::Text(text) => String::from_utf8_lossy(text).into_owned(),
                Token::Csi(last) => format!("{}:{:?}", last as char, parser.params().map(String::from_utf8_lossy)),
            });
        }
        found
    }

    #[test]
    fn sequences_are_told_from_text() {
        let found = tokens(&mut Parser::default(), b"a\x1b[1;31mb\x1b[?25lc\x1b(Bd\x1b7e");
        assert_eq!(found, ["a", "m:Some(\"1;31\")", "b", "l:None", "c", "d", "e"]);
    }

    #[test]
    fn strings_are_removed_with_what_they_hold() {
        let link = b"\x1b]8;;http://example.org/\x1b\\link\x1b]8;;\x07.\x1bPq#0\x1b\\!";
        assert_eq!(tokens(&mut Parser::default(), link), ["link", ".", "!"]);
    }

    #[test]
    fn a_sequence_may_be_cut_anywhere() {
        let mut parser = Parser::default();
        assert_eq!(tokens(&mut parser, b"a\x1b"), ["a"]);
        assert_eq!(tokens(&mut parser, b"[3"), Vec::<String>::new());
        assert_eq!(tokens(&mut parser, b"1mb"), ["m:Some(\"31\")", "b"]);
    }

    #[test]
    fn a_plain_line_is_what_people_see() {
        let mut plain = Plain::default();
        for (line, seen) in [
            (&b"as it is"[..], &b"as it is"[..]),
            (b"\x1b[1;31mERROR\x1b[0m: \x1b[4mred\x1b[m", b"ERROR: red"),
            (b"\x1b]8;;http://example.org/\x07link\x1b]8;;\x07", b"link"),
            (b"cut \x1b[3", b"cut "),
            (b"after a cut one", b"after a cut one"),
            (b"\xff\x1b[m\xfe", b"\xff\xfe"),
        ] {
            assert_eq!(plain.of(line), seen);
        }
    }

    #[test]
    fn an_endless_sequence_costs_a_bounded_buffer() {
        let mut parser = Parser::default();
        let long = [b"\x1b[".as_slice(), &[b'1'; 100_000]].concat();
        assert!(tokens(&mut parser, &long).is_empty());
        assert!(parser.params.capacity() <= 512);
        assert_eq!(tokens(&mut parser, b"mx"), ["m:None", "x"]);
    }

    #[test]
    fn controls_within_a_sequence_act_and_cancel_ends_it() {
        assert_eq!(
            tokens(&mut Parser::default(), b"\x1b[3\r1mx\x1b[3\x18y"),
            ["\r", "m:Some(\"31\")", "x", "\x18", "y"]
        );
    }
}
