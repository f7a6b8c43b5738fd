//! The records and counters of the audit, as they were read.

use crate::audit::filter::{Filter, KIND};
use action::{Actor, Context, Found, Item, Key, Query, TenantId, UserId};
use crm::{RecordedUser, UserNames};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use wrapper::AuditRecord;

/// The kind of record that counts refused attempts.
const REFUSED_KIND: &str = "refused";

/// The most counters that are read.
const MAX_COUNTERS: usize = 1000;

/// An audit record, with the name of the user.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct AuditEntry {
    #[serde(flatten)]
    pub(crate) record: AuditRecord,
    /// The name to show for the user.
    #[serde(skip)]
    display_name: String,
}

/// A stored record of the audit.
#[derive(Debug)]
pub(crate) enum AuditLine {
    /// One that can be read.
    Entry(Box<AuditEntry>),
    /// One that was changed by something else than the product, or written by a version to come. Its id, if
    /// that can be read.
    Unreadable(Option<String>),
}

impl AuditLine {
    /// The records that were read, newest first.
    pub(crate) fn from_found(
        context: &Context<Actor>,
        found: &Found,
        names: &UserNames,
    ) -> Vec<Self> {
        let records = found.each_record(KIND, context.caller.tenant.as_str());
        let line_of = |record: Result<_, &Item>| match record {
            Ok(record) => Self::Entry(Box::new(AuditEntry::new(record, names))),
            Err(item) => {
                let id = item.get("id").and_then(Value::as_str);
                Self::Unreadable(id.map(str::to_owned))
            }
        };
        records.into_iter().map(line_of).collect()
    }

    /// The record's id, if it can be read.
    pub(crate) fn id(&self) -> Option<&str> {
        match self {
            Self::Entry(entry) => Some(&entry.record.id),
            Self::Unreadable(id) => id.as_deref(),
        }
    }
}

impl AuditEntry {
    fn new(mut record: AuditRecord, names: &UserNames) -> Self {
        let user = RecordedUser {
            id: record.user_id.as_ref(),
            name: record.user_name.as_deref(),
            email: record.user_email.as_deref(),
        };
        let display_name = names.display_name(user);
        // Records of before names were kept have the name of now.
        let current = || Some(names.name(record.user_id.as_ref()?)?.to_owned());
        record.user_name = record.user_name.clone().or_else(current);
        Self {
            display_name,
            record,
        }
    }

    /// The record as the page shows it.
    pub(crate) fn row(&self) -> pages::AuditRow<'_> {
        let record = &self.record;
        pages::AuditRow {
            action: &record.action,
            at: record.at,
            user: record.user_id.as_ref().map(UserId::as_str),
            by: &self.display_name,
            role: record.role.map(action::Role::as_str),
            resource: &record.resource,
            subject: &record.subject_id,
            ip: &record.ip,
            user_agent: record.user_agent.as_deref(),
            request: &record.request_id,
            input: &record.input,
        }
    }
}

/// How often an action of a user was refused for the same reason.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct RefusalCount {
    user_id: UserId,
    #[serde(default)]
    user_name: Option<String>,
    action: String,
    /// The code of the error.
    code: String,
    /// The number of refused attempts. The counter ends 30 days after the last one.
    count: u64,
    first_at: Timestamp,
    last_at: Timestamp,
    #[serde(rename(deserialize = "expires_at"), skip_serializing)]
    expires_at: i64,
    #[serde(skip)]
    display_name: String,
}

impl RefusalCount {
    /// The read of the counters.
    pub(crate) fn query(tenant: &TenantId) -> Query {
        Query::records(REFUSED_KIND, tenant.as_str(), MAX_COUNTERS)
    }

    /// The counters that were read and pass the filter, the latest first. A filter by record leaves
    /// out all of them, because a counter is not about a record. A counter that cannot be read is left out.
    pub(crate) fn from_found(
        context: &Context<Actor>,
        found: &Found,
        filter: &Filter,
        names: &UserNames,
    ) -> Vec<Self> {
        let tenant = context.caller.tenant.as_str();
        let (pk, _) = Key::record(REFUSED_KIND, tenant, "").into_parts();
        let mut passing = found.clone();
        let passes = |item: &_| filter.record.is_none() && filter.passes(item);
        if let Some(items) = passing.ranges.get_mut(&pk) {
            items.retain(passes);
        }
        let counters = passing.each_record::<Self>(REFUSED_KIND, tenant);
        let mut counters: Vec<_> = counters.into_iter().filter_map(Result::ok).collect();
        // The table removes expired counters only some time later.
        counters.retain(|counter| counter.expires_at > context.now.as_second());
        for counter in &mut counters {
            let user = &counter.user_id;
            counter.user_name = names.name(user).map(str::to_owned);
            counter.display_name = names.display_name(RecordedUser {
                id: Some(user),
                ..RecordedUser::default()
            });
        }
        counters.sort_by_key(|counter| std::cmp::Reverse(counter.last_at));
        counters
    }

    /// The counter as the page shows it.
    pub(crate) fn row(&self) -> pages::RefusedRow<'_> {
        pages::RefusedRow {
            action: &self.action,
            code: &self.code,
            by: &self.display_name,
            user: self.user_id.as_str(),
            count: self.count,
            first_at: self.first_at,
            last_at: self.last_at,
        }
    }
}
