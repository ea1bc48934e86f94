//! The files that pages refer to: the style sheet, the script and the icons, with their content types and hashes. Nothing
//! here is read from disk at run time, and nothing comes from another host.

mod palette;

use std::sync::LazyLock;

use crate::record::State;

/// A file that pages refer to, by an address that changes with its content, so that it may be kept for ever.
#[derive(Debug)]
pub struct Asset {
    /// The last part of its path, below `/assets/`.
    pub name: &'static str,
    /// What the `Content-Type` header says.
    pub content_type: &'static str,
    /// What is in it.
    pub bytes: Vec<u8>,
    /// A hash of the content, in hexadecimal.
    pub hash: String,
}

/// The style sheet: `templates/style.css` and the generated colours.
pub static STYLE: LazyLock<Asset> = LazyLock::new(|| {
    let own = include_bytes!("../../../templates/style.css").to_vec();
    Asset::new("style.css", "text/css; charset=utf-8", [own, palette::css().into_bytes()].concat())
});

/// The script of the pages: what it adds stands in it, and every page works without it.
pub static SCRIPT: LazyLock<Asset> = LazyLock::new(|| {
    let own = include_bytes!("../../../templates/script.js").to_vec();
    Asset::new("script.js", "text/javascript; charset=utf-8", own)
});

/// The script of a feed's page: what it adds stands in it, and the page works without it.
pub static FEED_SCRIPT: LazyLock<Asset> = LazyLock::new(|| {
    let own = include_bytes!("../../../templates/feed.js").to_vec();
    Asset::new("feed.js", "text/javascript; charset=utf-8", own)
});

/// The icon of the pages that are about no run, or about one that has not ended.
pub static ICON: LazyLock<Asset> =
    LazyLock::new(|| Asset::new("icon.svg", "image/svg+xml", include_bytes!("../../../templates/icon.svg").to_vec()));

/// The icons of runs, one for each state in the order of [`State::ALL`]. They share one hash, so that a script which knows
/// the address of one knows all.
static STATE_ICONS: LazyLock<[Asset; 7]> = LazyLock::new(|| {
    let drawn = State::ALL.map(|state| {
        let (name, tone, sign) = state_icon_parts(state);
        let svg = include_str!("../../../templates/state.svg").replace("TONE", tone).replace("SIGN", sign);
        (name, svg.into_bytes())
    });
    let all: Vec<u8> = drawn.iter().flat_map(|(_, svg)| svg.iter().copied()).collect();
    let hash = hash_of(&all);
    drawn.map(|(name, bytes)| Asset { name, content_type: "image/svg+xml", bytes, hash: hash.clone() })
});

/// The icon of a run in `state`.
pub fn state_icon(state: State) -> &'static Asset {
    let at = State::ALL.iter().position(|other| *other == state).unwrap_or_default();
    STATE_ICONS.get(at).unwrap_or(&ICON)
}

/// The address of a run's icon, with `STATE` where the state's name belongs.
pub fn state_icon_pattern(base_path: &str) -> String {
    state_icon(State::Running).url(base_path).replace("icon-running", "icon-STATE")
}

/// The name of a state's icon, its ground, and the path of its sign.
fn state_icon_parts(state: State) -> (&'static str, &'static str, &'static str) {
    match state {
        State::Queued => ("icon-queued.svg", "#5d6470", "M4 8h.01M8 8h.01M12 8h.01"),
        State::Running => ("icon-running.svg", "#2b5fb8", "M6 4.8v6.4L11.5 8z"),
        State::Succeeded => ("icon-succeeded.svg", "#1e6b34", "M4.5 8.5 7 11l4.5-6"),
        State::Failed => ("icon-failed.svg", "#b42318", "M5 5l6 6M11 5l-6 6"),
        State::TimedOut => ("icon-timed_out.svg", "#855700", "M8 4v4.5l3 1.5"),
        State::Cancelled => ("icon-cancelled.svg", "#5d6470", "M4.5 11.5l7-7"),
        State::Lost => ("icon-lost.svg", "#855700", "M6 6.2a2 2 0 1 1 2.9 1.8c-.6.3-.9.7-.9 1.4M8 12h.01"),
    }
}

/// The file of this name.
pub fn find(name: &str) -> Option<&'static Asset> {
    match name {
        "style.css" => Some(&STYLE),
        "script.js" => Some(&SCRIPT),
        "feed.js" => Some(&FEED_SCRIPT),
        "icon.svg" => Some(&ICON),
        _ => STATE_ICONS.iter().find(|icon| icon.name == name),
    }
}

impl Asset {
    fn new(name: &'static str, content_type: &'static str, bytes: Vec<u8>) -> Asset {
        let hash = hash_of(&bytes);
        Asset { name, content_type, bytes, hash }
    }

    /// Its address, under the path where joblines is mounted.
    pub fn url(&self, base_path: &str) -> String {
        format!("{base_path}/assets/{}?v={}", self.name, self.hash)
    }

    /// What the `ETag` header says.
    pub fn etag(&self) -> String {
        format!("\"{}\"", self.hash)
    }
}

/// FNV-1a: it tells two versions of a file apart, and defends against nobody.
fn hash_of(bytes: &[u8]) -> String {
    let fnv = |hash: u64, &byte: &u8| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01B3);
    format!("{:016x}", bytes.iter().fold(0xCBF2_9CE4_8422_2325, fnv))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_asset_is_found_by_the_name_in_its_address() {
        for asset in [&*STYLE, &*SCRIPT, &*FEED_SCRIPT, &*ICON].into_iter().chain(STATE_ICONS.iter()) {
            let url = asset.url("/base");
            let name = url.strip_prefix("/base/assets/").and_then(|rest| rest.split('?').next()).unwrap();
            assert_eq!(find(name).unwrap().etag(), asset.etag());
            assert!(url.ends_with(&asset.hash));
        }
        assert!(find("../style.css").is_none());
    }

    #[test]
    fn every_state_has_an_icon_of_its_own_where_the_pattern_says() {
        for state in State::ALL {
            let icon = state_icon(state);
            assert_eq!(state_icon_pattern("/base").replace("STATE", state.name()), icon.url("/base"));
            assert_eq!(State::ALL.iter().filter(|other| state_icon(**other).bytes == icon.bytes).count(), 1);
        }
    }

    #[test]
    fn the_style_sheet_and_the_script_ask_nobody_for_anything() {
        let css = String::from_utf8(STYLE.bytes.clone()).unwrap();
        let script = String::from_utf8([&SCRIPT.bytes[..], &FEED_SCRIPT.bytes].concat()).unwrap();
        for word in ["http:", "https:", "@import", "url("] {
            assert!(!css.contains(word), "{word}");
            assert!(word == "url(" || !script.contains(word), "{word}");
        }
        assert_eq!(css.matches('{').count(), css.matches('}').count());
    }
}
