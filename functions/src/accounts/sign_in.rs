//! Opens a session for a user with an account. A wrong email and a wrong password get the same
//! message in the same time.

use action::{
    Action, ActionError, Actor, Anyone, Commit, Context, Form, FormPage, Found, Key, Layout,
    Parsed, RateLimit, Reads, Role, Sample, Scope, Secret, SecretRules, Secrets, Subject, TenantId,
    lenient,
};
use crm::{Account, Email, LastOrganization, Password, PublicUser, ReturnTo, SignedIn};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use validator::Validate;

const WRONG_CREDENTIALS: ActionError = ActionError::Unauthenticated("Wrong email or password");

/// The action.
#[derive(Debug)]
pub struct SignIn;

/// The email and the password of a user, and the page to return to.
#[derive(Debug, Clone, Default, Deserialize, Serialize, Validate, JsonSchema)]
#[serde(default)]
pub struct Credentials {
    #[validate(nested)]
    email: Parsed<Email>,
    #[validate(length(min = 1))]
    password: Secret,
    /// The path to redirect to after signing in; ignored if it is not on this site.
    #[serde(deserialize_with = "lenient")]
    return_to: Option<ReturnTo>,
}

/// The response. If the user belongs to no organisation, `tenant` and `role` are `null`, and there is `next`,
/// the path of the page on which they can make one. They are not signed in until then.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct SignInResult {
    user: PublicUser,
    tenant: Option<TenantId>,
    role: Option<Role>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

impl SignInResult {
    fn without_organization(account: &Account, next: String) -> Self {
        Self {
            user: account.public_user(),
            tenant: None,
            role: None,
            next: Some(next),
        }
    }
}

impl From<SignedIn> for SignInResult {
    fn from(signed_in: SignedIn) -> Self {
        Self {
            user: signed_in.user,
            tenant: Some(signed_in.tenant),
            role: Some(signed_in.role),
            next: None,
        }
    }
}

impl Credentials {
    fn account(&self, found: &Found) -> Result<Option<Account>, ActionError> {
        found.record(&Account::key_of(self.email.get()?))
    }

    /// The organisation of the page to return to, which is not found in a session of another.
    fn wanted_organization(&self) -> Option<TenantId> {
        self.return_to.as_ref().and_then(ReturnTo::tenant)
    }
}

impl Action for SignIn {
    const NAME: &'static str = "sign-in";
    const HASHES_PASSWORD: bool = true;
    const SECRETS: Option<SecretRules<Self>> = SecretRules::of_action();
    type Permission = Anyone;
    type Input = Credentials;
    type Output = SignInResult;

    fn sample() -> Sample {
        Sample::form(json!({ "email": "zoe@acme.example", "password": "correct horse battery" }))
            .signed_out()
    }

    fn rate_limit(_: &Context<()>, credentials: &Credentials) -> Result<RateLimit, ActionError> {
        Ok(RateLimit::CallerAndAccount(
            credentials.email.get()?.unique(),
        ))
    }

    /// Not recorded: signing in twice only makes two sessions.
    fn scope(_: &Credentials) -> Result<Scope, ActionError> {
        Ok(Scope::Unrecorded)
    }

    fn reads(_: &Context<Option<Actor>>, credentials: &Credentials) -> Result<Reads, ActionError> {
        let email = credentials.email.get()?;
        Ok(Reads::none()
            .item(Account::key_of(email))
            .item(LastOrganization::key_of(email)))
    }

    fn more_reads(_: &Context<Option<Actor>>, credentials: &Credentials, found: &Found) -> Reads {
        match credentials.account(found).ok().flatten() {
            Some(account) if !account.organizations.is_empty() => account.membership_reads(),
            // This reads a record that never exists, so that the reads and the time are the same.
            _ => Reads::none().item(Key::record("nobody", credentials.email.as_str(), "member")),
        }
    }

    fn run(
        context: &Context<Option<Actor>>,
        credentials: &Credentials,
        found: &Found,
    ) -> Result<Commit<SignInResult>, ActionError> {
        let account = credentials.account(found)?;
        if !credentials
            .password
            .matches(account.as_ref().map(|account| &account.password_hash))
        {
            return Err(WRONG_CREDENTIALS);
        }
        let account = account.ok_or(WRONG_CREDENTIALS)?;
        let wanted = credentials.wanted_organization();
        let opened = account.organization_to_open(found, wanted.as_ref())?;
        let Some((tenant, member)) = opened else {
            let next = crm::new_organization_path(context, &account);
            return Ok(Commit::outside(SignInResult::without_organization(
                &account, next,
            )));
        };
        let subject = Subject {
            tenant: tenant.clone(),
            resource: "sessions",
            id: account.id.to_string(),
        };
        let signed_in = SignedIn {
            user: account.public_user(),
            tenant,
            role: member.role,
        };
        let grant = signed_in.grant(Some(account.session_generation));
        Ok(Commit::new(subject, signed_in.into()).open_session(grant))
    }
}

impl Secrets for SignIn {
    const FIELDS: &'static [&'static str] = &["password"];
}

impl Form for SignIn {
    fn success_path(
        _: Option<&Layout>,
        credentials: &Credentials,
        result: &SignInResult,
    ) -> String {
        match (&result.next, &credentials.return_to, &result.tenant) {
            (Some(next), _, _) => next.clone(),
            (None, Some(path), _) => path.as_str().to_owned(),
            (None, None, Some(tenant)) => pages::paths::contacts_of(tenant),
            (None, None, None) => pages::paths::SIGN_IN.to_owned(),
        }
    }

    fn page_path(_: Option<&Layout>) -> String {
        pages::paths::SIGN_IN.to_owned()
    }

    fn form(page: &FormPage<'_>) -> String {
        let return_to = ReturnTo::parse(page.state.value("return_to"));
        pages::sign_in(page.state, return_to.as_ref().map_or("", ReturnTo::as_str))
    }
}
