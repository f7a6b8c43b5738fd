//! One log line for each request: a log record with CloudWatch metrics, in the
//! [embedded metric format](https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html).
//! The only dimension of the metrics is the service, so their number and price do not grow with the
//! tenants and actions. Those are fields of the record.

use action::Actor;
use serde_json::{Value, json};
use std::time::Duration;

const SERVICE: &str = "edge-crm";

/// Tells CloudWatch which fields of a line are metrics, and their units.
fn metrics(fields: &[(&str, &str)]) -> Value {
    let metric = |(name, unit): &(&str, &str)| json!({ "Name": name, "Unit": unit });
    json!({
        "Timestamp": jiff::Timestamp::now().as_millisecond(),
        "CloudWatchMetrics": [{
            "Namespace": "EdgeCRM",
            "Dimensions": [["service"]],
            "Metrics": fields.iter().map(metric).collect::<Vec<_>>(),
        }],
    })
}

/// The log line after draining the outbox: how many records were handled, how many tags were purged,
/// by how many milliseconds the oldest record was overdue, and why records are left.
#[must_use]
pub fn drained(records: usize, purged: usize, overdue: i64, left: Option<String>) -> Value {
    json!({
        "_aws": metrics(&[("outboxAge", "Milliseconds"), ("invalidations", "Count")]),
        "service": SERVICE,
        "level": if left.is_some() { "WARN" } else { "INFO" },
        "action": "revalidate",
        "drained": records,
        "invalidations": purged,
        "outboxAge": overdue,
        "left": left,
    })
}

/// The log line after a delivery of emails: how many were sent, how many were dropped because no
/// sender is configured, how many failed, and why emails are left.
#[must_use]
pub fn delivered(sent: usize, dropped: usize, failed: usize, left: Option<String>) -> Value {
    json!({
        "_aws": metrics(&[("letters", "Count"), ("mailFailures", "Count")]),
        "service": SERVICE,
        "level": if failed > 0 { "WARN" } else { "INFO" },
        "action": "deliver-mail",
        "letters": sent,
        "dropped": dropped,
        "mailFailures": failed,
        "left": left,
    })
}

/// The log line after updating the search indexes: how many entities were indexed, and the collections
/// whose indexes could not be updated.
#[must_use]
pub fn indexed<'a>(entities: usize, failed: impl IntoIterator<Item = &'a String>) -> Value {
    let failed: Vec<_> = failed.into_iter().collect();
    json!({
        "service": SERVICE,
        "level": if failed.is_empty() { "INFO" } else { "ERROR" },
        "action": "index-search",
        "indexed": entities,
        "failed": failed,
    })
}

/// What the log line says about a request.
#[derive(Debug, Default)]
pub struct LogEntry {
    pub(crate) action: &'static str,
    pub(crate) tenant: Option<String>,
    pub(crate) user: Option<String>,
    /// The code of the failure, or `OK`.
    pub(crate) outcome: &'static str,
    pub(crate) replayed: bool,
    /// How often the action's or view's function ran.
    pub(crate) runs: u32,
    /// How many tags were purged.
    pub(crate) purged: usize,
    /// How many tags needed no purge, because no cached page had them.
    pub(crate) saved: usize,
    /// How many purges the organisation may still have bought, if that was read.
    pub(crate) purges_left: Option<u64>,
    /// Whether a page was not cached because the allowance of purges is used up.
    pub(crate) unaffordable: bool,
    /// The details of the failure. No client sees them.
    pub(crate) detail: Option<String>,
}

impl LogEntry {
    /// Sets the tenant and the user.
    pub(crate) fn set_caller(&mut self, actor: Option<&Actor>) {
        self.tenant = actor.map(|actor| actor.tenant.to_string());
        self.user = actor.map(|actor| actor.user.to_string());
    }

    /// The log line.
    pub(crate) fn line(&self, request_id: &str, status: u16, took: Duration, cold: bool) -> Value {
        let fault = u8::from(status >= 500);
        let throttled = u8::from(status == 429);
        let mut named = vec![
            ("duration", "Milliseconds"),
            ("faults", "Count"),
            ("throttles", "Count"),
            ("coldStarts", "Count"),
            ("invalidations", "Count"),
            ("purgesSaved", "Count"),
        ];
        named.extend(self.purges_left.map(|_| ("purgesLeft", "Count")));
        json!({
            "_aws": metrics(&named),
            "service": SERVICE,
            "level": if fault == 1 { "ERROR" } else { "INFO" },
            "requestId": request_id,
            "action": self.action,
            "tenant": self.tenant,
            "user": self.user,
            "outcome": self.outcome,
            "status": status,
            "replayed": self.replayed,
            "runs": self.runs,
            "detail": self.detail,
            "duration": took.as_secs_f64() * 1e3,
            "faults": fault,
            "throttles": throttled,
            "coldStarts": u8::from(cold),
            "invalidations": self.purged,
            "purgesSaved": self.saved,
            "purgesLeft": self.purges_left,
            "unaffordable": self.unaffordable,
            "coldStart": cold,
        })
    }
}
