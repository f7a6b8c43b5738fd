//! Contacts, and the commits that create, change and delete one.

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
    /// The contact's email, unique in the organisation regardless of case.
    pub email: Email,
    /// The company that the contact works for.
    pub company: Option<Company>,
    /// The contact's phone number.
    pub phone: Option<Phone>,
    /// Notes, of several lines.
    pub notes: Option<Notes>,
}

/// The fields of a contact, as the user enters them.
#[derive(Debug, Clone, Default, Deserialize, Serialize, Validate, JsonSchema)]
#[serde(default)]
pub struct ContactFields {
    /// The contact's name.
    #[validate(length(min = 1, max = Name::MAX), custom(function = visible))]
    pub name: Text,
    /// The contact's email, unique in the organisation regardless of case.
    #[validate(nested)]
    pub email: Parsed<Email>,
    /// The company that the contact works for.
    #[serde(deserialize_with = "optional")]
    #[validate(length(max = Company::MAX), custom(function = visible))]
    pub company: Option<Text>,
    /// The contact's phone number.
    #[serde(deserialize_with = "optional")]
    #[validate(length(max = Phone::MAX), custom(function = visible))]
    pub phone: Option<Text>,
    /// Notes, of several lines.
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

    fn texts(stored: &Item) -> Vec<String> {
        ["name", "email", "company"]
            .iter()
            .filter_map(|field| stored.get(*field)?.as_str())
            .map(fold)
            .collect()
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
    fn search_looks_at_name_email_and_company_in_any_case() {
        let item = json!({"name": "Émile", "email": "e@X.example", "company": "Straße AG", "notes": "secret"});
        let item = item.as_object().unwrap();
        let matches_query = |q: &str| {
            let newest = Query::newest::<Contact>(&tenant(), 1);
            newest.holding::<Contact>(fold(q)).passes(item)
        };
        for q in ["émi", "ÉMILE", "x.EX", "strasse", ""] {
            assert!(matches_query(q), "{q}");
        }
        assert!(!matches_query("secret"));
    }
}
