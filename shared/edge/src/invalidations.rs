//! Invalidations: the call that makes CloudFront forget what it has cached under some tags.
//!
//! Source: [Invalidating content by cache tags](https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/Invalidation.html),
//! [`CreateInvalidation`](https://docs.aws.amazon.com/cloudfront/latest/APIReference/API_CreateInvalidation.html).

use aws_sdk_cloudfront::config::retry::RetryConfig;
use aws_sdk_cloudfront::config::timeout::TimeoutConfig;
use aws_sdk_cloudfront::config::{BehaviorVersion, Credentials, Region};
use aws_sdk_cloudfront::error::{DisplayErrorContext, ProvideErrorMetadata, SdkError};
use aws_sdk_cloudfront::types::{InvalidationBatch, Paths};
use aws_sdk_cloudfront::{Client, Config};
use aws_smithy_http_client::Builder;
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};
use sha2::{Digest, Sha256};
use std::collections::BTreeSet;
use std::time::Duration;

/// How to reach CloudFront.
#[derive(Debug, Clone)]
pub struct CloudFront {
    /// The endpoint's URL, where it is not AWS's own.
    pub endpoint: Option<String>,
    /// Who signs the requests.
    pub credentials: Credentials,
}

impl CloudFront {
    /// The settings of a function on Lambda: the credentials that Lambda puts into the
    /// environment, and optionally `CLOUDFRONT_URL`.
    ///
    /// # Errors
    /// The name of a variable that is missing.
    pub fn from_env() -> Result<Self, String> {
        let required = |name: &str| std::env::var(name).map_err(|_| format!("{name} is not set"));
        Ok(Self {
            endpoint: std::env::var("CLOUDFRONT_URL").ok(),
            credentials: Credentials::new(
                required("AWS_ACCESS_KEY_ID")?,
                required("AWS_SECRET_ACCESS_KEY")?,
                std::env::var("AWS_SESSION_TOKEN").ok(),
                None,
                "environment",
            ),
        })
    }

    /// The settings of an edge on this machine, which accepts any credentials.
    #[must_use]
    pub fn local(endpoint: &str) -> Self {
        Self {
            endpoint: Some(endpoint.to_owned()),
            credentials: Credentials::new("local", "local", None, None, "local"),
        }
    }
}

/// Why CloudFront did not accept an invalidation. The text is for the log.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidationError {
    /// Too many are in progress: wait until some have completed.
    #[error("too many invalidations are in progress")]
    InProgress,
    /// Too many calls: call again later, and less often.
    #[error("too many calls to CloudFront")]
    Throttled,
    /// It could not be reached, or did not answer: it may have accepted.
    #[error("CloudFront unavailable: {0}")]
    Unavailable(String),
    /// The request, or the permission to make it, is wrong: a bug, or a setting.
    #[error("CloudFront refused: {0}")]
    Refused(String),
}

/// Makes invalidations. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Invalidations {
    client: Client,
}

impl Invalidations {
    /// A client with these settings; the first call connects. It does not try again by itself:
    /// what was not accepted stays in the outbox.
    #[must_use]
    pub fn connect(settings: CloudFront) -> Self {
        let plain = settings
            .endpoint
            .as_deref()
            .is_some_and(|url| url.starts_with("http://"));
        let http = if plain {
            Builder::new().build_http()
        } else {
            Builder::new()
                .tls_provider(Provider::Rustls(CryptoMode::Ring))
                .build_https()
        };
        let timeouts = TimeoutConfig::builder()
            .connect_timeout(Duration::from_secs(2))
            .operation_timeout(Duration::from_secs(5))
            .build();
        // CloudFront is global; its API is in this region.
        let mut config = Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::from_static("us-east-1"))
            .credentials_provider(settings.credentials)
            .http_client(http)
            .retry_config(RetryConfig::disabled())
            .timeout_config(timeouts);
        config.set_endpoint_url(settings.endpoint);
        #[expect(clippy::disallowed_methods, reason = "this is the one place")]
        let client = Client::from_conf(config.build());
        Self { client }
    }

    /// Has `distribution` forget everything that carries one of `tags`. Returns once CloudFront
    /// has accepted it; it takes effect within seconds after.
    ///
    /// `cause` names what it is made for: the outbox records, and the renders that they are about.
    /// The same cause and tags again are the same invalidation, which CloudFront does not make, or
    /// bill, twice. Another cause makes another one, though the tags be the same: what was cached
    /// between the two must go too.
    ///
    /// # Errors
    /// [`InvalidationError`].
    pub async fn invalidate(
        &self,
        distribution: &str,
        tags: &BTreeSet<String>,
        cause: &BTreeSet<String>,
    ) -> Result<(), InvalidationError> {
        let refused = |e: aws_sdk_cloudfront::error::BuildError| {
            InvalidationError::Refused(format!("the batch cannot be built: {e}"))
        };
        let paths = Paths::builder()
            .quantity(i32::try_from(tags.len()).unwrap_or(i32::MAX))
            .set_items(Some(tags.iter().map(|tag| format!("#{tag}")).collect()))
            .build()
            .map_err(refused)?;
        let batch = InvalidationBatch::builder()
            .paths(paths)
            .caller_reference(reference(tags, cause))
            .build()
            .map_err(refused)?;
        self.client
            .create_invalidation()
            .distribution_id(distribution)
            .invalidation_batch(batch)
            .send()
            .await
            .map(|_| ())
            .map_err(classify)
    }
}

/// The SHA-256 of the cause and the tags, in hexadecimal.
fn reference(tags: &BTreeSet<String>, cause: &BTreeSet<String>) -> String {
    let mut hash = Sha256::new();
    for part in cause.iter().chain(tags) {
        hash.update(part.as_bytes());
        hash.update(b"\n");
    }
    hash.finalize().iter().map(|b| format!("{b:02x}")).collect()
}

fn classify<E, R>(error: SdkError<E, R>) -> InvalidationError
where
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
    R: std::fmt::Debug + Send + Sync + 'static,
{
    let text = DisplayErrorContext(&error).to_string();
    let SdkError::ServiceError(answer) = &error else {
        return InvalidationError::Unavailable(text);
    };
    match answer.err().code() {
        Some("TooManyInvalidationsInProgress") => InvalidationError::InProgress,
        Some("Throttling" | "ThrottlingException" | "TooManyRequests") => {
            InvalidationError::Throttled
        }
        Some(
            "AccessDenied"
            | "BatchTooLarge"
            | "InconsistentQuantities"
            | "InvalidArgument"
            | "InvalidationBatchAlreadyExists"
            | "MissingBody"
            | "NoSuchDistribution",
        ) => InvalidationError::Refused(text),
        _ => InvalidationError::Unavailable(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(items: &[&str]) -> BTreeSet<String> {
        items.iter().map(|item| (*item).to_owned()).collect()
    }

    #[test]
    fn another_cause_makes_another_invalidation_of_the_same_tags() {
        let tags = set(&["acme:contacts"]);
        assert_eq!(
            reference(&tags, &set(&["1"])),
            reference(&tags, &set(&["1"]))
        );
        assert_ne!(
            reference(&tags, &set(&["1"])),
            reference(&tags, &set(&["2"]))
        );
        assert_ne!(
            reference(&tags, &set(&["1"])),
            reference(&set(&["acme:members"]), &set(&["1"]))
        );
    }
}
