//! The page to return to after signing in or switching the organisation.

use action::TenantId;
use schemars::JsonSchema;
use serde::Serialize;
use std::str::FromStr;

/// A path on this site, so that signing in cannot redirect to another site.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(inline)]
pub struct ReturnTo(#[schemars(length(max = 2_000))] String);

impl ReturnTo {
    /// The path, if `text` is a path on this site: it starts with one slash, followed by visible
    /// ASCII without backslashes, which browsers treat as slashes
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

    /// The organisation of the path. Every page of an organisation starts with `/t/{tenant}/`.
    #[must_use]
    pub fn tenant(&self) -> Option<TenantId> {
        let rest = self.0.strip_prefix("/t/")?;
        let slug = rest.split(['/', '?', '#']).next()?;
        TenantId::parse(slug).ok()
    }

    /// Whether the path leads to a page of this organisation, and to nothing else after a browser has
    /// resolved it.
    #[must_use]
    pub fn is_within(&self, tenant: &TenantId) -> bool {
        let path = self.0.split(['?', '#']).next().unwrap_or_default();
        self.tenant().as_ref() == Some(tenant) && !path.split('/').any(is_dots)
    }
}

/// Whether browsers resolve this segment of a path as `.` or `..`
/// ([URL Standard](https://url.spec.whatwg.org/#double-dot-path-segment)).
fn is_dots(segment: &str) -> bool {
    let segment = segment.to_ascii_lowercase().replace("%2e", ".");
    segment == "." || segment == ".."
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
    fn only_a_path_on_this_site_is_accepted() {
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
    fn a_path_within_an_organisation_does_not_lead_out_of_it() {
        let acme = TenantId::parse("acme").unwrap();
        let is_within = |path: &str| ReturnTo::parse(path).unwrap().is_within(&acme);
        for path in [
            "/t/acme",
            "/t/acme/contacts?q=/../",
            "/t/acme/a..b/.c/%2F",
            "/t/acme#/..",
        ] {
            assert!(is_within(path), "{path}");
        }
        for path in [
            "/t/acme/../beta/contacts",
            "/t/acme/..",
            "/t/acme/./contacts",
            "/t/acme/%2e%2E/beta/contacts",
            "/t/acme/.%2e?q=1",
            "/t/./acme",
            "/t/beta/contacts",
            "/sign-in",
            "/t/acmes/contacts",
        ] {
            assert!(!is_within(path), "{path}");
        }
    }

    #[test]
    fn the_organisation_is_the_one_at_the_start_of_the_path() {
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
