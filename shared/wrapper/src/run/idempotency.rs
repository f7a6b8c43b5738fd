//! Idempotency: requests with the same key have one result, whatever happens in between.
//!
//! The record of a result is written in the same transaction as the result, so one never exists without
//! the other. The status codes follow the
//! [IETF draft](https://datatracker.ietf.org/doc/draft-ietf-httpapi-idempotency-key-header/).

use crate::http::fields::Fields;
use crate::http::request::RequestInfo;
use crate::{Config, Failure};
use action::{Action, Actor, IdempotencyKey, Item, Key, Scope};
use lambda_http::Request;
use serde_json::{Value, json};
use store::IdempotencyRecord;

/// The form field that may contain the key.
pub(crate) const FIELD: &str = "idempotency_key";

/// How long a result is kept, in seconds: 24 h.
const RETENTION: i64 = 86_400;

/// The key of the request, from the `Idempotency-Key` header or the form field.
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

/// A request with an idempotency key.
#[derive(Debug, Clone)]
pub(crate) struct KeyedRequest {
    /// The key of its idempotency record.
    pub(crate) record: Key,
    /// The purpose of the fingerprint's signature.
    purpose: String,
    /// The input as text. Its signature is the fingerprint.
    input: String,
}

/// What an idempotency record says about a request.
#[derive(Debug)]
pub(crate) enum RecordMatch {
    /// A request with the same input was done, with this result.
    SameInput(SavedResult),
    /// The key was used for other input.
    OtherInput,
}

/// The saved result of a request.
#[derive(Debug)]
pub(crate) struct SavedResult {
    pub(crate) data: Value,
    /// The tags that the commit made stale.
    pub(crate) tags: Vec<String>,
    /// The key of the commit's outbox record, if it needed one.
    pub(crate) outbox_record: Option<Key>,
}

impl KeyedRequest {
    /// The request with its key; `None` if it has no key or the action keeps no records.
    pub(crate) fn new<A: Action>(
        key: Option<&IdempotencyKey>,
        input: &A::Input,
        actor: Option<&Actor>,
        config: &Config,
    ) -> Result<Option<Self>, Failure> {
        let Some(key) = key else { return Ok(None) };
        let scope = match (A::scope(input)?, actor) {
            (Scope::Caller, Some(actor)) => format!("{}:{}", actor.tenant, actor.user),
            (Scope::User, Some(actor)) => format!("user:{}", actor.user),
            (Scope::Subject(subject), _) => {
                format!("anonymous:{}", config.keys.sign("subject", &subject))
            }
            (Scope::Caller | Scope::User, None) | (Scope::Unrecorded, _) => return Ok(None),
        };
        let record = Key::record(
            "idempotency",
            &format!("{scope}:{}:{}", A::NAME, key.as_str()),
            "record",
        );
        // The serialised input does not depend on the encoding, the order of the fields or the key.
        // Without it, a repeated request would run again, so the request fails if this fails.
        let input = serde_json::to_string(input)
            .map_err(|error| Failure::unknown(format!("an input cannot be serialised: {error}")))?;
        Ok(Some(Self {
            record,
            purpose: format!("input {}", A::NAME),
            input,
        }))
    }

    /// The record to write in the transaction of the result.
    pub(crate) fn save(
        &self,
        data: &Value,
        tags: &[String],
        now: i64,
        config: &Config,
    ) -> IdempotencyRecord {
        let item = json!({
            "fingerprint": config.keys.sign(&self.purpose, &self.input),
            "data": data,
            "tags": tags,
            "expires_at": now + RETENTION,
        });
        IdempotencyRecord {
            key: self.record.clone(),
            item,
            now,
        }
    }

    /// Compares the request with a stored record; `None` if the record has expired.
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
