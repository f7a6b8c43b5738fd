//! The files that pages refer to. Each name contains a hash of the content, so a browser may cache
//! the file forever.

use action::Asset;
use sha2::{Digest, Sha256};
use std::sync::LazyLock;

/// A file in this crate. Its path is computed on first use.
pub(crate) struct AssetFile {
    path: LazyLock<String>,
    content_type: &'static str,
    text: &'static str,
}

impl AssetFile {
    pub(crate) fn path(&'static self) -> &'static str {
        &self.path
    }

    fn asset(&'static self) -> Asset {
        Asset {
            path: self.path(),
            content_type: self.content_type,
            bytes: self.text.as_bytes(),
        }
    }
}

macro_rules! asset_file {
    ($static:ident, $stem:literal, $extension:literal, $content_type:literal) => {
        pub(crate) static $static: AssetFile = {
            const TEXT: &str = include_str!(concat!("../assets/", $stem, ".", $extension));
            AssetFile {
                path: LazyLock::new(|| hashed($stem, $extension, TEXT)),
                content_type: $content_type,
                text: TEXT,
            }
        };
    };
}

asset_file!(SCRIPT, "app", "js", "text/javascript; charset=utf-8");
asset_file!(STYLESHEET, "app", "css", "text/css; charset=utf-8");
asset_file!(ICON, "favicon", "svg", "image/svg+xml");

/// Every file under `/assets/`.
#[must_use]
pub fn assets() -> &'static [Asset] {
    static ASSETS: LazyLock<[Asset; 3]> =
        LazyLock::new(|| [SCRIPT.asset(), STYLESHEET.asset(), ICON.asset()]);
    &*ASSETS
}

/// The path of a file. 48 bits of its SHA-256 are enough to tell two versions apart.
fn hashed(stem: &str, extension: &str, text: &str) -> String {
    let digest = Sha256::digest(text);
    let hash: String = digest[..6].iter().map(|b| format!("{b:02x}")).collect();
    format!("/assets/{stem}-{hash}.{extension}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_changes_with_the_content() {
        assert_eq!(hashed("app", "js", ""), "/assets/app-e3b0c44298fc.js");
        assert_ne!(hashed("app", "js", "1"), hashed("app", "js", "2"));
    }

    #[test]
    fn every_asset_is_served_under_the_hash_of_its_bytes() {
        for asset in assets() {
            let (stem, extension) = asset.path.rsplit_once('.').unwrap();
            let stem = stem.strip_prefix("/assets/").unwrap();
            let stem = stem.rsplit_once('-').unwrap().0;
            let text = std::str::from_utf8(asset.bytes).unwrap();
            assert_eq!(asset.path, hashed(stem, extension, text));
        }
    }
}
