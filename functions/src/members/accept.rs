//! Accepts an invitation. The user becomes a member, with the account that their email has or with
//! a new one, and is signed in to the organisation.

use action::{
    Action, ActionError, Actor, Anyone, Commit, Context, Entity, Form, FormPage, Found, Grant,
    Layout, RateLimit, Reads, Record, Role, Sample, Scope, Secret, SecretRules, Secrets, TenantId,
    Text, Version, field_errors, optional, visible,
};
use crm::{
    Account, EmailConfirmation, EmailKind, LastOrganization, LinkToken, Member, Name, Password,
    PendingInvitation, SentEmails, new_password, not_a_link,
};
use pages::Invited;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use validator::Validate;

const WRONG_CREDENTIALS: ActionError = ActionError::Unauthenticated("Wrong email or password");

/// The action.
#[derive(Debug)]
pub struct AcceptInvite;

/// The token of the link, with the name and the password for a new account, or the password of the
/// existing account.
#[derive(Debug, Clone, Default, Deserialize, Serialize, Validate, JsonSchema)]
#[serde(default)]
pub struct InvitationAcceptance {
    token: LinkToken,
    #[serde(deserialize_with = "optional")]
    #[validate(length(max = Name::MAX), custom(function = visible), custom(function = not_a_link))]
    name: Option<Text>,
    password: Secret,
}

/// The fields that a new account needs.
#[derive(Debug, Validate)]
struct NewAccount {
    #[validate(length(min = 1))]
    name: Text,
    #[validate(custom(function = new_password))]
    password: Secret,
}

/// The response: the new member and the organisation.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct AcceptedInvitation {
    #[serde(flatten)]
    member: Member,
    tenant: TenantId,
}

impl InvitationAcceptance {
    /// Whether the request comes from the account's user: they are signed in, or know the password.
    fn proves_account(&self, caller: Option<&Actor>, account: &Account) -> bool {
        let hash = Some(&account.password_hash);
        caller.is_some_and(|actor| actor.user == account.id)
            || !self.password.is_empty() && self.password.matches(hash)
    }

    /// The account to write, and the version that was read; `None` if the account is new.
    fn account(
        &self,
        context: &Context<Option<Actor>>,
        pending: &PendingInvitation,
    ) -> Result<(Account, Option<Version>), ActionError> {
        let tenant = &pending.organization.id;
        if let Some(account) = &pending.account {
            if !self.proves_account(context.caller.as_ref(), account) {
                return Err(WRONG_CREDENTIALS);
            }
            let account = Account {
                email_verified: account.email_verified || pending.is_emailed,
                ..account.with_organization(tenant)
            };
            account.check_organizations()?;
            return Ok((account, pending.account.as_ref().map(Record::version)));
        }
        let new = NewAccount {
            name: self.name.clone().unwrap_or_default(),
            password: self.password.clone(),
        };
        new.validate()
            .map_err(|errors| ActionError::Validation(field_errors(&errors)))?;
        let account = Account {
            id: pending.membership.member.id.clone(),
            name: Name::from(&new.name),
            email: pending.membership.member.email.clone(),
            password_hash: new.password.hash(&context.salt())?,
            email_verified: pending.is_emailed,
            organizations: vec![tenant.clone().into()],
            session_generation: 0,
            created_at: context.now,
            version: Version::FIRST,
        };
        Ok((account, None))
    }
}

/// Replaces the invitation by the member. If the email already has an account, the member's id is
/// the account's and not the invitation's, so the email's guard is handed over to it.
fn join(
    pending: &PendingInvitation,
    account: &Account,
    context: &Context<Option<Actor>>,
) -> Commit<AcceptedInvitation> {
    let tenant = &pending.organization.id;
    let invited = &pending.membership.member;
    let mut member = account.new_member(pending.role(), context.now);
    let is_same = member.id == invited.id;
    if is_same {
        member.version = invited.version.next();
    }
    let accepted = AcceptedInvitation {
        member: member.clone(),
        tenant: tenant.clone(),
    };
    let commit = Commit::new(member.subject(tenant), accepted);
    if is_same {
        return commit.put(tenant, &member, Some(invited.version));
    }
    let guard = Member::guard(tenant, &invited.email);
    commit
        .put(tenant, &member, None)
        .delete(tenant, invited)
        .hand_over(guard, invited.id(), member.id())
        .moves(invited.subject(tenant).key(), member.subject(tenant).key())
}

impl Action for AcceptInvite {
    const NAME: &'static str = "accept-invite";
    const HASHES_PASSWORD: bool = true;
    const SECRETS: Option<SecretRules<Self>> = SecretRules::of_action();
    type Permission = Anyone;
    type Input = InvitationAcceptance;
    type Output = AcceptedInvitation;

