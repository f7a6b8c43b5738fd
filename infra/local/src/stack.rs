//! The parts of the local stack, put together.

use crate::data_dir::{DataDir, Lock, random_key};
use crate::demo::{self, DemoError};
use crate::edge::{Distribution, DistributionSettings, Edge, EdgeError, Origin};
use crate::engine::Engine;
use crate::mailbox::{Mailbox, WithMailbox};
use crate::server::Server;
use crate::ticker::Ticker;
use crate::{DataError, EngineError, Options, TEMPLATE, Template, TemplateError};
use auth::{Keys, WeakKey};
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use cdn::{CloudFront, Invalidations};
use mail::{Mailer, Ses};
use std::io::{self, Write};
use std::sync::Arc;
use std::time::Duration;
use store::{Store, StoreError, TableSettings};
use tokio::net::TcpListener;
use wrapper::{App, Config, Log, Revalidation, Runner};

/// The table's name, on every engine.
pub(crate) const TABLE: &str = "edge-crm";

/// Whom the letters of the local stack are from.
const MAIL_FROM: &str = "Edge CRM <crm@localhost>";

/// How often the outbox and the mail are looked at.
const SWEEP: Duration = Duration::from_secs(1);

/// How often the search index is brought up to date: seldom, since many changes at once cost less.
const INDEXING: Duration = Duration::from_secs(10);

/// Why the local stack does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The port is taken, or not for this user: choose another.
    #[error("port {port} cannot be used: {source}; choose another with --port")]
    Port {
        /// The port asked for.
        port: u16,
        /// What the system says.
        source: io::Error,
    },
    /// See [`DataError`].
    #[error(transparent)]
    Data(#[from] DataError),
    /// See [`EngineError`].
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// The table cannot be made: see whether the engine is there. What the store says is long.
    #[error("the table cannot be made at {endpoint}: is DynamoDB there?")]
    Table {
        /// Where the engine should be.
        endpoint: String,
        /// What the store says.
        source: StoreError,
    },
    /// The signing key is too short: remove its file, and everybody signs in again.
    #[error("the signing key: {0}")]
    Key(#[from] WeakKey),
    /// See [`TemplateError`].
    #[error(transparent)]
    Template(#[from] TemplateError),
    /// The edge's API, or the mailbox's, has no port to listen at.
    #[error("the edge or the mailbox cannot listen: {0}")]
    Listen(io::Error),
    /// See [`EdgeError`].
    #[error(transparent)]
    Edge(#[from] EdgeError),
    /// See [`DemoError`].
    #[error("the demo organisation cannot be made: {0}")]
    Demo(#[from] DemoError),
}

/// The running local stack.
pub struct Stack {
    url: String,
    server: Server,
    tickers: [Ticker; 3],
    engine: Option<Engine>,
    _lock: Option<Lock>,
}

impl Stack {
    /// Starts everything that `options` ask for; it takes requests when this returns.
    ///
    /// # Errors
    /// [`StartError`], and then nothing is left running.
    pub async fn start(options: &Options) -> Result<Self, StartError> {
        let unusable = |source| StartError::Port {
            port: options.port,
            source,
        };
        let listener = TcpListener::bind(("127.0.0.1", options.port))
            .await
            .map_err(unusable)?;
        let port = listener.local_addr().map_err(unusable)?.port();
        let storage = Storage::open(options).await?;
        let template = Template::parse(TEMPLATE)?;
        // The CloudFront function takes a key that is text, so everybody does.
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
            let secret = distribution.settings().origin_secret.clone();
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
            // Its requests are not a user's, and must not use up a user's allowance.
            demo::seed(&edge(&app(Limits::NONE, |_| ()))?).await?;
        }
        let app = app(options.into(), LOG);
        let tick = |runner: Runner, period| Ticker::start(Origin::from(runner), period);
        let product = WithMailbox {
            edge: edge(&app)?,
            mailbox,
        };
        Ok(Self {
            url: format!("http://127.0.0.1:{port}"),
            tickers: [
                tick(
                    Runner::new(Arc::clone(&app), functions::background::REVALIDATE),
                    SWEEP,
                ),
                tick(
                    Runner::new(Arc::clone(&app), functions::background::DELIVER_MAIL),
                    SWEEP,
                ),
                tick(
                    Runner::new(Arc::clone(&app), functions::background::INDEX_SEARCH),
                    INDEXING,
                ),
            ],
            server: Server::start(listener, product),
            engine: storage.engine,
            _lock: storage.lock,
        })
    }

    /// Where it listens.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Takes no more requests, finishes those that run, and closes the database.
    pub async fn stop(self) {
        self.server.stop().await;
        for ticker in self.tickers {
            ticker.stop().await;
        }
        if let Some(engine) = self.engine {
            engine.stop().await;
        }
    }
}

/// What a run keeps, or not.
struct Storage {
    store: Store,
    key: Vec<u8>,
    engine: Option<Engine>,
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
        let engine = match options.dynamodb_url {
            Some(_) => None,
            None => Some(Engine::start(data.map(|data| data.database()).as_deref()).await?),
        };
        let endpoint = match (&options.dynamodb_url, &engine) {
            (None, Some(engine)) => engine.endpoint(),
            (url, _) => url.as_deref().unwrap_or_default(),
        };
        let store = Store::connect(TableSettings::local(endpoint, TABLE));
        let failed = |source| StartError::Table {
            endpoint: endpoint.to_owned(),
            source,
        };
        store.create_table_if_missing().await.map_err(failed)?;
        Ok(Self {
            store,
            key,
            engine,
            lock,
        })
    }
}

/// Requests per 60 seconds; 0 for no limit.
pub(crate) struct Limits {
    per_user: u64,
    per_ip: u64,
}

impl Limits {
    pub(crate) const NONE: Self = Self {
        per_user: 0,
        per_ip: 0,
    };
}

impl From<&Options> for Limits {
    fn from(options: &Options) -> Self {
        Self {
            per_user: options.rate_limit_per_user,
            per_ip: options.rate_limit_per_ip,
        }
    }
}

/// How the functions are set up for the local stack at `port`.
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
        log: LOG,
    }
}

/// One write a line: standard error has no buffer.
const LOG: Log = |line| {
    let _nobody_reads = io::stderr().write_all(format!("{line}\n").as_bytes());
};
