//! The pages for users who are not signed in.

use action::{
    ActionError, Actor, Anyone, Context, Empty, FormState, Found, View, ViewPage, lenient,
};
use crm::ReturnTo;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use validator::Validate;

/// Redirects to the contacts, or to the sign-in page.
pub struct Home;

/// The sign-in form.
pub struct SignInPage;

/// The sign-up form.
pub struct SignUpPage;

/// The page to return to after signing in.
#[derive(Debug, Clone, Default, Deserialize, Serialize, Validate, JsonSchema)]
#[serde(default)]
pub struct SignInParams {
    #[serde(deserialize_with = "lenient")]
    return_to: Option<ReturnTo>,
}

/// A form for users who are not signed in. A signed-in user is redirected.
#[derive(Debug, Serialize, JsonSchema)]
pub struct SignedOutPage {
    #[serde(skip)]
    return_to: Option<ReturnTo>,
    #[serde(skip)]
    redirect: Option<String>,
}

impl SignedOutPage {
    fn new(caller: Option<&Actor>, return_to: Option<ReturnTo>) -> Self {
        let contacts = |actor: &Actor| pages::paths::contacts_of(&actor.tenant);
        let return_path = return_to.as_ref().map(|path| path.as_str().to_owned());
        let redirect = caller.map(|actor| return_path.unwrap_or_else(|| contacts(actor)));
        Self {
            return_to,
            redirect,
        }
    }
}

pub(crate) fn empty_form(page: &ViewPage<'_>) -> FormState {
    FormState {
        key: page.key.clone(),
        ..FormState::default()
    }
}

impl View for Home {
    const PATH: &'static str = "/";
    type Permission = Anyone;
    type Params = Empty;
    type Output = SignedOutPage;

    fn show(
        context: &Context<Option<Actor>>,
        _: &Empty,
        _: &Found,
    ) -> Result<SignedOutPage, ActionError> {
        let output = SignedOutPage::new(context.caller.as_ref(), None);
        Ok(SignedOutPage {
            redirect: output.redirect.or(Some("/sign-in".to_owned())),
            ..output
        })
    }

    fn redirect(output: &SignedOutPage) -> Option<String> {
        output.redirect.clone()
    }

    fn page(page: &ViewPage<'_>, _: &SignedOutPage) -> String {
        pages::sign_in(&empty_form(page), "")
    }
}

impl View for SignInPage {
    const PATH: &'static str = "/sign-in";
    type Permission = Anyone;
    type Params = SignInParams;
    type Output = SignedOutPage;

    fn show(
        context: &Context<Option<Actor>>,
        params: &SignInParams,
        _: &Found,
    ) -> Result<SignedOutPage, ActionError> {
        Ok(SignedOutPage::new(
            context.caller.as_ref(),
            params.return_to.clone(),
        ))
    }

    fn redirect(output: &SignedOutPage) -> Option<String> {
        output.redirect.clone()
    }

    fn page(page: &ViewPage<'_>, output: &SignedOutPage) -> String {
        pages::sign_in(
            &empty_form(page),
            output.return_to.as_ref().map_or("", ReturnTo::as_str),
        )
    }
}

impl View for SignUpPage {
    const PATH: &'static str = "/sign-up";
    type Permission = Anyone;
    type Params = Empty;
    type Output = SignedOutPage;

    fn show(
        context: &Context<Option<Actor>>,
        _: &Empty,
        _: &Found,
    ) -> Result<SignedOutPage, ActionError> {
        Ok(SignedOutPage::new(context.caller.as_ref(), None))
    }

    fn redirect(output: &SignedOutPage) -> Option<String> {
        output.redirect.clone()
    }

    fn page(page: &ViewPage<'_>, _: &SignedOutPage) -> String {
        pages::sign_up(&empty_form(page))
    }
}
