//! The form pages of members and invitations.

use action::{
    ActionError, Actor, Admins, Anyone, Context, Empty, FormState, Found, Key, Parsed, Reads, Role,
    UserId, View, ViewPage, Viewers,
};
use crm::{LinkToken, Member, MemberRef, Membership, PendingInvitation, acting_member};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use validator::Validate;

/// The form to invite a user.
pub struct InvitePage;

/// The forms to change a member's role and to remove the member.
pub struct EditPage;

/// The page that asks before the user leaves.
pub struct LeavePage;

/// The page that the link of an invitation opens.
pub struct AcceptPage;

fn form_state(key: String, role: Role) -> FormState {
    FormState {
        values: [("role".to_owned(), role.as_str().to_owned())].into(),
        key,
        ..FormState::default()
    }
}

impl View for InvitePage {
    const PATH: &'static str = "/t/{tenant}/members/invite";
    type Permission = Admins;
    type Params = Empty;
    type Output = Empty;

    fn show(_: &Context<Actor>, _: &Empty, _: &Found) -> Result<Empty, ActionError> {
        Ok(Empty {})
    }

    fn page(page: &ViewPage<'_>, _: &Empty) -> String {
        pages::member_invite(page.layout, &pages::fresh_invitation(page.key.clone()))
    }
}

/// A member, by the id in the path.
#[derive(Debug, Clone, Default, Deserialize, Serialize, Validate, JsonSchema)]
#[serde(default)]
pub struct MemberPath {
    #[validate(nested)]
    id: Parsed<UserId>,
}

impl MemberPath {
    fn member(&self) -> MemberRef {
        MemberRef {
            user_id: self.id.clone(),
        }
    }
}

/// A member, and what the user may do with it.
#[derive(Debug, Serialize, JsonSchema)]
pub struct EditableMember {
    #[serde(flatten)]
    member: Member,
    #[serde(skip)]
    is_self: bool,
    #[serde(skip)]
    can_change: bool,
    /// The link of the invitation, if the user may grant its role.
    #[serde(skip)]
    link: Option<(String, Timestamp)>,
    /// Whether an email with a link has been sent.
    #[serde(skip)]
    is_emailed: bool,
    #[serde(skip)]
    expired_at: Option<Timestamp>,
}

impl View for EditPage {
    const PATH: &'static str = "/t/{tenant}/members/{id}/edit";
    type Permission = Viewers;
    const RULE: &'static str = "only for themselves, or as an admin for any member";
    type Params = MemberPath;
    type Output = EditableMember;

    fn reads(context: &Context<Actor>, params: &MemberPath) -> Result<Reads, ActionError> {
        Ok(params.member().reads(&context.caller))
    }

    fn show(
        context: &Context<Actor>,
        params: &MemberPath,
        found: &Found,
    ) -> Result<EditableMember, ActionError> {
        let actor = &context.caller;
        let is_self = params.id.as_str() == actor.user.as_str();
        if !is_self && actor.role < Role::Admin {
            return Err(ActionError::Forbidden("You are not allowed to do this"));
        }
        let membership: Membership = params.member().membership(actor, found)?;
        let can_change = membership.member.can_be_changed_by(actor.role);
        let expires_at = membership.invitation.as_ref().map(|open| open.expires_at);
        let link = membership.link(context, &actor.tenant).zip(expires_at);
        let expired_at = membership.expired_at(context.now);
        let invitation = membership.invitation.as_ref();
        Ok(EditableMember {
            link: link.filter(|_| can_change && expired_at.is_none()),
            is_emailed: invitation.is_some_and(|open| open.emailed_id.is_some()),
            expired_at,
            member: membership.member,
            is_self,
            can_change,
        })
    }

    fn page(page: &ViewPage<'_>, output: &EditableMember) -> String {
        let change = form_state(page.key.clone(), output.member.role);
        let remove = form_state(format!("{}-remove", page.key), output.member.role);
        let link = output.link.as_ref();
        let link = link.map(|(path, expires_at)| {
            (
                page.origin.unwrap_or_default().to_owned() + path,
                *expires_at,
            )
        });
        pages::member_edit(
            page.layout,
            &pages::MemberPage {
                member: Some(&output.member),
                is_self: output.is_self,
                link: link
                    .as_ref()
                    .map(|(link, expires_at)| (link.as_str(), *expires_at)),
                is_emailed: output.is_emailed,
                expired: output.expired_at,
                change: output.can_change.then_some(&change),
                remove: (output.can_change || output.is_self).then_some(&remove),
            },
        )
    }
}

impl View for LeavePage {
    const PATH: &'static str = "/t/{tenant}/members/leave";
    type Permission = Viewers;
    type Params = Empty;
    type Output = Member;

    fn reads(context: &Context<Actor>, _: &Empty) -> Result<Reads, ActionError> {
        let Actor { tenant, user, .. } = &context.caller;
        Ok(Reads::none().item(Key::entity::<Member>(tenant, user.as_str())))
    }

    fn show(context: &Context<Actor>, _: &Empty, found: &Found) -> Result<Member, ActionError> {
        acting_member(&context.caller, found)
    }

    fn page(page: &ViewPage<'_>, member: &Member) -> String {
        pages::member_leave(
            page.layout,
            member,
            &form_state(page.key.clone(), member.role),
        )
    }
}

/// The token of the invitation's link.
#[derive(Debug, Clone, Default, Deserialize, Serialize, Validate, JsonSchema)]
#[serde(default)]
pub struct InvitationParams {
    token: LinkToken,
}

/// An invitation that can be accepted.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct InvitationDetails {
    /// The name of the organisation.
    organization: String,
    /// The invited email.
    email: String,
    /// The role that the user will have.
    role: Role,
    /// Whether an account has this email.
    has_account: bool,
    #[serde(skip)]
    pending: PendingInvitation,
    #[serde(skip)]
    token: LinkToken,
    #[serde(skip)]
    is_signed_in: bool,
}

impl View for AcceptPage {
    const PATH: &'static str = crm::INVITATION_PATH;
    type Permission = Anyone;
    type Params = InvitationParams;
    type Output = InvitationDetails;

    fn sample() -> &'static str {
        "token={{invitation}}"
    }

    fn reads(
        context: &Context<Option<Actor>>,
        params: &InvitationParams,
    ) -> Result<Reads, ActionError> {
        Ok(params.token.invitation_reads(context))
    }

    fn more_reads(
        context: &Context<Option<Actor>>,
        params: &InvitationParams,
        found: &Found,
    ) -> Reads {
        params.token.more_invitation_reads(context, found)
    }

    fn show(
        context: &Context<Option<Actor>>,
        params: &InvitationParams,
        found: &Found,
    ) -> Result<InvitationDetails, ActionError> {
        let pending = params.token.pending_invitation(context, found)?;
        let caller = context.caller.as_ref();
        let is_of_caller =
            |actor: &Actor| (pending.account.as_ref()).is_some_and(|a| a.id == actor.user);
        Ok(InvitationDetails {
            organization: pending.organization.name.to_string(),
            email: pending.membership.member.email.to_string(),
            role: pending.role(),
            has_account: pending.account.is_some(),
            token: params.token.clone(),
            is_signed_in: caller.is_some_and(is_of_caller),
            pending,
        })
    }

    fn page(page: &ViewPage<'_>, output: &InvitationDetails) -> String {
        let state = FormState {
            key: page.key.clone(),
            ..FormState::default()
        };
        let invited = pages::Invited::new(&output.pending, output.is_signed_in);
        pages::accept_invite(&state, output.token.as_str(), Some(invited))
    }
}
