//! Replaces the session by one that is bound to another organisation of the caller.

use action::{
    Action, ActionError, Actor, Commit, Context, Form, FormPage, Found, Grant, Input, Invalid,
    Layout, Reads, Sample, Subject, TenantId, Viewers,
};
use crm::{Member, PublicUser, Settings, SignedIn};
use pages::SettingsForm;
use serde::Serialize;
use serde_json::json;

const NOT_FOUND: ActionError = ActionError::NotFound("Organization not found or access denied");

/// The action.
#[derive(Debug)]
pub struct SwitchOrganization;

/// Where to; nowhere, where it cannot be an organisation.
#[derive(Debug, Clone, Serialize)]
pub struct Destination {
    tenant: Option<TenantId>,
}

impl Input for Destination {
    fn parse(form: &mut Form<'_>) -> Result<Self, Invalid> {
        let tenant = form.field("tenant", |text| Ok::<_, String>(TenantId::parse(text).ok()))?;
        Ok(Self { tenant })
    }
}

impl Action for SwitchOrganization {
    const NAME: &'static str = "switch-organization";
    type Permission = Viewers;
    const RULE: &'static str = "one of their own organizations";
    type Input = Destination;
    type Output = SignedIn;

    fn sample() -> Sample {
        Sample::form(json!({ "tenant": "acme" }))
    }

    const REOPENS: bool = true;

    fn reads(context: &Context<Actor>, to: &Destination) -> Reads {
        let membership = |tenant| action::Key::membership(tenant, &context.caller.user);
        let keys = to.tenant.iter().map(membership);
        keys.fold(Reads::none(), Reads::item)
    }

    fn run(
        context: &Context<Actor>,
        to: &Destination,
        found: &Found,
    ) -> Result<Commit<SignedIn>, ActionError> {
        let tenant = to.tenant.as_ref().ok_or(NOT_FOUND)?;
        let member: Option<Member> = found.entity(tenant, context.caller.user.as_str())?;
        let Member {
            id,
            name,
            email,
            role,
            ..
        } = member.filter(Member::is_active).ok_or(NOT_FOUND)?;
        let name = name.ok_or(NOT_FOUND)?;
        let subject = Subject {
            tenant: tenant.clone(),
            resource: "sessions",
            id: id.to_string(),
        };
        let signed_in = SignedIn {
            user: PublicUser { id, name, email },
            tenant: tenant.clone(),
            role,
        };
        // Nothing but the caller's own session proves them, so the new one is of its generation.
        let grant = signed_in.grant(None);
        Ok(Commit::new(subject, signed_in).replace_session(grant))
    }

    fn reopen(
        _: &Context<Actor>,
        to: &Destination,
        found: &Found,
        signed_in: &SignedIn,
    ) -> Result<Option<Grant>, ActionError> {
        let tenant = to.tenant.as_ref().ok_or(NOT_FOUND)?;
        let member: Option<Member> = found.entity(tenant, signed_in.user.id.as_str())?;
        let role = member.filter(Member::is_active).ok_or(NOT_FOUND)?.role;
        let now = SignedIn {
            role,
            ..signed_in.clone()
        };
        Ok(Some(now.grant(None)))
    }

    fn form_reads(context: &Context<Actor>, found: &Found) -> Reads {
        Settings::reads(context, found)
    }

    fn success_path(_: Option<&Layout>, _: &Destination, signed_in: &SignedIn) -> String {
        pages::paths::contacts_of(&signed_in.tenant)
    }

    fn form(page: &FormPage<'_>) -> String {
        let settings = page
            .context
            .map(|context| Settings::of(context, page.found));
        let settings = settings.and_then(Result::ok);
        let sent = Some((SettingsForm::Switch, page.state));
        pages::settings(page.layout, settings.as_ref(), &page.key, sent)
    }
}
