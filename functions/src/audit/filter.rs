//! Which records to show, and where to begin.

use action::{ActionError, Actor, Context, FieldErrors, Form, Input, Invalid, Item, Query, UserId};
use serde::Serialize;
use serde_json::Value;
use std::convert::Infallible;

/// The kind of record that says what was done.
pub(crate) const KIND: &str = "audit";

/// The longest name of an action and the longest id, in bytes.
const LONGEST: usize = 100;

/// Which records to show.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Filter {
    /// Done by this person.
    pub(crate) user: Option<UserId>,
    /// By this action.
    pub(crate) action: Option<String>,
    /// To this record.
    pub(crate) record: Option<String>,
    /// Behind this cursor.
    pub(crate) after: Option<String>,
}

impl Input for Filter {
    fn parse(form: &mut Form<'_>) -> Result<Self, Invalid> {
        let user = form.optional("user", |text| {
            UserId::parse(text).map_err(|_| "Unknown person")
        });
        let action = form.optional("action", |text| word(text).ok_or("Unknown action"));
        let record = form.optional("record", |text| word(text).ok_or("Unknown record"));
        let after = form.optional("after", |text| Ok::<_, Infallible>(text.to_owned()));
        Ok(Self {
            user: user?,
            action: action?,
            record: record?,
            after: after?,
        })
    }
}

/// The text, where it can be the name of an action or an id.
fn word(text: &str) -> Option<String> {
    let usable = text.len() <= LONGEST
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'));
    usable.then(|| text.to_owned())
}

impl Filter {
    /// What names the list that it makes: a cursor is good for that one alone.
    fn list(&self, actor: &Actor) -> String {
        let text = |value: Option<&str>| value.unwrap_or("*").to_owned();
        format!(
            "{}:audit {} {} {}",
            actor.tenant,
            text(self.user.as_ref().map(UserId::as_str)),
            text(self.action.as_deref()),
            text(self.record.as_deref()),
        )
    }

    /// The read of the newest `limit` records that pass.
    pub(crate) fn records(
        &self,
        context: &Context<Actor>,
        limit: usize,
    ) -> Result<Query, ActionError> {
        let list = self.list(&context.caller);
        let position = |cursor: &String| {
            let unknown = || FieldErrors::from([("after".to_owned(), "Unknown page".to_owned())]);
            context
                .position(&list, cursor)
                .ok_or_else(|| ActionError::Validation(unknown()))
        };
        let after = self.after.as_ref().map(position).transpose()?;
        let query = Query::records(KIND, context.caller.tenant.as_str(), limit).after(after);
        if self.is_empty() {
            return Ok(query);
        }
        let wanted = self.clone();
        Ok(query.filter(move |item| {
            wanted.passes(item) && is(item, "subjectId", wanted.record.as_deref())
        }))
    }

    /// Whether an item is of the person and the action.
    pub(crate) fn passes(&self, item: &Item) -> bool {
        is(item, "userId", self.user.as_ref().map(UserId::as_str))
            && is(item, "action", self.action.as_deref())
    }

    /// Whether everything passes.
    fn is_empty(&self) -> bool {
        self.user.is_none() && self.action.is_none() && self.record.is_none()
    }

    /// The cursor that leads behind the record with this id.
    pub(crate) fn next(&self, context: &Context<Actor>, id: Option<&str>) -> Option<String> {
        Some(context.cursor(&self.list(&context.caller), id?))
    }

    /// The filter for the page.
    pub(crate) fn shown(&self) -> pages::AuditFilter<'_> {
        pages::AuditFilter {
            user: self.user.as_ref().map_or("", UserId::as_str),
            action: self.action.as_deref().unwrap_or_default(),
            record: self.record.as_deref().unwrap_or_default(),
            after: self.after.as_deref().unwrap_or_default(),
        }
    }
}

/// Whether the attribute is as wanted, if anything is wanted.
fn is(item: &Item, name: &str, wanted: Option<&str>) -> bool {
    wanted.is_none_or(|wanted| item.get(name).and_then(Value::as_str) == Some(wanted))
}
