//! Where to go after signing in.

use action::TenantId;
use schemars::JsonSchema;
use serde::Serialize;
use std::str::FromStr;

/// A path on this site, so that signing in can lead nowhere else.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(inline)]
pub struct ReturnTo(#[schemars(length(max = 2_000))] String);

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

    /// The organisation that the path is in, as every page of one names it: `/t/{tenant}/…`.
    #[must_use]
    pub fn tenant(&self) -> Option<TenantId> {
        let within = self.0.strip_prefix("/t/")?;
        let slug = within.split(['/', '?', '#']).next()?;
        TenantId::parse(slug).ok()
    }
}

/// The text is not a path on this site.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotLocal;

impl FromStr for ReturnTo {
    type Err = NotLocal;

    fn from_str(text: &str) -> Result<Self, NotLocal> {
        Self::parse(text).ok_or(NotLocal)
    }
}

#[cfg(test)]
mod tests {
    use super::{ReturnTo, TenantId};

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

    #[test]
    fn the_organisation_of_a_path_is_the_one_it_begins_with() {
        for (path, tenant) in [
            ("/t/acme/contacts?q=a%20b", Some("acme")),
            ("/t/acme", Some("acme")),
            ("/t/acme?next=/t/beta/contacts", Some("acme")),
            ("/t/acme#top", Some("acme")),
            ("/t/Acme/contacts", None),
            ("/t//contacts", None),
            ("/t/", None),
            ("/acme/t/beta", None),
            ("/", None),
        ] {
            let tenant = tenant.map(|slug| TenantId::parse(slug).unwrap());
            assert_eq!(ReturnTo::parse(path).unwrap().tenant(), tenant, "{path}");
        }
    }
}
