//! Confirms an email address with the link from an email: that of a new account, or the new one of an
//! account whose email changes. Only the user of the account can do it, signed in.

use action::{
    Action, ActionError, Actor, Commit, Conflict, Context, EmailMessage, Form, FormPage, Found,
    Layout, Reads, Record, Sample, Scope, Subject, Viewers,
};
use crm::{
    Account, EmailConfirmation, LastOrganization, LinkToken, Member, PublicUser,
    confirmation_token, invalid_confirmation_link,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use validator::Validate;

const EMAIL_TAKEN: Conflict = Conflict {
    field: "token",
    message: "An account with this email already exists",
    reveal: false,
};

const MEMBER_EXISTS: Conflict = Conflict {
    field: "token",
    message: "Somebody with this email is a member of one of your organizations, or invited to it",
    reveal: false,
};

/// The action.
#[derive(Debug)]
pub struct ConfirmEmail;

/// The token of the link.
#[derive(Debug, Clone, Default, Deserialize, Serialize, Validate, JsonSchema)]
#[serde(default)]
pub struct ConfirmationLink {
    #[validate(custom(function = confirmation_token))]
    token: LinkToken,
}

impl ConfirmationLink {
    fn confirmation(
        &self,
        context: &Context<Actor>,
        account: &Account,
    ) -> Result<EmailConfirmation, ActionError> {
        let link = self.token.confirmation(context)?;
        match link.is_valid_for(account, context.now) {
            true => Ok(link),
            false => Err(invalid_confirmation_link()),
        }
    }
}

impl Action for ConfirmEmail {
    const NAME: &'static str = "confirm-email";
    const OF_ACCOUNT: bool = true;
    type Permission = Viewers;
    const RULE: &'static str = "only the email of their own account";
    type Input = ConfirmationLink;
    type Output = PublicUser;

    fn sample() -> Sample {
        Sample::form(json!({ "token": "{{token}}" }))
    }

    /// The token is not kept, so requests with different tokens must not have one scope.
    fn scope(input: &ConfirmationLink) -> Result<Scope, ActionError> {
        Ok(Scope::Subject(input.token.as_str().to_owned()))
    }

    fn reads(context: &Context<Actor>, input: &ConfirmationLink) -> Result<Reads, ActionError> {
        let link = input.token.confirmation(context)?;
        let reads = Account::caller_reads(&context.caller, &Found::default());
        Ok(reads.item(Account::key_of(&link.email)))
    }

    fn more_reads(context: &Context<Actor>, _: &ConfirmationLink, found: &Found) -> Reads {
        Account::caller_and_membership_reads(&context.caller, found)
    }

    fn run(
        context: &Context<Actor>,
        input: &ConfirmationLink,
        found: &Found,
    ) -> Result<Commit<PublicUser>, ActionError> {
        let before = Account::of_caller(&context.caller, found)?;
        let link = input.confirmation(context, &before)?;
        let account = Account {
            email: link.email.clone(),
            email_verified: true,
            version: before.version.next(),
            ..before.clone()
        };
        let subject = Subject::entity::<Member>(&context.caller.tenant, account.id.as_str());
        let commit = Commit::new(subject, account.public_user());
        let commit = match link.is_own_address() {
            true => commit.put_record(&account, Some(before.version), None),
            false => move_account(commit, &account, &before, context, found)?,
        };
        before.audit_everywhere(commit, found)
    }
}

/// Writes the account under its new email, in all organisations of the user too, and tells the old address.
fn move_account(
    commit: Commit<PublicUser>,
    account: &Account,
    before: &Account,
    context: &Context<Actor>,
    found: &Found,
) -> Result<Commit<PublicUser>, ActionError> {
    before.check_can_move()?;
    let commit = commit
        .put_record(account, None, Some(EMAIL_TAKEN))
        .delete_record(before.key(), Some(before.version))
        .delete_record(LastOrganization::key_of(&before.email), None)
        .send_email(EmailMessage::notice(
            before.email.as_str(),
            "email-changed",
            [
                ("name", before.name.to_string()),
                ("email", account.email.to_string()),
            ],
        ));
    let tenant = &context.caller.tenant;
    let commit = LastOrganization::note(commit, &account.email, tenant);
    let members = before.active_memberships(found)?.into_iter();
    Ok(members.fold(commit, |commit, (tenant, member)| {
        let moved = Member {
            email: account.email.clone(),
            updated_at: context.now,
            version: member.version.next(),
            ..member.clone()
        };
        let (old, new) = (
            Member::guard(tenant, &before.email),
            Member::guard(tenant, &account.email),
        );
        commit
            .put(tenant, &moved, Some(member.version))
            .claim(new, member.id.as_str(), MEMBER_EXISTS)
            .release(old, member.id.as_str())
    }))
}

impl Form for ConfirmEmail {
    fn success_path(layout: Option<&Layout>, _: &ConfirmationLink, _: &PublicUser) -> String {
        pages::paths::settings(layout, "#email-confirmed")
    }

    fn page_path(layout: Option<&Layout>) -> String {
        pages::paths::settings(layout, "")
    }

    fn form(page: &FormPage<'_>) -> String {
        pages::confirm_email(page.layout, page.state, None)
    }
}
