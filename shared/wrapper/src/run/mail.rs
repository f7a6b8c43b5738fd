//! Mail: a letter is a record of the transaction that it belongs to, and is sent from there.

use crate::App;
use crate::http::trust::Trust;
use action::{Expect, Key, Letter, Operation};
use serde_json::{Value, json};
use uuid::Uuid;

/// The write of a letter's record. It is spread by the end of its id over 16 partitions, and due
/// at once.
pub(crate) fn operation(app: &App, trust: &Trust, letter: &Letter) -> Operation {
    let id = Uuid::now_v7().to_string();
    let shard = &id[id.len() - 1..];
    let now = jiff::Timestamp::now().as_millisecond();
    let mut item = json!(letter);
    item["id"] = json!(id);
    item["version"] = json!(1);
    item["attempts"] = json!(0);
    item["dueAt"] = json!(now);
    item["origin"] = origin(app, trust).map_or(Value::Null, Value::from);
    Operation::Put {
        key: Key::record("mail", shard, &format!("{now:013}:{id}")),
        item,
        expect: Expect::Absent,
        conflict: None,
    }
}

/// Where the links of a letter lead: the first allowed origin, which is the product's own domain,
/// or the edge's.
pub(crate) fn origin<'a>(app: &'a App, trust: &'a Trust) -> Option<&'a str> {
    let allowed = app.config.allowed_origins.first();
    allowed.or(trust.own_origin.as_ref()).map(String::as_str)
}
