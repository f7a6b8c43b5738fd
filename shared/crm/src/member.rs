//! Members: who belongs to an organisation, in which role, and who is invited to.

use crate::{Email, Name, OrganizationName};
use action::{
    ActionError, Actor, Commit, Context, EmailMessage, Entity, Found, Key, Parsed, Reads, Role,
    Subject, TenantId, UserId, Version, uuid_id,
};
use jiff::{SignedDuration, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use validator::Validate;

uuid_id! {
    /// One invitation. Inviting somebody again makes another, and the link of the one before
    /// no longer works.
    InvitationId
}

/// One message for a member that is not there and one that is another organisation's.
pub const MEMBER_NOT_FOUND: &str = "Member not found or access denied";

/// How long the link of an invitation works.
pub(crate) const INVITATION_LIFETIME: SignedDuration = SignedDuration::from_hours(7 * 24);

/// What the token in the link of an invitation is good for.
pub(crate) const INVITATION_PURPOSE: &str = "invite";

/// Whether somebody has accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(inline)]
pub enum MemberStatus {
    /// Not yet: nothing is open to them.
    Invited,
    /// They belong to the organisation.
    #[default]
    Active,
}

/// A person in an organisation, or invited to it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Member {
    /// The person; an id of its own until they have accepted.
    pub id: UserId,
    /// What they are called; not known until they have accepted.
    pub name: Option<Name>,
    /// Where they get mail; unique in the organisation, in any letter case.
    pub email: Email,
    /// What they may do.
    pub role: Role,
    /// Whether they have accepted.
    #[serde(default)]
    pub status: MemberStatus,
    /// Since when they belong, or are invited.
    pub created_at: Timestamp,
    /// When this was last written.
    pub updated_at: Timestamp,
    /// How often it has been written.
    pub version: Version,
}

impl Entity for Member {
    const RESOURCE: &'static str = "members";

    fn id(&self) -> &str {
        self.id.as_str()
    }

    fn version(&self) -> Version {
        self.version
    }
}

impl Member {
    /// The guard that keeps an email unique among members and invitees.
    #[must_use]
    pub fn guard(tenant: &TenantId, email: &Email) -> Key {
        Key::guard::<Self>(tenant, "email", &email.unique())
    }

    /// Whether they belong to the organisation.
    #[must_use]
    pub fn is_active(&self) -> bool {
        self.status == MemberStatus::Active
    }

    /// Their name, or their email where that is all that is known.
    #[must_use]
    pub fn display_name(&self) -> &str {
        self.name.as_ref().map_or(self.email.as_str(), Name::as_str)
    }

    /// Whether somebody in the role `actor` may change their role, or remove them: nobody takes
    /// more than they hold.
    #[must_use]
    pub fn can_be_changed_by(&self, actor: Role) -> bool {
        actor >= Role::Admin && actor >= self.role
    }

    /// What an audit record about them is about.
    #[must_use]
    pub fn subject(&self, tenant: &TenantId) -> Subject {
        Subject::entity::<Self>(tenant, self.id.as_str())
    }
}

/// What an invitation's link must say, and until when it works.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Invitation {
    /// Which invitation it is. Never shown.
    pub id: InvitationId,
    /// When its link ends.
    pub expires_at: Timestamp,
}

/// A member as stored: with the invitation that they have not accepted yet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Membership {
    /// What may be shown of it.
    #[serde(flatten)]
    pub member: Member,
    /// The invitation, until it is accepted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub invitation: Option<Invitation>,
}

impl Entity for Membership {
    const RESOURCE: &'static str = Member::RESOURCE;

    fn id(&self) -> &str {
        self.member.id.as_str()
    }

    fn version(&self) -> Version {
        self.member.version
    }
}

impl From<Member> for Membership {
    fn from(member: Member) -> Self {
        Self {
            member,
            invitation: None,
        }
    }
}

impl Membership {
    /// Somebody who is invited for the first time.
    #[must_use]
    pub fn invited(context: &Context<Actor>, email: Email, role: Role) -> Self {
        let now = context.now;
        Self {
            member: Member {
                id: context.new_id(),
                name: None,
                email,
                role,
                status: MemberStatus::Invited,
                created_at: now,
                updated_at: now,
                version: Version::FIRST,
            },
            invitation: Some(Invitation::new(context)),
        }
    }

    /// The same person, invited again: only the new link works.
    #[must_use]
    pub fn invited_again(&self, context: &Context<Actor>, role: Role) -> Self {
        Self {
            invitation: Some(Invitation::new(context)),
            ..self.with_role(role, context.now)
        }
    }

    /// The same person in another role.
    #[must_use]
    pub fn with_role(&self, role: Role, now: Timestamp) -> Self {
        let member = Member {
            role,
            updated_at: now,
            version: self.member.version.next(),
            ..self.member.clone()
        };
        Self {
            member,
            invitation: self.invitation.clone(),
        }
    }

    /// Since when the invitation's link no longer works; nothing where it does, and where nobody
    /// is waited for.
    #[must_use]
    pub fn expired_at(&self, now: Timestamp) -> Option<Timestamp> {
        let ends = self.invitation.as_ref()?.expires_at;
        (ends <= now).then_some(ends)
    }

    /// What the token in the link says; nothing where there is no invitation.
    #[must_use]
    pub fn token(&self, tenant: &TenantId) -> Option<String> {
        let Member { id, email, .. } = &self.member;
        let invitation = &self.invitation.as_ref()?.id;
        Some(format!("{tenant} {id} {invitation} {email}"))
    }

