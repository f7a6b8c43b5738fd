//! Creates an account and an organisation, and makes the user its owner.

use action::{
    Action, ActionError, Actor, Anyone, Commit, Conflict, Context, Form, FormPage, Found, Grant,
    Key, Layout, Parsed, RateLimit, Reads, Role, Sample, Scope, Secret, SecretRules, Secrets, Text,
    UserId, Version, visible,
};
use crm::{
    Account, Email, EmailConfirmation, EmailKind, MAX_PASSWORD, MIN_PASSWORD, Name, Organization,
    OrganizationName, Password, SentEmails, SignedIn, new_password, not_a_link,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use validator::Validate;

const EMAIL_TAKEN: Conflict = Conflict {
    field: "email",
    message: "An account with this email already exists",
    reveal: false,
};

/// The action.
#[derive(Debug)]
pub struct SignUp;

/// A new account and its organisation.
#[derive(Debug, Clone, Default, Deserialize, Serialize, Validate, JsonSchema)]
#[serde(default)]
pub struct NewAccount {
    #[validate(length(min = 1, max = Name::MAX), custom(function = visible), custom(function = not_a_link))]
    name: Text,
    #[validate(nested)]
    email: Parsed<Email>,
    #[validate(custom(function = new_password))]
    #[schemars(length(min = MIN_PASSWORD, max = MAX_PASSWORD))]
    password: Secret,
    #[validate(length(min = 1, max = OrganizationName::MAX), custom(function = visible), custom(function = not_a_link))]
    organization: Text,
}

impl NewAccount {
    /// The key of the record of the links that were sent to the address.
    fn sent_emails(&self) -> Result<Key, ActionError> {
        let email = self.email.get()?;
        Ok(SentEmails::key_of(EmailKind::Confirmation, email))
    }

    fn organization(&self) -> OrganizationName {
        OrganizationName::from(&self.organization)
    }
}

impl Action for SignUp {
    const NAME: &'static str = "sign-up";
    const HASHES_PASSWORD: bool = true;
    const SECRETS: Option<SecretRules<Self>> = SecretRules::of_action();
    type Permission = Anyone;
    type Input = NewAccount;
    type Output = SignedIn;

    fn sample() -> Sample {
        Sample::form(json!({
            "name": "Zoë Lindqvist", "email": "zoe@acme.example",
            "password": "correct horse battery", "organization": "Acme",
        }))
        .signed_out()
    }

    fn rate_limit(_: &Context<()>, new: &NewAccount) -> Result<RateLimit, ActionError> {
        let account = new.email.get()?.unique();
        Ok(RateLimit::CallerAndRepeatsForAccount(account))
    }

    fn scope(new: &NewAccount) -> Result<Scope, ActionError> {
        Ok(Scope::Subject(new.email.get()?.unique()))
    }

    fn reads(_: &Context<Option<Actor>>, new: &NewAccount) -> Result<Reads, ActionError> {
        Ok(Organization::reads_for_new(&new.organization())
            .item(Account::key_of(new.email.get()?))
            .item(new.sent_emails()?))
    }

    fn run(
        context: &Context<Option<Actor>>,
        new: &NewAccount,
        found: &Found,
    ) -> Result<Commit<SignedIn>, ActionError> {
        let email = new.email.get()?;
        if found.items.contains_key(&Account::key_of(email)) {
            return Err(EMAIL_TAKEN.error(None));
        }
        let user: UserId = context.new_id();
        let organization = Organization::new(context, new.organization(), &user, found)?;
        let account = Account {
            id: user,
            name: Name::from(&new.name),
            email: email.clone(),
            password_hash: new.password.hash(&context.salt())?,
            email_verified: false,
            organizations: vec![organization.id.clone().into()],
            session_generation: 0,
            created_at: context.now,
            version: Version::FIRST,
        };
        let owner = account.new_member(Role::Owner, context.now);
        let signed_in = SignedIn {
            user: account.public_user(),
            tenant: organization.id.clone(),
            role: owner.role,
        };
        let grant = signed_in.grant(Some(account.session_generation));
        let commit = Commit::new(owner.subject(&organization.id), signed_in)
            .put_record(&account, None, Some(EMAIL_TAKEN))
            .open_session(grant);
        let commit = organization.create(commit, &owner);
        let sent: Option<SentEmails> = found.record(&new.sent_emails()?)?;
        let (commit, _) =
            EmailConfirmation::send(commit, &account, email, sent.as_ref(), context.now);
        Ok(commit)
    }
}

impl Secrets for SignUp {
    const FIELDS: &'static [&'static str] = &["password"];

    fn reopen(
        _: &Context<Option<Actor>>,
        new: &NewAccount,
        found: &Found,
        signed_in: &SignedIn,
    ) -> Result<Option<Grant>, ActionError> {
        let account: Option<Account> = found.record(&Account::key_of(new.email.get()?))?;
        let hash = account.as_ref().map(|account| &account.password_hash);
        let matches = new.password.matches(hash);
        let account = account.filter(|_| matches);
        let account = account.ok_or(ActionError::Unauthenticated("Wrong email or password"))?;
        Ok(Some(signed_in.grant(Some(account.session_generation))))
    }
}

impl Form for SignUp {
    fn success_path(_: Option<&Layout>, _: &NewAccount, signed_in: &SignedIn) -> String {
        pages::paths::contacts_of(&signed_in.tenant)
    }

    fn page_path(_: Option<&Layout>) -> String {
        pages::paths::SIGN_UP.to_owned()
    }

    fn form(page: &FormPage<'_>) -> String {
        pages::sign_up(page.state)
    }
}

/// A membership is stored under the key with which the wrapper checks a session.
#[cfg(test)]
mod tests {
    use action::{Key, TenantId};
    use crm::Member;

    #[test]
    fn a_session_is_checked_against_the_membership_that_signing_up_creates() {
        let tenant = TenantId::parse("acme").unwrap();
        let user = action::UserId::parse("0197a3b0-0000-7000-8000-00000000000f").unwrap();
        assert_eq!(
            Key::entity::<Member>(&tenant, user.as_str()),
            Key::membership(&tenant, &user)
        );
    }
}
