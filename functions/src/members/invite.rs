//! Invites a user by email. Inviting the same email again replaces the link.

use action::{
    Action, ActionError, Actor, Admins, Commit, Conflict, Context, Entity, Form, FormPage, Found,
    Key, Layout, Parsed, Reads, Record, Role, Sample, TenantId, Version,
};
use crm::{
    Account, Email, EmailKind, Member, Membership, Organization, SentEmails, SentInvitations,
    acting_member,
};
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

    /// The invited member, and the version that is stored if they are invited already.
    fn membership(
        &self,
        context: &Context<Actor>,
        actor: &Member,
        found: &Found,
    ) -> Result<(Membership, Option<Version>), ActionError> {
        let (email, role) = (self.email.get()?, *self.role.get()?);
        let Some(before) = self.existing_membership(&context.caller, found)? else {
            return Ok((Membership::invited(context, email.clone(), role), None));
        };
        if before.member.is_active() {
            return Err(ALREADY_MEMBER.error(None));
        }
        if !before.member.can_be_changed_by(actor.role) {
            return Err(ActionError::Forbidden(
                "They are invited to a role above yours: only somebody who holds it can invite them again",
            ));
        }
        let read_version = before.member.version;
        Ok((before.invited_again(context, role), Some(read_version)))
    }

    /// The records that count the email, to be written with it; or why no email is sent.
    fn counted_email(
        &self,
        context: &Context<Actor>,
        found: &Found,
    ) -> Result<Result<CountedEmail, NotEmailed>, ActionError> {
        let (tenant, email, now) = (&context.caller.tenant, self.email.get()?, context.now);
        let inviter = Account::of_caller(&context.caller, found);
        if !inviter.is_ok_and(|inviter| inviter.email_verified) {
            return Ok(Err(NotEmailed::Unconfirmed));
        }
        let [by_address, by_organization] = self.counter_keys(tenant)?;
        let by_address: Option<SentEmails> = found.record(&by_address)?;
        let by_organization: Option<SentInvitations> = found.record(&by_organization)?;
        let to_address =
            SentEmails::with_one_more(EmailKind::Invitation, email, by_address.as_ref(), now);
        let Some(to_address) = to_address else {
            return Ok(Err(NotEmailed::JustEmailed));
        };
        let of_organization = SentInvitations::with_one_more(tenant, by_organization.as_ref(), now);
        let counted = of_organization.map(|of_organization| CountedEmail {
            to_address: (to_address, by_address.map(|before| before.version())),
            of_organization: (
                of_organization,
                by_organization.map(|before| before.version()),
            ),
        });
        Ok(counted.ok_or(NotEmailed::TooManyToday))
    }

    fn counter_keys(&self, tenant: &TenantId) -> Result<[Key; 2], ActionError> {
        let by_address = SentEmails::key_of(EmailKind::Invitation, self.email.get()?);
        Ok([by_address, SentInvitations::key_of(tenant)])
    }
}

/// Each counter with the email in it, and the version that was read.
struct CountedEmail {
    to_address: (SentEmails, Option<Version>),
    of_organization: (SentInvitations, Option<Version>),
}

/// Why no email is sent. The inviter can send the link.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum NotEmailed {
    /// The inviter has not confirmed their own address.
    Unconfirmed,
    /// The address has had invitations by email a short time ago.
    JustEmailed,
    /// The organisation has sent as many invitations as it may in 24 hours.
    TooManyToday,
}

/// The invited member, and whether they get an email.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SentInvitation {
    #[serde(flatten)]
    membership: Membership,
    #[serde(default)]
    not_emailed: Option<NotEmailed>,
}

/// The response: the invited member, and the path of the link with which they join.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct InvitedMember {
    #[serde(flatten)]
    member: Member,
    /// The path of the link with which the user joins.
    link: Option<String>,
    /// Why the user gets no email; `null` if they get one, where mail is set up.
    not_emailed: Option<NotEmailed>,
}

impl Action for InviteMember {
    const NAME: &'static str = "invite-member";
    type Permission = Admins;
    const RULE: &'static str = "only roles up to their own";
    type Input = NewInvitation;
    type Output = SentInvitation;

    fn sample() -> Sample {
        Sample::json(json!({ "email": "mia@vindogvand.example", "role": "member" }))
    }

    fn reads(context: &Context<Actor>, invitation: &NewInvitation) -> Result<Reads, ActionError> {
        let Actor { tenant, user, .. } = &context.caller;
        let reads = Reads::none()
            .item(Organization::key_of(tenant))
            .item(Key::entity::<Membership>(tenant, user.as_str()))
            .item(Member::guard(tenant, invitation.email.get()?))
            .item(Account::key_of(invitation.email.get()?));
        let counters = invitation.counter_keys(tenant)?;
        Ok(counters.into_iter().fold(reads, Reads::item))
    }

    fn more_reads(context: &Context<Actor>, invitation: &NewInvitation, found: &Found) -> Reads {
        let keys = invitation.membership_keys(&context.caller, found);
        let inviter = Account::caller_reads(&context.caller, found);
        keys.into_iter().fold(inviter, Reads::item)
    }

    fn run(
        context: &Context<Actor>,
        invitation: &NewInvitation,
        found: &Found,
    ) -> Result<Commit<SentInvitation>, ActionError> {
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
        let (membership, read_version) = invitation.membership(context, &actor, found)?;
        let counted = invitation.counted_email(context, found)?;
        let membership = match counted {
            Ok(_) => membership.emailed(context),
            Err(_) => membership,
        };
        let output = SentInvitation {
            membership: membership.clone(),
            not_emailed: counted.as_ref().err().copied(),
        };
        let mut commit = Commit::new(membership.member.subject(tenant), output)
            .put(tenant, &membership, read_version)
            .require(tenant, &actor);
        if read_version.is_none() {
            let guard = Member::guard(tenant, invitation.email.get()?);
            commit = commit.claim(guard, membership.id(), JUST_INVITED);
        }
        if let Ok(counted) = counted {
            let (to_address, of_organization) = (counted.to_address, counted.of_organization);
            commit = commit
                .put_record(&to_address.0, to_address.1, None)
                .put_record(&of_organization.0, of_organization.1, None);
            let email = membership.email(tenant, &organization.name, &actor);
            commit = email.into_iter().fold(commit, Commit::send_email);
        }
        Ok(commit)
    }

    /// The response with the link, which is not part of the saved result.
    fn answer(context: &Context<Actor>, saved: Value) -> Value {
        let Ok(SentInvitation {
            membership,
            not_emailed,
        }) = serde_json::from_value(saved)
        else {
            return Value::Null;
        };
        json!(InvitedMember {
            link: membership.link(context, &context.caller.tenant),
            member: membership.member,
            not_emailed,
        })
    }

    fn answer_schema(generator: &mut SchemaGenerator) -> Schema {
        generator.subschema_for::<InvitedMember>()
    }
}

impl Form for InviteMember {
    fn success_path(layout: Option<&Layout>, _: &NewInvitation, sent: &SentInvitation) -> String {
        pages::paths::member(layout, sent.membership.id(), "#member-invited")
    }

    fn page_path(layout: Option<&Layout>) -> String {
        pages::paths::members(layout, "/invite")
    }

    fn form(page: &FormPage<'_>) -> String {
        pages::member_invite(page.layout, page.state)
    }
}
