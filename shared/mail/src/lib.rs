//! Sends letters by
//! [SES](https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_SendEmail.html). It is the only
//! crate that speaks to it.

use aws::Access;
use aws_sdk_sesv2::config::retry::RetryConfig;
use aws_sdk_sesv2::config::timeout::TimeoutConfig;
use aws_sdk_sesv2::config::{BehaviorVersion, Region};
use aws_sdk_sesv2::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_sesv2::operation::send_email::SendEmailError;
use aws_sdk_sesv2::types::{Body, Content, Destination, EmailContent, Message};
use aws_sdk_sesv2::{Client, Config};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

/// How long one attempt may take.
pub const PATIENCE: Duration = Duration::from_secs(5);

/// How to reach SES, and as whom to write.
#[derive(Debug, Clone)]
pub struct Ses {
    /// Whom letters are from, such as `Edge CRM <crm@example.com>`: an identity that SES has
    /// verified. Without one nothing is sent.
    pub from: Option<String>,
    /// The region; `us-east-1` where none is given.
    pub region: Option<String>,
    /// The endpoint's URL, where it is not AWS's own.
    pub endpoint: Option<String>,
    /// Who calls it.
    pub access: Access,
}

impl Ses {
    /// The settings of a function on Lambda: optionally `MAIL_FROM`, `AWS_REGION` and `SES_URL`.
    ///
    /// # Errors
    /// The name of a variable that is wrong.
    pub fn from_env(access: Access) -> Result<Self, String> {
        Ok(Self {
            from: aws::variable("MAIL_FROM"),
            region: aws::variable("AWS_REGION"),
            endpoint: aws::endpoint("SES_URL")?,
            access,
        })
    }

    /// The settings of an endpoint on this machine, which accepts any credentials.
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

/// A letter as somebody reads it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Text {
    /// The subject.
    pub subject: String,
    /// The letter as plain text.
    pub plain: String,
    /// The letter as HTML.
    pub html: String,
}

/// Why SES did not take a letter. The text is for the log: it names no address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MailError {
    /// Too many letters in a second, or in a day: send it later.
    #[error("too many letters: {0}")]
    Throttled(String),
    /// It could not be reached, or did not answer: it may have taken the letter.
    #[error("SES unavailable: {0}")]
    Unavailable(String),
    /// The letter, its addresses or the permission to send it are wrong.
    #[error("SES refused: {0}")]
    Refused(String),
}

/// Sends letters. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Mailer(Option<Arc<Inner>>);

#[derive(Debug)]
struct Inner {
    from: String,
    settings: Ses,
    /// Made with the first letter: a function that sends none is built without it.
    client: OnceLock<Client>,
}

impl Mailer {
    /// A mailer with these settings; the first letter connects. It does not try again by itself:
    /// what was not taken is still stored.
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

    /// Whether there is somebody whom letters are from.
    #[must_use]
    pub fn sends(&self) -> bool {
        self.0.is_some()
    }

    /// Sends a letter. Returns once SES has taken it; without a sender that is at once.
    ///
    /// # Errors
    /// [`MailError`].
    pub async fn send(&self, to: &str, text: &Text) -> Result<(), MailError> {
        let Some(inner) = &self.0 else {
            return Ok(());
        };
        let wrong = |e: aws_sdk_sesv2::error::BuildError| MailError::Refused(e.to_string());
        let content = |text: &str| Content::builder().data(text).charset("UTF-8").build();
        let body = Body::builder()
            .text(content(&text.plain).map_err(wrong)?)
            .html(content(&text.html).map_err(wrong)?)
            .build();
        let message = Message::builder()
            .subject(content(&text.subject).map_err(wrong)?)
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
        // SES names each letter that it takes; an answer without a name is somebody else's.
        match sent.message_id() {
            Some(_) => Ok(()),
            None => Err(MailError::Unavailable("an answer without an id".to_owned())),
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
            #[expect(clippy::disallowed_methods, reason = "this is the one place")]
            Client::from_conf(config.build())
        })
    }
}

/// What SES says may hold the address, so only its code is told on.
fn classify<R>(error: SdkError<SendEmailError, R>) -> MailError {
    let SdkError::ServiceError(answer) = &error else {
        let kind = match error {
            SdkError::TimeoutError(_) => "no answer in time",
            SdkError::DispatchFailure(_) => "no connection",
            _ => "an answer that cannot be read",
        };
        return MailError::Unavailable(kind.to_owned());
    };
    let code = answer.err().code().unwrap_or("no code").to_owned();
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
