//! The connection to one table.

use crate::search::Shape;
use action::Key;
use aws::{Access, EnvironmentError};
use aws_sdk_dynamodb::config::retry::RetryConfig;
use aws_sdk_dynamodb::config::timeout::TimeoutConfig;
use aws_sdk_dynamodb::config::{
    BehaviorVersion, IdentityCache, Region, SharedHttpClient, StalledStreamProtectionConfig,
};
use aws_sdk_dynamodb::{Client, Config};
use std::time::Duration;

/// The table, and how to reach it.
#[derive(Clone)]
pub struct TableSettings {
    /// The table's name.
    pub table: String,
    /// The region; `us-east-1` if `None`.
    pub region: Option<String>,
    /// The endpoint's URL; AWS's own if `None`.
    pub endpoint: Option<String>,
    /// The credentials and trusted certificates.
    pub access: Access,
    /// The HTTP client that takes the calls, such as one for an engine in this process; a new pool of
    /// connections if `None`.
    pub http_client: Option<SharedHttpClient>,
    /// The time limits of its calls.
    pub patience: Patience,
}

/// The time limits of a call.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    /// For making a connection, including TLS.
    pub connect: Duration,
    /// For one attempt at an operation.
    pub attempt: Duration,
    /// For an operation with all its attempts.
    pub operation: Duration,
    /// The longest delay before the second attempt; the SDK's default if `None`.
    pub wait: Option<Duration>,
}

impl Default for Patience {
    /// Limits under which three operations in a row end before the function's own timeout (15 s in
    /// the template).
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(1),
            attempt: Duration::from_secs(2),
            operation: Duration::from_secs(4),
            wait: None,
        }
    }
}

impl TableSettings {
    /// The settings of a function on Lambda, from `TABLE_NAME` and the optional variables
    /// `AWS_REGION` and `DYNAMODB_URL`.
    ///
    /// # Errors
    /// [`EnvironmentError`] if a variable is missing or wrong.
    pub fn from_env(access: Access) -> Result<Self, EnvironmentError> {
        Ok(Self {
            table: aws::required("TABLE_NAME")?,
            region: aws::variable("AWS_REGION"),
            endpoint: aws::endpoint("DYNAMODB_URL")?,
            access,
            http_client: None,
            patience: Patience::default(),
        })
    }

    /// The settings for a DynamoDB-compatible engine on this machine, which accepts any
    /// credentials.
    #[must_use]
    pub fn local(endpoint: &str, table: &str) -> Self {
        Self {
            table: table.to_owned(),
            region: None,
            endpoint: Some(endpoint.to_owned()),
            access: Access::local(),
            http_client: None,
            patience: Patience::default(),
        }
    }
}

/// One table. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Store {
    pub(crate) client: Client,
    pub(crate) table: String,
    pub(crate) shape: Shape,
}

impl Store {
    /// A store over the table in `settings`. The first call connects.
    #[must_use]
    pub fn connect(settings: TableSettings) -> Self {
        let patience = settings.patience;
        let http_client = settings
            .http_client
            .unwrap_or_else(|| settings.access.connect(patience.connect).client());
        let timeouts = TimeoutConfig::builder()
            .operation_attempt_timeout(patience.attempt)
            .operation_timeout(patience.operation)
            .build();
        let mut retries = RetryConfig::standard().with_max_attempts(3);
        if let Some(wait) = patience.wait {
            retries = retries.with_initial_backoff(wait);
        }
        let mut config = Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new(
                settings.region.unwrap_or_else(|| "us-east-1".to_owned()),
            ))
            .credentials_provider(settings.access.credentials())
            .http_client(http_client)
            .retry_config(retries)
            .timeout_config(timeouts)
            // The credentials never change and the timeouts end stalled calls, so the SDK's
            // machinery for both would only slow down each call.
            .identity_cache(IdentityCache::no_cache())
            .stalled_stream_protection(StalledStreamProtectionConfig::disabled());
        config.set_endpoint_url(settings.endpoint);
        #[expect(clippy::disallowed_methods, reason = "the only DynamoDB client")]
        let client = Client::from_conf(config.build());
        Self {
            client,
            table: settings.table,
            shape: Shape::DEFAULT,
        }
    }

    /// The same store with search indexes of another shape, for tests without thousands of
    /// entities. All stores that index or search a table must use the same shape.
    #[must_use]
    pub fn with_search_shape(self, shape: Shape) -> Self {
        Self { shape, ..self }
    }

    /// Makes the first call ahead of the first request, so that the request finds an open connection.
    /// Its result does not matter.
    pub async fn warm(&self) {
        // Requests begin with the same operation, so this adds no code to the binary.
        let absent = Key::from_parts("#warm".to_owned(), "#warm".to_owned());
        let _ignored = self.items([absent]).await;
    }
}
