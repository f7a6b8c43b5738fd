//! Contacts, and the commits that create, change and delete one.

use crate::search::{searchable, searchable_phone};
use crate::{Company, Email, Name, Notes, Phone, TrashedContact};
use action::{
    ActionError, Actor, Commit, Conflict, Entity, Found, Item, Key, Parsed, Reads, Record, Subject,
    TenantId, UserId, Version, uuid_id,
};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use validator::Validate;

uuid_id! {
    /// The id of a contact.
    ContactId
}

/// The same message whether the contact does not exist or belongs to another organisation, so that
/// nobody learns which.
pub const CONTACT_NOT_FOUND: &str = "Contact not found or access denied";

/// The number of contacts on a page of the list.
pub const PAGE_SIZE: usize = 50;

/// The conflict if another contact of the organisation has the email.
pub const DUPLICATE_EMAIL: Conflict = Conflict {
    field: "email",
    message: "Contact with this email already exists",
    reveal: true,
};

/// The details of a contact.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ContactDetails {
    /// The contact's name.
    pub name: Name,
    /// The contact's email, unique in the organisation regardless of case. Only a contact with a phone
    /// number may have none.
    pub email: Option<Email>,
    /// The company that the contact works for.
    pub company: Option<Company>,
    /// The contact's phone number.
    pub phone: Option<Phone>,
    /// Notes, of several lines.
    pub notes: Option<Notes>,
}

/// A contact.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Contact {
    /// The contact's id. Ids sort by time of creation.
    pub id: ContactId,
    /// The details that the user entered.
    #[serde(flatten)]
    pub details: ContactDetails,
    /// The user who created the contact, and owns it.
    pub owner_id: UserId,
    /// When the contact was created.
    pub created_at: Timestamp,
    /// When the contact was last changed.
    pub updated_at: Timestamp,
    /// The version, which every change increases by one.
    pub version: Version,
}

impl Entity for Contact {
    const RESOURCE: &'static str = "contacts";

    fn id(&self) -> &str {
        self.id.as_str()
    }

    fn version(&self) -> Version {
        self.version
    }

    /// 0 was case folding alone, without phone numbers.
    const TEXTS_FORM: u64 = 1;

    fn texts(stored: &Item) -> Vec<String> {
        let field = |name: &str| stored.get(name)?.as_str();
        let texts = ["name", "email", "company"].into_iter().filter_map(field);
        let phone = field("phone").into_iter().flat_map(searchable_phone);
        texts.flat_map(searchable).chain(phone).collect()
    }
}

impl Contact {
    /// A new contact, which `actor` owns.
    #[must_use]
    pub fn new(id: ContactId, actor: &Actor, details: ContactDetails, now: Timestamp) -> Self {
        let owner_id = actor.user.clone();
        Self {
            id,
            details,
            owner_id,
            created_at: now,
            updated_at: now,
            version: Version::FIRST,
        }
    }

    /// The contact with new details.
    #[must_use]
    pub fn replaced(&self, details: ContactDetails, now: Timestamp) -> Self {
        Self {
            details,
            updated_at: now,
            version: self.version.next(),
            ..self.clone()
        }
    }

    /// Whether `actor` may delete it: only its owner and admins may.
    #[must_use]
    pub fn can_be_deleted_by(&self, actor: &Actor) -> bool {
        self.owner_id == actor.user || actor.role >= action::Role::Admin
    }

    /// The error for a change that is based on an earlier version.
    #[must_use]
    pub fn stale(&self) -> ActionError {
        ActionError::Stale {
            message: "This contact was changed by somebody else meanwhile",
            current: serde_json::to_value(self).unwrap_or_default(),
        }
    }

    /// Writes this new contact and claims its email.
    #[must_use]
    pub fn create(self, tenant: &TenantId) -> Commit<Self> {
        let commit = Commit::new(self.subject(tenant), self.clone()).put(tenant, &self, None);
        self.claim_email(tenant, commit)
    }

