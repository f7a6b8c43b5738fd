//! The command that verifies the audit: whether a record has been changed or removed.

mod chains;

pub use chains::{Flaw, Report, Subject};

use crate::{Target, TargetError};
use chains::Chains;
use std::time::Duration;
use store::Store;

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
    /// Which table.
    #[command(flatten)]
    pub target: Target,

    /// Only this organisation, by its slug
    #[arg(long, value_name = "SLUG")]
    pub tenant: Option<String>,
}

/// Verifies the audit that `options` name.
///
/// # Errors
/// [`TargetError`] where it cannot be told.
pub async fn verify_audit(options: &VerifyOptions) -> Result<Report, TargetError> {
    let table = options.target.open().await?;
    let report = verified(&table.store, options.tenant.as_deref()).await;
    table.close().await;
    report
}

/// What is wrong each time that it is looked at.
async fn verified(store: &Store, tenant: Option<&str>) -> Result<Report, TargetError> {
    let report = look(store, tenant).await?;
    if report.flaws.is_empty() {
        return Ok(report);
    }
    tokio::time::sleep(SETTLING).await;
    let mut again = look(store, tenant).await?;
    again.flaws.retain(|flaw| report.flaws.contains(flaw));
    Ok(again)
}

async fn look(store: &Store, tenant: Option<&str>) -> Result<Report, TargetError> {
    let mut chains = Chains::of(tenant.map(str::to_owned));
    store.scan(|key, item| chains.take(key, &item)).await?;
    Ok(chains.report())
}
