//! The connection to one table.

use aws_sdk_dynamodb::config::retry::RetryConfig;
use aws_sdk_dynamodb::config::timeout::TimeoutConfig;
use aws_sdk_dynamodb::config::{BehaviorVersion, Credentials, Region};
use aws_sdk_dynamodb::{Client, Config};
use aws_smithy_http_client::Builder;
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};
use std::time::Duration;

/// Where the table is and how to reach it.
#[derive(Clone)]
pub struct Settings {
    /// The table's name.
    pub table: String,
    /// The region; `us-east-1` where none is given.
    pub region: Option<String>,
    /// The endpoint's URL, where it is not AWS's own.
    pub endpoint: Option<String>,
    /// Who signs the requests.
    pub credentials: Credentials,
}

impl Settings {
    /// The settings of a function on Lambda: `TABLE_NAME`, the credentials that Lambda puts into
    /// the [environment](https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html),
    /// and optionally `DYNAMODB_URL`.
    ///
    /// # Errors
    /// The name of a variable that is missing.
    pub fn from_env() -> Result<Self, String> {
        let required = |name: &str| std::env::var(name).map_err(|_| format!("{name} is not set"));
        Ok(Self {
            table: required("TABLE_NAME")?,
            region: std::env::var("AWS_REGION").ok(),
            endpoint: std::env::var("DYNAMODB_URL").ok(),
            credentials: Credentials::new(
                required("AWS_ACCESS_KEY_ID")?,
                required("AWS_SECRET_ACCESS_KEY")?,
                std::env::var("AWS_SESSION_TOKEN").ok(),
                None,
                "environment",
            ),
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
            credentials: Credentials::new("local", "local", None, None, "local"),
        }
    }
}

/// One table. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Store {
    pub(crate) client: Client,
    pub(crate) table: String,
}

impl Store {
    /// A store that speaks to the table of `settings`; the first call connects.
    #[must_use]
    pub fn connect(settings: Settings) -> Self {
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
        // Three operations in a row, each at its longest, must end before the function's own
        // timeout (15 s in the template).
        let timeouts = TimeoutConfig::builder()
            .connect_timeout(Duration::from_secs(1))
            .operation_attempt_timeout(Duration::from_secs(2))
            .operation_timeout(Duration::from_secs(4))
            .build();
        let mut config = Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new(
                settings.region.unwrap_or_else(|| "us-east-1".to_owned()),
            ))
            .credentials_provider(settings.credentials)
            .http_client(http)
            .retry_config(RetryConfig::standard().with_max_attempts(3))
            .timeout_config(timeouts);
        config.set_endpoint_url(settings.endpoint);
        #[expect(clippy::disallowed_methods, reason = "this is the one place")]
        let client = Client::from_conf(config.build());
        Self {
            client,
            table: settings.table,
        }
    }
}
