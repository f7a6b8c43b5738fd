//! The table that a command works on.

use crate::data_dir::{DataDir, Lock};
use crate::dynamodb::DynamoDb;
use crate::options::endpoint;
use crate::stack::TABLE;
use crate::{DataError, DynamoDbError};
use aws::Access;
use std::path::PathBuf;
use std::time::Duration;
use store::{Patience, Store, StoreError, TableSettings};

/// Longer than in the product: no user waits, and the embedded DynamoDB may first have to recover a
/// large table.
const PATIENCE: Patience = Patience {
    connect: Duration::from_secs(5),
    attempt: Duration::from_secs(60),
    operation: Duration::from_secs(180),
    wait: None,
};

/// Selects the table that a command works on.
#[derive(Debug, Clone, clap::Args)]
pub struct Target {
    /// Directory that keeps the data of the local stack, which must not be running
    #[arg(long, value_name = "DIR", default_value = ".data")]
    pub data: PathBuf,

    /// Use this DynamoDB-compatible engine instead
    #[arg(long, value_name = "URL", value_parser = endpoint, conflicts_with = "aws")]
    pub dynamodb_url: Option<String>,

    /// Use the table on AWS that TABLE_NAME names, with AWS_REGION and the credentials of the
    /// environment
    #[arg(long)]
    pub aws: bool,
}

/// Why a command cannot use the table.
#[derive(Debug, thiserror::Error)]
pub enum TargetError {
    /// The directory contains no database. Choose the directory that the local stack uses.
    #[error("there is no database in {0}; choose another directory with --data")]
    NoData(PathBuf),
    /// See [`DataError`].
    #[error(transparent)]
    Data(#[from] DataError),
    /// See [`DynamoDbError`].
    #[error(transparent)]
    DynamoDb(#[from] DynamoDbError),
    /// An environment variable is missing or invalid.
    #[error(transparent)]
    Environment(#[from] aws::EnvironmentError),
    /// No organisation has this slug. The slug is in the addresses of the organisation's pages.
    #[error("there is no organisation {0:?}")]
    NoOrganization(String),
    /// The table cannot be read or written.
    #[error("the table cannot be read or written: {0}")]
    Store(#[from] StoreError),
}

/// An open table.
pub(crate) struct OpenTable {
    pub(crate) store: Store,
    embedded: Option<(DynamoDb, Lock)>,
}

impl Target {
    /// Opens the table.
    pub(crate) async fn open(&self) -> Result<OpenTable, TargetError> {
        if self.aws {
            let access = Access::from_env()?;
            let settings = TableSettings::from_env(access)?;
            return Ok(OpenTable::new(settings, None));
        }
        if let Some(url) = &self.dynamodb_url {
            return Ok(OpenTable::new(TableSettings::local(url, TABLE), None));
        }
        if !DataDir::has_database(&self.data) {
            return Err(TargetError::NoData(self.data.clone()));
        }
        let data = DataDir::open(&self.data)?;
        let lock = data.lock()?;
        let dynamodb = DynamoDb::start(Some(&data.database()?))?;
        Ok(OpenTable::new(
            dynamodb.table(TABLE),
            Some((dynamodb, lock)),
        ))
    }
}

impl OpenTable {
    fn new(settings: TableSettings, embedded: Option<(DynamoDb, Lock)>) -> Self {
        let patience = PATIENCE;
        let store = Store::connect(TableSettings {
            patience,
            ..settings
        });
        Self { store, embedded }
    }

    /// Whether no other process can use the table: this one has locked its file.
    pub(crate) fn is_exclusive(&self) -> bool {
        self.embedded.is_some()
    }

    /// Closes the table's file, if it is one.
    pub(crate) async fn close(self) {
        if let Some((dynamodb, _lock)) = self.embedded {
            dynamodb.stop().await;
        }
    }
}
