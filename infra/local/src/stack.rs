//! Starts and stops the parts of the local stack.

use crate::data_dir::{DataDir, Lock, random_key};
use crate::demo::{self, DemoError};
use crate::dynamodb::DynamoDb;
use crate::edge::{Distribution, DistributionSettings, Edge, EdgeError, FunctionOrigin};
use crate::mailbox::{Mailbox, WithMailbox};
use crate::server::Server;
use crate::ticker::Ticker;
use crate::{DataError, DynamoDbError, Options, TEMPLATE, Template, TemplateError};
use auth::{Keys, WeakKey};
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use cdn::{CloudFront, Invalidations};
use mail::{Mailer, Ses};
use std::io::{self, Write};
use std::sync::Arc;
use std::time::Duration;
use store::{Allowance, Store, StoreError, TableSettings};
use tokio::net::TcpListener;
use wrapper::{App, Config, Log, Revalidation, Runner};

/// The table's name, in every local DynamoDB.
pub(crate) const TABLE: &str = "edge-crm";

/// The sender of the local stack's emails.
const MAIL_FROM: &str = "Edge CRM <crm@localhost>";

/// How often the outbox and the queued emails are processed.
const OUTBOX_PERIOD: Duration = Duration::from_secs(1);

/// How often the search index is updated. Rarely, because many changes together cost less.
const INDEX_PERIOD: Duration = Duration::from_secs(10);

