//! The audit page: it shows admins every change in their organization.

use crate::dates::moment;
use crate::layout::{PageFrame, Section, render};
use crate::paths;
use action::{FieldErrors, Layout, Role};
use askama::Template;
use jiff::Timestamp;
use serde_json::Value;

/// The longest input that is shown whole, in characters.
const MAX_INPUT_CHARS: usize = 300;

/// One page of the audit.
#[derive(Debug)]
pub struct AuditLog<'a> {
    /// The records, newest first.
    pub records: Vec<AuditLine<'a>>,
    /// The refused actions, latest first.
    pub refused: Vec<RefusedRow<'a>>,
    /// The people to choose from: id and name.
    pub people: Vec<(&'a str, String)>,
    /// The current filter.
    pub filter: AuditFilter<'a>,
    /// What is wrong with the filter, by its fields. Then there are no records.
    pub errors: Option<&'a FieldErrors>,
    /// The cursor of the next page, if there is one.
    pub next: Option<&'a str>,
    /// The most records that a file holds.
    pub most_in_file: usize,
}

/// A filter. An empty string matches everything.
#[derive(Debug, Clone, Copy, Default)]
pub struct AuditFilter<'a> {
    /// The person's id.
    pub user: &'a str,
    /// The action's name.
    pub action: &'a str,
    /// The record's id.
    pub record: &'a str,
    /// The cursor of this page.
    pub after: &'a str,
}

impl AuditFilter<'_> {
    /// The query string, with its question mark, of this filter from the cursor `after` on. Empty
    /// if nothing is filtered. The values need no escaping: they consist of letters, digits and
    /// hyphens, cursors also of dots and underscores.
    #[must_use]
    pub fn query(&self, after: &str) -> String {
        let pairs = [
            ("user", self.user),
            ("action", self.action),
            ("record", self.record),
            ("after", after),
        ];
        let set = pairs.iter().filter(|(_, value)| !value.is_empty());
        let text: Vec<_> = set.map(|(name, value)| format!("{name}={value}")).collect();
        if text.is_empty() {
            String::new()
        } else {
            format!("?{}", text.join("&"))
        }
    }

    fn is_empty(&self) -> bool {
        self.user.is_empty() && self.action.is_empty() && self.record.is_empty()
    }
}

/// A line of the audit.
#[derive(Debug, Clone, Copy)]
pub enum AuditLine<'a> {
    /// A record.
    Record(AuditRow<'a>),
    /// A record that cannot be read, with its id if that is known.
    Unreadable(Option<&'a str>),
}

/// One audit record.
#[derive(Debug, Clone, Copy)]
pub struct AuditRow<'a> {
    /// The action's name.
    pub action: &'a str,
    /// When it happened.
    pub at: Timestamp,
    /// The id of the user who did it.
    pub user: Option<&'a str>,
    /// Their name.
    pub by: &'a str,
    /// Their role at the time.
    pub role: Option<&'a str>,
    /// The kind of the record that changed.
    pub resource: &'a str,
    /// The id of the record that changed.
    pub subject: &'a str,
    /// The client's IP address.
    pub ip: &'a str,
    /// The client's user agent.
    pub user_agent: Option<&'a str>,
    /// The request's id.
    pub request: &'a str,
    /// The input, without its secrets.
    pub input: &'a Value,
}

impl AuditRow<'_> {
    fn when(&self) -> String {
        moment(self.at)
    }

    /// The page of the record that changed, if it has one.
    fn record_path(&self, layout: &Layout) -> Option<String> {
        let has_page = self.resource == "contacts" && action::is_uuid(self.subject);
        has_page.then(|| paths::contact(Some(layout), self.subject, ""))
    }

    /// The input on one line, without empty fields.
    fn input(&self) -> String {
        let mut parts = Vec::new();
        flatten("", self.input, &mut parts);
        let text = parts.join(" · ");
        match text.char_indices().nth(MAX_INPUT_CHARS) {
            Some((end, _)) => format!("{}…", &text[..end]),
            None => text,
        }
    }
}

/// An action that was refused, once or several times.
#[derive(Debug, Clone, Copy)]
pub struct RefusedRow<'a> {
    /// The action's name.
    pub action: &'a str,
    /// The error code of the response.
    pub code: &'a str,
    /// The name of the user who was refused.
    pub by: &'a str,
    /// Their id.
    pub user: &'a str,
    /// How often it was refused.
    pub count: u64,
    /// The first time.
    pub first_at: Timestamp,
    /// The last time.
    pub last_at: Timestamp,
}

impl RefusedRow<'_> {
    fn first(&self) -> String {
        moment(self.first_at)
    }

    fn last(&self) -> String {
        moment(self.last_at)
    }
}

