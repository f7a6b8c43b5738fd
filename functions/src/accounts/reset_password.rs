//! Resets the password with the link from an email. It ends all sessions of the user and signs them
//! in here, unless they belong to no organisation. If it is the first proof that the address is theirs,
//! see [`FirstProof`].

use action::{
    Action, ActionError, Actor, Anyone, Commit, Context, Form, FormPage, Found, Grant, Layout,
    RateLimit, Reads, Record, Role, Sample, Scope, Secret, SecretRules, Secrets, Subject, TenantId,
};
use crm::{
    Account, FirstProof, INVALID_RESET_LINK, LastOrganization, LinkToken, MAX_PASSWORD,
    MIN_PASSWORD, Password, PasswordReset, PublicUser, new_password, reset_token,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use validator::Validate;

/// The action.
#[derive(Debug)]
pub struct ResetPassword;

/// The token of the link, and the new password.
#[derive(Debug, Clone, Default, Deserialize, Serialize, Validate, JsonSchema)]
#[serde(default)]
pub struct NewPassword {
    #[validate(custom(function = reset_token))]
    token: LinkToken,
    #[validate(custom(function = new_password))]
    #[schemars(length(min = MIN_PASSWORD, max = MAX_PASSWORD))]
    password: Secret,
}

/// The response, as after signing in. `tenant` and `role` are `null` if the user belongs to no
/// organisation: they are not signed in, but can accept an invitation with the new password.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct PasswordResetResult {
    user: PublicUser,
    tenant: Option<TenantId>,
    role: Option<Role>,
}

impl PasswordResetResult {
    fn new(account: &Account, found: &Found) -> Result<Self, ActionError> {
        let organization = account.organization_to_open(found, None)?;
        let (tenant, role) = organization
            .map(|(tenant, member)| (tenant, member.role))
            .unzip();
        Ok(Self {
            user: account.public_user(),
            tenant,
            role,
        })
    }

    /// The session to open; `None` if the user belongs to no organisation.
    fn grant(&self, account: &Account) -> Option<Grant> {
        Some(Grant {
            tenant: self.tenant.clone()?,
            user: account.id.clone(),
            role: self.role?,
            generation: Some(account.session_generation),
        })
    }

    /// The commit with this result, in the audit of the organisation that is opened, or of one that the
    /// user leaves, if there is any.
    fn commit(self, account: &Account, proof: &FirstProof) -> Commit<Self> {
        let Some(grant) = self.grant(account) else {
            return match proof.left() {
                Some((left, member)) => Commit::new(member.subject(&left.id), self),
                None => Commit::outside(self),
            };
        };
        let subject = Subject {
            tenant: grant.tenant.clone(),
            resource: "accounts",
            id: account.id.to_string(),
        };
        Commit::new(subject, self).open_session(grant)
    }
}

/// The same error whether the link was used, replaced or altered, or is too old.
fn invalid_link() -> ActionError {
    ActionError::Validation([("token".to_owned(), INVALID_RESET_LINK.to_owned())].into())
}

impl NewPassword {
    fn account<C>(
        &self,
        context: &Context<C>,
        found: &Found,
    ) -> Result<Option<Account>, ActionError> {
        let link = self.token.password_reset(context);
        let account = link.map(|link| found.record(&Account::key_of(&link.email)));
        Ok(account.transpose()?.flatten())
    }
}

impl Action for ResetPassword {
    const NAME: &'static str = "reset-password";
    const HASHES_PASSWORD: bool = true;
    const SECRETS: Option<SecretRules<Self>> = SecretRules::of_action();
    type Permission = Anyone;
    type Input = NewPassword;
    type Output = PasswordResetResult;

    fn sample() -> Sample {
        Sample::form(json!({ "token": "{{token}}", "password": "another horse battery" }))
            .signed_out()
    }

    fn rate_limit(context: &Context<()>, new: &NewPassword) -> Result<RateLimit, ActionError> {
        Ok(match new.token.password_reset(context) {
            Some(link) => RateLimit::CallerAndRepeatsForAccount(link.email.unique()),
            None => RateLimit::Caller,
        })
    }

    fn scope(new: &NewPassword) -> Result<Scope, ActionError> {
        Ok(Scope::Subject(new.token.as_str().to_owned()))
    }

    fn reads(context: &Context<Option<Actor>>, new: &NewPassword) -> Result<Reads, ActionError> {
        Ok(new
            .token
            .password_reset(context)
            .map_or_else(Reads::none, |link| {
                Reads::none()
                    .item(Account::key_of(&link.email))
                    .item(LastOrganization::key_of(&link.email))
                    .item(PasswordReset::key_of(&link.email))
            }))
    }

    fn more_reads(context: &Context<Option<Actor>>, new: &NewPassword, found: &Found) -> Reads {
        let account = new.account(context, found).ok().flatten();
        account.map_or_else(Reads::none, |account| {
            let proof = FirstProof::reads(&account).keys.into_iter();
            proof.fold(account.membership_reads(), Reads::item)
        })
    }

    fn run(
        context: &Context<Option<Actor>>,
        new: &NewPassword,
        found: &Found,
    ) -> Result<Commit<PasswordResetResult>, ActionError> {
        let link = new.token.password_reset(context).ok_or_else(invalid_link)?;
        let reset = link
            .valid_reset(found, context.now)?
            .ok_or_else(invalid_link)?;
        let before = new.account(context, found)?.ok_or_else(invalid_link)?;
        let proof = FirstProof::of(&before, found)?;
        let account = proof.account(Account {
            password_hash: new.password.hash(&context.salt())?,
            ..before.with_sessions_ended()
        });
        let commit = PasswordResetResult::new(&account, found)?
            .commit(&account, &proof)
            .delete_record(reset.key(), Some(reset.version));
        let commit = account.end_sessions(commit, &before);
        let commit = proof.write(commit, found, context.now)?;
        match commit.subject() {
            Some(_) => account.audit_everywhere(commit, found),
            // The user belongs to no organisation.
            None => Ok(commit),
        }
    }
}

impl Secrets for ResetPassword {
    /// The token is no such field, because the form must send it again.
    const FIELDS: &'static [&'static str] = &["password"];

    fn reopen(
        _: &Context<Option<Actor>>,
        new: &NewPassword,
        found: &Found,
        result: &PasswordResetResult,
    ) -> Result<Option<Grant>, ActionError> {
        let account: Option<Account> = found.record(&Account::key_of(&result.user.email))?;
        let matches = |account: &Account| new.password.matches(Some(&account.password_hash));
        let account = account.filter(matches).ok_or_else(invalid_link)?;
        Ok(result.grant(&account))
    }
}

impl Form for ResetPassword {
    fn success_path(_: Option<&Layout>, _: &NewPassword, result: &PasswordResetResult) -> String {
        match &result.tenant {
            Some(tenant) => pages::paths::contacts_of(tenant),
            // The sign-in page tells them that they need an invitation, once they have entered the
            // password.
            None => pages::paths::PASSWORD_SET.to_owned(),
        }
    }

    fn page_path(_: Option<&Layout>) -> String {
        pages::paths::FORGOT_PASSWORD.to_owned()
    }

    fn form(page: &FormPage<'_>) -> String {
        pages::reset_password(page.state)
    }
}
