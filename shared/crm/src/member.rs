//! Members of an organisation, and invitations to it.

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
    /// The id of an invitation. Inviting the same email again makes a new one, and the link of the
    /// earlier one no longer works.
    InvitationId
}

/// The same message whether the member does not exist or belongs to another organisation.
pub const MEMBER_NOT_FOUND: &str = "Member not found or access denied";

/// How long the link of an invitation works.
pub(crate) const INVITATION_LIFETIME: SignedDuration = SignedDuration::from_hours(7 * 24);

/// The purpose of the token in an invitation's link.
pub(crate) const INVITATION_PURPOSE: &str = "invite";

/// Whether the invitation has been accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(inline)]
pub enum MemberStatus {
    /// The invitation has not been accepted yet: the user has no access.
    Invited,
    /// The user is a member of the organisation.
    #[default]
    Active,
}

/// A member of an organisation, or a user who is invited to it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Member {
    /// The user's id; before the invitation is accepted, an id of the invitation's own.
    pub id: UserId,
    /// The user's name; `null` until the invitation is accepted.
    pub name: Option<Name>,
    /// The user's email, unique in the organisation regardless of case.
    pub email: Email,
    /// The role, which says what the user may do.
    pub role: Role,
    /// Whether the invitation has been accepted.
    #[serde(default)]
    pub status: MemberStatus,
    /// When the user became a member or was invited.
    pub created_at: Timestamp,
    /// When the membership was last changed.
    pub updated_at: Timestamp,
    /// The version, which every change increases by one.
    pub version: Version,
}

impl Entity for Member {
    const RESOURCE: &'static str = "members";
    /// Its id is that of the user.
    const NEW_IDS: bool = false;

    fn id(&self) -> &str {
        self.id.as_str()
    }

    fn version(&self) -> Version {
        self.version
    }
}

impl Member {
    /// The guard that keeps an email unique among the members and the invited users.
    #[must_use]
    pub fn guard(tenant: &TenantId, email: &Email) -> Key {
        Key::guard::<Self>(tenant, "email", &email.unique())
    }

    /// Whether the user is a member, and not only invited.
    #[must_use]
    pub fn is_active(&self) -> bool {
        self.status == MemberStatus::Active
    }

    /// The name, or the email if the name is not known yet.
    #[must_use]
    pub fn display_name(&self) -> &str {
        self.name.as_ref().map_or(self.email.as_str(), Name::as_str)
    }

    /// Whether a user with the role `actor` may change this member's role or remove the member: the
    /// member's role must not be above their own.
    #[must_use]
    pub fn can_be_changed_by(&self, actor: Role) -> bool {
        actor >= Role::Admin && actor >= self.role
    }

    /// The subject of an audit record about this member.
    #[must_use]
    pub fn subject(&self, tenant: &TenantId) -> Subject {
        Subject::entity::<Self>(tenant, self.id.as_str())
    }
}

/// An invitation that has not been accepted yet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Invitation {
    /// The id in the link that the inviter sees. Inviting again replaces it. It is never shown.
    pub id: InvitationId,
    /// The id in the link of the emails, which only the owner of the address sees: joining with it proves
    /// the address. Inviting again keeps it. `None` if no email was sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub emailed_id: Option<InvitationId>,
    /// When its link stops working.
    pub expires_at: Timestamp,
    /// The user who grants the role. `None` in invitations that were stored before this was kept.
    #[serde(default)]
    pub invited_by: Option<UserId>,
}

/// A member as it is stored: with the invitation, until that is accepted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Membership {
    /// The part that may be shown.
    #[serde(flatten)]
    pub member: Member,
    /// The invitation, until it is accepted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub invitation: Option<Invitation>,
}

impl Entity for Membership {
    const RESOURCE: &'static str = Member::RESOURCE;
    /// Its id is that of the user.
    const NEW_IDS: bool = false;

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
    /// A user who is invited for the first time.
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
            invitation: Some(Invitation::new(context, None)),
        }
    }

    /// The same member, invited again with a new link. The link of an email that was sent before works
    /// too.
    #[must_use]
    pub fn invited_again(&self, context: &Context<Actor>, role: Role) -> Self {
        let emailed_id = self
            .invitation
            .as_ref()
            .and_then(|open| open.emailed_id.clone());
        Self {
            invitation: Some(Invitation::new(context, emailed_id)),
            ..self.with_role(role, context)
        }
    }

    /// The same invitation, which an email is sent for.
    #[must_use]
    pub fn emailed(mut self, context: &Context<Actor>) -> Self {
        if let Some(invitation) = &mut self.invitation {
            invitation
                .emailed_id
                .get_or_insert_with(|| context.new_id());
        }
        self
    }

    /// The same member with another role. If the member is only invited, and by another user than the
    /// caller, the invitation gets a new link: the other user knows the old one and may not be allowed to
    /// grant this role.
    #[must_use]
    pub fn with_role(&self, role: Role, context: &Context<Actor>) -> Self {
        let member = Member {
            role,
            updated_at: context.now,
            version: self.member.version.next(),
            ..self.member.clone()
        };
        Self {
            member,
            invitation: self.invitation.clone().map(|invitation| {
                match invitation.invited_by.as_ref() == Some(&context.caller.user) {
                    true => invitation,
                    false => Invitation::new(context, invitation.emailed_id),
                }
            }),
        }
    }

    /// When the invitation's link stopped working; `None` if it still works or there is no
    /// invitation.
    #[must_use]
    pub fn expired_at(&self, now: Timestamp) -> Option<Timestamp> {
        let expires_at = self.invitation.as_ref()?.expires_at;
        (expires_at <= now).then_some(expires_at)
    }

    /// The content of the token in a link with this id of the invitation.
    fn token(&self, tenant: &TenantId, invitation: &InvitationId) -> String {
        let Member { id, email, .. } = &self.member;
        format!("{tenant} {id} {invitation} {email}")
    }

    /// The link that the inviter sees, as a path on this site; `None` if there is no invitation.
    #[must_use]
    pub fn link<C>(&self, context: &Context<C>, tenant: &TenantId) -> Option<String> {
        let content = self.token(tenant, &self.invitation.as_ref()?.id);
        let token = context.seal(INVITATION_PURPOSE, &content);
        Some(format!("{INVITATION_PATH}?token={token}"))
    }

    /// The email with the link; `None` if there is no invitation to send by email.
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
            token: self.token(tenant, self.invitation.as_ref()?.emailed_id.as_ref()?),
        })
    }

    /// Writes the membership over the version that was read, with `output` as the result.
    #[must_use]
    pub fn update<T>(&self, tenant: &TenantId, read_version: Version, output: T) -> Commit<T> {
        Commit::new(self.member.subject(tenant), output).put(tenant, self, Some(read_version))
    }
}

