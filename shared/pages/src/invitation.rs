//! The page that the link of an invitation opens.

use crate::fields::{CONFIRM_PASSWORD_FIELDS, JOIN_FIELDS};
use crate::form::{Form, FormSpec};
use crate::layout::{PageFrame, render};
use crate::members::role_name;
use action::{FormState, Layout, Role, TenantId};
use askama::Template;
use crm::PendingInvitation;

const JOIN: FormSpec = FormSpec {
    action: "accept-invite",
    submit: "Join",
    pending: "Joining…",
    failed: "Failed to join. Please try again.",
    success: "enter",
    fields: JOIN_FIELDS,
};

static JOIN_AS_NEW: FormSpec = JOIN;

static JOIN_WITH_ACCOUNT: FormSpec = FormSpec {
    fields: CONFIRM_PASSWORD_FIELDS,
    ..JOIN
};

static JOIN_AS_YOURSELF: FormSpec = FormSpec {
    fields: &[],
    ..JOIN
};

/// An invitation, as the page shows it.
#[derive(Debug, Clone, Copy)]
pub struct Invited<'a> {
    /// The organization's slug.
    pub tenant: &'a TenantId,
    /// The organization's name.
    pub organization: &'a str,
    /// The email address that was invited.
    pub email: &'a str,
    /// The role that is offered.
    pub role: Role,
    /// Whether the email already has an account.
    pub has_account: bool,
    /// Whether the invited user is the signed-in user.
    pub is_signed_in: bool,
}

impl<'a> Invited<'a> {
    /// The part of an offer that the page shows.
    #[must_use]
    pub fn new(pending: &'a PendingInvitation, is_signed_in: bool) -> Self {
        Self {
            tenant: &pending.organization.id,
            organization: pending.organization.name.as_str(),
            email: pending.membership.member.email.as_str(),
            role: pending.role(),
            has_account: pending.account.is_some(),
            is_signed_in,
        }
    }

    fn spec(&self) -> &'static FormSpec {
        match (self.has_account, self.is_signed_in) {
            (true, true) => &JOIN_AS_YOURSELF,
            (true, false) => &JOIN_WITH_ACCOUNT,
            (false, _) => &JOIN_AS_NEW,
        }
    }
}

#[derive(Template)]
#[template(path = "accept_invite.html")]
struct AcceptPage<'a> {
    frame: PageFrame<'a>,
    invited: Option<Invited<'a>>,
    role: &'static str,
    form: Form<'a>,
}

#[derive(Template)]
#[template(path = "invitation_closed.html")]
struct ClosedPage<'a> {
    frame: PageFrame<'a>,
    message: &'a str,
}

/// The page for accepting an invitation. If the invitation could not be read, the form has every
/// field. Not cacheable.
#[must_use]
pub fn accept_invite(state: &FormState, token: &str, invited: Option<Invited<'_>>) -> String {
    let spec = invited.as_ref().map_or(&JOIN_AS_NEW, Invited::spec);
    let mut form = Form::new(spec, state).hidden("token", token);
    if let Some(invited) = &invited {
        form = form.hidden("return_to", crate::paths::contacts_of(invited.tenant));
    }
    let title = match &invited {
        Some(invited) => format!("Join {}", invited.organization),
        None => "Join".to_owned(),
    };
    render(&AcceptPage {
        frame: PageFrame::new(form.title(&title), None),
        role: invited
            .as_ref()
            .map_or("", |invited| role_name(invited.role)),
        invited,
        form,
    })
}

/// The page for an invitation that can no longer be accepted. Not cacheable.
#[must_use]
pub fn invitation_closed(layout: Option<&Layout>, message: &str) -> String {
    render(&ClosedPage {
        frame: PageFrame::new("Invitation", layout),
        message,
    })
}
