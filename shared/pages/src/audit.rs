//! The page that shows admins what was done in their organisation.

use crate::dates::moment;
use crate::layout::{PageFrame, Section, render};
use crate::paths;
use action::{Layout, Role};
use askama::Template;
use jiff::Timestamp;
use serde_json::Value;

/// How much of an input is shown, in characters.
const MAX_INPUT_CHARS: usize = 300;

/// One page of the audit.
#[derive(Debug)]
pub struct AuditLog<'a> {
    /// What was done, newest first.
    pub records: Vec<AuditRow<'a>>,
    /// What was refused, the latest first.
    pub refused: Vec<RefusedRow<'a>>,
    /// Everybody to choose from: id and name.
    pub people: Vec<(&'a str, String)>,
    /// What is asked for.
    pub filter: AuditFilter<'a>,
    /// The cursor of the next page, where there is one.
    pub next: Option<&'a str>,
    /// How many records a file holds at most.
    pub most_in_file: usize,
}

/// What is asked for; a text is empty where anything will do.
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
    /// The query that asks for the same behind this cursor, with its question mark; empty where
    /// there is nothing to ask. The values are letters, digits and hyphens, a cursor's dots and
    /// underscores too, so none needs an escape.
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

/// Something that was done.
#[derive(Debug, Clone, Copy)]
pub struct AuditRow<'a> {
    /// The action's name.
    pub action: &'a str,
    /// When.
    pub at: Timestamp,
    /// The id of who did it.
    pub user: Option<&'a str>,
    /// What to call them.
    pub by: &'a str,
    /// Their role then.
    pub role: Option<&'a str>,
    /// The kind of thing that it was done to.
    pub resource: &'a str,
    /// Which one.
    pub subject: &'a str,
    /// From which address.
    pub ip: &'a str,
    /// With which program.
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

    /// The page of what it was done to, where that has one.
    fn record_path(&self, layout: &Layout) -> Option<String> {
        let has_page = self.resource == "contacts" && action::is_uuid(self.subject);
        has_page.then(|| paths::contact(Some(layout), self.subject, ""))
    }

    /// The input in one line, without what is empty.
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

/// Something that was refused.
#[derive(Debug, Clone, Copy)]
pub struct RefusedRow<'a> {
    /// The action's name.
    pub action: &'a str,
    /// The code of the answer.
    pub code: &'a str,
    /// What to call whoever it was refused to.
    pub by: &'a str,
    /// Their id.
    pub user: &'a str,
    /// How often.
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
    /// Everything that is asked for as a file, from the newest on.
    file: String,
    /// The same from this page on, where the page is not the newest.
    file_from_here: Option<String>,
    log: &'a AuditLog<'a>,
    /// The person asked for, where they are not among those to choose from.
    former: Option<&'a str>,
}

impl AuditPage<'_> {
    /// Where the same is asked for, but with this person, action or record alone.
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
    render(&AuditPage {
        frame: PageFrame {
            section: Some(Section::Audit),
            ..PageFrame::new(format!("Audit – {}", layout.organization), Some(layout))
        },
        layout,
        audit: paths::audit(&layout.tenant),
        file: file(""),
        file_from_here: (!after.is_empty()).then(|| file(after)),
        log,
        former: (!user.is_empty() && !is_listed).then_some(user),
    })
}

/// Where what was done to one record is, for whoever may look there.
pub(crate) fn record_audit_path(layout: &Layout, id: &str) -> Option<String> {
    let filter = AuditFilter {
        record: id,
        ..AuditFilter::default()
    };
    (layout.role >= Role::Admin).then(|| paths::audit(&layout.tenant) + &filter.query(""))
}

/// The fields of an input by name, also of what is within another.
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
    fn an_input_is_shown_in_one_line() {
        let mut parts = Vec::new();
        let input = json!({ "details": { "name": "Ada", "phone": null }, "version": 2 });
        flatten("", &input, &mut parts);
        assert_eq!(parts, ["name: Ada", "version: 2"]);
    }

    #[test]
    fn a_file_has_the_filters_of_the_page_and_begins_at_the_newest() {
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
    fn a_query_asks_for_what_is_asked_for() {
        let filter = AuditFilter {
            action: "create-contact",
            ..AuditFilter::default()
        };
        assert_eq!(filter.query("a.b"), "?action=create-contact&after=a.b");
        assert_eq!(AuditFilter::default().query(""), "");
    }
}
