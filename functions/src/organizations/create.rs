//! Makes an organisation for a user who has an account, and opens it. A user who belongs to no
//! organisation cannot be signed in: they prove their account with a token that they get by signing in.

use action::{
    Action, ActionError, Actor, Anyone, Commit, Context, Form, FormPage, Found, Grant, Layout,
    Reads, Role, Sample, Scope, SecretRules, Secrets, TenantId, Text, optional, visible,
};
use crm::{Account, LastOrganization, LinkToken, Organization, OrganizationName, SignedIn};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use validator::Validate;

const SIGNED_OUT: ActionError = ActionError::Unauthenticated("Please sign in");

/// The action.
#[derive(Debug)]
pub struct CreateOrganization;

/// The name of the new organisation.
#[derive(Debug, Clone, Default, Deserialize, Serialize, Validate, JsonSchema)]
#[serde(default)]
pub struct NewOrganization {
    #[validate(length(min = 1, max = OrganizationName::MAX), custom(function = visible), custom(function = crm::not_a_link))]
    name: Text,
    /// The token from signing in, if the user belongs to no organisation.
    #[serde(deserialize_with = "optional")]
    token: Option<LinkToken>,
}

impl NewOrganization {
    fn name(&self) -> OrganizationName {
        OrganizationName::from(&self.name)
    }

    /// The account of the token or, without one, of the caller. A token is worth nothing once the account
    /// belongs to an organisation other than `made`, which it has made.
    fn account(
        &self,
        context: &Context<Option<Actor>>,
        found: &Found,
        made: Option<&TenantId>,
    ) -> Result<Account, ActionError> {
        let Some(token) = &self.token else {
            let caller = context.caller.as_ref().ok_or(SIGNED_OUT)?;
            return Account::of_caller(caller, found);
        };
        let proven = token.proven_account(context).ok_or(SIGNED_OUT)?;
        let account: Option<Account> = found.record(&Account::key_of(&proven.email))?;
        let account = account.filter(|account| {
            let mut organizations = account.organizations.iter();
            proven.is(account) && organizations.all(|each| Some(&each.tenant) == made)
        });
        account.ok_or(SIGNED_OUT)
    }
}

impl Action for CreateOrganization {
    const NAME: &'static str = "create-organization";
    const SECRETS: Option<SecretRules<Self>> = SecretRules::of_action();
    type Permission = Anyone;
    const RULE: &'static str = "signed in, or with the token from signing in";
    type Input = NewOrganization;
    type Output = SignedIn;

    fn sample() -> Sample {
        Sample::form(json!({ "name": "Vind & Vand" }))
    }

    fn scope(new: &NewOrganization) -> Result<Scope, ActionError> {
        Ok(match &new.token {
            Some(token) => Scope::Subject(token.as_str().to_owned()),
            None => Scope::User,
        })
    }

    fn reads(
        context: &Context<Option<Actor>>,
        new: &NewOrganization,
    ) -> Result<Reads, ActionError> {
        let reads = Organization::reads_for_new(&new.name());
        let proven = new
            .token
            .as_ref()
            .and_then(|token| token.proven_account(context));
        let caller = context.caller.as_ref().filter(|_| new.token.is_none());
        let of_caller = caller.map(|caller| Account::caller_reads(caller, &Found::default()));
        let account = proven
            .map(|proven| Account::key_of(&proven.email))
            .into_iter();
        let keys = of_caller.into_iter().flat_map(|reads| reads.keys);
        Ok(account.chain(keys).fold(reads, Reads::item))
    }

    fn more_reads(context: &Context<Option<Actor>>, new: &NewOrganization, found: &Found) -> Reads {
        match &context.caller {
            Some(caller) if new.token.is_none() => Account::caller_reads(caller, found),
            _ => Reads::none(),
        }
    }

    fn run(
        context: &Context<Option<Actor>>,
        new: &NewOrganization,
        found: &Found,
    ) -> Result<Commit<SignedIn>, ActionError> {
        let before = new.account(context, found, None)?;
        let organization = Organization::new(context, new.name(), &before.id, found)?;
        let account = before.with_organization(&organization.id);
        account.check_organizations()?;
        let owner = account.new_member(Role::Owner, context.now);
        let signed_in = SignedIn {
            user: account.public_user(),
            tenant: organization.id.clone(),
            role: owner.role,
        };
        let grant = signed_in.grant(Some(account.session_generation));
        let commit = Commit::new(owner.subject(&organization.id), signed_in).put_record(
            &account,
            Some(before.version),
            None,
        );
        let commit = organization.create(commit, &owner);
        let commit = LastOrganization::note(commit, &account.email, &organization.id);
        Ok(match context.caller {
            Some(_) if new.token.is_none() => commit.replace_session(grant),
            _ => commit.open_session(grant),
        })
    }
}

impl Secrets for CreateOrganization {
    const REOPENS: bool = true;

    fn reopen(
        context: &Context<Option<Actor>>,
        new: &NewOrganization,
        found: &Found,
        signed_in: &SignedIn,
    ) -> Result<Option<Grant>, ActionError> {
        let account = new.account(context, found, Some(&signed_in.tenant))?;
        let is_same = account.id == signed_in.user.id;
        let grant = signed_in.grant(Some(account.session_generation));
        is_same.then_some(Some(grant)).ok_or(SIGNED_OUT)
    }
}

impl Form for CreateOrganization {
    fn success_path(_: Option<&Layout>, _: &NewOrganization, signed_in: &SignedIn) -> String {
        pages::paths::contacts_of(&signed_in.tenant)
    }

    fn page_path(_: Option<&Layout>) -> String {
        "/new-organization".to_owned()
    }

    fn form(page: &FormPage<'_>) -> String {
        pages::new_organization(page.layout, page.state)
    }
}