    /// The link that invites, as a path of this site; nothing where there is no invitation.
    #[must_use]
    pub fn link<C>(&self, context: &Context<C>, tenant: &TenantId) -> Option<String> {
        let token = context.seal(INVITATION_PURPOSE, &self.token(tenant)?);
        Some(format!("{INVITATION_PATH}?token={token}"))
    }

    /// The email that brings the link.
    #[must_use]
    pub fn email(
        &self,
        tenant: &TenantId,
        organization: &OrganizationName,
        inviter: &Member,
    ) -> Option<EmailMessage> {
        let values = BTreeMap::from([
            ("organization", organization.to_string()),
            ("inviter", inviter.display_name().to_owned()),
            ("role", self.member.role.as_str().to_owned()),
        ]);
        Some(EmailMessage {
            to: Some(self.member.email.to_string()),
            template: "invite",
            values,
            path: INVITATION_PATH.to_owned(),
            purpose: INVITATION_PURPOSE,
            token: self.token(tenant)?,
        })
    }

    /// Writes it over what was read, and answers with `output`.
    #[must_use]
    pub fn update<T>(&self, tenant: &TenantId, read: Version, output: T) -> Commit<T> {
        Commit::new(self.member.subject(tenant), output).put(tenant, self, Some(read))
    }
}

/// The page that the link of an invitation leads to.
pub const INVITATION_PATH: &str = "/accept-invite";

impl Invitation {
    fn new(context: &Context<Actor>) -> Self {
        let expires_at = context.now.saturating_add(INVITATION_LIFETIME);
        Self {
            id: context.new_id(),
            expires_at: expires_at.unwrap_or(context.now),
        }
    }
}

/// The user id of an existing member.
#[derive(Debug, Clone, Default, Deserialize, Serialize, Validate, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
pub struct MemberRef {
    /// Their user id.
    #[validate(nested)]
    pub user_id: Parsed<UserId>,
}

impl MemberRef {
    /// The reads of them, and of who asks.
    #[must_use]
    pub fn reads(&self, actor: &Actor) -> Reads {
        let key = |user: &str| Key::entity::<Membership>(&actor.tenant, user);
        Reads::none()
            .item(key(self.user_id.as_str()))
            .item(key(actor.user.as_str()))
    }

    /// The member, where they were found.
    ///
    /// # Errors
    /// [`ActionError::NotFound`] otherwise.
    pub fn membership(&self, actor: &Actor, found: &Found) -> Result<Membership, ActionError> {
        let membership = found.entity(&actor.tenant, self.user_id.as_str())?;
        membership.ok_or(ActionError::NotFound(MEMBER_NOT_FOUND))
    }
}

/// Who asks, as their membership stands now: they may have lost their role since they were let in.
///
/// # Errors
/// [`ActionError::Forbidden`] where they no longer belong to the organisation.
pub fn acting_member(actor: &Actor, found: &Found) -> Result<Member, ActionError> {
    let member: Option<Member> = found.entity(&actor.tenant, actor.user.as_str())?;
    let active = member.filter(Member::is_active);
    active.ok_or(ActionError::Forbidden("You are not allowed to do this"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn stored() -> serde_json::Value {
        json!({
            "id": "0197a3b0-0000-7000-8000-00000000000f", "name": "Ada", "email": "ada@example.com",
            "role": "member", "createdAt": "2026-01-01T00:00:00Z",
            "updatedAt": "2026-01-01T00:00:00Z", "version": 1,
        })
    }

    #[test]
    fn a_stored_member_without_a_status_is_active() {
        let membership: Membership = serde_json::from_value(stored()).unwrap();
        assert!(membership.member.is_active() && membership.invitation.is_none());
        let value = serde_json::to_value(&membership).unwrap();
        assert_eq!(value["status"], "active");
        assert_eq!(value.get("invitation"), None);
    }

    #[test]
    fn what_is_shown_of_an_invitee_has_no_name_and_no_invitation() {
        let mut invited = stored();
        invited["name"] = json!(null);
        invited["status"] = json!("invited");
        invited["invitation"] = json!({
            "id": "0197a3b0-0000-7000-8000-00000000000a", "expiresAt": "2026-01-08T00:00:00Z",
        });
        let membership: Membership = serde_json::from_value(invited.clone()).unwrap();
        assert_eq!(serde_json::to_value(&membership).unwrap(), invited);
        let shown = serde_json::to_value(&membership.member).unwrap();
        assert_eq!(
            (&shown["name"], &shown["status"]),
            (&json!(null), &json!("invited"))
        );
        assert_eq!(shown.get("invitation"), None);
    }

    #[test]
    fn an_invitation_has_expired_from_its_end_on() {
        let mut membership: Membership = serde_json::from_value(stored()).unwrap();
        let [before, end]: [Timestamp; 2] =
            ["2026-01-07T23:59:59Z", "2026-01-08T00:00:00Z"].map(|time| time.parse().unwrap());
        assert_eq!(membership.expired_at(end), None, "nobody is waited for");
        membership.invitation = serde_json::from_value(json!({
            "id": "0197a3b0-0000-7000-8000-00000000000a", "expiresAt": end,
        }))
        .unwrap();
        assert_eq!(membership.expired_at(before), None);
        assert_eq!(membership.expired_at(end), Some(end));
    }

    #[test]
    fn nobody_is_changed_by_a_lesser_role() {
        let mut member: Member = serde_json::from_value(stored()).unwrap();
        for (role, by, may) in [
            (Role::Owner, Role::Admin, false),
            (Role::Owner, Role::Owner, true),
            (Role::Admin, Role::Admin, true),
            (Role::Viewer, Role::Member, false),
        ] {
            member.role = role;
            assert_eq!(member.can_be_changed_by(by), may, "{role:?} by {by:?}");
        }
    }
}
