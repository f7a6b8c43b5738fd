//! The page for making an organisation.

use crate::accounts::pages::empty_form;
use action::{ActionError, Actor, Anyone, Context, Found, View, ViewPage, optional};
use crm::LinkToken;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use validator::Validate;

/// The form for a new organisation.
pub struct NewOrganizationPage;

/// The token from signing in, if the user belongs to no organisation.
#[derive(Debug, Clone, Default, Deserialize, Serialize, Validate, JsonSchema)]
#[serde(default)]
pub struct NewOrganizationParams {
    #[serde(deserialize_with = "optional")]
    token: Option<LinkToken>,
}

/// The form. A user who is neither signed in nor has a token is redirected.
#[derive(Debug, Serialize, JsonSchema)]
pub struct NewOrganizationForm {
    #[serde(skip)]
    token: Option<LinkToken>,
    #[serde(skip)]
    redirect: Option<&'static str>,
}

impl View for NewOrganizationPage {
    const PATH: &'static str = "/new-organization";
    type Permission = Anyone;
    type Params = NewOrganizationParams;
    type Output = NewOrganizationForm;

    fn show(
        context: &Context<Option<Actor>>,
        params: &NewOrganizationParams,
        _: &Found,
    ) -> Result<NewOrganizationForm, ActionError> {
        let token = params.token.as_ref();
        let token = token.filter(|token| token.proven_account(context).is_some());
        let may_open = token.is_some() || context.caller.is_some();
        Ok(NewOrganizationForm {
            token: token.cloned(),
            redirect: (!may_open).then_some("/sign-in?return_to=/new-organization"),
        })
    }

    fn redirect(output: &NewOrganizationForm) -> Option<String> {
        output.redirect.map(str::to_owned)
    }

    fn page(page: &ViewPage<'_>, output: &NewOrganizationForm) -> String {
        let mut state = empty_form(page);
        if let Some(token) = &output.token {
            state
                .values
                .insert("token".to_owned(), token.as_str().to_owned());
        }
        pages::new_organization(page.layout, &state)
    }
}
