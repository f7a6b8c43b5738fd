//! Sends the link that confirms the email of the account again.

use crate::accounts::settings;
use action::{
    Action, ActionError, Actor, Commit, Context, Empty, Form, FormPage, Found, Layout, Reads,
    Sample, Subject, Viewers,
};
use crm::{Account, AccountSettings, EmailConfirmation, EmailKind, SentEmails};
use pages::SettingsForm;
use serde_json::json;

const TOO_EARLY: ActionError = ActionError::Forbidden(
    "A link was sent a short time ago. Look for it among your emails, or try again later",
);

const CONFIRMED: ActionError = ActionError::Forbidden("Your email is confirmed already");

/// The action.
#[derive(Debug)]
pub struct SendConfirmation;

fn key_of_caller(context: &Context<Actor>, found: &Found) -> Result<action::Key, ActionError> {
    let account = Account::of_caller(&context.caller, found)?;
    Ok(SentEmails::key_of(EmailKind::Confirmation, &account.email))
}

impl Action for SendConfirmation {
    const NAME: &'static str = "send-confirmation";
    const OF_ACCOUNT: bool = true;
    type Permission = Viewers;
    type Input = Empty;
    type Output = Empty;

    fn sample() -> Sample {
        Sample::form(json!({}))
    }

    fn reads(context: &Context<Actor>, _: &Empty) -> Result<Reads, ActionError> {
        Ok(Account::caller_reads(&context.caller, &Found::default()))
    }

    fn more_reads(context: &Context<Actor>, _: &Empty, found: &Found) -> Reads {
        let sent = key_of_caller(context, found).into_iter();
        sent.fold(Account::caller_reads(&context.caller, found), Reads::item)
    }

    fn run(
        context: &Context<Actor>,
        _: &Empty,
        found: &Found,
    ) -> Result<Commit<Empty>, ActionError> {
        let account = Account::of_caller(&context.caller, found)?;
        if account.email_verified {
            return Err(CONFIRMED);
        }
        let subject = Subject {
            tenant: context.caller.tenant.clone(),
            resource: "accounts",
            id: account.id.to_string(),
        };
        let commit = Commit::new(subject, Empty {});
        let before: Option<SentEmails> = found.record(&key_of_caller(context, found)?)?;
        let address = &account.email;
        match EmailConfirmation::send(commit, &account, address, before.as_ref(), context.now) {
            (commit, true) => Ok(commit),
            (_, false) => Err(TOO_EARLY),
        }
    }
}

impl Form for SendConfirmation {
    fn form_reads(context: &Context<Actor>, found: &Found) -> Reads {
        AccountSettings::reads(context, found)
    }

    fn success_path(layout: Option<&Layout>, _: &Empty, _: &Empty) -> String {
        pages::paths::settings(layout, "#confirmation-sent")
    }

    fn page_path(layout: Option<&Layout>) -> String {
        pages::paths::settings(layout, "")
    }

    fn form(page: &FormPage<'_>) -> String {
        settings::form(page, SettingsForm::Confirm)
    }
}
