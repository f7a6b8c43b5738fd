//! Ends all sessions of the user, including this one.

use crate::accounts::settings;
use action::{
    Action, ActionError, Actor, Commit, Context, Empty, Form, FormPage, Found, Layout, Reads,
    Sample, Scope, Subject, Viewers,
};
use crm::{Account, AccountSettings};
use pages::SettingsForm;
use serde_json::json;

/// The action.
#[derive(Debug)]
pub struct SignOutEverywhere;

impl Action for SignOutEverywhere {
    const NAME: &'static str = "sign-out-everywhere";
    const OF_ACCOUNT: bool = true;
    type Permission = Viewers;
    type Input = Empty;
    type Output = Empty;

    fn sample() -> Sample {
        Sample::form(json!({}))
    }

    /// Not recorded: no session is left that could ask for a saved result.
    fn scope(_: &Empty) -> Result<Scope, ActionError> {
        Ok(Scope::Unrecorded)
    }

    fn reads(context: &Context<Actor>, _: &Empty) -> Result<Reads, ActionError> {
        Ok(Account::caller_reads(&context.caller, &Found::default()))
    }

    fn more_reads(context: &Context<Actor>, _: &Empty, found: &Found) -> Reads {
        Account::caller_and_membership_reads(&context.caller, found)
    }

    fn run(
        context: &Context<Actor>,
        _: &Empty,
        found: &Found,
    ) -> Result<Commit<Empty>, ActionError> {
        let account = Account::of_caller(&context.caller, found)?;
        let subject = Subject {
            tenant: context.caller.tenant.clone(),
            resource: "sessions",
            id: account.id.to_string(),
        };
        let commit = Commit::new(subject, Empty {}).close_session();
        let commit = account.with_sessions_ended().end_sessions(commit, &account);
        account.audit_everywhere(commit, found)
    }
}

impl Form for SignOutEverywhere {
    fn form_reads(context: &Context<Actor>, found: &Found) -> Reads {
        AccountSettings::reads(context, found)
    }

    fn success_path(_: Option<&Layout>, _: &Empty, _: &Empty) -> String {
        "/sign-in".to_owned()
    }

    fn page_path(layout: Option<&Layout>) -> String {
        pages::paths::settings(layout, "")
    }

    fn form(page: &FormPage<'_>) -> String {
        settings::form(page, SettingsForm::Everywhere)
    }
}
