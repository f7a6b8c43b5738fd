//! Where to go after signing in.

use serde::Serialize;

/// A path on this site, so that signing in can lead nowhere else.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ReturnTo(String);

impl ReturnTo {
    /// The path, where `text` is one on this site: one slash first, then visible ASCII without
    /// backslashes, which browsers take for slashes
    /// ([URL Standard](https://url.spec.whatwg.org/#path-start-state)).
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let local = text.len() <= 2_000
            && text.starts_with('/')
            && !text.starts_with("//")
            && text.bytes().all(|b| b.is_ascii_graphic() && b != b'\\');
        local.then(|| Self(text.to_owned()))
    }

    /// The path.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::ReturnTo;

    #[test]
    fn only_a_path_of_this_site_is_returned_to() {
        assert!(ReturnTo::parse("/t/acme/contacts?q=a%20b").is_some());
        for text in [
            "",
            "//evil.example",
            "/\\evil.example",
            "https://evil.example",
            "/a\nb",
            "javascript:1",
            "/\t/evil.example",
        ] {
            assert_eq!(ReturnTo::parse(text), None, "{text:?}");
        }
    }
}
