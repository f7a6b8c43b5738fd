//! Invalidations: the call that makes CloudFront forget what it has cached under some tags.
//!
//! Source: [Invalidating content by cache tags](https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/Invalidation.html),
//! [`CreateInvalidation`](https://docs.aws.amazon.com/cloudfront/latest/APIReference/API_CreateInvalidation.html).

use aws::{Access, Connections};
use aws_sdk_cloudfront::config::retry::RetryConfig;
use aws_sdk_cloudfront::config::timeout::TimeoutConfig;
use aws_sdk_cloudfront::config::{BehaviorVersion, Region};
use aws_sdk_cloudfront::error::{DisplayErrorContext, ProvideErrorMetadata, SdkError};
use aws_sdk_cloudfront::types::{InvalidationBatch, Paths};
use aws_sdk_cloudfront::{Client, Config};
use aws_smithy_runtime_api::client::http::HttpConnector;
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use http_body_util::BodyExt;
use sha2::{Digest, Sha256};
use std::collections::BTreeSet;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

/// How to reach CloudFront.
#[derive(Debug, Clone)]
pub struct CloudFront {
    /// The endpoint's URL, where it is not AWS's own.
    pub endpoint: Option<String>,
    /// Who calls it.
    pub access: Access,
}

impl CloudFront {
    /// The settings of a function on Lambda: optionally `CLOUDFRONT_URL`.
    ///
    /// # Errors
    /// The name of a variable that is wrong.
    pub fn from_env(access: Access) -> Result<Self, String> {
        Ok(Self {
            endpoint: aws::endpoint("CLOUDFRONT_URL")?,
            access,
        })
    }

    /// The settings of an edge on this machine, which accepts any credentials.
    #[must_use]
    pub fn local(endpoint: &str) -> Self {
        Self {
            endpoint: Some(endpoint.to_owned()),
            access: Access::local(),
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

/// Where CloudFront's API is.
/// Source: [endpoints](https://docs.aws.amazon.com/general/latest/gr/cf_region.html).
const ENDPOINT: &str = "https://cloudfront.amazonaws.com";

/// Makes invalidations. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Invalidations(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    settings: CloudFront,
    connections: OnceLock<Connections>,
    /// Made by whoever purges first: a function that never does is built without it.
    client: OnceLock<Client>,
}

impl Invalidations {
    /// Invalidations with these settings; the first call connects. It does not try again by
    /// itself: what was not accepted stays in the outbox.
    #[must_use]
    pub fn connect(settings: CloudFront) -> Self {
        Self(Arc::new(Inner {
            settings,
            connections: OnceLock::new(),
            client: OnceLock::new(),
        }))
    }

    fn connections(&self) -> &Connections {
        let connect = || self.0.settings.access.connect(Duration::from_secs(2));
        self.0.connections.get_or_init(connect)
    }

    fn client(&self) -> &Client {
        self.0.client.get_or_init(|| {
            let timeouts = TimeoutConfig::builder()
                .operation_timeout(Duration::from_secs(5))
                .build();
            // CloudFront is global; its API is in this region.
            let mut config = Config::builder()
                .behavior_version(BehaviorVersion::latest())
                .region(Region::from_static("us-east-1"))
                .credentials_provider(self.0.settings.access.credentials())
                .http_client(self.connections().client())
                .retry_config(RetryConfig::disabled())
                .timeout_config(timeouts);
            config.set_endpoint_url(self.0.settings.endpoint.clone());
            #[expect(clippy::disallowed_methods, reason = "this is the one place")]
            Client::from_conf(config.build())
        })
    }

    /// Asks CloudFront for what it refuses, so that a connection is there when a purge needs one.
    /// Whether it succeeds does not matter.
    pub async fn warm(&self) {
        let endpoint = self.0.settings.endpoint.as_deref().unwrap_or(ENDPOINT);
        let url = format!("{}/2020-05-31/distribution", endpoint.trim_end_matches('/'));
        let Ok(request) = HttpRequest::get(url) else {
            return;
        };
        if let Ok(answer) = self.connections().call(request).await {
            // Only a connection whose answer was read to its end serves another request.
            let _the_next_call_will_tell = answer.into_body().collect().await;
        }
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
        let answer = self
            .client()
            .create_invalidation()
            .distribution_id(distribution)
            .invalidation_batch(batch)
            .send()
            .await
            .map_err(classify)?;
        // A 200 of anybody in between is read as an answer that says nothing.
        match answer.invalidation() {
            Some(made) if !made.id().is_empty() => Ok(()),
            _ => Err(InvalidationError::Unavailable(
                "an answer without an invalidation".to_owned(),
            )),
        }
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
