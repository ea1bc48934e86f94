//! The files that pages refer to: the style sheet and the icon, with their content types and hashes. Nothing here is
//! read from disk at run time, and nothing comes from another host.

mod palette;

use std::sync::LazyLock;

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

/// The icon of every page.
pub static ICON: LazyLock<Asset> =
    LazyLock::new(|| Asset::new("icon.svg", "image/svg+xml", include_bytes!("../../../templates/icon.svg").to_vec()));

// A script is one more static here and one more arm in `find`.

/// The file of this name.
pub fn find(name: &str) -> Option<&'static Asset> {
    match name {
        "style.css" => Some(&STYLE),
        "icon.svg" => Some(&ICON),
        _ => None,
    }
}

impl Asset {
    fn new(name: &'static str, content_type: &'static str, bytes: Vec<u8>) -> Asset {
        let hash = format!("{:016x}", fnv(&bytes));
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
fn fnv(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xCBF2_9CE4_8422_2325, |hash, &byte| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01B3))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_asset_is_found_by_the_name_in_its_address() {
        for asset in [&*STYLE, &*ICON] {
            let url = asset.url("/base");
            let name = url.strip_prefix("/base/assets/").and_then(|rest| rest.split('?').next()).unwrap();
            assert_eq!(find(name).unwrap().etag(), asset.etag());
            assert!(url.ends_with(&asset.hash));
        }
        assert!(find("../style.css").is_none());
    }

    #[test]
    fn the_style_sheet_asks_nobody_for_anything() {
        let css = String::from_utf8(STYLE.bytes.clone()).unwrap();
        for word in ["http:", "https:", "@import", "url("] {
            assert!(!css.contains(word), "{word}");
        }
        assert_eq!(css.matches('{').count(), css.matches('}').count());
    }
}
