//! The command that verifies the audit records: it reports those that were changed or removed.

mod chains;

pub use chains::{Flaw, Report, Subject};

use crate::{Target, TargetError};
use chains::Chains;
use std::time::Duration;
use store::Store;

/// How long to wait before a second read confirms the flaws. A write during the first read may look
/// like a flaw.
const RECHECK_DELAY: Duration = Duration::from_secs(1);

/// The options of `verify-audit`.
#[derive(Debug, Clone, clap::Parser)]
#[command(
    name = "verify-audit",
    version,
    about = "Reports audit records of Edge CRM that have been changed or removed",
    after_help = "Exits with 0 if every chain is intact, with 1 if one is broken, with 2 if the table cannot be read."
)]
pub struct VerifyOptions {
    /// The table.
    #[command(flatten)]
    pub target: Target,

    /// Only this organisation, by its slug
    #[arg(long, value_name = "SLUG")]
    pub tenant: Option<String>,
}

/// Verifies the audit records that `options` select.
///
/// # Errors
/// [`TargetError`] if the table cannot be read.
pub async fn verify_audit(options: &VerifyOptions) -> Result<Report, TargetError> {
    let table = options.target.open().await?;
    let report = verify(&table.store, options.tenant.as_deref()).await;
    table.close().await;
    report
}

/// The flaws that two reads of the table both find.
async fn verify(store: &Store, tenant: Option<&str>) -> Result<Report, TargetError> {
    let report = read_once(store, tenant).await?;
    if report.flaws.is_empty() {
        return Ok(report);
    }
    tokio::time::sleep(RECHECK_DELAY).await;
    let mut again = read_once(store, tenant).await?;
    again.flaws.retain(|flaw| report.flaws.contains(flaw));
    Ok(again)
}

async fn read_once(store: &Store, tenant: Option<&str>) -> Result<Report, TargetError> {
    let mut chains = Chains::of(tenant.map(str::to_owned));
    store.scan(|key, item| chains.add(key, &item)).await?;
    Ok(chains.report())
}
