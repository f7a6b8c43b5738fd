//! The connection to one table.

use crate::search::Shape;
use action::Key;
use aws::Access;
use aws_sdk_dynamodb::config::retry::RetryConfig;
use aws_sdk_dynamodb::config::timeout::TimeoutConfig;
use aws_sdk_dynamodb::config::{
    BehaviorVersion, IdentityCache, Region, StalledStreamProtectionConfig,
};
use aws_sdk_dynamodb::{Client, Config};
use std::time::Duration;

/// Where the table is and how to reach it.
#[derive(Clone)]
pub struct TableSettings {
    /// The table's name.
    pub table: String,
    /// The region; `us-east-1` where none is given.
    pub region: Option<String>,
    /// The endpoint's URL, where it is not AWS's own.
    pub endpoint: Option<String>,
    /// Who calls it.
    pub access: Access,
    /// How long its answers are waited for.
    pub patience: Patience,
}

/// How long a call may take before it is given up.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    /// Making a connection, TLS included.
    pub connect: Duration,
    /// One attempt at an operation.
    pub attempt: Duration,
    /// An operation, with all its attempts.
    pub operation: Duration,
    /// The longest wait before the second attempt, where it is not the SDK's own.
    pub wait: Option<Duration>,
}

impl Default for Patience {
    /// Three operations in a row, each at its longest, must end before the function's own timeout
    /// (15 s in the template).
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
    /// The settings of a function on Lambda: `TABLE_NAME`, `AWS_REGION`, and optionally
    /// `DYNAMODB_URL`.
    ///
    /// # Errors
    /// The name of a variable that is missing or wrong.
    pub fn from_env(access: Access) -> Result<Self, String> {
        Ok(Self {
            table: aws::required("TABLE_NAME")?,
            region: aws::variable("AWS_REGION"),
            endpoint: aws::endpoint("DYNAMODB_URL")?,
            access,
            patience: Patience::default(),
        })
    }

    /// The settings of a DynamoDB-compatible engine on this machine, which accepts any
    /// credentials.
    #[must_use]
    pub fn local(endpoint: &str, table: &str) -> Self {
        Self {
            table: table.to_owned(),
            region: None,
            endpoint: Some(endpoint.to_owned()),
            access: Access::local(),
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
    /// A store that speaks to the table of `settings`; the first call connects.
    #[must_use]
    pub fn connect(settings: TableSettings) -> Self {
        let patience = settings.patience;
        let connections = settings.access.connect(patience.connect);
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
            .http_client(connections.client())
            .retry_config(retries)
            .timeout_config(timeouts)
            // The credentials are a value, and the timeouts end what stalls: neither needs
            // machinery that runs on each call.
            .identity_cache(IdentityCache::no_cache())
            .stalled_stream_protection(StalledStreamProtectionConfig::disabled());
        config.set_endpoint_url(settings.endpoint);
        #[expect(clippy::disallowed_methods, reason = "this is the one place")]
        let client = Client::from_conf(config.build());
        Self {
            client,
            table: settings.table,
            shape: Shape::DEFAULT,
        }
    }

    /// The same store with search indexes of another shape, for a test that has not thousands of
    /// entities. Whoever indexes or searches a table must use the same.
    #[must_use]
    pub fn with_search_shape(self, shape: Shape) -> Self {
        Self { shape, ..self }
    }

    /// Asks the table for nothing: once that is answered there is a connection, and what a first
    /// call costs besides has been paid. Whether it succeeds does not matter.
    pub async fn warm(&self) {
        // The operation that a request begins with: a function is built with no other for this.
        let nothing = Key::from_parts("#warm".to_owned(), "#warm".to_owned());
        let _the_next_call_will_tell = self.items([nothing]).await;
    }
}