/// Why the local stack does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The port is in use or this user may not use it. Choose another.
    #[error("port {port} cannot be used: {source}; choose another with --port")]
    Port {
        /// The requested port.
        port: u16,
        /// The system's error.
        source: io::Error,
    },
    /// See [`DataError`].
    #[error(transparent)]
    Data(#[from] DataError),
    /// See [`DynamoDbError`].
    #[error(transparent)]
    DynamoDb(#[from] DynamoDbError),
    /// The table cannot be created. Check that DynamoDB runs at the endpoint. The message leaves out
    /// the source, which is long.
    #[error("the table cannot be created at {endpoint}: is DynamoDB running there?")]
    Table {
        /// The URL of the DynamoDB.
        endpoint: String,
        /// The store's error.
        source: StoreError,
    },
    /// The signing key is too short. Remove its file; then every user must sign in again.
    #[error("the signing key: {0}")]
    Key(#[from] WeakKey),
    /// See [`TemplateError`].
    #[error(transparent)]
    Template(#[from] TemplateError),
    /// The API of the edge or of the mailbox cannot listen on any port.
    #[error("the edge or the mailbox cannot listen: {0}")]
    Listen(io::Error),
    /// See [`EdgeError`].
    #[error(transparent)]
    Edge(#[from] EdgeError),
    /// See [`DemoError`].
    #[error("the demo organisation cannot be created: {0}")]
    Demo(#[from] DemoError),
}

/// The running local stack.
pub struct Stack {
    url: String,
    server: Server,
    tickers: [Ticker; 3],
    dynamodb: Option<DynamoDb>,
    _lock: Option<Lock>,
}

impl Stack {
    /// Starts the local stack. It accepts requests when this returns.
    ///
    /// # Errors
    /// [`StartError`]. Then nothing is left running.
    pub async fn start(options: &Options) -> Result<Self, StartError> {
        let port_error = |source| StartError::Port {
            port: options.port,
            source,
        };
        let listener = TcpListener::bind(("127.0.0.1", options.port))
            .await
            .map_err(port_error)?;
        let port = listener.local_addr().map_err(port_error)?.port();
        let storage = Storage::open(options).await?;
        let template = Template::parse(TEMPLATE)?;
        // The CloudFront function needs a key that is text, so all parts use the text.
        let key = BASE64_URL_SAFE_NO_PAD.encode(&storage.key);
        let keys = Keys::new(key.as_bytes(), None)?;
        let distribution = DistributionSettings::local(port, &key)?;
        let distribution = Distribution::start(distribution)
            .await
            .map_err(StartError::Listen)?;
        let invalidations = Invalidations::connect(CloudFront::local(distribution.endpoint()));
        let mailbox = Mailbox::start().await.map_err(StartError::Listen)?;
        let mailer = Mailer::connect(Ses::local(mailbox.endpoint(), MAIL_FROM));
        let app = |limits: Limits, log: Log| {
            let secret = distribution.settings().origin_secret().to_owned();
            let config = Config {
                origin_secrets: vec![secret],
                log,
                ..config(port, keys.clone(), limits)
            };
            let (store, invalidations) = (storage.store.clone(), invalidations.clone());
            App::with_mail(
                store,
                invalidations,
                mailer.clone(),
                config,
                functions::SITE,
            )
        };
        let edge =
            |app: &Arc<App>| Edge::new(&template, distribution.clone(), functions::runners(app));
        if options.demo {
            // These requests must not count against the rate limits.
            demo::seed(&edge(&app(Limits::NONE, |_| ()))?).await?;
        }
        let app = app(options.into(), LOG);
        let tick = |runner: Runner, period| Ticker::start(FunctionOrigin::from(runner), period);
        let product = WithMailbox {
            edge: edge(&app)?,
            mailbox,
        };
        Ok(Self {
            url: format!("http://127.0.0.1:{port}"),
            tickers: [
                tick(
                    Runner::new(Arc::clone(&app), functions::background::REVALIDATE),
                    OUTBOX_PERIOD,
                ),
                tick(
                    Runner::new(Arc::clone(&app), functions::background::DELIVER_MAIL),
                    OUTBOX_PERIOD,
                ),
                tick(
                    Runner::new(Arc::clone(&app), functions::background::INDEX_SEARCH),
                    INDEX_PERIOD,
                ),
            ],
            server: Server::start(listener, product),
            dynamodb: storage.dynamodb,
            _lock: storage.lock,
        })
    }

    /// The URL of the product.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Stops accepting requests, finishes the running ones, and closes the database.
    pub async fn stop(self) {
        self.server.stop().await;
        for ticker in self.tickers {
            ticker.stop().await;
        }
        if let Some(dynamodb) = self.dynamodb {
            dynamodb.stop().await;
        }
    }
}

/// The database and the signing key, in the data directory or in memory.
struct Storage {
    store: Store,
    key: Vec<u8>,
    dynamodb: Option<DynamoDb>,
    lock: Option<Lock>,
}

impl Storage {
    async fn open(options: &Options) -> Result<Self, StartError> {
        let data = match options.memory {
            true => None,
            false => Some(DataDir::open(&options.data)?),
        };
        let lock = match (&data, &options.dynamodb_url) {
            (Some(data), None) => Some(data.lock()?),
            _ => None,
        };
        let key = match &data {
            Some(data) => data.signing_key()?,
            None => random_key()?,
        };
        let (settings, dynamodb) = match &options.dynamodb_url {
            Some(url) => (TableSettings::local(url, TABLE), None),
            None => {
                let file = data.map(|data| data.database()).transpose()?;
                let dynamodb = DynamoDb::start(file.as_deref())?;
                (dynamodb.table(TABLE), Some(dynamodb))
            }
        };
        let endpoint = settings.endpoint.clone().unwrap_or_default();
        let failed = |source| StartError::Table { endpoint, source };
        let store = Store::connect(settings);
        store.create_table_if_missing().await.map_err(failed)?;
        Ok(Self {
            store,
            key,
            dynamodb,
            lock,
        })
    }
}

/// The rate limits, in requests per 60 seconds; 0 means no limit.
pub(crate) struct Limits {
    per_user: u64,
    per_ip: u64,
    quiet_time: Duration,
    allowance: Allowance,
}

impl Limits {
    /// No rate limits, and nothing is cached.
    pub(crate) const NONE: Self = Self {
        per_user: 0,
        per_ip: 0,
        quiet_time: Config::QUIET_TIME,
        allowance: Allowance { a_month: 0 },
    };
}

impl From<&Options> for Limits {
    fn from(options: &Options) -> Self {
        Self {
            per_user: options.rate_limit_per_user,
            per_ip: options.rate_limit_per_ip,
            quiet_time: Duration::from_secs(options.quiet_time),
            allowance: Allowance {
                a_month: options.purge_budget,
            },
        }
    }
}

/// Longer than on AWS, so that refused requests are counted however busy the machine is.
const BEST_EFFORT_TIMEOUT: Duration = Duration::from_secs(10);

/// The configuration of the functions of a local stack at `port`.
pub(crate) fn config(port: u16, keys: Keys, limits: Limits) -> Config {
    Config {
        https: false,
        allowed_origins: ["127.0.0.1", "localhost"]
            .map(|host| format!("http://{host}:{port}"))
            .to_vec(),
        origin_secrets: Vec::new(),
        keys,
        rate_limit_per_user: limits.per_user,
        rate_limit_per_ip: limits.per_ip,
        body_limit: Config::BODY_LIMIT,
        revalidation: Revalidation::Inline,
        inline_purge_timeout: Config::INLINE_PURGE_TIMEOUT,
        quiet_time: limits.quiet_time,
        allowance: limits.allowance,
        best_effort_timeout: BEST_EFFORT_TIMEOUT,
        log: LOG,
    }
}

/// Writes each line with one call, because standard error has no buffer.
const LOG: Log = |line| {
    let _unwritable = io::stderr().write_all(format!("{line}\n").as_bytes());
};
