//! Opens a session for a user with an account. A wrong email and a wrong password get the same
//! message in the same time.

use action::{
    Action, ActionError, Actor, Anyone, Commit, Context, Form, FormPage, Found, Key, Layout,
    Parsed, RateLimit, Reads, Sample, Scope, Secret, SecretRules, Secrets, Subject, TenantId,
    UserId, lenient,
};
use crm::{Account, Email, Member, OrganizationSummary, Password, ReturnTo, SignedIn};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use validator::Validate;

const WRONG_CREDENTIALS: ActionError = ActionError::Unauthenticated("Wrong email or password");

const NO_ORGANIZATION: ActionError = ActionError::Forbidden(
    "You belong to no organization any more. Ask an admin of yours for an invitation.",
);

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

impl Credentials {
    fn account(&self, found: &Found) -> Result<Option<Account>, ActionError> {
        found.record(&Account::key_of(self.email.get()?))
    }

    /// The organisation to open. If the user belongs to that of the page to return to, it is this
    /// one, because the page is not found in a session of another. Otherwise it is the first.
    fn organization_to_open<'a>(&self, account: &'a Account) -> Option<&'a OrganizationSummary> {
        let wanted = self.return_to.as_ref().and_then(ReturnTo::tenant);
        let mut all = account.organizations.iter();
        let named =
            wanted.and_then(|tenant| all.find(|organization| organization.tenant == tenant));
        named.or(account.organizations.first())
    }

    /// The membership to sign in with; `None` if the user belongs to no organisation.
    fn membership_to_open(&self, account: Option<&Account>) -> Option<(TenantId, UserId)> {
        let account = account?;
        let organization = self.organization_to_open(account)?;
        Some((organization.tenant.clone(), account.id.clone()))
    }
}

impl Action for SignIn {
    const NAME: &'static str = "sign-in";
    const HASHES_PASSWORD: bool = true;
    const SECRETS: Option<SecretRules<Self>> = SecretRules::of_action();
    type Permission = Anyone;
    type Input = Credentials;
    type Output = SignedIn;

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
        Ok(Reads::none().item(Account::key_of(credentials.email.get()?)))
    }

    fn more_reads(_: &Context<Option<Actor>>, credentials: &Credentials, found: &Found) -> Reads {
        let account = credentials.account(found).ok().flatten();
        // If there is no account, this reads a record that never exists, so that the reads and the
        // time are the same.
        let key = credentials
            .membership_to_open(account.as_ref())
            .map_or_else(
                || Key::record("nobody", credentials.email.as_str(), "member"),
                |(tenant, user)| Key::entity::<Member>(&tenant, user.as_str()),
            );
        Reads::none().item(key)
    }

    fn run(
        _: &Context<Option<Actor>>,
        credentials: &Credentials,
        found: &Found,
    ) -> Result<Commit<SignedIn>, ActionError> {
        let account = credentials.account(found)?;
        if !credentials
            .password
            .matches(account.as_ref().map(|account| &account.password_hash))
        {
            return Err(WRONG_CREDENTIALS);
        }
        let account = account.ok_or(WRONG_CREDENTIALS)?;
        let membership = credentials.membership_to_open(Some(&account));
        let (tenant, user) = membership.ok_or(NO_ORGANIZATION)?;
        let member: Option<Member> = found.entity(&tenant, user.as_str())?;
        let member = member.filter(Member::is_active).ok_or(NO_ORGANIZATION)?;
        let signed_in = SignedIn {
            user: account.public_user(),
            tenant,
            role: member.role,
        };
        let subject = Subject {
            tenant: signed_in.tenant.clone(),
            resource: "sessions",
            id: account.id.to_string(),
        };
        let grant = signed_in.grant(Some(account.session_generation));
        Ok(Commit::new(subject, signed_in).open_session(grant))
    }
}

impl Secrets for SignIn {
    const FIELDS: &'static [&'static str] = &["password"];
}

impl Form for SignIn {
    fn success_path(_: Option<&Layout>, credentials: &Credentials, signed_in: &SignedIn) -> String {
        match &credentials.return_to {
            Some(path) => path.as_str().to_owned(),
            None => pages::paths::contacts_of(&signed_in.tenant),
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
