//! Sets a password anew for who holds the link from a letter, signs them out wherever they were,
//! and in here.

use action::{Action, App, FormPage, Function, Scope};
use commit::{
    ActionError, Actor, Anyone, Chrome, Commit, Context, Form, Found, Grant, Input, Invalid, Reads,
    Record, Subject,
};
use crm::{Account, Password, PasswordReset, ResetToken, SignedIn};
use serde::Serialize;
use std::sync::Arc;

const HOMELESS: ActionError =
    ActionError::Forbidden("This account does not belong to any organization");

/// The action.
#[derive(Debug)]
pub struct ResetPassword;

/// What the link says, and the new password.
#[derive(Debug, Clone, Serialize)]
pub struct NewPassword {
    token: ResetToken,
    password: Password,
}

impl Input for NewPassword {
    fn parse(form: &mut Form<'_>) -> Result<Self, Invalid> {
        let token = form.field("token", |text| Ok::<_, String>(ResetToken::new(text)));
        let password = form.verbatim("password", Password::parse);
        Ok(Self {
            token: token?,
            password: password?,
        })
    }
}

/// One answer for a link that was used, replaced, is too old, or was never sent.
fn refused() -> ActionError {
    let message = "This link has expired or has been used. Ask for another one.";
    ActionError::Validation([("token".to_owned(), message.to_owned())].into())
}

impl NewPassword {
    fn account<C>(
        &self,
        context: &Context<C>,
        found: &Found,
    ) -> Result<Option<Account>, ActionError> {
        let link = self.token.open(context);
        let account = link.map(|link| found.record(&Account::key_of(&link.email)));
        Ok(account.transpose()?.flatten())
    }
}

impl Action for ResetPassword {
    const NAME: &'static str = "reset-password";
    /// The token stays in the form, which needs it to be sent again.
    const SECRETS: &'static [&'static str] = &["password"];
    type Permission = Anyone;
    type Input = NewPassword;
    type Output = SignedIn;

    fn scope(new: &NewPassword) -> Scope {
        Scope::Subject(new.token.as_str().to_owned())
    }

    fn reads(context: &Context<Option<Actor>>, new: &NewPassword) -> Reads {
        new.token.open(context).map_or_else(Reads::none, |link| {
            Reads::none()
                .item(Account::key_of(&link.email))
                .item(PasswordReset::key_of(&link.email))
        })
    }

    fn more_reads(context: &Context<Option<Actor>>, new: &NewPassword, found: &Found) -> Reads {
        let account = new.account(context, found).ok().flatten();
        account.map_or_else(Reads::none, |account| account.memberships())
    }

    fn run(
        context: &Context<Option<Actor>>,
        new: &NewPassword,
        found: &Found,
    ) -> Result<Commit<SignedIn>, ActionError> {
        let link = new.token.open(context).ok_or_else(refused)?;
        let reset = link.allowed(found, context.now)?.ok_or_else(refused)?;
        let before = new.account(context, found)?.ok_or_else(refused)?;
        let (home, member) = before.members(found)?.into_iter().next().ok_or(HOMELESS)?;
        let account = Account {
            password_hash: new.password.hash()?,
            ..before.without_sessions()
        };
        let signed_in = SignedIn {
            user: account.public(),
            tenant: home.tenant.clone(),
            role: member.role,
        };
        let subject = Subject {
            tenant: home.tenant.clone(),
            resource: "accounts",
            id: account.id.to_string(),
        };
        let grant = signed_in.grant(Some(account.session_generation));
        let commit = Commit::new(subject, signed_in)
            .delete_record(reset.key(), Some(reset.version))
            .open_session(grant);
        Ok(account.end_sessions(commit, &before))
    }

    fn reopen(
        _: &Context<Option<Actor>>,
        new: &NewPassword,
        found: &Found,
        signed_in: &SignedIn,
    ) -> Result<Option<Grant>, ActionError> {
        let account: Option<Account> = found.record(&Account::key_of(&signed_in.user.email))?;
        let matches = |own: &Account| new.password.attempt().matches(Some(&own.password_hash));
        let account = account.filter(matches).ok_or_else(refused)?;
        Ok(Some(signed_in.grant(Some(account.session_generation))))
    }

    fn next(_: Option<&Chrome>, _: &NewPassword, signed_in: &SignedIn) -> String {
        pages::paths::contacts_of(&signed_in.tenant)
    }

    fn form(page: &FormPage<'_>) -> String {
        pages::reset_password(page.state)
    }
}

/// The function that serves it.
pub fn function(app: Arc<App>) -> Function {
    Function::action::<ResetPassword>(app)
}