/// The page that the link of an invitation opens.
pub const INVITATION_PATH: &str = "/accept-invite";

impl Invitation {
    /// When it was sent.
    #[must_use]
    pub fn sent_at(&self) -> Timestamp {
        let sent_at = self.expires_at.saturating_sub(INVITATION_LIFETIME);
        sent_at.unwrap_or(self.expires_at)
    }

    fn new(context: &Context<Actor>, emailed_id: Option<InvitationId>) -> Self {
        let expires_at = context.now.saturating_add(INVITATION_LIFETIME);
        Self {
            id: context.new_id(),
            emailed_id,
            expires_at: expires_at.unwrap_or(context.now),
            invited_by: Some(context.caller.user.clone()),
        }
    }
}

/// A member, by the user's id.
#[derive(Debug, Clone, Default, Deserialize, Serialize, Validate, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
pub struct MemberRef {
    /// The user's id.
    #[validate(nested)]
    pub user_id: Parsed<UserId>,
}

impl MemberRef {
    /// The reads of this member and of the caller's own membership.
    #[must_use]
    pub fn reads(&self, actor: &Actor) -> Reads {
        let key = |user: &str| Key::entity::<Membership>(&actor.tenant, user);
        Reads::none()
            .item(key(self.user_id.as_str()))
            .item(key(actor.user.as_str()))
    }

    /// The member, if it was found.
    ///
    /// # Errors
    /// [`ActionError::NotFound`] otherwise.
    pub fn membership(&self, actor: &Actor, found: &Found) -> Result<Membership, ActionError> {
        let membership = found.entity(&actor.tenant, self.user_id.as_str())?;
        membership.ok_or(ActionError::NotFound(MEMBER_NOT_FOUND))
    }
}

/// The caller's own membership as it is stored now: the role may have changed since the request was
/// authorised.
///
/// # Errors
/// [`ActionError::Forbidden`] if the caller is no longer a member.
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
    fn the_public_part_of_an_invited_member_has_no_name_and_no_invitation() {
        let mut invited = stored();
        invited["name"] = json!(null);
        invited["status"] = json!("invited");
        invited["invitation"] = json!({
            "id": "0197a3b0-0000-7000-8000-00000000000a", "expiresAt": "2026-01-08T00:00:00Z",
            "invitedBy": null,
        });
        let membership: Membership = serde_json::from_value(invited.clone()).unwrap();
        assert_eq!(serde_json::to_value(&membership).unwrap(), invited);
        let public = serde_json::to_value(&membership.member).unwrap();
        assert_eq!(
            (&public["name"], &public["status"]),
            (&json!(null), &json!("invited"))
        );
        assert_eq!(public.get("invitation"), None);
    }

    #[test]
    fn an_invitation_expires_at_its_end() {
        let mut membership: Membership = serde_json::from_value(stored()).unwrap();
        let [before, end]: [Timestamp; 2] =
            ["2026-01-07T23:59:59Z", "2026-01-08T00:00:00Z"].map(|time| time.parse().unwrap());
        assert_eq!(membership.expired_at(end), None, "there is no invitation");
        membership.invitation = serde_json::from_value(json!({
            "id": "0197a3b0-0000-7000-8000-00000000000a", "expiresAt": end,
        }))
        .unwrap();
        assert_eq!(membership.expired_at(before), None);
        assert_eq!(membership.expired_at(end), Some(end));
    }

    #[test]
    fn a_member_cannot_be_changed_by_a_lower_role() {
        let mut member: Member = serde_json::from_value(stored()).unwrap();
        for (role, by, allowed) in [
            (Role::Owner, Role::Admin, false),
            (Role::Owner, Role::Owner, true),
            (Role::Admin, Role::Admin, true),
            (Role::Viewer, Role::Member, false),
        ] {
            member.role = role;
            assert_eq!(member.can_be_changed_by(by), allowed, "{role:?} by {by:?}");
        }
    }
}
