//! Contacts, and what creating, changing and removing one writes.

use crate::{Company, Email, Name, Notes, Phone, TrashedContact, fold};
use action::{
    ActionError, Actor, Commit, Conflict, Entity, Found, Item, Key, Lines, Parsed, Reads, Record,
    Subject, TenantId, Text, UserId, Version, optional, uuid_id, visible, visible_lines,
};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use validator::Validate;

uuid_id! {
    /// A contact within its organisation.
    ContactId
}

/// One message for a contact that is not there and one that is another organisation's, so that
/// its existence does not leak.
pub const CONTACT_NOT_FOUND: &str = "Contact not found or access denied";

/// How many contacts a page of the list shows.
pub const PAGE_SIZE: usize = 50;

/// The answer where another contact of the organisation has the email.
pub const DUPLICATE_EMAIL: Conflict = Conflict {
    field: "email",
    message: "Contact with this email already exists",
    reveal: true,
};

/// What is known about a contact.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ContactDetails {
    /// Whose contact it is.
    pub name: Name,
    /// Unique in the organisation, in any letter case.
    pub email: Email,
    /// Where they work.
    pub company: Option<Company>,
    /// How to call them.
    pub phone: Option<Phone>,
    /// Anything else.
    pub notes: Option<Notes>,
}

/// The fields of a contact as a user enters them.
#[derive(Debug, Clone, Default, Deserialize, Serialize, Validate, JsonSchema)]
#[serde(default)]
pub struct ContactFields {
    /// The person's name.
    #[validate(length(min = 1, max = Name::MAX), custom(function = visible))]
    pub name: Text,
    /// Unique in the organisation, in any letter case.
    #[validate(nested)]
    pub email: Parsed<Email>,
    /// The company they work for.
    #[serde(deserialize_with = "optional")]
    #[validate(length(max = Company::MAX), custom(function = visible))]
    pub company: Option<Text>,
    /// Their phone number.
    #[serde(deserialize_with = "optional")]
    #[validate(length(max = Phone::MAX), custom(function = visible))]
    pub phone: Option<Text>,
    /// Anything else.
    #[serde(deserialize_with = "optional")]
    #[validate(
        length(max = Notes::MAX),
        custom(function = visible_lines, message = "Notes contain invisible characters")
    )]
    pub notes: Option<Lines>,
}

impl ContactFields {
    /// The details of the contact.
    ///
    /// # Errors
    /// [`ActionError::Internal`] if the fields were not validated.
    pub fn details(&self) -> Result<ContactDetails, ActionError> {
        Ok(ContactDetails {
            name: Name::from(&self.name),
            email: self.email.get()?.clone(),
            company: self.company.as_ref().map(Company::from),
            phone: self.phone.as_ref().map(Phone::from),
            notes: self.notes.as_ref().map(Notes::from),
        })
    }
}

/// A contact of an organisation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Contact {
    /// Which one; sorts by time of creation.
    pub id: ContactId,
    /// What was entered.
    #[serde(flatten)]
    pub details: ContactDetails,
    /// Who created it.
    pub owner_id: UserId,
    /// When it was created.
    pub created_at: Timestamp,
    /// When it was last written.
    pub updated_at: Timestamp,
    /// How often it has been written.
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

    fn texts(stored: &Item) -> Vec<String> {
        ["name", "email", "company"]
            .iter()
            .filter_map(|field| stored.get(*field)?.as_str())
            .map(fold)
            .collect()
    }
}

impl Contact {
    /// A new contact that `actor` owns.
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

    /// The contact with every field replaced.
    #[must_use]
    pub fn replaced(&self, details: ContactDetails, now: Timestamp) -> Self {
        Self {
            details,
            updated_at: now,
            version: self.version.next(),
            ..self.clone()
        }
    }

    /// Whether `actor` may delete it: its owner and admins may.
    #[must_use]
    pub fn can_be_deleted_by(&self, actor: &Actor) -> bool {
        self.owner_id == actor.user || actor.role >= action::Role::Admin
    }

    /// The answer to who wants to change an earlier version of it.
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
        Commit::new(self.subject(tenant), self.clone())
            .put(tenant, &self, None)
            .claim(self.guard(tenant), self.id.as_str(), DUPLICATE_EMAIL)
    }

    /// Writes this contact over `before` and moves the claim from the old email to the new one.
    #[must_use]
    pub fn update(self, tenant: &TenantId, before: &Self) -> Commit<Self> {
        Commit::new(self.subject(tenant), self.clone())
            .put(tenant, &self, Some(before.version))
            .claim(self.guard(tenant), self.id.as_str(), DUPLICATE_EMAIL)
            .release(before.guard(tenant), self.id.as_str())
    }

    /// Moves this contact to the trash and releases its email.
    #[must_use]
    pub fn delete<T>(&self, actor: &Actor, now: Timestamp, output: T) -> Commit<T> {
        let tenant = &actor.tenant;
        let trashed = TrashedContact::new(self, actor, now);
        let subject = self.subject(tenant);
        let key = subject.key();
        Commit::new(subject, output)
            .delete(tenant, self)
            .put_record(&trashed, None, None)
            .moves(key, trashed.key())
            .release(self.guard(tenant), self.id.as_str())
    }

    pub(crate) fn subject(&self, tenant: &TenantId) -> Subject {
        Subject::entity::<Self>(tenant, self.id.as_str())
    }

    pub(crate) fn guard(&self, tenant: &TenantId) -> Key {
        Key::guard::<Self>(tenant, "email", &self.details.email.unique())
    }
}

/// The id of an existing contact.
#[derive(Debug, Clone, Default, Deserialize, Serialize, Validate, JsonSchema)]
#[serde(default)]
pub struct ContactRef {
    /// Its id.
    #[validate(nested)]
    pub id: Parsed<ContactId>,
}

impl ContactRef {
    /// The read of it.
    #[must_use]
    pub fn reads(&self, actor: &Actor) -> Reads {
        Reads::none().item(Key::entity::<Contact>(&actor.tenant, self.id.as_str()))
    }

    /// The contact, where it was found.
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
            email: email.into(),
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
    fn a_contact_on_the_wire_has_null_for_what_is_absent() {
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
    fn an_email_that_changes_its_case_keeps_its_guard() {
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
    fn a_commit_is_tagged_by_the_keys_of_its_entities_alone() {
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
    fn search_looks_at_name_email_and_company_in_any_case() {
        let item = json!({"name": "Émile", "email": "e@X.example", "company": "Straße AG", "notes": "secret"});
        let item = item.as_object().unwrap();
        let holds = |q: &str| {
            let newest = Query::newest::<Contact>(&tenant(), 1);
            newest.holding::<Contact>(fold(q)).passes(item)
        };
        for q in ["émi", "ÉMILE", "x.EX", "strasse", ""] {
            assert!(holds(q), "{q}");
        }
        assert!(!holds("secret"));
    }
}
