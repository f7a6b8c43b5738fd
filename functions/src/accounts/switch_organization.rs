//! Replaces the session by one for another organisation of the user.

use crate::accounts::settings;
use action::{
    Action, ActionError, Actor, Commit, Context, Form, FormPage, Found, Grant, Layout, Reads,
    Sample, SecretRules, Secrets, Subject, TenantId, Viewers, lenient,
};
use crm::{AccountSettings, LastOrganization, Member, PublicUser, ReturnTo, SignedIn};
use pages::SettingsForm;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use validator::Validate;

const NOT_FOUND: ActionError = ActionError::NotFound("Organization not found or access denied");

/// The action.
#[derive(Debug)]
pub struct SwitchOrganization;

/// The organisation to open, and the page of it to go to. Any text that is not one of the user's
/// organisations is answered as not found.
#[derive(Debug, Clone, Default, Deserialize, Serialize, Validate, JsonSchema)]
#[serde(default)]
pub struct OrganizationRef {
    #[serde(deserialize_with = "lenient")]
    tenant: Option<TenantId>,
    /// The path to redirect to after switching; ignored if it is not a path of that organisation.
    #[serde(deserialize_with = "lenient")]
    return_to: Option<ReturnTo>,
}

impl Action for SwitchOrganization {
    const NAME: &'static str = "switch-organization";
    const OF_ACCOUNT: bool = true;
    const SECRETS: Option<SecretRules<Self>> = SecretRules::of_action();
    type Permission = Viewers;
    const RULE: &'static str = "only their own organizations";
    type Input = OrganizationRef;
    type Output = SignedIn;

    fn sample() -> Sample {
        Sample::form(json!({ "tenant": "acme" }))
    }

    fn reads(context: &Context<Actor>, input: &OrganizationRef) -> Result<Reads, ActionError> {
        let membership = |tenant| action::Key::membership(tenant, &context.caller.user);
        let keys = input.tenant.iter().map(membership);
        Ok(keys.fold(Reads::none(), Reads::item))
    }

    fn run(
        context: &Context<Actor>,
        input: &OrganizationRef,
        found: &Found,
    ) -> Result<Commit<SignedIn>, ActionError> {
        let tenant = input.tenant.as_ref().ok_or(NOT_FOUND)?;
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
        // Only the caller's own session proves who they are, so the new session gets its
        // generation.
        let grant = signed_in.grant(None);
        let email = signed_in.user.email.clone();
        let commit = Commit::new(subject, signed_in).replace_session(grant);
        Ok(LastOrganization::note(commit, &email, tenant))
    }
}

impl Secrets for SwitchOrganization {
    const REOPENS: bool = true;

    fn reopen(
        _: &Context<Actor>,
        input: &OrganizationRef,
        found: &Found,
        signed_in: &SignedIn,
    ) -> Result<Option<Grant>, ActionError> {
        let tenant = input.tenant.as_ref().ok_or(NOT_FOUND)?;
        let member: Option<Member> = found.entity(tenant, signed_in.user.id.as_str())?;
        let role = member.filter(Member::is_active).ok_or(NOT_FOUND)?.role;
        let signed_in = SignedIn {
            role,
            ..signed_in.clone()
        };
        Ok(Some(signed_in.grant(None)))
    }
}

impl Form for SwitchOrganization {
    fn form_reads(context: &Context<Actor>, found: &Found) -> Reads {
        AccountSettings::reads(context, found)
    }

    fn success_path(_: Option<&Layout>, input: &OrganizationRef, signed_in: &SignedIn) -> String {
        let wanted = input.return_to.as_ref();
        match wanted.filter(|path| path.is_within(&signed_in.tenant)) {
            Some(path) => path.as_str().to_owned(),
            None => pages::paths::contacts_of(&signed_in.tenant),
        }
    }

    fn page_path(layout: Option<&Layout>) -> String {
        pages::paths::settings(layout, "")
    }

    fn form(page: &FormPage<'_>) -> String {
        settings::form(page, SettingsForm::Switch)
    }
}
