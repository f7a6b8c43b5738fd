//! Emails: a commit stores each email in its own transaction, and `deliver-mail` sends it from there.

use crate::App;
use crate::http::trust::Trust;
use action::{EmailMessage, Operation, TenantId};
use mail::StoredEmail;

/// The write of the record of an email that this organisation sends, due at once.
pub(crate) fn operation(
    app: &App,
    trust: &Trust,
    tenant: Option<&TenantId>,
    email: &EmailMessage,
) -> Operation {
    let now = jiff::Timestamp::now().as_millisecond();
    StoredEmail::new(email, tenant, origin(app, trust), now).put()
}

/// The origin of the links in emails: the first allowed origin, which is the product's own domain,
/// or else the domain of the edge.
pub(crate) fn origin<'a>(app: &'a App, trust: &'a Trust) -> Option<&'a str> {
    let allowed = app.config.allowed_origins.first();
    allowed.or(trust.own_origin.as_ref()).map(String::as_str)
}
