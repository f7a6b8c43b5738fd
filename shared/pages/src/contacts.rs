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
use crm::{Contact, ContactDetails, Email, HistoryEvent, Phone};

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
    /// The email, or the phone number of a contact without one.
    address: &'a str,
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
    /// The number to dial; `None` if the phone field is not exactly one number.
    dialed: Option<String>,
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
    render(&ContactPage {
        frame: PageFrame::new(title, Some(layout)),
        contacts: contacts_of(&layout.tenant),
        can_write: can_write(layout),
        contact,
        row: ContactRow::new(contact),
        updated: day(contact.updated_at),
        dialed: contact.details.phone.as_ref().and_then(Phone::dialed),
        history: history
            .iter()
            .take(HistoryEvent::SHOWN)
            .map(HistoryEntry::new)
            .collect(),
        has_more: history.len() > HistoryEvent::SHOWN,
        audit: record_audit_path(layout, contact.id.as_str()),
    })
}

/// The parts of an email before and after its last `@`.
fn email_parts(email: &Email) -> (&str, &str) {
    let email = email.as_str();
    email.rsplit_once('@').unwrap_or((email, ""))
}

impl<'a> ContactRow<'a> {
    fn new(contact: &'a Contact) -> Self {
        let details = &contact.details;
        let id = contact.id.as_str();
        Self {
            id,
            name: details.name.as_str(),
            address: address(details),
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
            address: "",
            company: None,
            initials: String::new(),
            tone: 0,
            created_at: String::new(),
            added: String::new(),
        }
    }
}

/// Where to reach the contact: the email, or the phone number of a contact without one.
pub(crate) fn address(details: &ContactDetails) -> &str {
    let phone = details.phone.as_ref().map(Phone::as_str);
    let email = details.email.as_ref().map(Email::as_str);
    email.or(phone).unwrap_or_default()
}
