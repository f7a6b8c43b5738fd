//! Creates an account and an organisation, and makes the user its owner.

use action::{
    Action, ActionError, Actor, Anyone, Commit, Conflict, Context, Entity, Form, FormPage, Found,
    Grant, Layout, Parsed, RateLimit, Reads, Role, Sample, Scope, Secret, SecretRules, Secrets,
    Subject, TenantId, Text, UserId, Version, visible,
};
use crm::{
    Account, Email, MAX_PASSWORD, MIN_PASSWORD, Member, Name, Organization, OrganizationName,
    Password, SignedIn, new_password,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use validator::Validate;

/// How many numbered slugs to try before a random one.
const MAX_SLUGS: usize = 20;

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
    #[validate(length(min = 1, max = Name::MAX), custom(function = visible))]
    name: Text,
    #[validate(nested)]
    email: Parsed<Email>,
    #[validate(custom(function = new_password))]
    #[schemars(length(min = MIN_PASSWORD, max = MAX_PASSWORD))]
    password: Secret,
    #[validate(length(min = 1, max = OrganizationName::MAX), custom(function = visible))]
    organization: Text,
}

impl NewAccount {
    fn organization(&self) -> OrganizationName {
        OrganizationName::from(&self.organization)
    }

    /// The first free slug. On a rerun it is a random one of the free slugs, because another
    /// sign-up has just taken the first choice.
    fn tenant(
        &self,
        context: &Context<Option<Actor>>,
        found: &Found,
    ) -> Result<TenantId, ActionError> {
        let free: Vec<_> = crm::slug_candidates(&self.organization(), MAX_SLUGS)
            .into_iter()
            .filter(|slug| !found.items.contains_key(&Organization::key_of(slug)))
            .collect();
        let random = context.random();
        let choice = if context.attempt == 0 {
            0
        } else {
            random as usize % free.len().max(1)
        };
        free.into_iter().nth(choice).map_or_else(
            || {
                let slug = format!("{}-{random:08x}", crm::slug(&self.organization()));
                TenantId::parse(&slug).map_err(|e| ActionError::Internal(format!("{slug}: {e}")))
            },
            Ok,
        )
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
        let organizations = crm::slug_candidates(&new.organization(), MAX_SLUGS);
        Ok(organizations
            .iter()
            .map(Organization::key_of)
            .chain([Account::key_of(new.email.get()?)])
            .fold(Reads::none(), Reads::item))
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
        let (now, version) = (context.now, Version::FIRST);
        let tenant = new.tenant(context, found)?;
        let user: UserId = context.new_id();
        let organization = Organization {
            id: tenant.clone(),
            name: new.organization(),
            owners: vec![user.clone()],
            created_at: now,
            version,
        };
        let account = Account {
            id: user,
            name: Name::from(&new.name),
            email: email.clone(),
            password_hash: new.password.hash(&context.salt())?,
            organizations: vec![organization.summary()],
            session_generation: 0,
            created_at: now,
            version,
        };
        let member = account.new_member(Role::Owner, now);
        let signed_in = SignedIn {
            user: account.public_user(),
            tenant: tenant.clone(),
            role: member.role,
        };
        let grant = signed_in.grant(Some(account.session_generation));
        Ok(
            Commit::new(Subject::entity::<Member>(&tenant, member.id()), signed_in)
                .put_record(&account, None, Some(EMAIL_TAKEN))
                .put_record(&organization, None, None)
                .put(&tenant, &member, None)
                .claim(
                    Member::guard(&tenant, &member.email),
                    member.id(),
                    EMAIL_TAKEN,
                )
                .open_session(grant),
        )
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
    use super::*;
    use action::Key;

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
