//! Sends a link to a new email address of the user. The account moves to it once the link is opened: see
//! [`confirm_email`](crate::accounts::confirm_email).

use crate::accounts::settings_pages;
use action::{
    Action, ActionError, Actor, Commit, Conflict, Context, Form, FormPage, Found, Key, Layout,
    Parsed, RateLimit, Reads, Record, Sample, Secret, SecretRules, Secrets, Subject, Viewers,
};
use crm::{Account, Email, EmailConfirmation, EmailKind, Password, SentEmails, WRONG_OWN_PASSWORD};
use pages::AccountForm;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use validator::Validate;

const EMAIL_TAKEN: Conflict = Conflict {
    field: "email",
    message: "An account with this email already exists",
    reveal: false,
};

/// The action.
#[derive(Debug)]
pub struct ChangeEmail;

/// The new email, and the password of the account.
#[derive(Debug, Clone, Default, Deserialize, Serialize, Validate, JsonSchema)]
#[serde(default)]
pub struct EmailChange {
    #[validate(nested)]
    email: Parsed<Email>,
    #[validate(length(min = 1))]
    password: Secret,
}

/// The address that the link was sent to.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct SentLink {
    email: Email,
}

impl Action for ChangeEmail {
    const NAME: &'static str = "change-email";
    const HASHES_PASSWORD: bool = true;
    const SECRETS: Option<SecretRules<Self>> = SecretRules::of_action();
    const OF_ACCOUNT: bool = true;
    type Permission = Viewers;
    type Input = EmailChange;
    type Output = SentLink;

    fn sample() -> Sample {
        Sample::form(json!({
            "email": "zoe@new.example", "password": "correct horse battery",
        }))
    }

    fn rate_limit(_: &Context<()>, _: &EmailChange) -> Result<RateLimit, ActionError> {
        Ok(RateLimit::CallerAndOwnAccount)
    }

    fn reads(context: &Context<Actor>, change: &EmailChange) -> Result<Reads, ActionError> {
        let email = change.email.get()?;
        Ok(Account::caller_reads(&context.caller, &Found::default())
            .item(Account::key_of(email))
            .item(SentEmails::key_of(EmailKind::Change, email)))
    }

    fn more_reads(context: &Context<Actor>, _: &EmailChange, found: &Found) -> Reads {
        let account = Account::of_caller(&context.caller, found).into_iter();
        let requested = account.map(|account| requested_by(&account));
        requested.fold(Account::caller_reads(&context.caller, found), Reads::item)
    }

    fn run(
        context: &Context<Actor>,
        change: &EmailChange,
        found: &Found,
    ) -> Result<Commit<SentLink>, ActionError> {
        let email = change.email.get()?;
        let account = Account::of_caller(&context.caller, found)?;
        if !change.password.matches(Some(&account.password_hash)) {
            return Err(WRONG_OWN_PASSWORD);
        }
        account.check_can_move()?;
        if account.email.unique() == email.unique() {
            return Err(refused("This is your email already"));
        }
        let other: Option<Account> = found.record(&Account::key_of(email))?;
        if other.is_some() {
            return Err(EMAIL_TAKEN.error(None));
        }
        let before: Option<SentEmails> = found.record(&requested_by(&account))?;
        let requested = SentEmails::with_one_more(
            EmailKind::Requested,
            &account.email,
            before.as_ref(),
            context.now,
        );
        let requested = requested.ok_or_else(too_early)?;
        let subject = Subject {
            tenant: context.caller.tenant.clone(),
            resource: "accounts",
            id: account.id.to_string(),
        };
        let sent_to = SentLink {
            email: email.clone(),
        };
        let read_version = before.map(|before| before.version());
        let commit = Commit::new(subject, sent_to).put_record(&requested, read_version, None);
        let key = SentEmails::key_of(EmailKind::Change, email);
        let before: Option<SentEmails> = found.record(&key)?;
        match EmailConfirmation::send(commit, &account, email, before.as_ref(), context.now) {
            (commit, true) => Ok(commit),
            (_, false) => Err(too_early()),
        }
    }
}

/// The key of the record of the links that the account has asked for.
fn requested_by(account: &Account) -> Key {
    SentEmails::key_of(EmailKind::Requested, &account.email)
}

fn too_early() -> ActionError {
    refused("A link was sent a short time ago. Try again later")
}

fn refused(message: &str) -> ActionError {
    ActionError::Validation([("email".to_owned(), message.to_owned())].into())
}

impl Secrets for ChangeEmail {
    const FIELDS: &'static [&'static str] = &["password"];

    fn same_secrets(
        context: &Context<Actor>,
        change: &EmailChange,
        found: &Found,
    ) -> Result<bool, ActionError> {
        let account = Account::of_caller(&context.caller, found)?;
        Ok(change.password.matches(Some(&account.password_hash)))
    }
}

impl Form for ChangeEmail {
    fn success_path(layout: Option<&Layout>, _: &EmailChange, _: &SentLink) -> String {
        pages::paths::settings(layout, "#email-link-sent")
    }

    fn page_path(layout: Option<&Layout>) -> String {
        pages::paths::settings(layout, "/email")
    }

    fn form(page: &FormPage<'_>) -> String {
        settings_pages::form(page, AccountForm::Email)
    }
}
