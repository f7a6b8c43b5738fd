//! Deletes the account of a user who knows its password, and takes the user out of all organisations.
//! What they did there stays, with their name in the audit.

use crate::accounts::settings_pages;
use action::{
    Action, ActionError, Actor, Commit, Context, EmailMessage, Form, FormPage, Found, Layout,
    RateLimit, Reads, Record, Sample, Secret, SecretRules, Secrets, Viewers,
};
use crm::{
    Account, LastOrganization, Member, Membership, Organization, Password, PasswordReset,
    PublicUser, WRONG_OWN_PASSWORD,
};
use pages::AccountForm;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use validator::Validate;

/// The action.
#[derive(Debug)]
pub struct DeleteAccount;

/// The password of the account.
#[derive(Debug, Clone, Default, Deserialize, Serialize, Validate, JsonSchema)]
#[serde(default)]
pub struct AccountDeletion {
    #[validate(length(min = 1))]
    password: Secret,
}

impl Action for DeleteAccount {
    const NAME: &'static str = "delete-account";
    const HASHES_PASSWORD: bool = true;
    const SECRETS: Option<SecretRules<Self>> = SecretRules::of_action();
    const OF_ACCOUNT: bool = true;
    type Permission = Viewers;
    const RULE: &'static str = "not as the last owner of an organization";
    type Input = AccountDeletion;
    type Output = PublicUser;

    fn sample() -> Sample {
        Sample::form(json!({ "password": "another horse battery" }))
    }

    fn rate_limit(_: &Context<()>, _: &AccountDeletion) -> Result<RateLimit, ActionError> {
        Ok(RateLimit::CallerAndOwnAccount)
    }

    fn reads(context: &Context<Actor>, _: &AccountDeletion) -> Result<Reads, ActionError> {
        Ok(Account::caller_reads(&context.caller, &Found::default()))
    }

    fn more_reads(context: &Context<Actor>, _: &AccountDeletion, found: &Found) -> Reads {
        let reads = Account::caller_and_membership_reads(&context.caller, found);
        let Ok(account) = Account::of_caller(&context.caller, found) else {
            return reads;
        };
        account.organizations.iter().fold(reads, |reads, each| {
            reads
                .item(Organization::key_of(&each.tenant))
                .item(Member::guard(&each.tenant, &account.email))
        })
    }

    fn run(
        context: &Context<Actor>,
        deletion: &AccountDeletion,
        found: &Found,
    ) -> Result<Commit<PublicUser>, ActionError> {
        let account = Account::of_caller(&context.caller, found)?;
        if !deletion.password.matches(Some(&account.password_hash)) {
            return Err(WRONG_OWN_PASSWORD);
        }
        account.check_can_move()?;
        let ended = account.with_sessions_ended();
        let own = action::Subject::entity::<Member>(&context.caller.tenant, account.id.as_str());
        let commit = Commit::new(own, account.public_user())
            .delete_record(account.key(), Some(account.version))
            .delete_record(PasswordReset::key_of(&account.email), None)
            .delete_record(LastOrganization::key_of(&account.email), None)
            .overwrite(action::Key::generation(&account.id), &ended.generation())
            .send_email(EmailMessage::notice(
                account.email.as_str(),
                "account-deleted",
                [("name", account.name.to_string())],
            ));
        let commit = account.audit_everywhere(commit, found)?;
        let members = account.active_memberships(found)?.into_iter();
        let mut commit = commit.close_session();
        for (tenant, member) in members {
            let organization: Option<Organization> = found.record(&Organization::key_of(tenant))?;
            let organization = organization
                .ok_or_else(|| ActionError::Internal(format!("{tenant} has no record")))?;
            let membership = Membership::from(member.clone());
            commit = organization.remove(commit, &member, &membership, found)?;
        }
        Ok(commit)
    }
}

impl Secrets for DeleteAccount {
    const FIELDS: &'static [&'static str] = &["password"];
}

impl Form for DeleteAccount {
    fn success_path(_: Option<&Layout>, _: &AccountDeletion, _: &PublicUser) -> String {
        pages::paths::ACCOUNT_DELETED.to_owned()
    }

    fn page_path(layout: Option<&Layout>) -> String {
        pages::paths::settings(layout, "/delete")
    }

    fn form(page: &FormPage<'_>) -> String {
        settings_pages::form(page, AccountForm::Delete)
    }
}
