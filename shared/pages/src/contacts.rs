//! The list of contacts and the page of one contact. Shared caches may store both.

use crate::audit::record_audit_path;
use crate::avatar::{initials, tone};
use crate::contact_forms::add_beside_the_list;
use crate::dates::day;
use crate::form::Form;
use crate::history::HistoryEntry;
use crate::layout::{PageFrame, Section, can_write, render};
use crate::paths::contacts_of;
use action::{FormState, Layout};
use askama::Template;
use crm::{Contact, HistoryEvent};

/// One page of the list.
#[derive(Debug, Clone, Copy)]
pub struct ContactList<'a> {
    /// The contacts of this page, newest first.
    pub contacts: &'a [Contact],
    /// The cursor of the next page, if there is one.
    pub next: Option<&'a str>,
    /// The search query, or an empty string.
    pub q: &'a str,
    /// Whether this is the page with the newest contacts.
    pub first_page: bool,
}

#[derive(Template)]
#[template(path = "contacts.html")]
struct ContactListPage<'a> {
    frame: PageFrame<'a>,
    contacts: String,
    can_write: bool,
    rows: Vec<ContactRow<'a>>,
    /// The empty row that the script fills.
    blank: ContactRow<'a>,
    list: &'a ContactList<'a>,
    form: Form<'a>,
}

/// A contact in the list.
struct ContactRow<'a> {
    id: &'a str,
    name: &'a str,
    email: &'a str,
    company: Option<&'a str>,
    initials: String,
    tone: u32,
    created_at: String,
    added: String,
}

#[derive(Template)]
#[template(path = "contact.html")]
struct ContactPage<'a> {
    frame: PageFrame<'a>,
    contacts: String,
    can_write: bool,
    contact: &'a Contact,
    row: ContactRow<'a>,
    updated: String,
    /// The number to dial. Empty if the phone field is not exactly one number.
    dial: String,
    history: Vec<HistoryEntry<'a>>,
    /// Whether there are older events than those shown.
    has_more: bool,
    /// The audit of this contact, if the user may read it.
    audit: Option<String>,
}

/// One page of the list. Cacheable: it contains nothing about one user, and no idempotency key.
#[must_use]
pub fn contact_list(layout: &Layout, list: &ContactList<'_>) -> String {
    let empty = FormState::default();
    let title = format!("Contacts – {}", layout.organization);
    render(&ContactListPage {
        frame: PageFrame {
            section: Some(Section::Contacts),
            ..PageFrame::new(title, Some(layout))
        },
        contacts: contacts_of(&layout.tenant),
        can_write: can_write(layout),
        rows: list.contacts.iter().map(ContactRow::new).collect(),
        blank: ContactRow::blank(),
        list,
        form: add_beside_the_list(layout, &empty, list.first_page && list.q.is_empty()),
    })
}

/// One contact and its newest events, newest first. Cacheable, like the list: it does not name the
/// contact's owner.
#[must_use]
pub fn contact_detail(layout: &Layout, contact: &Contact, history: &[HistoryEvent]) -> String {
    let title = format!("{} – {}", contact.details.name, layout.organization);
    let phone = contact.details.phone.as_ref();
    render(&ContactPage {
        frame: PageFrame::new(title, Some(layout)),
        contacts: contacts_of(&layout.tenant),
        can_write: can_write(layout),
        contact,
        row: ContactRow::new(contact),
        updated: day(contact.updated_at),
        dial: phone.map_or_else(String::new, |phone| dial(phone.as_str())),
        history: history
            .iter()
            .take(HistoryEvent::SHOWN)
            .map(HistoryEntry::new)
            .collect(),
        has_more: history.len() > HistoryEvent::SHOWN,
        audit: record_audit_path(layout, contact.id.as_str()),
    })
}

impl ContactPage<'_> {
    /// The parts of the email before and after its last `@`.
    fn email_parts(&self) -> (&str, &str) {
        self.row
            .email
            .rsplit_once('@')
            .unwrap_or((self.row.email, ""))
    }
}

impl<'a> ContactRow<'a> {
    fn new(contact: &'a Contact) -> Self {
        let details = &contact.details;
        let id = contact.id.as_str();
        Self {
            id,
            name: details.name.as_str(),
            email: details.email.as_str(),
            company: details.company.as_ref().map(|company| company.as_str()),
            initials: initials(details.name.as_str()),
            tone: tone(id),
            created_at: contact.created_at.to_string(),
            added: day(contact.created_at),
        }
    }

    fn blank() -> Self {
        Self {
            id: "__id__",
            name: "",
            email: "",
            company: None,
            initials: String::new(),
            tone: 0,
            created_at: String::new(),
            added: String::new(),
        }
    }
}

/// The digits to dial, for a `tel:` link (RFC 3966). Empty if the text has more than a number in
/// it, because then it is unclear which digits to dial.
fn dial(phone: &str) -> String {
    let is_separator = |c: char| c.is_whitespace() || "-()./\u{2010}\u{2011}\u{2013}".contains(c);
    // "+44 (0)20": the zero is dialed only within the country.
    let number = match phone.strip_prefix('+') {
        Some(international) => format!("+{}", international.replacen("(0)", "", 1)),
        None => phone.to_owned(),
    };
    let dialed: String = number.chars().filter(|c| !is_separator(*c)).collect();
    let digits = dialed.strip_prefix('+').unwrap_or(&dialed);
    let is_number = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
    if is_number { dialed } else { String::new() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_plain_number_is_dialed() {
        for (text, dialed) in [
            ("+44 (0)20-7946", "+44207946"),
            ("(030) 794/609", "030794609"),
            ("030.123\u{a0}456", "030123456"),
            ("+ext", ""),
            ("555-1234 ext. 5", ""),
            ("1-800-FLOWERS", ""),
            ("+", ""),
            ("+1+2", ""),
        ] {
            assert_eq!(dial(text), dialed, "{text}");
        }
    }
}
