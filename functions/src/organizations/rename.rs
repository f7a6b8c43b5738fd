//! Renames the organisation. Its id stays, so links to its pages do too.

use crate::accounts::settings_pages;
use action::{
    Action, ActionError, Actor, Commit, Context, Form, FormPage, Found, Layout, Owners, Reads,
    Record, Sample, Subject, TenantId, Text, visible,
};
use crm::{Organization, OrganizationName};
use pages::AccountForm;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use validator::Validate;

/// The action.
#[derive(Debug)]
pub struct RenameOrganization;

/// The new name.
#[derive(Debug, Clone, Default, Deserialize, Serialize, Validate, JsonSchema)]
#[serde(default)]
pub struct OrganizationChange {
    #[validate(length(min = 1, max = OrganizationName::MAX), custom(function = visible), custom(function = crm::not_a_link))]
    name: Text,
}

/// The organisation with its new name.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct RenamedOrganization {
    tenant: TenantId,
    name: OrganizationName,
}

impl Action for RenameOrganization {
    const NAME: &'static str = "rename-organization";
    type Permission = Owners;
    type Input = OrganizationChange;
    type Output = RenamedOrganization;

    fn sample() -> Sample {
        Sample::form(json!({ "name": "Acme & Daughters" }))
    }

    fn reads(context: &Context<Actor>, _: &OrganizationChange) -> Result<Reads, ActionError> {
        let tenant = &context.caller.tenant;
        Ok(Reads::none().item(Organization::key_of(tenant)))
    }

    fn run(
        context: &Context<Actor>,
        change: &OrganizationChange,
        found: &Found,
    ) -> Result<Commit<RenamedOrganization>, ActionError> {
        let tenant = &context.caller.tenant;
        let before: Option<Organization> = found.record(&Organization::key_of(tenant))?;
        let before =
            before.ok_or_else(|| ActionError::Internal(format!("{tenant} has no record")))?;
        let renamed = Organization {
            name: OrganizationName::from(&change.name),
            version: before.version.next(),
            ..before.clone()
        };
        let subject = Subject {
            tenant: tenant.clone(),
            resource: "organizations",
            id: tenant.to_string(),
        };
        let output = RenamedOrganization {
            tenant: tenant.clone(),
            name: renamed.name.clone(),
        };
        Ok(Commit::new(subject, output).put_record(&renamed, Some(before.version()), None))
    }
}

impl Form for RenameOrganization {
    fn success_path(
        layout: Option<&Layout>,
        _: &OrganizationChange,
        _: &RenamedOrganization,
    ) -> String {
        pages::paths::settings(layout, "#organization-renamed")
    }

    fn page_path(layout: Option<&Layout>) -> String {
        pages::paths::settings(layout, "/organization")
    }

    fn form(page: &FormPage<'_>) -> String {
        settings_pages::form(page, AccountForm::Organization)
    }
}
