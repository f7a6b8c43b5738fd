//! The command that verifies the audit: whether a record has been changed or removed.

mod chains;

pub use chains::{Flaw, Report, Subject};

use crate::data_dir::DataDir;
use crate::engine::Engine;
use crate::options::endpoint;
use crate::stack::TABLE;
use crate::{DataError, EngineError};
use aws::Access;
use chains::Chains;
use std::path::PathBuf;
use std::time::Duration;
use store::{Settings, Store, StoreError};

/// How long to wait before what seems wrong is looked at again: what is written while the table is
/// read may look so.
const SETTLING: Duration = Duration::from_secs(1);

/// What to verify.
#[derive(Debug, Clone, clap::Parser)]
#[command(
    name = "verify-audit",
    version,
    about = "Says whether audit records of Edge CRM have been changed or removed",
    after_help = "Ends with 0 where every chain is intact, with 1 where one is broken, with 2 where it cannot tell."
)]
pub struct VerifyOptions {
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

    /// Only this organisation, by its slug
    #[arg(long, value_name = "SLUG")]
    pub tenant: Option<String>,
}

/// Why the audit cannot be verified.
#[derive(Debug, thiserror::Error)]
pub enum VerifyError {
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
    #[error("{0}")]
    Environment(String),
    /// The table cannot be read.
    #[error("the table cannot be read: {0}")]
    Store(#[from] StoreError),
}

/// Verifies the audit that `options` name.
///
/// # Errors
/// [`VerifyError`] where it cannot be told.
pub async fn verify_audit(options: &VerifyOptions) -> Result<Report, VerifyError> {
    let tenant = options.tenant.as_deref();
    if options.aws {
        let access = Access::from_env().map_err(VerifyError::Environment)?;
        let settings = Settings::from_env(access).map_err(VerifyError::Environment)?;
        return verified(&Store::connect(settings), tenant).await;
    }
    if let Some(url) = &options.dynamodb_url {
        return verified(&Store::connect(Settings::local(url, TABLE)), tenant).await;
    }
    let file = options.data.join("dynamodb.sqlite");
    if !file.is_file() {
        return Err(VerifyError::NoData(options.data.clone()));
    }
    let data = DataDir::open(&options.data)?;
    let _lock = data.lock()?;
    let engine = Engine::start(Some(&file)).await?;
    let store = Store::connect(Settings::local(engine.endpoint(), TABLE));
    let report = verified(&store, tenant).await;
    engine.stop().await;
    report
}

/// What is wrong each time that it is looked at.
async fn verified(store: &Store, tenant: Option<&str>) -> Result<Report, VerifyError> {
    let report = look(store, tenant).await?;
    if report.flaws.is_empty() {
        return Ok(report);
    }
    tokio::time::sleep(SETTLING).await;
    let mut again = look(store, tenant).await?;
    again.flaws.retain(|flaw| report.flaws.contains(flaw));
    Ok(again)
}

async fn look(store: &Store, tenant: Option<&str>) -> Result<Report, VerifyError> {
    let mut chains = Chains::of(tenant.map(str::to_owned));
    store.scan(|key, item| chains.take(key, &item)).await?;
    Ok(chains.report())
}
