//! Changes the user's name, in all their organisations at once.

use crate::accounts::settings;
use action::{
    Action, ActionError, Actor, Commit, Context, Entity, Form, FormPage, Found, Layout, Reads,
    Sample, Subject, Text, Viewers, visible,
};
use crm::{Account, AccountSettings, Member, Name, PublicUser, not_a_link};
use pages::SettingsForm;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use validator::Validate;

/// The action.
#[derive(Debug)]
pub struct UpdateProfile;

/// The new profile of the user.
#[derive(Debug, Clone, Default, Deserialize, Serialize, Validate, JsonSchema)]
#[serde(default)]
pub struct Profile {
    #[validate(length(min = 1, max = Name::MAX), custom(function = visible), custom(function = not_a_link))]
    name: Text,
}

impl Action for UpdateProfile {
    const NAME: &'static str = "update-profile";
    const OF_ACCOUNT: bool = true;
    type Permission = Viewers;
    type Input = Profile;
    type Output = PublicUser;

    fn sample() -> Sample {
        Sample::form(json!({ "name": "Zoë Z." }))
    }

    fn reads(context: &Context<Actor>, _: &Profile) -> Result<Reads, ActionError> {
        Ok(Account::caller_reads(&context.caller, &Found::default()))
    }

    fn more_reads(context: &Context<Actor>, _: &Profile, found: &Found) -> Reads {
        Account::caller_and_membership_reads(&context.caller, found)
    }

    fn run(
        context: &Context<Actor>,
        profile: &Profile,
        found: &Found,
    ) -> Result<Commit<PublicUser>, ActionError> {
        let before = Account::of_caller(&context.caller, found)?;
        let account = Account {
            name: Name::from(&profile.name),
            version: before.version.next(),
            ..before.clone()
        };
        let subject = Subject::entity::<Member>(&context.caller.tenant, account.id.as_str());
        let commit = Commit::new(subject, account.public_user());
        let commit = commit.put_record(&account, Some(before.version), None);
        let members = before.active_memberships(found)?.into_iter();
        let commit = members.fold(commit, |commit, (tenant, member)| {
            let renamed = Member {
                name: Some(Name::from(&profile.name)),
                updated_at: context.now,
                version: member.version.next(),
                ..member.clone()
            };
            commit.put(tenant, &renamed, Some(member.version()))
        });
        before.audit_everywhere(commit, found)
    }
}

impl Form for UpdateProfile {
    fn form_reads(context: &Context<Actor>, found: &Found) -> Reads {
        AccountSettings::reads(context, found)
    }

    fn success_path(layout: Option<&Layout>, _: &Profile, _: &PublicUser) -> String {
        pages::paths::settings(layout, "#profile-updated")
    }

    fn page_path(layout: Option<&Layout>) -> String {
        pages::paths::settings(layout, "")
    }

    fn form(page: &FormPage<'_>) -> String {
        settings::form(page, SettingsForm::Profile)
    }
}
