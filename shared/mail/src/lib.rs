//! Sends emails through
//! [SES](https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_SendEmail.html), and defines how
//! an email is stored until it is sent. The only crate that calls SES.

mod stored;

pub use stored::StoredEmail;

use aws::{Access, EnvironmentError};
use aws_sdk_sesv2::config::retry::RetryConfig;
use aws_sdk_sesv2::config::timeout::TimeoutConfig;
use aws_sdk_sesv2::config::{BehaviorVersion, Region};
use aws_sdk_sesv2::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_sesv2::operation::send_email::SendEmailError;
use aws_sdk_sesv2::types::{self, Body, Destination, EmailContent, Message};
use aws_sdk_sesv2::{Client, Config};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

/// How long one call to SES may take.
pub const PATIENCE: Duration = Duration::from_secs(5);

/// How to reach SES, and the sender of all emails.
#[derive(Debug, Clone)]
pub struct Ses {
    /// The sender, such as `Edge CRM <crm@example.com>`. SES must have verified this identity. If
    /// `None`, no email is sent.
    pub from: Option<String>,
    /// The region; `us-east-1` if `None`.
    pub region: Option<String>,
    /// The endpoint's URL; AWS's own if `None`.
    pub endpoint: Option<String>,
    /// The credentials and trusted certificates.
    pub access: Access,
}

impl Ses {
    /// The settings of a function on Lambda, from the optional variables `MAIL_FROM`, `AWS_REGION`
    /// and `SES_URL`.
    ///
    /// # Errors
    /// [`EnvironmentError`] if `SES_URL` is not a URL.
    pub fn from_env(access: Access) -> Result<Self, EnvironmentError> {
        Ok(Self {
            from: aws::variable("MAIL_FROM"),
            region: aws::variable("AWS_REGION"),
            endpoint: aws::endpoint("SES_URL")?,
            access,
        })
    }

    /// The settings for an endpoint on this machine, which accepts any credentials.
    #[must_use]
    pub fn local(endpoint: &str, from: &str) -> Self {
        Self {
            from: Some(from.to_owned()),
            region: None,
            endpoint: Some(endpoint.to_owned()),
            access: Access::local(),
        }
    }
}

/// The content of an email.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Content {
    /// The subject.
    pub subject: String,
    /// The body as plain text.
    pub plain: String,
    /// The body as HTML.
    pub html: String,
}

/// SES did not accept an email. The text is for the log and contains no address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MailError {
    /// Too many emails in a second or in a day: send it later.
    #[error("too many emails: {0}")]
    Throttled(String),
    /// SES could not be reached or did not respond. It may have accepted the email.
    #[error("SES unavailable: {0}")]
    Unavailable(String),
    /// The email, an address or the permission to send is wrong.
    #[error("SES refused: {0}")]
    Refused(String),
}

/// Sends emails. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Mailer(Option<Arc<Inner>>);

#[derive(Debug)]
struct Inner {
    from: String,
    settings: Ses,
    /// Created by the first email, so functions that send none do not link it.
    client: OnceLock<Client>,
}

impl Mailer {
    /// A mailer with these settings. The first email connects. Failed calls are not retried here:
    /// the email is still stored.
    #[must_use]
    pub fn connect(settings: Ses) -> Self {
        let inner = |from: String| {
            Arc::new(Inner {
                from,
                settings: settings.clone(),
                client: OnceLock::new(),
            })
        };
        Self(settings.from.clone().map(inner))
    }

    /// Whether a sender is configured.
    #[must_use]
    pub fn sends(&self) -> bool {
        self.0.is_some()
    }

    /// Sends an email. Returns once SES has accepted it, or at once if no sender is configured.
    ///
    /// # Errors
    /// [`MailError`].
    pub async fn send(&self, to: &str, content: &Content) -> Result<(), MailError> {
        let Some(inner) = &self.0 else {
            return Ok(());
        };
        let wrong = |e: aws_sdk_sesv2::error::BuildError| MailError::Refused(e.to_string());
        let part = |text: &str| {
            let part = types::Content::builder().data(text).charset("UTF-8");
            part.build().map_err(wrong)
        };
        let body = Body::builder()
            .text(part(&content.plain)?)
            .html(part(&content.html)?)
            .build();
        let message = Message::builder()
            .subject(part(&content.subject)?)
            .body(body)
            .build();
        let sent = inner
            .client()
            .send_email()
            .from_email_address(&inner.from)
            .destination(Destination::builder().to_addresses(to).build())
            .content(EmailContent::builder().simple(message).build())
            .send()
            .await
            .map_err(classify)?;
        // SES gives each email that it accepts an id. A response without one comes from a proxy.
        match sent.message_id() {
            Some(_) => Ok(()),
            None => Err(unavailable("a response without an id")),
        }
    }
}

impl Inner {
    fn client(&self) -> &Client {
        self.client.get_or_init(|| {
            let settings = &self.settings;
            let timeouts = TimeoutConfig::builder().operation_timeout(PATIENCE).build();
            let region = settings.region.clone();
            let mut config = Config::builder()
                .behavior_version(BehaviorVersion::latest())
                .region(Region::new(
                    region.unwrap_or_else(|| "us-east-1".to_owned()),
                ))
                .credentials_provider(settings.access.credentials())
                .http_client(settings.access.connect(Duration::from_secs(2)).client())
                .retry_config(RetryConfig::disabled())
                .timeout_config(timeouts);
            config.set_endpoint_url(settings.endpoint.clone());
            #[expect(clippy::disallowed_methods, reason = "the only SES client")]
            Client::from_conf(config.build())
        })
    }
}

/// Keeps only the error code, because the message of SES may contain the address.
fn classify<R>(error: SdkError<SendEmailError, R>) -> MailError {
    let service = match &error {
        SdkError::ServiceError(service) => service,
        // A bug in this email. It must not hold back the others, as an outage would.
        SdkError::ConstructionFailure(_) => {
            return MailError::Refused("the request cannot be built".to_owned());
        }
        SdkError::TimeoutError(_) => return unavailable("no response in time"),
        SdkError::DispatchFailure(_) => return unavailable("no connection"),
        _ => return unavailable("a response that cannot be read"),
    };
    let code = service.err().code().unwrap_or("no code").to_owned();
    match code.as_str() {
        "TooManyRequestsException"
        | "LimitExceededException"
        | "Throttling"
        | "ThrottlingException" => MailError::Throttled(code),
        "AccessDenied"
        | "AccessDeniedException"
        | "AccountSuspendedException"
        | "BadRequestException"
        | "MailFromDomainNotVerifiedException"
        | "MessageRejected"
        | "NotFoundException"
        | "SendingPausedException" => MailError::Refused(code),
        _ => MailError::Unavailable(code),
    }
}

fn unavailable(reason: &str) -> MailError {
    MailError::Unavailable(reason.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_that_cannot_be_built_is_refused_and_not_an_outage() {
        type Failure = SdkError<SendEmailError, ()>;
        let bug = classify(Failure::construction_failure("no destination"));
        assert!(matches!(bug, MailError::Refused(_)), "{bug}");
        let outage = classify(Failure::timeout_error("5 s"));
        assert!(matches!(outage, MailError::Unavailable(_)), "{outage}");
    }
}
