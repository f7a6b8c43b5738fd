//! One line a request: a log record and CloudWatch metrics in one, in the
//! [embedded metric format](https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html).
//! Metrics have the service as their only dimension, so that their number, and so their price,
//! does not grow with tenants and actions, which are fields of the record.

use serde_json::{Value, json};
use std::time::Duration;

const SERVICE: &str = "edge-crm";

/// What tells CloudWatch which fields of a line are metrics, and in which unit.
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

/// The line of a drain of the outbox: how many records it saw to, how many tags it purged, how
/// long the oldest was overdue in milliseconds, and why the rest was left.
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

/// The line of a delivery of mail: how many letters were sent, dropped because there is nobody
/// whom letters are from, and tried in vain, and why the rest was left.
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

/// The line of a run that brought search indexes up to date: how many entities it indexed, and the
/// collections whose indexes could not be updated.
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

/// What a request turned out to be.
#[derive(Debug, Default)]
pub struct Note {
    pub(crate) action: &'static str,
    pub(crate) tenant: Option<String>,
    pub(crate) user: Option<String>,
    /// The code of the failure, or `OK`.
    pub(crate) outcome: &'static str,
    pub(crate) replayed: bool,
    /// How often the function ran.
    pub(crate) runs: u32,
    /// The failure's detail: never shown to a client.
    pub(crate) detail: Option<String>,
}

impl Note {
    /// The line.
    pub(crate) fn line(&self, request_id: &str, status: u16, took: Duration, cold: bool) -> Value {
        let fault = u8::from(status >= 500);
        let throttled = u8::from(status == 429);
        json!({
            "_aws": metrics(&[
                ("duration", "Milliseconds"),
                ("faults", "Count"),
                ("throttles", "Count"),
                ("coldStarts", "Count"),
            ]),
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
            "coldStart": cold,
        })
    }
}
