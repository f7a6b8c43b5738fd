//! The page that the link in a confirmation email opens.

use crate::accounts::pages::empty_form;
use action::{ActionError, Actor, Anyone, Context, Found, Reads, View, ViewPage};
use crm::{Account, LinkToken};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use validator::Validate;

/// The form that confirms the address.
pub struct ConfirmPage;

/// The token of the link.
#[derive(Debug, Clone, Default, Deserialize, Serialize, Validate, JsonSchema)]
#[serde(default)]
pub struct ConfirmParams {
    token: LinkToken,
}

/// Whether the link works for the signed-in user. A user who is not signed in is redirected.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ConfirmationStatus {
    /// The address that it confirms; `null` if it does not work for this user.
    email: Option<String>,
    #[serde(skip)]
    token: LinkToken,
    #[serde(skip)]
    redirect: Option<String>,
}

impl View for ConfirmPage {
    const PATH: &'static str = "/confirm-email";
    type Permission = Anyone;
    type Params = ConfirmParams;
    type Output = ConfirmationStatus;

    fn more_reads(context: &Context<Option<Actor>>, _: &ConfirmParams, found: &Found) -> Reads {
        let caller = context.caller.as_ref();
        caller.map_or_else(Reads::none, |caller| Account::caller_reads(caller, found))
    }

    fn show(
        context: &Context<Option<Actor>>,
        params: &ConfirmParams,
        found: &Found,
    ) -> Result<ConfirmationStatus, ActionError> {
        let token = params.token.clone();
        let link = token.confirmation(context).ok();
        let account = match &context.caller {
            Some(caller) => Some(Account::of_caller(caller, found)?),
            None => None,
        };
        let is_signed_out = account.is_none() && link.is_some();
        let valid = link
            .zip(account)
            .filter(|(link, account)| link.is_valid_for(account, context.now));
        Ok(ConfirmationStatus {
            email: valid.map(|(link, _)| link.email.to_string()),
            redirect: is_signed_out.then(|| pages::paths::sign_in_to_confirm(token.as_str())),
            token,
        })
    }

    fn redirect(output: &ConfirmationStatus) -> Option<String> {
        output.redirect.clone()
    }

    fn page(page: &ViewPage<'_>, output: &ConfirmationStatus) -> String {
        let mut state = empty_form(page);
        let token = output.token.as_str().to_owned();
        state.values.insert("token".to_owned(), token);
        match &output.email {
            Some(email) => pages::confirm_email(page.layout, &state, Some(email)),
            None => pages::confirmation_link_closed(page.layout),
        }
    }
}
