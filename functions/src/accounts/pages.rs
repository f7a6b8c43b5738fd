//! The pages for who is not signed in yet.

use action::{
    ActionError, Actor, Anyone, Context, Empty, FormState, Found, View, ViewPage, lenient,
};
use crm::ReturnTo;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use validator::Validate;

/// Leads to the contacts, or to signing in.
pub struct Home;

/// The form to sign in.
pub struct SignInPage;

/// The form to sign up.
pub struct SignUpPage;

/// The page to return to after signing in.
#[derive(Debug, Clone, Default, Deserialize, Serialize, Validate, JsonSchema)]
#[serde(default)]
pub struct Return {
    #[serde(deserialize_with = "lenient")]
    return_to: Option<ReturnTo>,
}

/// A form, and where somebody goes who does not need it.
#[derive(Debug, Serialize, JsonSchema)]
pub struct EntryPage {
    #[serde(skip)]
    return_to: Option<ReturnTo>,
    #[serde(skip)]
    redirect: Option<String>,
}

impl EntryPage {
    fn new(caller: Option<&Actor>, return_to: Option<ReturnTo>) -> Self {
        let contacts = |actor: &Actor| pages::paths::contacts_of(&actor.tenant);
        let there = return_to.as_ref().map(|path| path.as_str().to_owned());
        let redirect = caller.map(|actor| there.unwrap_or_else(|| contacts(actor)));
        Self {
            return_to,
            redirect,
        }
    }
}

pub(crate) fn fresh(page: &ViewPage<'_>) -> FormState {
    FormState {
        key: page.key.clone(),
        ..FormState::default()
    }
}

impl View for Home {
    const PATH: &'static str = "/";
    type Permission = Anyone;
    type Params = Empty;
    type Output = EntryPage;

    fn show(
        context: &Context<Option<Actor>>,
        _: &Empty,
        _: &Found,
    ) -> Result<EntryPage, ActionError> {
        let door = EntryPage::new(context.caller.as_ref(), None);
        Ok(EntryPage {
            redirect: door.redirect.or(Some("/sign-in".to_owned())),
            ..door
        })
    }

    fn redirect(door: &EntryPage) -> Option<String> {
        door.redirect.clone()
    }

    fn page(page: &ViewPage<'_>, _: &EntryPage) -> String {
        pages::sign_in(&fresh(page), "")
    }
}

impl View for SignInPage {
    const PATH: &'static str = "/sign-in";
    type Permission = Anyone;
    type Params = Return;
    type Output = EntryPage;

    fn show(
        context: &Context<Option<Actor>>,
        to: &Return,
        _: &Found,
    ) -> Result<EntryPage, ActionError> {
        Ok(EntryPage::new(
            context.caller.as_ref(),
            to.return_to.clone(),
        ))
    }

    fn redirect(door: &EntryPage) -> Option<String> {
        door.redirect.clone()
    }

    fn page(page: &ViewPage<'_>, door: &EntryPage) -> String {
        pages::sign_in(
            &fresh(page),
            door.return_to.as_ref().map_or("", ReturnTo::as_str),
        )
    }
}

impl View for SignUpPage {
    const PATH: &'static str = "/sign-up";
    type Permission = Anyone;
    type Params = Empty;
    type Output = EntryPage;

    fn show(
        context: &Context<Option<Actor>>,
        _: &Empty,
        _: &Found,
    ) -> Result<EntryPage, ActionError> {
        Ok(EntryPage::new(context.caller.as_ref(), None))
    }

    fn redirect(door: &EntryPage) -> Option<String> {
        door.redirect.clone()
    }

    fn page(page: &ViewPage<'_>, _: &EntryPage) -> String {
        pages::sign_up(&fresh(page))
    }
}
