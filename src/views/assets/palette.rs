//! The 256 colours of a terminal as classes, generated: `f196` for text, `on196` for the ground. No text of the page's
//! own ground falls below a contrast of 4.5 to 1 (WCAG 2 AA), in either theme.
//!
//! The first 16 are chosen, one set for each theme, since programs mean words by them (red: wrong) and not values. The
//! others are xterm's, moved towards black or white as far as the contrast needs. On a coloured ground all are exact.

use std::fmt::Write;

type Rgb = [u8; 3];

/// The ground of the page: `--paper` in the style sheet.
const LIGHT: Rgb = [0xFB, 0xFA, 0xF7];
const DARK: Rgb = [0x15, 0x18, 0x1E];

/// What the colours are moved to: so much that 4.5 is left on the ground of stderr too, `--error-ground`.
const ENOUGH: f64 = 4.9;

/// The 16 on the light page, on the dark page, and as grounds.
const NAMED: [(u32, u32, u32); 16] = [
    (0x22252B, 0x858D9B, 0x000000),
    (0xB42318, 0xFF7B72, 0xC4352C),
    (0x1E6B34, 0x6FCF85, 0x2E8B45),
    (0x855700, 0xE2B450, 0xC99A1E),
    (0x1D4FBF, 0x79AEFC, 0x2F62C9),
    (0x8B2FA0, 0xD79BF0, 0x9A45B0),
    (0x0B6470, 0x5FC9D3, 0x1F8F9C),
    (0x555C68, 0xC3CAD4, 0xD5D9DF),
    (0x666D79, 0x8B94A3, 0x6B7280),
    (0xC62A1C, 0xFF9A92, 0xEF5A50),
    (0x227A3C, 0x93E3A5, 0x55C26C),
    (0x8F5F00, 0xF3CD77, 0xF2CF5B),
    (0x2A62D6, 0xA3C8FF, 0x5F93F5),
    (0xA03BB5, 0xE7B9FA, 0xCF7EE6),
    (0x0C7280, 0x8BE0E8, 0x4CC4D0),
    (0x3B414B, 0xF4F6F9, 0xFFFFFF),
];

/// The rules of all colours.
pub(super) fn css() -> String {
    let mut css = String::with_capacity(32 * 1024);
    let mut dark = String::with_capacity(8 * 1024);
    for number in 0..=u8::MAX {
        let (light_text, dark_text, exact) = colour(number);
        let on = if contrast(exact, [0; 3]) > contrast(exact, [255; 3]) { "#000" } else { "#fff" };
        // a String takes everything
        let _ = writeln!(css, ".f{number}{{color:{};--x:{}}}", hex(light_text), hex(exact));
        let _ = writeln!(css, ".on{number}{{background:{};color:{on}}}", hex(exact));
        let _ = writeln!(dark, ".f{number}{{color:{}}}", hex(dark_text));
    }
    css + "@media screen and (prefers-color-scheme:dark){\n" + &dark + "}\n#lines [class*=\" on\"]{color:var(--x)}\n"
}

/// A colour as text on the light page, on the dark page, and as it is.
fn colour(number: u8) -> (Rgb, Rgb, Rgb) {
    if let Some(&(light, dark, exact)) = NAMED.get(usize::from(number)) {
        return (rgb(light), rgb(dark), rgb(exact));
    }
    let exact = match number {
        232.. => [8 + 10 * (number - 232); 3],
        _ => {
            let number = number - 16;
            [number / 36, number / 6 % 6, number % 6].map(|level| if level == 0 { 0 } else { 55 + 40 * level })
        }
    };
    (readable(exact, LIGHT, 0), readable(exact, DARK, 255), exact)
}

/// The colour, moved towards `end` until it can be read on `ground`.
fn readable(colour: Rgb, ground: Rgb, end: u8) -> Rgb {
    let moved = |percent: u16| colour.map(|value| mix(value, end, percent));
    (0..=100).step_by(4).map(moved).find(|&colour| contrast(colour, ground) >= ENOUGH).unwrap_or([end; 3])
}

fn mix(from: u8, to: u8, percent: u16) -> u8 {
    let sum = u16::from(from) * (100 - percent) + u16::from(to) * percent;
    u8::try_from(sum / 100).unwrap_or(u8::MAX)
}

/// The contrast ratio of WCAG 2.
fn contrast(one: Rgb, other: Rgb) -> f64 {
    let (one, other) = (luminance(one), luminance(other));
    (one.max(other) + 0.05) / (one.min(other) + 0.05)
}

fn luminance(colour: Rgb) -> f64 {
    let [red, green, blue] = colour.map(|value| {
        let value = f64::from(value) / 255.0;
        if value <= 0.04045 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
    });
    0.2126 * red + 0.7152 * green + 0.0722 * blue
}

fn rgb(hex: u32) -> Rgb {
    let [_, red, green, blue] = hex.to_be_bytes();
    [red, green, blue]
}

fn hex(colour: Rgb) -> String {
    let [red, green, blue] = colour;
    format!("#{red:02x}{green:02x}{blue:02x}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_colour_can_be_read_in_both_themes() {
        for number in 0..=u8::MAX {
            let (light, dark, exact) = colour(number);
            for ground in [LIGHT, rgb(0xFCEFEC)] {
                assert!(contrast(light, ground) >= 4.5, "{number} light: {:.2}", contrast(light, ground));
            }
            for ground in [DARK, rgb(0x291C1F)] {
                assert!(contrast(dark, ground) >= 4.5, "{number} dark: {:.2}", contrast(dark, ground));
            }
            assert!(contrast(exact, [0; 3]).max(contrast(exact, [255; 3])) >= 4.5, "{number} as ground");
        }
    }

    #[test]
    fn the_grounds_are_those_of_the_style_sheet() {
        let css = include_str!("../../../templates/style.css");
        for ground in [LIGHT, DARK] {
            assert!(css.contains(&format!("--paper: {};", hex(ground))), "{}", hex(ground));
        }
        for ground in ["#fcefec", "#291c1f"] {
            assert!(css.contains(&format!("--error-ground: {ground};")), "{ground}");
        }
    }

    #[test]
    fn the_cube_and_the_greys_are_those_of_xterm() {
        assert_eq!(colour(16).2, [0, 0, 0]);
        assert_eq!(colour(196).2, [255, 0, 0]);
        assert_eq!(colour(67).2, [95, 135, 175]);
        assert_eq!(colour(255).2, [238, 238, 238]);
    }
}
