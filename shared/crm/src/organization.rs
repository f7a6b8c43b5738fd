//! Organisations, and the slugs that name them in paths, keys and tags.

use crate::{Belonging, OrganizationName, fold};
use commit::{Key, Record, TenantId, Version};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// An organisation that uses the product.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Organization {
    /// Its slug.
    pub id: TenantId,
    /// What it calls itself.
    pub name: OrganizationName,
    /// When it signed up.
    pub created_at: Timestamp,
    /// How often it has been written.
    pub version: Version,
}

impl Organization {
    /// Belonging to it.
    #[must_use]
    pub fn belonging(&self) -> Belonging {
        Belonging {
            tenant: self.id.clone(),
            name: self.name.clone(),
        }
    }

    /// Where the organisation with that slug is.
    #[must_use]
    pub fn key_of(tenant: &TenantId) -> Key {
        Key::tenant(tenant)
    }
}

impl Record for Organization {
    fn key(&self) -> Key {
        Self::key_of(&self.id)
    }

    fn version(&self) -> Version {
        self.version
    }
}

/// Room is left for a number behind the slug.
const SLUG_LENGTH: usize = 40;

/// The slug of a name: letters without their accents in lower case and digits, with a hyphen for
/// whatever stands between them; `team` where nothing is left.
#[must_use]
pub fn slug(name: &OrganizationName) -> String {
    let letters = fold(name.as_str());
    let mut slug = String::new();
    for c in letters.nfkd().filter(|c| !is_combining_mark(*c)) {
        if c.is_ascii_alphanumeric() {
            slug.push(c.to_ascii_lowercase());
        } else if !matches!(c, '\'' | '’') && !slug.is_empty() && !slug.ends_with('-') {
            slug.push('-');
        }
    }
    slug.truncate(SLUG_LENGTH);
    let slug = slug.trim_end_matches('-');
    if slug.is_empty() {
        "team".to_owned()
    } else {
        slug.to_owned()
    }
}

/// The tenants that an organisation of this name may become, the best first: the bare slug, then
/// with a number from 2.
#[must_use]
pub fn slugs(name: &OrganizationName, count: usize) -> Vec<TenantId> {
    let slug = slug(name);
    let numbered = (2..=count).map(|n| format!("{slug}-{n}"));
    std::iter::once(slug.clone())
        .chain(numbered)
        .filter_map(|text| TenantId::parse(&text).ok())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(name: &str) -> String {
        slug(&OrganizationName::parse(name).unwrap())
    }

    #[test]
    fn a_slug_is_made_from_the_name() {
        assert_eq!(of("Acme"), "acme");
        assert_eq!(of("  Acme, Inc.  "), "acme-inc");
        assert_eq!(of("Café Zoë & Söhne"), "cafe-zoe-sohne");
        assert_eq!(of("O'Neil’s"), "oneils");
        assert_eq!(of("株式会社"), "team");
        assert_eq!(of("!!!"), "team");
        assert_eq!(of(&"ab ".repeat(33)).len(), SLUG_LENGTH);
    }

    #[test]
    fn a_taken_slug_gets_a_number_from_2() {
        let slugs = slugs(&OrganizationName::parse("Acme").unwrap(), 3);
        let texts: Vec<_> = slugs.iter().map(TenantId::as_str).collect();
        assert_eq!(texts, ["acme", "acme-2", "acme-3"]);
    }
}
