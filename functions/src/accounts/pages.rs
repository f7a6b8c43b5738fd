//! The pages for who is not signed in yet.

use action::{
    ActionError, Actor, Anyone, Context, Form, FormState, Found, Input, Invalid, View, ViewPage,
};
use crm::ReturnTo;
use serde::Serialize;

/// Leads to the contacts, or to signing in.
pub struct Home;

/// The form to sign in.
pub struct SignInPage;

/// The form to sign up.
pub struct SignUpPage;

/// Where to go after signing in.
#[derive(Debug, Clone, Serialize)]
pub struct Return(Option<ReturnTo>);

impl Input for Return {
    fn parse(form: &mut Form<'_>) -> Result<Self, Invalid> {
        let path = form.field("return_to", |text| Ok::<_, String>(ReturnTo::parse(text)));
        Ok(Self(path?))
    }
}

/// A form, and where somebody goes who does not need it.
#[derive(Debug, Serialize)]
pub struct Door {
    #[serde(skip)]
    return_to: Option<ReturnTo>,
    #[serde(skip)]
    redirect: Option<String>,
}

impl Door {
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
    type Params = ();
    type Output = Door;

    fn show(context: &Context<Option<Actor>>, (): &(), _: &Found) -> Result<Door, ActionError> {
        let door = Door::new(context.caller.as_ref(), None);
        Ok(Door {
            redirect: door.redirect.or(Some("/sign-in".to_owned())),
            ..door
        })
    }

    fn redirect(door: &Door) -> Option<String> {
        door.redirect.clone()
    }

    fn page(page: &ViewPage<'_>, _: &Door) -> String {
        pages::sign_in(&fresh(page), "")
    }
}

impl View for SignInPage {
    const PATH: &'static str = "/sign-in";
    type Permission = Anyone;
    type Params = Return;
    type Output = Door;

    fn show(context: &Context<Option<Actor>>, to: &Return, _: &Found) -> Result<Door, ActionError> {
        Ok(Door::new(context.caller.as_ref(), to.0.clone()))
    }

    fn redirect(door: &Door) -> Option<String> {
        door.redirect.clone()
    }

    fn page(page: &ViewPage<'_>, door: &Door) -> String {
        pages::sign_in(
            &fresh(page),
            door.return_to.as_ref().map_or("", ReturnTo::as_str),
        )
    }
}

impl View for SignUpPage {
    const PATH: &'static str = "/sign-up";
    type Permission = Anyone;
    type Params = ();
    type Output = Door;

    fn show(context: &Context<Option<Actor>>, (): &(), _: &Found) -> Result<Door, ActionError> {
        Ok(Door::new(context.caller.as_ref(), None))
    }

    fn redirect(door: &Door) -> Option<String> {
        door.redirect.clone()
    }

    fn page(page: &ViewPage<'_>, _: &Door) -> String {
        pages::sign_up(&fresh(page))
    }
}
