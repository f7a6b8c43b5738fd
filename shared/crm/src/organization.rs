//! Organisations, and the slugs that name them in paths, keys and tags.

use crate::{Member, OrganizationName, OrganizationSummary, fold};
use action::{ActionError, Key, Record, Role, TenantId, UserId, Version};
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
    /// Its owners: one list, whose version every change of ownership checks, so that one of two
    /// owners who leave at once finds that they are the last.
    #[serde(default)]
    pub owners: Vec<UserId>,
    /// When it signed up.
    pub created_at: Timestamp,
    /// How often it has been written.
    pub version: Version,
}

impl Organization {
    /// The id and the name, as an account keeps them.
    #[must_use]
    pub fn summary(&self) -> OrganizationSummary {
        OrganizationSummary {
            tenant: self.id.clone(),
            name: self.name.clone(),
        }
    }

    /// The organisation after `actor` makes of the member `before` what is in `after`, or removes
    /// them; nothing where the owners stay the same.
    ///
    /// # Errors
    /// [`ActionError::Forbidden`] where no owner would be left.
    pub fn with_updated_owners(
        &self,
        actor: &Member,
        before: &Member,
        after: Option<&Member>,
    ) -> Result<Option<Self>, ActionError> {
        let is_owner = |member: &Member| member.is_active() && member.role == Role::Owner;
        let mut owners = self.owners.clone();
        owners.retain(|owner| *owner != before.id);
        // An organisation of before there was a list gets its owners as they act.
        let candidates = [Some(actor).filter(|actor| actor.id != before.id), after];
        for owner in candidates
            .into_iter()
            .flatten()
            .filter(|member| is_owner(member))
        {
            if !owners.contains(&owner.id) {
                owners.push(owner.id.clone());
            }
        }
        if is_owner(before) && owners.is_empty() {
            return Err(ActionError::Forbidden(
                "An organization needs an owner: make somebody else an owner first",
            ));
        }
        Ok((owners != self.owners).then(|| self.with_owners(owners)))
    }

    /// The organisation with one more owner.
    #[must_use]
    pub fn with_owner(&self, user: &UserId) -> Self {
        self.with_owners(self.owners.iter().chain([user]).cloned().collect())
    }

    fn with_owners(&self, owners: Vec<UserId>) -> Self {
        Self {
            owners,
            version: self.version.next(),
            ..self.clone()
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
pub fn slug_candidates(name: &OrganizationName, count: usize) -> Vec<TenantId> {
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
        slug(&OrganizationName::from(&action::Text::from(name)))
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
        let candidates = slug_candidates(&OrganizationName::from(&action::Text::from("Acme")), 3);
        let texts: Vec<_> = candidates.iter().map(TenantId::as_str).collect();
        assert_eq!(texts, ["acme", "acme-2", "acme-3"]);
    }
}
