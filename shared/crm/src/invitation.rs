//! The link of an invitation, and the checks that it is still valid.

use crate::member::{INVITATION_PURPOSE, InvitationId};
use crate::{Account, Email, LinkToken, Member, Membership, Organization};
use action::{ActionError, Context, Found, Key, Reads, Role, TenantId, UserId};
use jiff::Timestamp;

const INVALID_LINK: ActionError = ActionError::Forbidden(
    "This link is not valid. Open it again from the email, or ask for a new invitation.",
);
const WITHDRAWN: ActionError = ActionError::Forbidden(
    "This invitation no longer works: it was withdrawn or has been used. Ask for a new one.",
);
const ALREADY_ACCEPTED: ActionError =
    ActionError::Forbidden("This invitation has been accepted already.");
const REPLACED: ActionError = ActionError::Forbidden(
    "This invitation was replaced by a newer one. Use its link, or ask for another.",
);
const INVITER_LOST_ROLE: ActionError = ActionError::Forbidden(
    "This invitation no longer works: the member who sent it may no longer give this role. Ask for a new one.",
);
const EXPIRED: ActionError =
    ActionError::Forbidden("This invitation has expired. Ask for a new one.");

/// The token of an invitation's link.
impl LinkToken {
    /// The token's content; `None` if the token is not ours or was altered.
    #[must_use]
    pub fn invitation<C>(&self, context: &Context<C>) -> Option<InvitationClaims> {
        let text = self.content(context, INVITATION_PURPOSE)?;
        let mut parts = text.splitn(4, ' ');
        let mut next = || parts.next();
        Some(InvitationClaims {
            tenant: TenantId::parse(next()?).ok()?,
            member: UserId::parse(next()?).ok()?,
            invitation: InvitationId::parse(next()?).ok()?,
            email: Email::parse(next()?).ok()?,
        })
    }

    /// What to read to check the invitation; nothing if the token is invalid.
    #[must_use]
    pub fn invitation_reads<C>(&self, context: &Context<C>) -> Reads {
        self.invitation(context)
            .map_or_else(Reads::none, |claims| claims.reads())
    }

    /// The reads of the inviter's membership, and of the membership that the invited user's account has
    /// by now, if there is an account.
    #[must_use]
    pub fn more_invitation_reads<C>(&self, context: &Context<C>, found: &Found) -> Reads {
        let Some(claims) = self.invitation(context) else {
            return Reads::none();
        };
        let account = claims.account(found).ok().flatten();
        let users = account.map(|account| account.id).into_iter();
        let users = users.chain(claims.inviter(found));
        users
            .map(|user| claims.membership_key(&user))
            .fold(Reads::none(), Reads::item)
    }

    /// The invitation of this token, if it is still valid.
    ///
    /// # Errors
    /// [`ActionError::Forbidden`], which says why it is no longer valid.
    pub fn pending_invitation<C>(
        &self,
        context: &Context<C>,
        found: &Found,
    ) -> Result<PendingInvitation, ActionError> {
        let claims = self.invitation(context).ok_or(INVALID_LINK)?;
        claims.pending_invitation(found, context.now)
    }
}

/// The content of an invitation's token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvitationClaims {
    /// The organisation.
    pub tenant: TenantId,
    member: UserId,
    invitation: InvitationId,
    /// The email that is invited.
    pub email: Email,
}

impl InvitationClaims {
    fn reads(&self) -> Reads {
        Reads::none()
            .item(Organization::key_of(&self.tenant))
            .item(self.membership_key(&self.member))
            .item(Account::key_of(&self.email))
    }

    /// The user who sent the invitation.
    fn inviter(&self, found: &Found) -> Option<UserId> {
        let key = self.member.as_str();
        let membership: Option<Membership> = found.entity(&self.tenant, key).ok().flatten();
        membership?.invitation?.invited_by
    }

    fn membership_key(&self, user: &UserId) -> Key {
        Key::entity::<Membership>(&self.tenant, user.as_str())
    }

    /// The account with the invited email, if there is one.
    ///
    /// # Errors
    /// [`ActionError::Internal`] if the stored item is not an account.
    pub fn account(&self, found: &Found) -> Result<Option<Account>, ActionError> {
        found.record(&Account::key_of(&self.email))
    }

    fn pending_invitation(
        &self,
        found: &Found,
        now: Timestamp,
    ) -> Result<PendingInvitation, ActionError> {
        let organization: Option<Organization> =
            found.record(&Organization::key_of(&self.tenant))?;
        let organization = organization.ok_or(WITHDRAWN)?;
        let account = self.account(found)?;
        let member = match &account {
            Some(account) => found.entity::<Member>(&self.tenant, account.id.as_str())?,
            None => None,
        };
        if member.is_some_and(|member| member.is_active()) {
            return Err(ALREADY_ACCEPTED);
        }
        let membership: Option<Membership> = found.entity(&self.tenant, self.member.as_str())?;
        let membership = membership.ok_or(WITHDRAWN)?;
        let invitation = membership.invitation.as_ref().ok_or(ALREADY_ACCEPTED)?;
        let is_emailed = invitation.emailed_id.as_ref() == Some(&self.invitation);
        if !is_emailed && invitation.id != self.invitation {
            return Err(REPLACED);
        }
        let since = organization.invitations_since;
        if since.is_some_and(|since| invitation.sent_at() < since) {
            return Err(WITHDRAWN);
        }
        if membership.expired_at(now).is_some() {
            return Err(EXPIRED);
        }
        let inviter = self.inviter_membership(&membership, found)?;
        Ok(PendingInvitation {
            organization,
            membership,
            account,
            inviter,
            is_emailed,
        })
    }
}

impl InvitationClaims {
    /// The membership of the user who grants the role. An invitation is valid only as long as this
    /// user could still grant that role.
    fn inviter_membership(
        &self,
        invited: &Membership,
        found: &Found,
    ) -> Result<Option<Membership>, ActionError> {
        let invitation = invited.invitation.as_ref();
        let Some(inviter) = invitation.and_then(|invitation| invitation.invited_by.as_ref()) else {
            return Ok(None);
        };
        let inviter: Option<Membership> = found.entity(&self.tenant, inviter.as_str())?;
        let can_grant = |inviter: &Membership| {
            inviter.member.is_active() && invited.member.can_be_changed_by(inviter.member.role)
        };
        inviter.filter(can_grant).map(Some).ok_or(INVITER_LOST_ROLE)
    }
}

/// An invitation that can be accepted now.
#[derive(Debug, Clone)]
pub struct PendingInvitation {
    /// The organisation.
    pub organization: Organization,
    /// The invited member, with the role.
    pub membership: Membership,
    /// The account with the invited email, if there is one already.
    pub account: Option<Account>,
    /// The membership of the user who grants the role.
    pub inviter: Option<Membership>,
    /// Whether its link is that of an email, so that it proves the address.
    pub is_emailed: bool,
}

impl PendingInvitation {
    /// The role that the user will have.
    #[must_use]
    pub fn role(&self) -> Role {
        self.membership.member.role
    }
}
