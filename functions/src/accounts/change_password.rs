//! Changes the password of a user who knows the current one, and ends all their other sessions.

use crate::accounts::settings;
use action::{
    Action, ActionError, Actor, Commit, Context, Empty, Form, FormPage, Found, Layout, RateLimit,
    Reads, Sample, Secret, SecretRules, Secrets, Subject, Viewers,
};
use crm::{
    Account, AccountSettings, MAX_PASSWORD, MIN_PASSWORD, Password, PasswordReset, new_password,
};
use pages::SettingsForm;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use validator::Validate;

const WRONG_PASSWORD: ActionError = ActionError::WrongPassword {
    field: "currentPassword",
    message: "Wrong password",
};

/// The action.
#[derive(Debug)]
pub struct ChangePassword;

/// The current password and the new one.
#[derive(Debug, Clone, Default, Deserialize, Serialize, Validate, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
pub struct PasswordChange {
    #[validate(length(min = 1))]
    current_password: Secret,
    #[validate(custom(function = new_password))]
    #[schemars(length(min = MIN_PASSWORD, max = MAX_PASSWORD))]
    new_password: Secret,
}

impl Action for ChangePassword {
    const NAME: &'static str = "change-password";
    const OF_ACCOUNT: bool = true;
    const HASHES_PASSWORD: bool = true;
    const SECRETS: Option<SecretRules<Self>> = SecretRules::of_action();
    type Permission = Viewers;
    type Input = PasswordChange;
    type Output = Empty;

    fn sample() -> Sample {
        Sample::form(json!({
            "currentPassword": "correct horse battery", "newPassword": "staple battery horse",
        }))
    }

    /// Limits the attempts for this account, so that somebody with a stolen session cannot guess
    /// the password.
    fn rate_limit(_: &Context<()>, _: &PasswordChange) -> Result<RateLimit, ActionError> {
        Ok(RateLimit::CallerAndOwnAccount)
    }

    fn reads(context: &Context<Actor>, _: &PasswordChange) -> Result<Reads, ActionError> {
        Ok(Account::caller_reads(&context.caller, &Found::default()))
    }

    fn more_reads(context: &Context<Actor>, _: &PasswordChange, found: &Found) -> Reads {
        Account::caller_and_membership_reads(&context.caller, found)
    }

    fn run(
        context: &Context<Actor>,
        change: &PasswordChange,
        found: &Found,
    ) -> Result<Commit<Empty>, ActionError> {
        let before = Account::of_caller(&context.caller, found)?;
        let current = &change.current_password;
        if !current.matches(Some(&before.password_hash)) {
            return Err(WRONG_PASSWORD);
        }
        let account = Account {
            password_hash: change.new_password.hash(&context.salt())?,
            ..before.with_sessions_ended()
        };
        let subject = Subject {
            tenant: context.caller.tenant.clone(),
            resource: "accounts",
            id: account.id.to_string(),
        };
        let commit = Commit::new(subject, Empty {})
            .end_other_sessions(account.session_generation)
            // A reset link that was requested before must not undo the change.
            .delete_record(PasswordReset::key_of(&account.email), None);
        let commit = account.end_sessions(commit, &before);
        account.audit_everywhere(commit, found)
    }
}

impl Secrets for ChangePassword {
    const FIELDS: &'static [&'static str] = &["currentPassword", "newPassword"];

    fn same_secrets(
        context: &Context<Actor>,
        change: &PasswordChange,
        found: &Found,
    ) -> Result<bool, ActionError> {
        let account = Account::of_caller(&context.caller, found)?;
        let new = &change.new_password;
        Ok(new.matches(Some(&account.password_hash)))
    }
}

impl Form for ChangePassword {
    fn form_reads(context: &Context<Actor>, found: &Found) -> Reads {
        AccountSettings::reads(context, found)
    }

    fn success_path(layout: Option<&Layout>, _: &PasswordChange, _: &Empty) -> String {
        pages::paths::settings(layout, "#password-changed")
    }

    fn page_path(layout: Option<&Layout>) -> String {
        pages::paths::settings(layout, "")
    }

    fn form(page: &FormPage<'_>) -> String {
        settings::form(page, SettingsForm::Password)
    }
}
