//! Invites a user by email. Inviting the same email again replaces the link.

use action::{
    Action, ActionError, Actor, Admins, Commit, Conflict, Context, Form, FormPage, Found, Key,
    Layout, Parsed, Reads, Role, Sample,
};
use crm::{Account, Email, Member, Membership, Organization, acting_member};
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use validator::Validate;

const ALREADY_MEMBER: Conflict = Conflict {
    field: "email",
    message: "Somebody with this email is a member already",
    reveal: false,
};

/// Somebody else has invited the same email at the same moment.
const JUST_INVITED: Conflict = Conflict {
    field: "email",
    message: "Somebody with this email has just been invited",
    reveal: false,
};

/// The action.
#[derive(Debug)]
pub struct InviteMember;

/// The email to invite, and the role.
#[derive(Debug, Clone, Default, Deserialize, Serialize, Validate, JsonSchema)]
#[serde(default)]
pub struct NewInvitation {
    #[validate(nested)]
    email: Parsed<Email>,
    #[validate(nested)]
    role: Parsed<Role>,
}

impl NewInvitation {
    /// The keys of the memberships that the email may have: that of the guard's owner, and that of
    /// its account.
    fn membership_keys(&self, actor: &Actor, found: &Found) -> Vec<Key> {
        let Ok(email) = self.email.get() else {
            return Vec::new();
        };
        let guard = found.items.get(&Member::guard(&actor.tenant, email));
        let guard_owner = guard.and_then(|guard| Some(guard.get("owner")?.as_str()?.to_owned()));
        let account: Option<Account> = found.record(&Account::key_of(email)).unwrap_or_default();
        let account = account.map(|account| account.id.to_string());
        let ids = guard_owner.into_iter().chain(account);
        ids.map(|id| Key::entity::<Membership>(&actor.tenant, &id))
            .collect()
    }

    fn existing_membership(
        &self,
        actor: &Actor,
        found: &Found,
    ) -> Result<Option<Membership>, ActionError> {
        for key in self.membership_keys(actor, found) {
            let (_, id) = key.parts();
            if let Some(membership) = found.entity(&actor.tenant, id)? {
                return Ok(Some(membership));
            }
        }
        Ok(None)
    }

    fn commit(
        &self,
        context: &Context<Actor>,
        actor: &Member,
        found: &Found,
    ) -> Result<Commit<Membership>, ActionError> {
        let tenant = &context.caller.tenant;
        let (email, role) = (self.email.get()?, *self.role.get()?);
        let Some(before) = self.existing_membership(&context.caller, found)? else {
            let new = Membership::invited(context, email.clone(), role);
            let guard = Member::guard(tenant, email);
            return Ok(Commit::new(new.member.subject(tenant), new.clone())
                .put(tenant, &new, None)
                .claim(guard, new.member.id.as_str(), JUST_INVITED));
        };
        if before.member.is_active() {
            return Err(ALREADY_MEMBER.error(None));
        }
        if !before.member.can_be_changed_by(actor.role) {
            return Err(ActionError::Forbidden(
                "They are invited to a role above yours: only somebody who holds it can invite them again",
            ));
        }
        let reinvited = before.invited_again(context, role);
        Ok(reinvited.update(tenant, before.member.version, reinvited.clone()))
    }
}

/// The response: the invited member, and the path of the link with which they join.
#[derive(Debug, Serialize, JsonSchema)]
struct InvitedMember {
    #[serde(flatten)]
    member: Member,
    /// The path of the link with which the user joins.
    link: Option<String>,
}

impl Action for InviteMember {
    const NAME: &'static str = "invite-member";
    type Permission = Admins;
    const RULE: &'static str = "only roles up to their own";
    type Input = NewInvitation;
    type Output = Membership;

    fn sample() -> Sample {
        Sample::json(json!({ "email": "mia@vindogvand.example", "role": "member" }))
    }

    fn reads(context: &Context<Actor>, invitation: &NewInvitation) -> Result<Reads, ActionError> {
        let Actor { tenant, user, .. } = &context.caller;
        Ok(Reads::none()
            .item(Organization::key_of(tenant))
            .item(Key::entity::<Membership>(tenant, user.as_str()))
            .item(Member::guard(tenant, invitation.email.get()?))
            .item(Account::key_of(invitation.email.get()?)))
    }

    fn more_reads(context: &Context<Actor>, invitation: &NewInvitation, found: &Found) -> Reads {
        let keys = invitation.membership_keys(&context.caller, found);
        keys.into_iter().fold(Reads::none(), Reads::item)
    }

    fn run(
        context: &Context<Actor>,
        invitation: &NewInvitation,
        found: &Found,
    ) -> Result<Commit<Membership>, ActionError> {
        let actor = acting_member(&context.caller, found)?;
        if *invitation.role.get()? > actor.role {
            return Err(ActionError::Forbidden(
                "You cannot grant a role above your own",
            ));
        }
        let tenant = &context.caller.tenant;
        let organization: Option<Organization> = found.record(&Organization::key_of(tenant))?;
        let organization =
            organization.ok_or_else(|| ActionError::Internal(format!("{tenant} has no record")))?;
        let commit = invitation
            .commit(context, &actor, found)?
            .require(tenant, &actor);
        let email = commit.output().email(tenant, &organization.name, &actor);
        Ok(match email {
            Some(email) => commit.send_email(email),
            None => commit,
        })
    }

    /// The response with the link, which is not part of the saved result.
    fn answer(context: &Context<Actor>, saved: Value) -> Value {
        let Ok(membership) = serde_json::from_value::<Membership>(saved) else {
            return Value::Null;
        };
        json!(InvitedMember {
            link: membership.link(context, &context.caller.tenant),
            member: membership.member,
        })
    }

    fn answer_schema(generator: &mut SchemaGenerator) -> Schema {
        generator.subschema_for::<InvitedMember>()
    }
}

impl Form for InviteMember {
    fn success_path(layout: Option<&Layout>, _: &NewInvitation, membership: &Membership) -> String {
        pages::paths::member(layout, membership.member.id.as_str(), "#member-invited")
    }

    fn page_path(layout: Option<&Layout>) -> String {
        pages::paths::members(layout, "/invite")
    }

    fn form(page: &FormPage<'_>) -> String {
        pages::member_invite(page.layout, page.state)
    }
}
