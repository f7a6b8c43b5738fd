//! The pages of the settings with one form each.

use crate::accounts::pages::empty_form;
use action::{
    ActionError, Actor, Context, Empty, FormPage, FormState, Found, Owners, UserId, View, ViewPage,
    Viewers,
};
use pages::AccountForm;
use schemars::JsonSchema;
use serde::Serialize;

/// The user whose form it is.
#[derive(Debug, Serialize, JsonSchema)]
pub struct OwnForm {
    #[serde(skip)]
    user: UserId,
}

impl OwnForm {
    fn new(context: &Context<Actor>) -> Self {
        Self {
            user: context.caller.user.clone(),
        }
    }

    fn page(&self, page: &ViewPage<'_>, kind: AccountForm, state: &FormState) -> String {
        pages::account_form(page.layout, kind, state, Some(self.user.as_str()))
    }
}

/// The page of a form again, after it was refused.
pub(crate) fn form(page: &FormPage<'_>, kind: AccountForm) -> String {
    let user = page.context.map(|context| context.caller.user.as_str());
    pages::account_form(page.layout, kind, page.state, user)
}

/// The form to change the email of the account.
pub struct EmailPage;

/// The form to rename the organisation.
pub struct OrganizationPage;

/// The form to delete the account.
pub struct DeletePage;

impl View for EmailPage {
    const PATH: &'static str = "/t/{tenant}/settings/email";
    type Permission = Viewers;
    type Params = Empty;
    type Output = OwnForm;

    fn show(context: &Context<Actor>, _: &Empty, _: &Found) -> Result<OwnForm, ActionError> {
        Ok(OwnForm::new(context))
    }

    fn page(page: &ViewPage<'_>, own: &OwnForm) -> String {
        own.page(page, AccountForm::Email, &empty_form(page))
    }
}

impl View for OrganizationPage {
    const PATH: &'static str = "/t/{tenant}/settings/organization";
    type Permission = Owners;
    type Params = Empty;
    type Output = OwnForm;

    fn show(context: &Context<Actor>, _: &Empty, _: &Found) -> Result<OwnForm, ActionError> {
        Ok(OwnForm::new(context))
    }

    fn page(page: &ViewPage<'_>, own: &OwnForm) -> String {
        let mut state = empty_form(page);
        if let Some(layout) = page.layout {
            let name = layout.organization.clone();
            state.values.insert("name".to_owned(), name);
        }
        own.page(page, AccountForm::Organization, &state)
    }
}

impl View for DeletePage {
    const PATH: &'static str = "/t/{tenant}/settings/delete";
    type Permission = Viewers;
    type Params = Empty;
    type Output = OwnForm;

    fn show(context: &Context<Actor>, _: &Empty, _: &Found) -> Result<OwnForm, ActionError> {
        Ok(OwnForm::new(context))
    }

    fn page(page: &ViewPage<'_>, own: &OwnForm) -> String {
        own.page(page, AccountForm::Delete, &empty_form(page))
    }
}
