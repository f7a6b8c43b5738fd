//! Removes a member, or withdraws an invitation. Every member may remove themselves, which is
//! leaving.

use action::{
    Action, ActionError, Actor, Commit, Context, Form, FormPage, Found, Layout, Reads, Sample,
    Session, Viewers, lenient,
};
use crm::{Account, Member, MemberRef, Membership, Organization, acting_member};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::str::FromStr;
use validator::Validate;

/// The value that the page to leave sends in the field `leave`.
const LEAVE_YES: &str = "yes";

/// The action.
#[derive(Debug)]
pub struct RemoveMember;

/// The request comes from the page to leave.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[schemars(inline)]
enum Leave {
    #[serde(rename = "yes")]
    Yes,
}

impl FromStr for Leave {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        (text == LEAVE_YES).then_some(Self::Yes).ok_or(())
    }
}

/// The member to remove.
#[derive(Debug, Clone, Default, Deserialize, Serialize, Validate, JsonSchema)]
#[serde(default)]
pub struct MemberRemoval {
    #[serde(flatten)]
    #[validate(nested)]
    member: MemberRef,
    /// Whether the request comes from the page to leave. If so, the user is redirected to another
    /// page.
    #[serde(deserialize_with = "lenient")]
    leave: Option<Leave>,
}

impl MemberRemoval {
    fn is_self_removal(&self, actor: &Actor) -> bool {
        self.member.user_id.as_str() == actor.user.as_str()
    }

    /// The account of a member; `None` for an invited user, whose account is not affected.
    fn account(&self, before: &Member, found: &Found) -> Result<Option<Account>, ActionError> {
        let account: Option<Account> = found.record(&Account::key_of(&before.email))?;
        Ok(account.filter(|account| account.id == before.id))
    }
}

impl Action for RemoveMember {
    const NAME: &'static str = "remove-member";
    type Permission = Viewers;
    const RULE: &'static str =
        "only themselves, or as an admin a member with a role up to their own";
    type Input = MemberRemoval;
    type Output = Member;

    fn sample() -> Sample {
        Sample::json(json!({ "userId": "{{member}}" }))
    }

    fn reads(context: &Context<Actor>, removal: &MemberRemoval) -> Result<Reads, ActionError> {
        let organization = Organization::key_of(&context.caller.tenant);
        Ok(removal.member.reads(&context.caller).item(organization))
    }

    fn more_reads(context: &Context<Actor>, removal: &MemberRemoval, found: &Found) -> Reads {
        let Ok(before) = removal.member.membership(&context.caller, found) else {
            return Reads::none();
        };
        let email = &before.member.email;
        let sessions = match removal.is_self_removal(&context.caller) {
            true => Reads::none().query(crm::open_sessions(&context.caller.user, context.now)),
            false => Reads::none(),
        };
        sessions
            .item(Account::key_of(email))
            .item(Member::guard(&context.caller.tenant, email))
    }

    fn run(
        context: &Context<Actor>,
        removal: &MemberRemoval,
        found: &Found,
    ) -> Result<Commit<Member>, ActionError> {
        let tenant = &context.caller.tenant;
        let actor = acting_member(&context.caller, found)?;
        let membership: Membership = removal.member.membership(&context.caller, found)?;
        let before = &membership.member;
        if !removal.is_self_removal(&context.caller) && !before.can_be_changed_by(actor.role) {
            return Err(ActionError::Forbidden(
                "You cannot remove somebody whose role is above your own",
            ));
        }
        let organization: Option<Organization> = found.record(&Organization::key_of(tenant))?;
        let organization =
            organization.ok_or_else(|| ActionError::Internal(format!("{tenant} has no record")))?;
        let commit = Commit::new(before.subject(tenant), before.clone());
        let mut commit = organization.remove(commit, &actor, &membership, found)?;
        if let Some(account) = removal.account(before, found)? {
            commit = commit.put_record(
                &account.without_organization(tenant),
                Some(account.version),
                None,
            );
        }
        let commit = commit.require(tenant, &actor);
        if !removal.is_self_removal(&context.caller) {
            return Ok(commit);
        }
        let sessions: Vec<Session> = found.records("session", context.caller.user.as_str())?;
        let commit = match &context.session {
            Some(own) => crm::end_sign_in(commit, &sessions, own, None),
            None => commit,
        };
        Ok(commit.close_session())
    }
}

impl Form for RemoveMember {
    fn success_path(layout: Option<&Layout>, removal: &MemberRemoval, member: &Member) -> String {
        if removal.leave.is_some() {
            return pages::paths::LEFT.to_owned();
        }
        let fragment = if member.is_active() {
            "#member-removed"
        } else {
            "#invitation-withdrawn"
        };
        pages::paths::members(layout, fragment)
    }

    fn page_path(layout: Option<&Layout>) -> String {
        pages::paths::members(layout, "")
    }

    fn form(page: &FormPage<'_>) -> String {
        let id = page.state.value("userId");
        let layout = page.layout;
        let membership: Option<Membership> =
            layout.and_then(|layout| page.found.entity(&layout.tenant, id).ok().flatten());
        let view = pages::MemberPage {
            is_self: page.state.value("leave") == LEAVE_YES,
            remove: Some(page.state),
            ..pages::MemberPage::of(membership.as_ref(), page.tokens.now)
        };
        pages::member_edit(layout, &view)
    }
}
