//! Changes the role of a member or of an invited user. Nobody can change a role above their own, or
//! grant one.

use action::{
    Action, ActionError, Actor, Admins, Commit, Context, Entity, Form, FormPage, Found, Layout,
    Parsed, Reads, Role, Sample,
};
use crm::{Member, MemberRef, Membership, Organization, acting_member};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use validator::Validate;

/// The action.
#[derive(Debug)]
pub struct ChangeRole;

/// The member, and the new role.
#[derive(Debug, Clone, Default, Deserialize, Serialize, Validate, JsonSchema)]
#[serde(default)]
pub struct RoleChange {
    #[serde(flatten)]
    #[validate(nested)]
    member: MemberRef,
    #[validate(nested)]
    role: Parsed<Role>,
}

impl Action for ChangeRole {
    const NAME: &'static str = "change-role";
    type Permission = Admins;
    const RULE: &'static str = "only roles up to their own";
    type Input = RoleChange;
    type Output = Member;

    fn sample() -> Sample {
        Sample::json(json!({ "userId": "{{member}}", "role": "viewer" }))
    }

    fn reads(context: &Context<Actor>, change: &RoleChange) -> Result<Reads, ActionError> {
        let organization = Organization::key_of(&context.caller.tenant);
        Ok(change.member.reads(&context.caller).item(organization))
    }

    fn run(
        context: &Context<Actor>,
        change: &RoleChange,
        found: &Found,
    ) -> Result<Commit<Member>, ActionError> {
        let tenant = &context.caller.tenant;
        let actor = acting_member(&context.caller, found)?;
        let role = *change.role.get()?;
        let before: Membership = change.member.membership(&context.caller, found)?;
        if !before.member.can_be_changed_by(actor.role) || role > actor.role {
            return Err(ActionError::Forbidden(
                "You cannot give or take a role above your own",
            ));
        }
        let after = before.with_role(role, context);
        let organization: Option<Organization> = found.record(&Organization::key_of(tenant))?;
        let organization =
            organization.ok_or_else(|| ActionError::Internal(format!("{tenant} has no record")))?;
        let updated =
            organization.with_updated_owners(&actor, &before.member, Some(&after.member))?;
        let commit = after
            .update(tenant, before.version(), after.member.clone())
            .require(tenant, &actor);
        let has_new_link = after.invitation != before.invitation;
        let email = after.email(tenant, &organization.name, &actor);
        let commit = match email.filter(|_| has_new_link) {
            Some(email) => commit.send_email(email),
            None => commit,
        };
        Ok(match updated {
            Some(updated) => commit.put_record(&updated, Some(organization.version), None),
            None => commit,
        })
    }
}

impl Form for ChangeRole {
    fn success_path(layout: Option<&Layout>, _: &RoleChange, _: &Member) -> String {
        pages::paths::members(layout, "#role-changed")
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
            change: Some(page.state),
            ..pages::MemberPage::of(membership.as_ref(), page.tokens.now)
        };
        pages::member_edit(layout, &view)
    }
}