    /// Writes this contact over `before` and moves the claim from the old email, if there was one, to
    /// the new one, if there is one.
    #[must_use]
    pub fn update(self, tenant: &TenantId, before: &Self) -> Commit<Self> {
        let read = Some(before.version);
        let commit = Commit::new(self.subject(tenant), self.clone()).put(tenant, &self, read);
        before.release_email(tenant, self.claim_email(tenant, commit))
    }

    /// Moves this contact to the trash and releases its email.
    #[must_use]
    pub fn delete<T>(&self, actor: &Actor, now: Timestamp, output: T) -> Commit<T> {
        let tenant = &actor.tenant;
        let trashed = TrashedContact::new(self, actor, now);
        let subject = self.subject(tenant);
        let key = subject.key();
        let commit = Commit::new(subject, output)
            .delete(tenant, self)
            .put_record(&trashed, None, None)
            .moves(key, trashed.key());
        self.release_email(tenant, commit)
    }

    pub(crate) fn subject(&self, tenant: &TenantId) -> Subject {
        Subject::entity::<Self>(tenant, self.id.as_str())
    }

    fn guard(&self, tenant: &TenantId) -> Option<Key> {
        let email = self.details.email.as_ref()?;
        Some(Key::guard::<Self>(tenant, "email", &email.unique()))
    }

    /// Adds the claim of the email, if the contact has one.
    pub(crate) fn claim_email<T>(&self, tenant: &TenantId, commit: Commit<T>) -> Commit<T> {
        match self.guard(tenant) {
            Some(guard) => commit.claim(guard, self.id.as_str(), DUPLICATE_EMAIL),
            None => commit,
        }
    }

    /// Adds the release of the email, if the contact has one.
    fn release_email<T>(&self, tenant: &TenantId, commit: Commit<T>) -> Commit<T> {
        match self.guard(tenant) {
            Some(guard) => commit.release(guard, self.id.as_str()),
            None => commit,
        }
    }
}

/// A contact, by its id.
#[derive(Debug, Clone, Default, Deserialize, Serialize, Validate, JsonSchema)]
#[serde(default)]
pub struct ContactRef {
    /// The contact's id.
    #[validate(nested)]
    pub id: Parsed<ContactId>,
}

impl ContactRef {
    /// The read of the contact.
    #[must_use]
    pub fn reads(&self, actor: &Actor) -> Reads {
        Reads::none().item(Key::entity::<Contact>(&actor.tenant, self.id.as_str()))
    }

