//! Sends a link with which a password can be set anew. Answer and work are the same whether or not
//! the address has an account: to nobody a letter is committed too, and then dropped.

use action::{
    Action, ActionError, Actor, Anyone, Commit, Context, Form, FormPage, Found, Input, Invalid,
    Key, Layout, Reads, Record, Sample, Scope,
};
use crm::{Account, Email, PasswordReset};
use serde::{Deserialize, Serialize};
use serde_json::json;

/// The action.
#[derive(Debug)]
pub struct RequestPasswordReset;

/// Whose password.
#[derive(Debug, Clone, Serialize)]
pub struct Address {
    email: Email,
}

impl Input for Address {
    fn parse(form: &mut Form<'_>) -> Result<Self, Invalid> {
        let email = form.field("email", Email::parse)?;
        Ok(Self { email })
    }
}

/// The answer: nothing.
#[derive(Debug, Serialize, Deserialize)]
pub struct Requested {}

impl Address {
    fn keys(&self) -> [Key; 2] {
        [
            Account::key_of(&self.email),
            PasswordReset::key_of(&self.email),
        ]
    }
}

impl Action for RequestPasswordReset {
    const NAME: &'static str = "request-password-reset";
    type Permission = Anyone;
    type Input = Address;
    type Output = Requested;

    fn sample() -> Sample {
        Sample::form(json!({ "email": "zoe@acme.example" })).signed_out()
    }

    fn scope(address: &Address) -> Scope {
        Scope::Subject(address.email.unique())
    }

    fn reads(_: &Context<Option<Actor>>, address: &Address) -> Reads {
        address.keys().into_iter().fold(Reads::none(), Reads::item)
    }

    fn run(
        context: &Context<Option<Actor>>,
        address: &Address,
        found: &Found,
    ) -> Result<Commit<Requested>, ActionError> {
        let [account, reset] = address.keys();
        let account: Option<Account> = found.record(&account)?;
        let before: Option<PasswordReset> = found.record(&reset)?;
        let commit = Commit::outside(Requested {});
        let reset = PasswordReset::another(
            context.secret(),
            &address.email,
            before.as_ref(),
            context.now,
        );
        let Some(reset) = reset else {
            return Ok(commit);
        };
        let to = account.as_ref();
        let letter = reset.letter(to.map(|account| (account.name.as_str(), &account.email)));
        let read = before.as_ref().map(Record::version);
        Ok(commit.put_record(&reset, read, None).send_email(letter))
    }

    fn success_path(_: Option<&Layout>, _: &Address, _: &Requested) -> String {
        "/forgot-password#link-sent".to_owned()
    }

    fn form(page: &FormPage<'_>) -> String {
        pages::forgot_password(page.state)
    }
}