    fn sample() -> Sample {
        Sample::json(json!({
            "token": "{{invitation}}", "name": "Mia Madsen", "password": "correct horse battery",
        }))
        .signed_out()
    }

    /// Counts wrong passwords for the account, as signing in does, so that more invitations do not
    /// allow more attempts.
    fn rate_limit(
        context: &Context<()>,
        acceptance: &InvitationAcceptance,
    ) -> Result<RateLimit, ActionError> {
        Ok(match acceptance.token.invitation(context) {
            Some(claims) => RateLimit::CallerAndAccount(claims.email.unique()),
            None => RateLimit::Caller,
        })
    }

    fn scope(acceptance: &InvitationAcceptance) -> Result<Scope, ActionError> {
        Ok(Scope::Subject(acceptance.token.as_str().to_owned()))
    }

    fn reads(
        context: &Context<Option<Actor>>,
        acceptance: &InvitationAcceptance,
    ) -> Result<Reads, ActionError> {
        let reads = acceptance.token.invitation_reads(context);
        let sent = acceptance.token.invitation(context);
        let sent = sent.map(|claims| SentEmails::key_of(EmailKind::Confirmation, &claims.email));
        Ok(sent.into_iter().fold(reads, Reads::item))
    }

    fn more_reads(
        context: &Context<Option<Actor>>,
        acceptance: &InvitationAcceptance,
        found: &Found,
    ) -> Reads {
        acceptance.token.more_invitation_reads(context, found)
    }

    fn run(
        context: &Context<Option<Actor>>,
        acceptance: &InvitationAcceptance,
        found: &Found,
    ) -> Result<Commit<AcceptedInvitation>, ActionError> {
        let pending = acceptance.token.pending_invitation(context, found)?;
        let (account, read_version) = acceptance.account(context, &pending)?;
        let commit = join(&pending, &account, context).put_record(&account, read_version, None);
        let mut commit = LastOrganization::note(commit, &account.email, &pending.organization.id);
        if !account.email_verified && read_version.is_none() {
            let key = SentEmails::key_of(EmailKind::Confirmation, &account.email);
            let sent: Option<SentEmails> = found.record(&key)?;
            let address = &account.email;
            commit =
                EmailConfirmation::send(commit, &account, address, sent.as_ref(), context.now).0;
        }
        if pending.role() == Role::Owner {
            let owners = pending.organization.with_owner(&account.id);
            commit = commit.put_record(&owners, Some(pending.organization.version), None);
        }
        if let Some(inviter) = &pending.inviter {
            commit = commit.require(&pending.organization.id, inviter);
        }
        Ok(commit.open_session(Grant {
            tenant: pending.organization.id,
            user: account.id,
            role: pending.membership.member.role,
            generation: Some(account.session_generation),
        }))
    }
}

impl Secrets for AcceptInvite {
    const FIELDS: &'static [&'static str] = &["password"];

    fn reopen(
        context: &Context<Option<Actor>>,
        acceptance: &InvitationAcceptance,
        found: &Found,
        accepted: &AcceptedInvitation,
    ) -> Result<Option<Grant>, ActionError> {
        let claims = acceptance
            .token
            .invitation(context)
            .ok_or(WRONG_CREDENTIALS)?;
        let account = claims.account(found)?.ok_or(WRONG_CREDENTIALS)?;
        if account.id != accepted.member.id
            || !acceptance.proves_account(context.caller.as_ref(), &account)
        {
            return Err(WRONG_CREDENTIALS);
        }
        Ok(Some(Grant {
            tenant: accepted.tenant.clone(),
            user: account.id,
            role: accepted.member.role,
            generation: Some(account.session_generation),
        }))
    }
}

impl Form for AcceptInvite {
    fn success_path(
        _: Option<&Layout>,
        _: &InvitationAcceptance,
        accepted: &AcceptedInvitation,
    ) -> String {
        pages::paths::contacts_of(&accepted.tenant)
    }

    fn form(page: &FormPage<'_>) -> String {
        let token_text = page.state.value("token");
        let token = LinkToken::from(token_text);
        match token.pending_invitation(page.tokens, page.found) {
            Ok(pending) => {
                pages::accept_invite(page.state, token_text, Some(Invited::new(&pending, false)))
            }
            // The request was refused before anything was read.
            Err(_) if page.found.items.is_empty() && token.invitation(page.tokens).is_some() => {
                pages::accept_invite(page.state, token_text, None)
            }
            Err(closed) => pages::invitation_closed(page.layout, &closed.to_string()),
        }
    }
}
