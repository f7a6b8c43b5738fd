//! The filter of the audit, and its cursor.

use crate::audit::export::MAX_RECORDS;
use action::{
    ActionError, Actor, Context, FormState, Found, Item, Query, Reads, Text, ViewPage, optional,
};
use crm::UserNames;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use validator::{Validate, ValidationError};

/// The kind of record that holds an audit record.
pub(crate) const KIND: &str = "audit";

/// The longest name of an action and the longest id, in bytes.
const MAX_LENGTH: usize = 100;

/// The audit records to show.
#[derive(Debug, Clone, Default, Deserialize, Serialize, Validate, JsonSchema)]
#[serde(default)]
pub struct Filter {
    /// Only records of this user, by id.
    #[serde(deserialize_with = "optional")]
    #[validate(custom(function = user_id, message = "Unknown person"))]
    pub(crate) user: Option<Text>,
    /// Only records of this action, by name.
    #[serde(deserialize_with = "optional")]
    #[validate(custom(function = name_or_id, message = "Unknown action"))]
    pub(crate) action: Option<Text>,
    /// Only records about the entity with this id.
    #[serde(deserialize_with = "optional")]
    #[validate(custom(function = name_or_id, message = "Unknown record"))]
    pub(crate) record: Option<Text>,
    /// The cursor from `next` of the page before.
    #[serde(deserialize_with = "optional")]
    pub(crate) after: Option<Text>,
}

/// Refuses a text that cannot be the name of an action or an id.
fn name_or_id(text: &Text) -> Result<(), ValidationError> {
    let allowed = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_');
    let text = text.as_str();
    check(text.len() <= MAX_LENGTH && text.bytes().all(allowed))
}

/// Refuses a text that cannot be the id of a user.
fn user_id(text: &Text) -> Result<(), ValidationError> {
    check(action::is_uuid(text.as_str()))
}

fn check(is_valid: bool) -> Result<(), ValidationError> {
    if is_valid {
        Ok(())
    } else {
        Err(ValidationError::new("filter"))
    }
}

impl Filter {
    /// The name of the filtered list. A cursor works only for the list that it was made for.
    fn list_name(&self, actor: &Actor) -> String {
        let text = |value: Option<&str>| value.unwrap_or("*").to_owned();
        format!(
            "{}:audit {} {} {}",
            actor.tenant,
            text(self.user.as_ref().map(Text::as_str)),
            text(self.action.as_ref().map(Text::as_str)),
            text(self.record.as_ref().map(Text::as_str)),
        )
    }

    /// The read of the newest `limit` records that pass the filter.
    pub(crate) fn records(
        &self,
        context: &Context<Actor>,
        limit: usize,
    ) -> Result<Query, ActionError> {
        let list_name = self.list_name(&context.caller);
        let after = context.after(&list_name, self.after.as_ref())?;
        let query = Query::records(KIND, context.caller.tenant.as_str(), limit).after(after);
        if self.is_empty() {
            return Ok(query);
        }
        let filter = self.clone();
        Ok(query.filter(move |item| {
            filter.passes(item)
                && equals(item, "subjectId", filter.record.as_ref().map(Text::as_str))
        }))
    }

    /// Whether the item has the user and the action of the filter.
    pub(crate) fn passes(&self, item: &Item) -> bool {
        equals(item, "userId", self.user.as_ref().map(Text::as_str))
            && equals(item, "action", self.action.as_ref().map(Text::as_str))
    }

    /// Whether every record passes.
    fn is_empty(&self) -> bool {
        self.user.is_none() && self.action.is_none() && self.record.is_none()
    }

    /// The cursor of the records after the one with this id.
    pub(crate) fn next(&self, context: &Context<Actor>, id: Option<&str>) -> Option<String> {
        Some(context.cursor(&self.list_name(&context.caller), id?))
    }

    /// The id after which to read on, if the records were read only in part.
    pub(crate) fn unread<'a>(context: &Context<Actor>, found: &'a Found) -> Option<&'a str> {
        found.unread_records(KIND, context.caller.tenant.as_str())
    }

    /// The filter as the page shows it.
    pub(crate) fn for_page(&self) -> pages::AuditFilter<'_> {
        pages::AuditFilter {
            user: text(self.user.as_ref()),
            action: text(self.action.as_ref()),
            record: text(self.record.as_ref()),
            after: text(self.after.as_ref()),
        }
    }
}

/// What the form needs to read if the filter is wrong.
pub(crate) fn form_reads(context: &Context<Actor>) -> Reads {
    let tenant = &context.caller.tenant;
    Reads::none()
        .query(UserNames::members_query(tenant))
        .query(UserNames::former_members_query(tenant))
}

/// The page with the form as it was sent, and what is wrong with it.
pub(crate) fn form_again(
    context: &Context<Actor>,
    page: &ViewPage<'_>,
    sent: &FormState,
    found: &Found,
) -> Option<String> {
    let names = UserNames::from_found(found, &context.caller.tenant);
    let log = pages::AuditLog {
        records: Vec::new(),
        refused: Vec::new(),
        people: names.sorted(),
        filter: pages::AuditFilter {
            user: sent.value("user"),
            action: sent.value("action"),
            record: sent.value("record"),
            after: "",
        },
        errors: Some(&sent.errors),
        next: None,
        most_in_file: MAX_RECORDS,
    };
    Some(pages::audit(page.layout?, &log))
}

/// The text; empty if there is none.
fn text(field: Option<&Text>) -> &str {
    field.map_or("", Text::as_str)
}

/// Whether the attribute has the wanted value; `true` if none is wanted.
fn equals(item: &Item, name: &str, wanted: Option<&str>) -> bool {
    wanted.is_none_or(|wanted| item.get(name).and_then(Value::as_str) == Some(wanted))
}
