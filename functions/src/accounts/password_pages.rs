//! The pages for who has forgotten their password.

use crate::accounts::pages::fresh;
use action::{
    ActionError, Actor, Anyone, Context, Form, Found, Input, Invalid, Reads, View, ViewPage,
};
use crm::{PasswordReset, ResetToken};
use serde::Serialize;

/// The form to ask for a link.
pub struct ForgotPage;

/// The form that a link leads to.
pub struct ResetPage;

/// A form with nothing in it.
#[derive(Debug, Serialize)]
pub struct Blank {}

/// The link's token.
#[derive(Debug, Clone, Serialize)]
pub struct Link(ResetToken);

impl Input for Link {
    fn parse(form: &mut Form<'_>) -> Result<Self, Invalid> {
        let token = form.field("token", |text| Ok::<_, String>(ResetToken::new(text)));
        Ok(Self(token?))
    }
}

/// Whether the link works, and what its form needs.
#[derive(Debug, Serialize)]
pub struct Offer {
    works: bool,
    #[serde(skip)]
    token: ResetToken,
}

impl View for ForgotPage {
    const PATH: &'static str = "/forgot-password";
    type Permission = Anyone;
    type Params = ();
    type Output = Blank;

    fn show(_: &Context<Option<Actor>>, (): &(), _: &Found) -> Result<Blank, ActionError> {
        Ok(Blank {})
    }

    fn page(page: &ViewPage<'_>, _: &Blank) -> String {
        pages::forgot_password(&fresh(page))
    }
}

impl View for ResetPage {
    const PATH: &'static str = "/reset-password";
    type Permission = Anyone;
    type Params = Link;
    type Output = Offer;

    fn reads(context: &Context<Option<Actor>>, link: &Link) -> Result<Reads, ActionError> {
        let link = link.0.open(context);
        let keys = link.iter().map(|link| PasswordReset::key_of(&link.email));
        Ok(keys.fold(Reads::none(), Reads::item))
    }

    fn show(
        context: &Context<Option<Actor>>,
        link: &Link,
        found: &Found,
    ) -> Result<Offer, ActionError> {
        let opened = link.0.open(context);
        let allowed = opened.map(|opened| opened.allowed(found, context.now));
        Ok(Offer {
            works: allowed.transpose()?.flatten().is_some(),
            token: link.0.clone(),
        })
    }

    fn page(page: &ViewPage<'_>, offer: &Offer) -> String {
        if !offer.works {
            return pages::reset_link_expired();
        }
        let mut state = fresh(page);
        let token = offer.token.as_str().to_owned();
        state.values.insert("token".to_owned(), token);
        pages::reset_password(&state)
    }
}
