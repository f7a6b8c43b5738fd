//! The pages for users who have forgotten their password.

use crate::accounts::pages::empty_form;
use action::{ActionError, Actor, Anyone, Context, Empty, Found, Reads, View, ViewPage};
use crm::{LinkToken, PasswordReset};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use validator::Validate;

/// The form to request a reset link.
pub struct ForgotPage;

/// The form that a reset link opens.
pub struct ResetPage;

/// The token of the reset link.
#[derive(Debug, Clone, Default, Deserialize, Serialize, Validate, JsonSchema)]
#[serde(default)]
pub struct ResetParams {
    token: LinkToken,
}

/// Whether the reset link still works.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ResetLinkStatus {
    /// Whether it can be used now.
    works: bool,
    #[serde(skip)]
    token: LinkToken,
}

impl View for ForgotPage {
    const PATH: &'static str = "/forgot-password";
    type Permission = Anyone;
    type Params = Empty;
    type Output = Empty;

    fn show(_: &Context<Option<Actor>>, _: &Empty, _: &Found) -> Result<Empty, ActionError> {
        Ok(Empty {})
    }

    fn page(page: &ViewPage<'_>, _: &Empty) -> String {
        pages::forgot_password(&empty_form(page))
    }
}

impl View for ResetPage {
    const PATH: &'static str = "/reset-password";
    type Permission = Anyone;
    type Params = ResetParams;
    type Output = ResetLinkStatus;

    fn reads(context: &Context<Option<Actor>>, params: &ResetParams) -> Result<Reads, ActionError> {
        let link = params.token.password_reset(context);
        let keys = link.iter().map(|link| PasswordReset::key_of(&link.email));
        Ok(keys.fold(Reads::none(), Reads::item))
    }

    fn show(
        context: &Context<Option<Actor>>,
        params: &ResetParams,
        found: &Found,
    ) -> Result<ResetLinkStatus, ActionError> {
        let link = params.token.password_reset(context);
        let reset = link.map(|link| link.valid_reset(found, context.now));
        Ok(ResetLinkStatus {
            works: reset.transpose()?.flatten().is_some(),
            token: params.token.clone(),
        })
    }

    fn page(page: &ViewPage<'_>, output: &ResetLinkStatus) -> String {
        if !output.works {
            return pages::reset_link_expired();
        }
        let mut state = empty_form(page);
        let token = output.token.as_str().to_owned();
        state.values.insert("token".to_owned(), token);
        pages::reset_password(&state)
    }
}
