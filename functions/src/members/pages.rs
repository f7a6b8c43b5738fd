//! The form pages of members and invitations.

use action::{
    ActionError, Actor, Admins, Anyone, Context, Empty, FormState, Found, Key, Parsed, Reads, Role,
    UserId, View, ViewPage, Viewers,
};
use crm::{InvitationToken, Member, MemberRef, Membership, Offer, acting_member};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use validator::Validate;

/// The form to invite somebody.
pub struct InvitePage;

/// The forms to change a member's role and to remove them.
pub struct EditPage;

/// The question before leaving.
pub struct LeavePage;

/// What the link of an invitation leads to.
pub struct AcceptPage;

fn state(key: String, role: Role) -> FormState {
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

/// A member, and what who looks may do.
#[derive(Debug, Serialize, JsonSchema)]
pub struct EditableMember {
    #[serde(flatten)]
    member: Member,
    #[serde(skip)]
    is_self: bool,
    #[serde(skip)]
    changes: bool,
    /// The link of the invitation, for who may grant its role.
    #[serde(skip)]
    link: Option<(String, Timestamp)>,
    #[serde(skip)]
    expired: Option<Timestamp>,
}

impl View for EditPage {
    const PATH: &'static str = "/t/{tenant}/members/{id}/edit";
    type Permission = Viewers;
    const RULE: &'static str = "oneself, or an admin";
    type Params = MemberPath;
    type Output = EditableMember;

    fn reads(context: &Context<Actor>, which: &MemberPath) -> Result<Reads, ActionError> {
        Ok(which.member().reads(&context.caller))
    }

    fn show(
        context: &Context<Actor>,
        which: &MemberPath,
        found: &Found,
    ) -> Result<EditableMember, ActionError> {
        let actor = &context.caller;
        let is_self = which.id.as_str() == actor.user.as_str();
        if !is_self && actor.role < Role::Admin {
            return Err(ActionError::Forbidden("You are not allowed to do this"));
        }
        let membership: Membership = which.member().membership(actor, found)?;
        let changes = membership.member.may_be_changed_by(actor.role);
        let ends = membership.invitation.as_ref().map(|open| open.expires_at);
        let link = membership.link(context, &actor.tenant).zip(ends);
        let expired = membership.expired_at(context.now);
        Ok(EditableMember {
            link: link.filter(|_| changes && expired.is_none()),
            expired,
            member: membership.member,
            is_self,
            changes,
        })
    }

    fn page(page: &ViewPage<'_>, shown: &EditableMember) -> String {
        let change = state(page.key.clone(), shown.member.role);
        let remove = state(format!("{}-remove", page.key), shown.member.role);
        let link = shown.link.as_ref();
        let link =
            link.map(|(path, ends)| (page.origin.unwrap_or_default().to_owned() + path, *ends));
        pages::member_edit(
            page.layout,
            &pages::MemberPage {
                member: Some(&shown.member),
                is_self: shown.is_self,
                link: link.as_ref().map(|(link, ends)| (link.as_str(), *ends)),
                expired: shown.expired,
                change: shown.changes.then_some(&change),
                remove: (shown.changes || shown.is_self).then_some(&remove),
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

    fn page(page: &ViewPage<'_>, own: &Member) -> String {
        pages::member_leave(page.layout, own, &state(page.key.clone(), own.role))
    }
}

/// The token of the link.
#[derive(Debug, Clone, Default, Deserialize, Serialize, Validate, JsonSchema)]
#[serde(default)]
pub struct InvitationLink {
    token: InvitationToken,
}

/// What somebody is invited to.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct OpenInvitation {
    organization: String,
    email: String,
    role: Role,
    has_account: bool,
    #[serde(skip)]
    offer: Offer,
    #[serde(skip)]
    token: InvitationToken,
    #[serde(skip)]
    is_signed_in: bool,
}

impl View for AcceptPage {
    const PATH: &'static str = crm::INVITATION_PATH;
    type Permission = Anyone;
    type Params = InvitationLink;
    type Output = OpenInvitation;

    fn sample() -> &'static str {
        "token={{invitation}}"
    }

    fn reads(
        context: &Context<Option<Actor>>,
        link: &InvitationLink,
    ) -> Result<Reads, ActionError> {
        Ok(link.token.reads(context))
    }

    fn more_reads(context: &Context<Option<Actor>>, link: &InvitationLink, found: &Found) -> Reads {
        link.token.more_reads(context, found)
    }

    fn show(
        context: &Context<Option<Actor>>,
        link: &InvitationLink,
        found: &Found,
    ) -> Result<OpenInvitation, ActionError> {
        let offer = link.token.offer(context, found)?;
        let caller = context.caller.as_ref();
        let is_own = |actor: &Actor| (offer.account.as_ref()).is_some_and(|a| a.id == actor.user);
        Ok(OpenInvitation {
            organization: offer.organization.name.to_string(),
            email: offer.membership.member.email.to_string(),
            role: offer.role(),
            has_account: offer.account.is_some(),
            token: link.token.clone(),
            is_signed_in: caller.is_some_and(is_own),
            offer,
        })
    }

    fn page(page: &ViewPage<'_>, shown: &OpenInvitation) -> String {
        let state = FormState {
            key: page.key.clone(),
            ..FormState::default()
        };
        let invited = pages::Invited::new(&shown.offer, shown.is_signed_in);
        pages::accept_invite(&state, shown.token.as_str(), Some(invited))
    }
}