    /// The contact, if it was found.
    ///
    /// # Errors
    /// [`ActionError::NotFound`] otherwise.
    pub fn contact(&self, actor: &Actor, found: &Found) -> Result<Contact, ActionError> {
        let contact = found.entity(&actor.tenant, self.id.as_str())?;
        contact.ok_or(ActionError::NotFound(CONTACT_NOT_FOUND))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ContactFields;
    use action::{Operation, Query, Role};
    use serde_json::json;

    fn tenant() -> TenantId {
        TenantId::parse("acme").unwrap()
    }

    fn actor(role: Role) -> Actor {
        Actor {
            tenant: tenant(),
            user: uuid::Uuid::now_v7().into(),
            role,
        }
    }

    fn details(email: &str) -> ContactDetails {
        let fields = ContactFields {
            name: "Ada".into(),
            email: Some(email.into()),
            ..ContactFields::default()
        };
        fields.details().unwrap()
    }

    fn contact(email: &str) -> Contact {
        Contact::new(
            uuid::Uuid::now_v7().into(),
            &actor(Role::Member),
            details(email),
            Timestamp::UNIX_EPOCH,
        )
    }

    #[test]
    fn a_contact_as_json_has_null_for_missing_fields() {
        let contact = contact("ada@example.com");
        let value = serde_json::to_value(&contact).unwrap();
        assert_eq!(
            value,
            json!({
                "id": contact.id, "name": "Ada", "email": "ada@example.com", "company": null, "phone": null,
                "notes": null, "ownerId": contact.owner_id, "createdAt": "1970-01-01T00:00:00Z",
                "updatedAt": "1970-01-01T00:00:00Z", "version": 1,
            })
        );
        assert_eq!(serde_json::from_value::<Contact>(value).unwrap(), contact);
    }

    #[test]
    fn an_email_that_changes_only_its_case_keeps_its_guard() {
        let before = contact("ada@example.com");
        let commit = before
            .replaced(details("ADA@example.com"), Timestamp::UNIX_EPOCH)
            .update(&tenant(), &before);
        assert_eq!(commit.operations().len(), 3);
        assert!(matches!(commit.operations()[2], Operation::Keep { .. }));
    }

    #[test]
    fn a_changed_email_claims_the_new_one_and_releases_the_old_one() {
        let before = contact("ada@example.com");
        let commit = before
            .replaced(details("eve@example.com"), Timestamp::UNIX_EPOCH)
            .update(&tenant(), &before);
        assert!(matches!(commit.operations()[2], Operation::Claim { .. }));
        assert!(matches!(commit.operations()[3], Operation::Release { .. }));
    }

    #[test]
    fn an_email_that_is_added_or_left_out_is_claimed_or_released() {
        let with = contact("ada@example.com");
        let details = ContactDetails {
            email: None,
            ..with.details.clone()
        };
        let without = with.replaced(details, Timestamp::UNIX_EPOCH);
        let guards = |commit: Commit<Contact>| {
            let (claims, releases): (Vec<_>, Vec<_>) = (
                commit
                    .operations()
                    .iter()
                    .filter(|one| matches!(one, Operation::Claim { .. }))
                    .collect(),
                commit
                    .operations()
                    .iter()
                    .filter(|one| matches!(one, Operation::Release { .. }))
                    .collect(),
            );
            (claims.len(), releases.len())
        };
        assert_eq!(guards(without.clone().create(&tenant())), (0, 0));
        assert_eq!(guards(without.clone().update(&tenant(), &with)), (0, 1));
        assert_eq!(guards(with.clone().update(&tenant(), &without)), (1, 0));
        let actor = actor(Role::Owner);
        let deleted = without.delete(&actor, Timestamp::UNIX_EPOCH, without.clone());
        assert_eq!(guards(deleted), (0, 0));
        let trashed = TrashedContact::new(&without, &actor, Timestamp::UNIX_EPOCH);
        assert_eq!(guards(trashed.restore(None, Timestamp::UNIX_EPOCH)), (0, 0));
    }

    #[test]
    fn the_tags_of_a_commit_come_from_the_keys_of_its_entities() {
        let contact = contact("ada@example.com");
        let tags = contact.clone().create(&tenant()).tags();
        assert_eq!(
            tags,
            [
                "acme:contacts".to_owned(),
                format!("acme:contacts:{}", contact.id)
            ]
        );
    }

    #[test]
    fn a_contact_is_deleted_by_its_owner_or_an_admin() {
        let owner = actor(Role::Member);
        let contact = Contact::new(
            uuid::Uuid::now_v7().into(),
            &owner,
            details("a@b"),
            Timestamp::UNIX_EPOCH,
        );
        assert!(contact.can_be_deleted_by(&owner));
        assert!(contact.can_be_deleted_by(&actor(Role::Admin)));
        assert!(!contact.can_be_deleted_by(&actor(Role::Member)));
    }

    #[test]
    fn search_looks_at_name_email_company_and_phone_in_any_case() {
        let item = json!({"name": "Émile", "email": "e@X.example", "company": "Straße AG",
            "phone": "+1 (555) 123", "notes": "secret"});
        let item = item.as_object().unwrap();
        let matches_query = |q: &str| {
            let newest = Query::newest::<Contact>(&tenant(), 1);
            newest.holding::<Contact>(crate::words(q)).passes(item)
        };
        for q in [
            "émi",
            "ÉMILE",
            "emile strasse",
            "x.EX",
            "1555123",
            "(55",
            "",
        ] {
            assert!(matches_query(q), "{q}");
        }
        assert!(!matches_query("secret"));
        assert!(!matches_query("emile secret"));
    }
}
