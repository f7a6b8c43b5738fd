//! The table that a command looks into.

use crate::data_dir::{DataDir, Lock};
use crate::engine::Engine;
use crate::options::endpoint;
use crate::stack::TABLE;
use crate::{DataError, EngineError};
use aws::Access;
use std::path::PathBuf;
use std::time::Duration;
use store::{Patience, Store, StoreError, TableSettings};

/// Nobody waits for a page, and a large table on this machine may have to be put in order first.
const PATIENCE: Patience = Patience {
    connect: Duration::from_secs(5),
    attempt: Duration::from_secs(60),
    operation: Duration::from_secs(180),
    wait: None,
};

/// Which table a command looks into.
#[derive(Debug, Clone, clap::Args)]
pub struct Target {
    /// Directory that keeps the data of the local stack, which must not be running
    #[arg(long, value_name = "DIR", default_value = ".data")]
    pub data: PathBuf,

    /// Look into this DynamoDB-compatible engine instead
    #[arg(long, value_name = "URL", value_parser = endpoint, conflicts_with = "aws")]
    pub dynamodb_url: Option<String>,

    /// Look into the table on AWS that TABLE_NAME names, with AWS_REGION and the credentials of
    /// the environment
    #[arg(long)]
    pub aws: bool,
}

/// Why a command cannot do its work.
#[derive(Debug, thiserror::Error)]
pub enum TargetError {
    /// There is no database there: name the directory that the local stack uses.
    #[error("there is no database in {0}; choose another directory with --data")]
    NoData(PathBuf),
    /// See [`DataError`].
    #[error(transparent)]
    Data(#[from] DataError),
    /// See [`EngineError`].
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// A variable of the environment is missing or wrong.
    #[error(transparent)]
    Environment(#[from] aws::EnvironmentError),
    /// There is no such organisation: its slug is what stands in the addresses of its pages.
    #[error("there is no organisation {0:?}")]
    NoOrganization(String),
    /// The table cannot be read or written.
    #[error("the table does not answer as it should: {0}")]
    Store(#[from] StoreError),
}

/// The table, open.
pub(crate) struct OpenTable {
    pub(crate) store: Store,
    engine: Option<(Engine, Lock)>,
}

impl Target {
    /// Opens it.
    pub(crate) async fn open(&self) -> Result<OpenTable, TargetError> {
        if self.aws {
            let access = Access::from_env()?;
            let settings = TableSettings::from_env(access)?;
            return Ok(OpenTable::new(settings, None));
        }
        if let Some(url) = &self.dynamodb_url {
            return Ok(OpenTable::new(TableSettings::local(url, TABLE), None));
        }
        let file = self.data.join("dynamodb.sqlite");
        if !file.is_file() {
            return Err(TargetError::NoData(self.data.clone()));
        }
        let data = DataDir::open(&self.data)?;
        let lock = data.lock()?;
        let engine = Engine::start(Some(&file)).await?;
        let settings = TableSettings::local(engine.endpoint(), TABLE);
        Ok(OpenTable::new(settings, Some((engine, lock))))
    }
}

impl OpenTable {
    fn new(settings: TableSettings, engine: Option<(Engine, Lock)>) -> Self {
        let patience = PATIENCE;
        let store = Store::connect(TableSettings {
            patience,
            ..settings
        });
        Self { store, engine }
    }

    /// Whether nobody else can be using it.
    pub(crate) fn is_alone(&self) -> bool {
        self.engine.is_some()
    }

    /// Closes it, if it is a file.
    pub(crate) async fn close(self) {
        if let Some((engine, _lock)) = self.engine {
            engine.stop().await;
        }
    }
}
