//! Changes the password of who knows it, and signs them out everywhere else.

use action::{
    Action, ActionError, Actor, Commit, Context, Form, FormPage, Found, Input, Invalid, Layout,
    RateLimit, Reads, Sample, Subject, Viewers,
};
use crm::{Account, Password, PasswordAttempt, PasswordReset, Settings};
use pages::SettingsForm;
use serde::{Deserialize, Serialize};
use serde_json::json;

const WRONG: ActionError = ActionError::WrongPassword {
    field: "currentPassword",
    message: "Wrong password",
};

/// The action.
#[derive(Debug)]
pub struct ChangePassword;

/// The old password and the new one.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Passwords {
    current_password: PasswordAttempt,
    new_password: Password,
}

impl Input for Passwords {
    fn parse(form: &mut Form<'_>) -> Result<Self, Invalid> {
        let current = form.verbatim("currentPassword", PasswordAttempt::parse);
        let new = form.verbatim("newPassword", Password::parse);
        Ok(Self {
            current_password: current?,
            new_password: new?,
        })
    }
}

/// The answer: nothing.
#[derive(Debug, Serialize, Deserialize)]
pub struct Changed {}

impl Action for ChangePassword {
    const NAME: &'static str = "change-password";
    const HASHES_PASSWORD: bool = true;
    const SECRETS: &'static [&'static str] = &["currentPassword", "newPassword"];
    type Permission = Viewers;
    type Input = Passwords;
    type Output = Changed;

    fn sample() -> Sample {
        Sample::form(json!({
            "currentPassword": "correct horse battery", "newPassword": "staple battery horse",
        }))
    }

    /// Or who finds a session could try passwords with it.
    fn rate_limit(_: &Context<()>, _: &Passwords) -> RateLimit {
        RateLimit::CallerAndOwnAccount
    }

    fn reads(context: &Context<Actor>, _: &Passwords) -> Reads {
        Account::reads_of(&context.caller, &Found::default())
    }

    fn more_reads(context: &Context<Actor>, _: &Passwords, found: &Found) -> Reads {
        Account::reads_of(&context.caller, found)
    }

    fn run(
        context: &Context<Actor>,
        passwords: &Passwords,
        found: &Found,
    ) -> Result<Commit<Changed>, ActionError> {
        let before = Account::of(&context.caller, found)?;
        let current = &passwords.current_password;
        if !current.matches(Some(&before.password_hash)) {
            return Err(WRONG);
        }
        let account = Account {
            password_hash: passwords.new_password.hash(&context.salt())?,
            ..before.without_sessions()
        };
        let subject = Subject {
            tenant: context.caller.tenant.clone(),
            resource: "accounts",
            id: account.id.to_string(),
        };
        let commit = Commit::new(subject, Changed {})
            .end_other_sessions(account.session_generation)
            // A link that was asked for before does not undo it.
            .delete_record(PasswordReset::key_of(&account.email), None);
        Ok(account.end_sessions(commit, &before))
    }

    fn same_secrets(
        context: &Context<Actor>,
        passwords: &Passwords,
        found: &Found,
    ) -> Result<bool, ActionError> {
        let account = Account::of(&context.caller, found)?;
        let new = passwords.new_password.attempt();
        Ok(new.matches(Some(&account.password_hash)))
    }

    fn form_reads(context: &Context<Actor>, found: &Found) -> Reads {
        Settings::reads(context, found)
    }

    fn success_path(layout: Option<&Layout>, _: &Passwords, _: &Changed) -> String {
        pages::paths::settings(layout, "#password-changed")
    }

    fn form(page: &FormPage<'_>) -> String {
        let settings = page
            .context
            .map(|context| Settings::of(context, page.found));
        let settings = settings.and_then(Result::ok);
        let sent = Some((SettingsForm::Password, page.state));
        pages::settings(page.layout, settings.as_ref(), &page.key, sent)
    }
}
