//! Sends a link that resets a forgotten password. The response and the work are the same whether or
//! not an account has this email: without an account an email is stored too, but never sent.

use action::{
    Action, ActionError, Actor, Anyone, Commit, Context, Empty, Form, FormPage, Found, Key, Layout,
    Parsed, Reads, Record, Sample, Scope,
};
use crm::{Account, Email, PasswordReset};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use validator::Validate;

/// The action.
#[derive(Debug)]
pub struct RequestPasswordReset;

/// The email of the account.
#[derive(Debug, Clone, Default, Deserialize, Serialize, Validate, JsonSchema)]
#[serde(default)]
pub struct ResetRequest {
    #[validate(nested)]
    email: Parsed<Email>,
}

impl ResetRequest {
    fn keys(&self) -> Result<[Key; 2], ActionError> {
        let email = self.email.get()?;
        Ok([Account::key_of(email), PasswordReset::key_of(email)])
    }
}

impl Action for RequestPasswordReset {
    const NAME: &'static str = "request-password-reset";
    type Permission = Anyone;
    type Input = ResetRequest;
    type Output = Empty;

    fn sample() -> Sample {
        Sample::form(json!({ "email": "zoe@acme.example" })).signed_out()
    }

    fn scope(request: &ResetRequest) -> Result<Scope, ActionError> {
        Ok(Scope::Subject(request.email.get()?.unique()))
    }

    fn reads(_: &Context<Option<Actor>>, request: &ResetRequest) -> Result<Reads, ActionError> {
        Ok(request.keys()?.into_iter().fold(Reads::none(), Reads::item))
    }

    fn run(
        context: &Context<Option<Actor>>,
        request: &ResetRequest,
        found: &Found,
    ) -> Result<Commit<Empty>, ActionError> {
        let [account, reset] = request.keys()?;
        let account: Option<Account> = found.record(&account)?;
        let before: Option<PasswordReset> = found.record(&reset)?;
        let commit = Commit::outside(Empty {});
        let reset = PasswordReset::request(
            context.secret(),
            request.email.get()?,
            before.as_ref(),
            context.now,
        );
        let Some(reset) = reset else {
            return Ok(commit);
        };
        let account = account.as_ref();
        let email = reset.email(account.map(|account| (account.name.as_str(), &account.email)));
        let read_version = before.as_ref().map(Record::version);
        Ok(commit
            .put_record(&reset, read_version, None)
            .send_email(email))
    }
}

impl Form for RequestPasswordReset {
    fn success_path(_: Option<&Layout>, _: &ResetRequest, _: &Empty) -> String {
        "/forgot-password#link-sent".to_owned()
    }

    fn page_path(_: Option<&Layout>) -> String {
        pages::paths::FORGOT_PASSWORD.to_owned()
    }

    fn form(page: &FormPage<'_>) -> String {
        pages::forgot_password(page.state)
    }
}
