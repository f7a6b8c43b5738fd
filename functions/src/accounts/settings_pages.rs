//! The pages of the settings with one form each.

use crate::accounts::pages::empty_form;
use action::{ActionError, Actor, Context, Empty, Found, Owners, View, ViewPage, Viewers};
use pages::AccountForm;

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
    type Output = Empty;

    fn show(_: &Context<Actor>, _: &Empty, _: &Found) -> Result<Empty, ActionError> {
        Ok(Empty {})
    }

    fn page(page: &ViewPage<'_>, _: &Empty) -> String {
        pages::account_form(page.layout, AccountForm::Email, &empty_form(page))
    }
}

impl View for OrganizationPage {
    const PATH: &'static str = "/t/{tenant}/settings/organization";
    type Permission = Owners;
    type Params = Empty;
    type Output = Empty;

    fn show(_: &Context<Actor>, _: &Empty, _: &Found) -> Result<Empty, ActionError> {
        Ok(Empty {})
    }

    fn page(page: &ViewPage<'_>, _: &Empty) -> String {
        let mut state = empty_form(page);
        if let Some(layout) = page.layout {
            let name = layout.organization.clone();
            state.values.insert("name".to_owned(), name);
        }
        pages::account_form(page.layout, AccountForm::Organization, &state)
    }
}

impl View for DeletePage {
    const PATH: &'static str = "/t/{tenant}/settings/delete";
    type Permission = Viewers;
    type Params = Empty;
    type Output = Empty;

    fn show(_: &Context<Actor>, _: &Empty, _: &Found) -> Result<Empty, ActionError> {
        Ok(Empty {})
    }

    fn page(page: &ViewPage<'_>, _: &Empty) -> String {
        pages::account_form(page.layout, AccountForm::Delete, &empty_form(page))
    }
}
