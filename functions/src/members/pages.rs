//! The form pages of members and invitations.

use action::{
    ActionError, Actor, Admins, Anyone, Context, Form, FormState, Found, Input, Invalid, Key,
    Reads, Role, View, ViewPage, Viewers,
};
use crm::{InvitationToken, Member, MemberRef, Membership, Offer, acting_member};
use jiff::Timestamp;
use serde::Serialize;

/// The form to invite somebody.
pub struct InvitePage;

/// The forms to change a member's role and to remove them.
pub struct EditPage;

/// The question before leaving.
pub struct LeavePage;

/// What the link of an invitation leads to.
pub struct AcceptPage;

/// A form with nothing in it.
#[derive(Debug, Serialize)]
pub struct Blank {}

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
    type Params = ();
    type Output = Blank;

    fn show(_: &Context<Actor>, (): &(), _: &Found) -> Result<Blank, ActionError> {
        Ok(Blank {})
    }

    fn page(page: &ViewPage<'_>, _: &Blank) -> String {
        pages::member_invite(page.layout, &pages::fresh_invitation(page.key.clone()))
    }
}

/// Which member.
#[derive(Debug, Clone, Serialize)]
pub struct Which(MemberRef);

impl Input for Which {
    fn parse(form: &mut Form<'_>) -> Result<Self, Invalid> {
        Ok(Self(form.field("id", MemberRef::parse)?))
    }
}

/// A member, and what who looks may do.
#[derive(Debug, Serialize)]
pub struct Editable {
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
    type Params = Which;
    type Output = Editable;

    fn reads(context: &Context<Actor>, which: &Which) -> Result<Reads, ActionError> {
        Ok(which.0.reads(&context.caller))
    }

    fn show(
        context: &Context<Actor>,
        which: &Which,
        found: &Found,
    ) -> Result<Editable, ActionError> {
        let actor = &context.caller;
        let is_self = which.0.user_id == actor.user;
        if !is_self && actor.role < Role::Admin {
            return Err(ActionError::Forbidden("You are not allowed to do this"));
        }
        let membership: Membership = which.0.membership(actor, found)?;
        let changes = membership.member.may_be_changed_by(actor.role);
        let ends = membership.invitation.as_ref().map(|open| open.expires_at);
        let link = membership.link(context, &actor.tenant).zip(ends);
        let expired = membership.expired_at(context.now);
        Ok(Editable {
            link: link.filter(|_| changes && expired.is_none()),
            expired,
            member: membership.member,
            is_self,
            changes,
        })
    }

    fn page(page: &ViewPage<'_>, shown: &Editable) -> String {
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
    type Params = ();
    type Output = Member;

    fn reads(context: &Context<Actor>, (): &()) -> Result<Reads, ActionError> {
        let Actor { tenant, user, .. } = &context.caller;
        Ok(Reads::none().item(Key::entity::<Member>(tenant, user.as_str())))
    }

    fn show(context: &Context<Actor>, (): &(), found: &Found) -> Result<Member, ActionError> {
        acting_member(&context.caller, found)
    }

    fn page(page: &ViewPage<'_>, own: &Member) -> String {
        pages::member_leave(page.layout, own, &state(page.key.clone(), own.role))
    }
}

/// The link's token.
#[derive(Debug, Clone, Serialize)]
pub struct Link {
    token: InvitationToken,
}

impl Input for Link {
    fn parse(form: &mut Form<'_>) -> Result<Self, Invalid> {
        let token = form.field("token", InvitationToken::parse)?;
        Ok(Self { token })
    }
}

/// What somebody is invited to.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Shown {
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
    type Params = Link;
    type Output = Shown;

    fn sample() -> &'static str {
        "token={{invitation}}"
    }

    fn reads(context: &Context<Option<Actor>>, link: &Link) -> Result<Reads, ActionError> {
        Ok(link.token.reads(context))
    }

    fn more_reads(context: &Context<Option<Actor>>, link: &Link, found: &Found) -> Reads {
        link.token.more_reads(context, found)
    }

    fn show(
        context: &Context<Option<Actor>>,
        link: &Link,
        found: &Found,
    ) -> Result<Shown, ActionError> {
        let offer = link.token.offer(context, found)?;
        let caller = context.caller.as_ref();
        let is_own = |actor: &Actor| (offer.account.as_ref()).is_some_and(|a| a.id == actor.user);
        Ok(Shown {
            organization: offer.organization.name.to_string(),
            email: offer.membership.member.email.to_string(),
            role: offer.role(),
            has_account: offer.account.is_some(),
            token: link.token.clone(),
            is_signed_in: caller.is_some_and(is_own),
            offer,
        })
    }

    fn page(page: &ViewPage<'_>, shown: &Shown) -> String {
        let state = FormState {
            key: page.key.clone(),
            ..FormState::default()
        };
        let invited = pages::Invited::new(&shown.offer, shown.is_signed_in);
        pages::accept_invite(&state, shown.token.as_str(), Some(invited))
    }
}
