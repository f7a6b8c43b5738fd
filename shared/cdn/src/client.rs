//! Invalidations: the calls that make CloudFront drop everything cached under some tags.
//!
//! Source: [Invalidating content by cache tags](https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/Invalidation.html),
//! [`CreateInvalidation`](https://docs.aws.amazon.com/cloudfront/latest/APIReference/API_CreateInvalidation.html).

use aws::{Access, Connections, EnvironmentError};
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
    /// The endpoint's URL; AWS's own if `None`.
    pub endpoint: Option<String>,
    /// The credentials and trusted certificates.
    pub access: Access,
}

impl CloudFront {
    /// The settings of a function on Lambda, from the optional variable `CLOUDFRONT_URL`.
    ///
    /// # Errors
    /// [`EnvironmentError`] if `CLOUDFRONT_URL` is not a URL.
    pub fn from_env(access: Access) -> Result<Self, EnvironmentError> {
        Ok(Self {
            endpoint: aws::endpoint("CLOUDFRONT_URL")?,
            access,
        })
    }

    /// The settings for an edge on this machine, which accepts any credentials.
    #[must_use]
    pub fn local(endpoint: &str) -> Self {
        Self {
            endpoint: Some(endpoint.to_owned()),
            access: Access::local(),
        }
    }
}

/// CloudFront did not accept an invalidation. The text is for the log.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidationError {
    /// Too many invalidations are in progress: wait until some have completed.
    #[error("too many invalidations are in progress")]
    InProgress,
    /// Too many calls: retry later, and call less often.
    #[error("too many calls to CloudFront")]
    Throttled,
    /// CloudFront could not be reached or did not respond. It may have accepted the invalidation.
    #[error("CloudFront unavailable: {0}")]
    Unavailable(String),
    /// The request or the permission for it is wrong: a bug, or a wrong setting.
    #[error("CloudFront refused: {0}")]
    Refused(String),
}

/// The endpoint of CloudFront's API.
/// Source: [endpoints](https://docs.aws.amazon.com/general/latest/gr/cf_region.html).
const ENDPOINT: &str = "https://cloudfront.amazonaws.com";

/// Creates invalidations. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Invalidations(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    settings: CloudFront,
    connections: OnceLock<Connections>,
    /// Created by the first purge, so functions that never purge do not link it.
    client: OnceLock<Client>,
}

impl Invalidations {
    /// A client with these settings. The first call connects. Failed calls are not retried here:
    /// their records stay in the outbox.
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
            // CloudFront is a global service whose API is in this region.
            let mut config = Config::builder()
                .behavior_version(BehaviorVersion::latest())
                .region(Region::from_static("us-east-1"))
                .credentials_provider(self.0.settings.access.credentials())
                .http_client(self.connections().client())
                .retry_config(RetryConfig::disabled())
                .timeout_config(timeouts);
            config.set_endpoint_url(self.0.settings.endpoint.clone());
            #[expect(clippy::disallowed_methods, reason = "the only CloudFront client")]
            Client::from_conf(config.build())
        })
    }

    /// Opens a connection ahead of the first purge, by a request that CloudFront refuses. Its result
    /// does not matter.
    pub async fn warm(&self) {
        let endpoint = self.0.settings.endpoint.as_deref().unwrap_or(ENDPOINT);
        let url = format!("{}/2020-05-31/distribution", endpoint.trim_end_matches('/'));
        let Ok(request) = HttpRequest::get(url) else {
            return;
        };
        if let Ok(response) = self.connections().call(request).await {
            // A connection is reused only after its response has been read to the end.
            let _ignored = response.into_body().collect().await;
        }
    }

    /// Makes `distribution` drop every response that carries one of `tags`. Returns once CloudFront
    /// has accepted the invalidation, which takes effect within seconds.
    ///
    /// `cause` names the outbox records and renders that the invalidation is for. A call with the
    /// same cause and tags is the same invalidation: CloudFront neither runs nor bills it twice. A
    /// call with another cause is a new invalidation even if the tags are the same, because it must
    /// also drop what was cached after the first one.
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
        let response = self
            .client()
            .create_invalidation()
            .distribution_id(distribution)
            .invalidation_batch(batch)
            .send()
            .await
            .map_err(classify)?;
        // A proxy's own 200 parses as an empty response, so only an invalidation's id counts.
        match response.invalidation() {
            Some(created) if !created.id().is_empty() => Ok(()),
            _ => Err(InvalidationError::Unavailable(
                "a response without an invalidation".to_owned(),
            )),
        }
    }
}

/// The caller reference: the SHA-256 of the cause and the tags, in hexadecimal.
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
    let service = match &error {
        SdkError::ServiceError(service) => service,
        // The request could not be built: a bug that no retry mends.
        SdkError::ConstructionFailure(_) => return InvalidationError::Refused(text),
        _ => return InvalidationError::Unavailable(text),
    };
    match service.err().code() {
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
    use aws_sdk_cloudfront::operation::create_invalidation::CreateInvalidationError;

    fn set(items: &[&str]) -> BTreeSet<String> {
        items.iter().map(|item| (*item).to_owned()).collect()
    }

    #[test]
    fn a_request_that_cannot_be_built_is_a_bug_and_not_an_outage() {
        type Failure = SdkError<CreateInvalidationError, ()>;
        let bug = classify(Failure::construction_failure("no distribution"));
        assert!(matches!(bug, InvalidationError::Refused(_)), "{bug}");
        let outage = classify(Failure::timeout_error("5 s"));
        assert!(
            matches!(outage, InvalidationError::Unavailable(_)),
            "{outage}"
        );
    }

    #[test]
    fn the_reference_depends_on_the_cause_and_the_tags() {
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