#[derive(Template)]
#[template(path = "audit.html")]
struct AuditPage<'a> {
    frame: PageFrame<'a>,
    layout: &'a Layout,
    audit: String,
    /// The CSV file of the filtered records, from the newest on.
    file: String,
    /// The same from this page on. `None` on the newest page.
    file_from_here: Option<String>,
    log: &'a AuditLog<'a>,
    /// The id of the person in the filter, if they are not among the people to choose from.
    former: Option<&'a str>,
}

impl AuditPage<'_> {
    /// What is wrong with a field of the filter.
    fn error(&self, field: &str) -> Option<&str> {
        self.log.errors?.get(field).map(String::as_str)
    }

    /// What is wrong with the filter: each message with its field, if the form shows that.
    fn problems(&self) -> Vec<(Option<&str>, &str)> {
        let errors = self.log.errors.into_iter().flatten();
        errors
            .map(|(field, message)| {
                let shown = ["user", "action", "record"].contains(&field.as_str());
                (shown.then_some(field.as_str()), message.as_str())
            })
            .collect()
    }

    /// The path of the audit, filtered by nothing but this person, action and record.
    fn filter_path(&self, user: &str, action: &str, record: &str) -> String {
        let filter = AuditFilter {
            user,
            action,
            record,
            after: "",
        };
        self.audit.clone() + &filter.query("")
    }
}

/// One page of the audit. Not cacheable.
#[must_use]
pub fn audit(layout: &Layout, log: &AuditLog<'_>) -> String {
    let user = log.filter.user;
    let file = |after| paths::audit_file(&layout.tenant) + &log.filter.query(after);
    let after = log.filter.after;
    let is_listed = log.people.iter().any(|(id, _)| *id == user);
    let error = if log.errors.is_some() { "Error: " } else { "" };
    let title = format!("{error}Audit – {}", layout.organization);
    render(&AuditPage {
        frame: PageFrame {
            section: Some(Section::Audit),
            ..PageFrame::new(title, Some(layout))
        },
        layout,
        audit: paths::audit(&layout.tenant),
        file: file(""),
        file_from_here: (!after.is_empty()).then(|| file(after)),
        log,
        former: (!user.is_empty() && !is_listed).then_some(user),
    })
}

/// The audit of one record, if the user may read it.
pub(crate) fn record_audit_path(layout: &Layout, id: &str) -> Option<String> {
    let filter = AuditFilter {
        record: id,
        ..AuditFilter::default()
    };
    (layout.role >= Role::Admin).then(|| paths::audit(&layout.tenant) + &filter.query(""))
}

/// Appends every field of an input as `name: value`, including nested ones.
fn flatten(name: &str, value: &Value, parts: &mut Vec<String>) {
    match value {
        Value::Null => {}
        Value::Object(fields) => {
            for (name, value) in fields {
                flatten(name, value, parts);
            }
        }
        Value::Array(list) => {
            for value in list {
                flatten(name, value, parts);
            }
        }
        Value::String(text) => parts.push(format!("{name}: {text}")),
        plain => parts.push(format!("{name}: {plain}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn an_input_is_shown_on_one_line() {
        let mut parts = Vec::new();
        let input = json!({ "details": { "name": "Ada", "phone": null }, "version": 2 });
        flatten("", &input, &mut parts);
        assert_eq!(parts, ["name: Ada", "version: 2"]);
    }

    #[test]
    fn a_file_has_the_filter_of_the_page_and_starts_at_the_newest_record() {
        let layout = Layout {
            tenant: action::TenantId::parse("acme").unwrap(),
            organization: "Acme".to_owned(),
            role: Role::Admin,
        };
        let log = AuditLog {
            records: Vec::new(),
            refused: Vec::new(),
            people: Vec::new(),
            filter: AuditFilter {
                action: "create-contact",
                after: "a.b",
                ..AuditFilter::default()
            },
            errors: None,
            next: None,
            most_in_file: 7,
        };
        let page = audit(&layout, &log);
        for words in [
            "href=\"/t/acme/audit.csv?action=create-contact\">Download CSV<",
            "href=\"/t/acme/audit.csv?action=create-contact&#38;after=a.b\">From this",
            "A file holds at most 7 records.",
        ] {
            assert!(page.contains(words), "{words}: {page}");
        }
    }

    #[test]
    fn a_query_contains_only_the_filters_that_are_set() {
        let filter = AuditFilter {
            action: "create-contact",
            ..AuditFilter::default()
        };
        assert_eq!(filter.query("a.b"), "?action=create-contact&after=a.b");
        assert_eq!(AuditFilter::default().query(""), "");
    }
}
