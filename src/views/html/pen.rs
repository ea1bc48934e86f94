//! What SGR sequences (ECMA-48 §8.3.117, and 38/48 of ITU-T T.416) have set, as the classes of the style sheet. It
//! never holds a colour the style sheet has no class for: RGB becomes the nearest of xterm's 256.

use bytes::BytesMut;

const BOLD: u8 = 1;
const FAINT: u8 = 1 << 1;
const ITALIC: u8 = 1 << 2;
const UNDERLINE: u8 = 1 << 3;
const INVERSE: u8 = 1 << 4;
const CONCEAL: u8 = 1 << 5;
const STRIKE: u8 = 1 << 6;

/// The classes of the attributes that stand for themselves.
const CLASSES: [(u8, &[u8]); 6] = [
    (BOLD, b"bold"),
    (FAINT, b"faint"),
    (ITALIC, b"italic"),
    (UNDERLINE, b"underline"),
    (STRIKE, b"strike"),
    (CONCEAL, b"conceal"),
];

/// Colours and attributes of the text that follows.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub(super) struct Pen {
    text: Option<u8>,
    ground: Option<u8>,
    attributes: u8,
}

impl Pen {
    /// Whether text looks as it does without any sequence.
    pub(super) fn is_default(&self) -> bool {
        *self == Pen::default()
    }

    /// The tag before text of this pen: `<span class="f1 on3 bold">`. Not to be asked of a default pen.
    pub(super) fn open(&self, out: &mut BytesMut) {
        let (text, ground) = match self.attributes & INVERSE {
            0 => (self.text, self.ground),
            _ => (self.ground, self.text),
        };
        out.extend_from_slice(b"<span class=\"");
        let mut space: &[u8] = b"";
        let mut class = |name: &[u8], number: Option<u8>| {
            out.extend_from_slice(space);
            out.extend_from_slice(name);
            if let Some(number) = number {
                decimal(number, out);
            }
            space = b" ";
        };
        if let Some(text) = text {
            class(b"f", Some(text));
        }
        if let Some(ground) = ground {
            class(b"on", Some(ground));
        } else if self.attributes & INVERSE != 0 {
            class(b"inverse", None);
        }
        for (attribute, name) in CLASSES {
            if self.attributes & attribute != 0 {
                class(name, None);
            }
        }
        out.extend_from_slice(b"\">");
    }

    /// Takes up the parameters of one SGR sequence.
    pub(super) fn apply(&mut self, params: &[u8]) {
        let mut groups = params.split(|&byte| byte == b';');
        while let Some(group) = groups.next() {
            let mut parts = group.split(|&byte| byte == b':');
            let code = number(parts.next());
            match code {
                38 | 48 | 58 => {
                    let colour = match group.contains(&b':') {
                        true => colour_of_parts(parts),
                        false => colour_of_groups(&mut groups),
                    };
                    match (code, colour) {
                        (38, Some(colour)) => self.text = Some(colour),
                        (48, Some(colour)) => self.ground = Some(colour),
                        _ => {}
                    }
                }
                4 if parts.next() == Some(b"0") => self.attributes &= !UNDERLINE,
                _ => self.apply_one(code),
            }
        }
    }

    fn apply_one(&mut self, code: u16) {
        match code {
            0 => *self = Pen::default(),
            1 => self.attributes |= BOLD,
            2 => self.attributes |= FAINT,
            3 => self.attributes |= ITALIC,
            4 | 21 => self.attributes |= UNDERLINE,
            7 => self.attributes |= INVERSE,
            8 => self.attributes |= CONCEAL,
            9 => self.attributes |= STRIKE,
            22 => self.attributes &= !(BOLD | FAINT),
            23 => self.attributes &= !ITALIC,
            24 => self.attributes &= !UNDERLINE,
            27 => self.attributes &= !INVERSE,
            28 => self.attributes &= !CONCEAL,
            29 => self.attributes &= !STRIKE,
            30..=37 => self.text = Some(low(code - 30)),
            39 => self.text = None,
            40..=47 => self.ground = Some(low(code - 40)),
            49 => self.ground = None,
            90..=97 => self.text = Some(low(code - 90) + 8),
            100..=107 => self.ground = Some(low(code - 100) + 8),
            _ => {}
        }
    }
}

/// One parameter; an empty one is 0, one that is too large is the largest.
fn number(digits: Option<&[u8]>) -> u16 {
    let digits = digits.unwrap_or_default().iter().map(|byte| u16::from(byte.wrapping_sub(b'0')));
    digits.fold(0, |number, digit| number.saturating_mul(10).saturating_add(digit))
}

/// Appends a number without allocating: a line may have many spans.
fn decimal(number: u8, out: &mut BytesMut) {
    let digits = [b'0' + number / 100, b'0' + number / 10 % 10, b'0' + number % 10];
    let zeros = usize::from(number < 100) + usize::from(number < 10);
    out.extend_from_slice(&digits[zeros..]);
}

/// A number as the byte it should be.
fn low(number: u16) -> u8 {
    u8::try_from(number).unwrap_or(u8::MAX)
}

