//! Idempotency: one result for one key, whatever happens in between.
//!
//! The record of a result is written in the same transaction as the result itself, so there is no
//! moment at which one exists without the other. The codes follow the
//! [IETF draft](https://datatracker.ietf.org/doc/draft-ietf-httpapi-idempotency-key-header/).

use crate::http::fields::Fields;
use crate::http::request::RequestInfo;
use crate::{Config, Failure};
use action::{Action, Actor, IdempotencyKey, Item, Key, Scope};
use lambda_http::Request;
use serde_json::{Value, json};
use store::{IdempotencyRecord, OutboxRecord};

/// The form field that may hold the key.
pub(crate) const FIELD: &str = "idempotency_key";

/// How long a result is kept, in seconds: 24 h.
const RETENTION: i64 = 86_400;

/// The request's key: from the `Idempotency-Key` header, or the field.
pub(crate) fn key(request: &Request, fields: &Fields) -> Result<Option<IdempotencyKey>, Failure> {
    let header = request.header("idempotency-key");
    let field = fields.0.get(FIELD).map(String::as_str);
    let text = match (header, field) {
        (Some(header), Some(field)) if header != field => return Err(Failure::two_keys()),
        _ => header.or(field),
    };
    text.map(|text| IdempotencyKey::parse(text).map_err(|_| Failure::unusable_key()))
        .transpose()
}

/// One keyed request: where its record is, and what tells its input from another.
#[derive(Debug, Clone)]
pub(crate) struct KeyedRequest {
    /// Where the record is.
    pub(crate) record: Key,
    purpose: String,
    input: String,
}

/// What a record says about a request.
#[derive(Debug)]
pub(crate) enum RecordMatch {
    /// The same was asked before: here is the result.
    SameInput(SavedResult),
    /// Something else was asked under this key.
    OtherInput,
}

/// A saved result.
#[derive(Debug)]
pub(crate) struct SavedResult {
    pub(crate) data: Value,
    /// The tags that it made stale.
    pub(crate) tags: Vec<String>,
    /// Where its outbox record was.
    pub(crate) outbox_record: Option<Key>,
}

impl KeyedRequest {
    /// The keyed request, where it has a key and the action keeps records.
    pub(crate) fn new<A: Action>(
        key: Option<&IdempotencyKey>,
        input: &A::Input,
        actor: Option<&Actor>,
        config: &Config,
    ) -> Result<Option<Self>, Failure> {
        let Some(key) = key else { return Ok(None) };
        let scope = match (A::scope(input), actor) {
            (Scope::Caller, Some(actor)) => format!("{}:{}", actor.tenant, actor.user),
            (Scope::Subject(subject), _) => {
                format!("anonymous:{}", config.keys.sign("subject", &subject))
            }
            (Scope::Caller, None) | (Scope::Unrecorded, _) => return Ok(None),
        };
        let record = Key::record(
            "idempotency",
            &format!("{scope}:{}:{}", A::NAME, key.as_str()),
            "record",
        );
        // Serialising the parsed input leaves out its encoding, the fields' order and the key.
        // Without it the request would run unprotected, so a failure here fails the request.
        let input = serde_json::to_string(input)
            .map_err(|error| Failure::unknown(format!("an input cannot be serialised: {error}")))?;
        Ok(Some(Self {
            record,
            purpose: format!("input {}", A::NAME),
            input,
        }))
    }

    /// The record to write with the result.
    pub(crate) fn save(
        &self,
        data: &Value,
        outbox_record: Option<&OutboxRecord>,
        now: i64,
        config: &Config,
    ) -> IdempotencyRecord {
        let outbox = outbox_record.map(OutboxRecord::key);
        let item = json!({
            "fingerprint": config.keys.sign(&self.purpose, &self.input),
            "data": data,
            "tags": outbox_record.map(|outbox_record| &outbox_record.tags),
            "outbox": outbox.as_ref().map(Key::parts),
            "expires_at": now + RETENTION,
        });
        IdempotencyRecord {
            key: self.record.clone(),
            item,
            now,
        }
    }

    /// What a stored record says; nothing where it has expired.
    pub(crate) fn match_record(
        &self,
        item: &Item,
        now: i64,
        config: &Config,
    ) -> Option<RecordMatch> {
        let expires_at = item.get("expires_at").and_then(Value::as_i64)?;
        if expires_at <= now {
            return None;
        }
        let fingerprint = item.get("fingerprint").and_then(Value::as_str)?;
        if !config.keys.verify(&self.purpose, &self.input, fingerprint) {
            return Some(RecordMatch::OtherInput);
        }
        let outbox = item.get("outbox").cloned();
        let outbox_record = outbox
            .and_then(|parts| serde_json::from_value::<(String, String)>(parts).ok())
            .map(|(pk, sk)| Key::from_parts(pk, sk));
        let tags = item
            .get("tags")
            .and_then(Value::as_array)
            .into_iter()
            .flatten();
        Some(RecordMatch::SameInput(SavedResult {
            data: item.get("data").cloned().unwrap_or(Value::Null),
            tags: tags
                .filter_map(|tag| Some(tag.as_str()?.to_owned()))
                .collect(),
            outbox_record,
        }))
    }
}
