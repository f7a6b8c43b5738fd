//! Organisations, and the slugs that are their ids in paths, keys and tags.

use crate::{Member, Membership, OrganizationName, UserNames, fold};
use action::{ActionError, Commit, Entity, Found, Key, Record, Role, TenantId, UserId, Version};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// An organisation that uses the product.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Organization {
    /// Its id, which is its slug.
    pub id: TenantId,
    /// Its name.
    pub name: OrganizationName,
    /// Its owners. They are one list, and every change of ownership checks the version of this
    /// record. So if two owners leave at the same time, one of them gets the error that they are
    /// the last.
    #[serde(default)]
    pub owners: Vec<UserId>,
    /// Invitations that are older than this no longer work. `None` if none was withdrawn like this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub invitations_since: Option<Timestamp>,
    /// When it was created.
    pub created_at: Timestamp,
    /// The version, which every write increases by one.
    pub version: Version,
}

impl Organization {
    /// The organisation after `actor` changes the member `before` to `after`, or removes that
    /// member if `after` is `None`. `None` if the owners stay the same.
    ///
    /// # Errors
    /// [`ActionError::Forbidden`] if no owner would be left.
    pub fn with_updated_owners(
        &self,
        actor: &Member,
        before: &Member,
        after: Option<&Member>,
    ) -> Result<Option<Self>, ActionError> {
        let is_owner = |member: &Member| member.is_active() && member.role == Role::Owner;
        let mut owners = self.owners.clone();
        owners.retain(|owner| *owner != before.id);
        // Organisations that are older than the list of owners get their owners in it when these
        // act.
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

    /// Takes out a member, or withdraws an invitation. `actor` does it; `found` has the guard of the email.
    ///
    /// # Errors
    /// [`ActionError::Forbidden`] if no owner would be left.
    pub fn remove<T>(
        &self,
        commit: Commit<T>,
        actor: &Member,
        membership: &Membership,
        found: &Found,
    ) -> Result<Commit<T>, ActionError> {
        let (tenant, member) = (&self.id, &membership.member);
        let updated = self.with_updated_owners(actor, member, None)?;
        let mut commit = UserNames::keep_name(commit.delete(tenant, membership), tenant, member);
        if let Some(updated) = updated {
            commit = commit.put_record(&updated, Some(self.version), None);
        }
        let guard = Member::guard(tenant, &member.email);
        Ok(match found.items.contains_key(&guard) {
            true => commit.release(guard, member.id()),
            false => commit,
        })
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

    /// The key of the organisation with this id.
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

/// The longest slug, which leaves room for a number after it.
const SLUG_LENGTH: usize = 40;

/// The slug of a name: its letters in lower case without accents and its digits, with a hyphen in
/// place of everything between; `team` if nothing is left.
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

/// The ids that a new organisation of this name can have, the best first: the slug alone, then with
/// a number from 2 on.
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

    fn slug_of(name: &str) -> String {
        slug(&OrganizationName::from(&action::Text::from(name)))
    }

    #[test]
    fn a_slug_is_made_from_the_name() {
        assert_eq!(slug_of("Acme"), "acme");
        assert_eq!(slug_of("  Acme, Inc.  "), "acme-inc");
        assert_eq!(slug_of("Café Zoë & Söhne"), "cafe-zoe-sohne");
        assert_eq!(slug_of("O'Neil’s"), "oneils");
        assert_eq!(slug_of("株式会社"), "team");
        assert_eq!(slug_of("!!!"), "team");
        assert_eq!(slug_of(&"ab ".repeat(33)).len(), SLUG_LENGTH);
    }

    #[test]
    fn a_taken_slug_gets_a_number_from_2() {
        let candidates = slug_candidates(&OrganizationName::from(&action::Text::from("Acme")), 3);
        let texts: Vec<_> = candidates.iter().map(TenantId::as_str).collect();
        assert_eq!(texts, ["acme", "acme-2", "acme-3"]);
    }
}
