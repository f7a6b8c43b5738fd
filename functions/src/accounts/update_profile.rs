//! Changes what a person is called, in every organisation of theirs at once.

use action::{
    Action, ActionError, Actor, Commit, Context, Entity, Form, FormPage, Found, Input, Invalid,
    Layout, Reads, Sample, Subject, Viewers,
};
use crm::{Account, Member, Name, PublicUser, Settings};
use pages::SettingsForm;
use serde::Serialize;
use serde_json::json;

/// The action.
#[derive(Debug)]
pub struct UpdateProfile;

/// What to change.
#[derive(Debug, Clone, Serialize)]
pub struct Profile {
    name: Name,
}

impl Input for Profile {
    fn parse(form: &mut Form<'_>) -> Result<Self, Invalid> {
        let name = form.field("name", Name::parse)?;
        Ok(Self { name })
    }
}

impl Action for UpdateProfile {
    const NAME: &'static str = "update-profile";
    type Permission = Viewers;
    type Input = Profile;
    type Output = PublicUser;

    fn sample() -> Sample {
        Sample::form(json!({ "name": "Zoë Z." }))
    }

    fn reads(context: &Context<Actor>, _: &Profile) -> Reads {
        Account::reads_of(&context.caller, &Found::default())
    }

    fn more_reads(context: &Context<Actor>, _: &Profile, found: &Found) -> Reads {
        match Account::of(&context.caller, found) {
            Ok(account) => account.memberships(),
            Err(_) => Account::reads_of(&context.caller, found),
        }
    }

    fn run(
        context: &Context<Actor>,
        profile: &Profile,
        found: &Found,
    ) -> Result<Commit<PublicUser>, ActionError> {
        let before = Account::of(&context.caller, found)?;
        let account = Account {
            name: profile.name.clone(),
            version: before.version.next(),
            ..before.clone()
        };
        let subject = Subject::entity::<Member>(&context.caller.tenant, account.id.as_str());
        let commit = Commit::new(subject, account.public());
        let commit = commit.put_record(&account, Some(before.version), None);
        let members = before.members(found)?.into_iter();
        Ok(members.fold(commit, |commit, (there, member)| {
            let renamed = Member {
                name: Some(profile.name.clone()),
                updated_at: context.now,
                version: member.version.next(),
                ..member.clone()
            };
            commit.put(&there.tenant, &renamed, Some(member.version()))
        }))
    }

    fn form_reads(context: &Context<Actor>, found: &Found) -> Reads {
        Settings::reads(context, found)
    }

    fn success_path(layout: Option<&Layout>, _: &Profile, _: &PublicUser) -> String {
        pages::paths::settings(layout, "#profile-updated")
    }

    fn form(page: &FormPage<'_>) -> String {
        let settings = page
            .context
            .map(|context| Settings::of(context, page.found));
        let settings = settings.and_then(Result::ok);
        let sent = Some((SettingsForm::Profile, page.state));
        pages::settings(page.layout, settings.as_ref(), &page.key, sent)
    }
}