/// `38:5:n`, `38:2:r:g:b`, and `38:2:space:r:g:b`, where the colour space is mostly empty.
fn colour_of_parts<'a>(mut parts: impl Iterator<Item = &'a [u8]>) -> Option<u8> {
    match number(parts.next()) {
        5 => u8::try_from(number(Some(parts.next()?))).ok(),
        2 => {
            let (a, b, c) = (number(Some(parts.next()?)), number(Some(parts.next()?)), number(Some(parts.next()?)));
            Some(match parts.next() {
                Some(d) => nearest(low(b), low(c), low(number(Some(d)))),
                None => nearest(low(a), low(b), low(c)),
            })
        }
        _ => None,
    }
}

/// `38;5;n` and `38;2;r;g;b`.
fn colour_of_groups<'a>(groups: &mut impl Iterator<Item = &'a [u8]>) -> Option<u8> {
    let mut next = || groups.next().map(|group| number(Some(group)));
    match next()? {
        5 => u8::try_from(next()?).ok(),
        2 => Some(nearest(low(next()?), low(next()?), low(next()?))),
        _ => None,
    }
}

/// The nearest of xterm's 6×6×6 cube (from 16) and its 24 greys (from 232).
fn nearest(red: u8, green: u8, blue: u8) -> u8 {
    let rgb = [red, green, blue];
    let levels = rgb.map(|value| match value {
        0..48 => 0,
        48..115 => 1,
        _ => (value - 35) / 40,
    });
    let average = rgb.iter().map(|&value| u16::from(value)).sum::<u16>() / 3;
    let grey = low(average.saturating_sub(3) / 10).min(23);
    let distance = |other: [u8; 3]| -> u32 {
        rgb.iter().zip(other).map(|(&one, other)| u32::from(one.abs_diff(other)).pow(2)).sum()
    };
    let of_cube = levels.map(|level| if level == 0 { 0 } else { 55 + 40 * level });
    let of_grey = [8 + 10 * grey; 3];
    match distance(of_grey) < distance(of_cube) {
        true => 232 + grey,
        false => 16 + 36 * levels[0] + 6 * levels[1] + levels[2],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tag(params: &str) -> String {
        let mut pen = Pen::default();
        pen.apply(params.as_bytes());
        let mut out = BytesMut::new();
        if !pen.is_default() {
            pen.open(&mut out);
        }
        String::from_utf8(out.to_vec()).unwrap()
    }

    #[test]
    fn colours_and_attributes_become_classes() {
        assert_eq!(tag("31"), r#"<span class="f1">"#);
        assert_eq!(tag("1;4;93;44"), r#"<span class="f11 on4 bold underline">"#);
        assert_eq!(tag("2;3;8;9"), r#"<span class="faint italic strike conceal">"#);
        assert_eq!(tag("38;5;196"), r#"<span class="f196">"#);
        assert_eq!(tag("48;5;7;38;5;0"), r#"<span class="f0 on7">"#);
    }

    #[test]
    fn numbers_have_no_leading_zeros() {
        let mut out = BytesMut::new();
        for number in [0, 9, 10, 99, 100, 255] {
            decimal(number, &mut out);
            out.extend_from_slice(b" ");
        }
        assert_eq!(&out[..], b"0 9 10 99 100 255 ");
    }

    #[test]
    fn true_colours_become_the_nearest_of_the_palette() {
        assert_eq!(tag("38;2;255;0;0"), r#"<span class="f196">"#);
        assert_eq!(tag("38:2::255:0:0"), r#"<span class="f196">"#);
        assert_eq!(tag("38:2:255:0:0"), r#"<span class="f196">"#);
        assert_eq!(tag("48:5:21"), r#"<span class="on21">"#);
        assert_eq!(tag("38;2;128;128;128"), r#"<span class="f244">"#);
        assert_eq!(tag("38;2;999;999;999"), r#"<span class="f231">"#);
    }

    #[test]
    fn inverse_changes_text_and_ground() {
        assert_eq!(tag("7"), r#"<span class="inverse">"#);
        assert_eq!(tag("7;31"), r#"<span class="on1">"#);
        assert_eq!(tag("7;31;42"), r#"<span class="f2 on1">"#);
        assert_eq!(tag("7;42"), r#"<span class="f2 inverse">"#);
    }

    #[test]
    fn resets_undo_what_they_name() {
        assert_eq!(tag("1;31;0"), "");
        assert_eq!(tag("1;31;"), "");
        assert_eq!(tag("1;2;3;4;7;8;9;31;41;22;23;24;27;28;29;39;49"), "");
        assert_eq!(tag("4;4:0"), "");
        assert_eq!(tag("4:3"), r#"<span class="underline">"#);
    }

    #[test]
    fn an_underline_colour_is_skipped_and_not_taken_for_attributes() {
        assert_eq!(tag("58;5;1;31"), r#"<span class="f1">"#);
        assert_eq!(tag("58;2;1;2;3"), "");
        assert_eq!(tag("58:2::1:2:3;4"), r#"<span class="underline">"#);
    }

    #[test]
    fn nonsense_does_nothing() {
        for params in ["38", "38;5", "38;5;256", "38;2;1", "38;9", "99999999999", "38:2:1", ":::", "77"] {
            assert_eq!(tag(params), "", "{params}");
        }
    }
}
