//! What holds for every page, whatever data is on it.

#![expect(clippy::unwrap_used, reason = "test data is valid")]

use action::{FormState, Role, TenantId};
use crm::{Contact, HistoryEvent, TRASH_DAYS};
use flate2::Compression;
use flate2::write::GzEncoder;
use pages::{
    ContactList, Layout, MemberPage, assets, contact_delete, contact_detail, contact_edit,
    contact_list, contact_new, fresh_invitation, member_edit, member_invite, member_list, problem,
    sign_in, sign_up,
};
use serde_json::{Value, json};
use std::io::Write;

const ID: &str = "0197a3b0-0000-7000-8000-00000000000a";
const OWNER: &str = "0197a3b0-0000-7000-8000-0000000000ff";
const HOSTILE: &str = "<script>alert('\"&')</script>";

fn layout(role: Role) -> Layout {
    Layout {
        tenant: TenantId::parse("acme").unwrap(),
        organization: HOSTILE.to_owned(),
        role,
    }
}

fn record(name: &str) -> Value {
    json!({
        "id": ID, "name": name, "email": "o'b&<x>@example.com", "company": HOSTILE,
        "phone": "<b>+44</b>", "notes": "</textarea><script>", "ownerId": OWNER,
        "createdAt": "2026-01-05T10:00:00Z", "updatedAt": "2026-02-05T10:00:00Z", "version": 3,
    })
}

fn contact(name: &str) -> Contact {
    serde_json::from_value(record(name)).unwrap()
}

fn event(by: &str) -> HistoryEvent {
    HistoryEvent {
        action: by.to_owned(),
        at: "2026-01-05T10:00:00Z".parse().unwrap(),
        by: by.to_owned(),
    }
}

fn state(values: &[(&str, &str)], errors: &[(&str, &str)]) -> FormState {
    let map = |pairs: &[(&str, &str)]| {
        let owned = pairs
            .iter()
            .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()));
        owned.collect()
    };
    FormState {
        values: map(values),
        errors: map(errors),
        key: "fresh-key".to_owned(),
        ..FormState::default()
    }
}

fn list_of(contacts: &[Contact]) -> ContactList<'_> {
    ContactList {
        contacts,
        next: None,
        q: "",
        first_page: true,
    }
}

fn list(role: Role, contacts: &[Contact]) -> String {
    contact_list(&layout(role), &list_of(contacts))
}

/// Every page, with markup in every text.
fn hostile_pages() -> Vec<String> {
    let layout = layout(Role::Owner);
    let contact = contact(HOSTILE);
    let values = [
        ("id", ID),
        ("version", HOSTILE),
        ("name", HOSTILE),
        ("email", HOSTILE),
        ("company", HOSTILE),
        ("notes", HOSTILE),
    ];
    let mut form = state(&values, &[("name", HOSTILE), ("unknown", HOSTILE)]);
    form.current = Some(record(HOSTILE));
    form.existing = Some(HOSTILE.to_owned());
    form.key = HOSTILE.to_owned();
    let contacts = [contact.clone()];
    let list = ContactList {
        next: Some(HOSTILE),
        q: HOSTILE,
        first_page: false,
        ..list_of(&contacts)
    };
    vec![
        contact_list(&layout, &list),
        contact_list(
            &layout,
            &ContactList {
                contacts: &[],
                ..list
            },
        ),
        contact_detail(&layout, &contact, &[event(HOSTILE)]),
        contact_new(Some(&layout), &form),
        contact_edit(Some(&layout), &form),
        contact_delete(Some(&layout), Some(&contact), &form),
        sign_in(&form, HOSTILE),
        sign_up(&form),
        problem(Some(&layout), 500, HOSTILE, HOSTILE),
        problem(
            Some(&layout),
            400,
            &format!("name: {HOSTILE}\n{HOSTILE}"),
            HOSTILE,
        ),
    ]
}

#[test]
fn text_never_becomes_markup() {
    for page in hostile_pages() {
        assert!(!page.contains("<script>"), "{page}");
        assert!(!page.contains("</textarea><"), "{page}");
        assert!(!page.contains("alert('"), "{page}");
    }
}

#[test]
fn a_page_contains_no_inline_script_and_no_inline_style() {
    for page in hostile_pages() {
        assert_eq!(page.matches("<script").count(), 1);
        for forbidden in ["<style", " style=", " onclick=", "javascript:"] {
            assert!(!page.contains(forbidden), "{forbidden}");
        }
        for asset in assets() {
            assert!(page.contains(asset.path), "{}", asset.path);
        }
    }
}

#[test]
fn a_cacheable_page_contains_no_idempotency_key_and_no_user() {
    let contact = contact("Ada");
    for role in [Role::Viewer, Role::Member, Role::Admin, Role::Owner] {
        for page in [
            list(role, std::slice::from_ref(&contact)),
            list(role, &[]),
            contact_detail(&layout(role), &contact, &[event("Ada")]),
        ] {
            assert!(!page.contains("idempotency_key"));
            assert!(!page.contains(OWNER));
            assert!(!page.contains("csrf"));
        }
    }
}

#[test]
fn a_viewer_is_offered_nothing_that_writes() {
    let contact = contact("Ada");
    for page in [
        list(Role::Viewer, std::slice::from_ref(&contact)),
        contact_detail(&layout(Role::Viewer), &contact, &[]),
    ] {
        for word in ["Add Contact", "/edit", "/delete", "create-contact"] {
            assert!(!page.contains(word), "{word}");
        }
    }
}

#[test]
fn a_list_shows_the_number_of_contacts_and_whether_there_are_more() {
    let contacts = [contact("Ada"), contact("Eve")];
    let page = list(Role::Member, &contacts);
    assert!(page.contains("Contacts (2)"));
    assert!(page.contains(">Added Jan 5, 2026 UTC</time>"));
    assert!(!page.contains("No contacts yet"));
    let more = ContactList {
        next: Some("a/b="),
        q: "x&y",
        ..list_of(&contacts)
    };
    let page = contact_list(&layout(Role::Member), &more);
    assert!(page.contains("Contacts (2+)"));
    assert!(page.contains("?q=x%26y&amp;after=a%2Fb%3D"));
}

#[test]
fn an_empty_list_shows_why_it_is_empty_and_what_to_do() {
    let page = list(Role::Member, &[]);
    assert!(page.contains("No contacts yet"));
    assert!(page.contains("Add your first contact using the form above."));
    let none = ContactList {
        q: "zed",
        ..list_of(&[])
    };
    let page = contact_list(&layout(Role::Member), &none);
    assert!(page.contains("No contacts match “<bdi>zed</bdi>”"));
    assert!(!page.contains("No contacts yet"));
}

#[test]
fn an_error_is_shown_in_the_summary_and_beside_its_field_and_input_is_kept() {
    let form = state(
        &[("name", ""), ("email", "nope"), ("notes", "\ntwo lines")],
        &[("email", "Invalid email format")],
    );
    let page = contact_new(Some(&layout(Role::Member)), &form);
    assert!(page.contains("<title>Error: Add Contact"));
    assert!(page.contains(r##"<a href="#email">Invalid email format</a>"##));
    assert!(page.contains(r#"<p class="error" id="email-error">Invalid email format</p>"#));
    assert!(page.contains(r#"aria-describedby="email-error" aria-invalid="true""#));
    assert!(page.contains(r#"value="nope""#));
    // Browsers drop the first line break after the opening tag.
    assert!(page.contains(">\n\ntwo lines</textarea>"));
    assert!(page.contains(r#"name="idempotency_key" value="fresh-key""#));
}

#[test]
fn a_password_is_never_sent_back() {
    let form = state(&[("email", "a@b"), ("password", "hunter22")], &[]);
    for page in [sign_in(&form, ""), sign_up(&form)] {
        assert!(page.contains(r#"value="a@b""#));
        assert!(!page.contains("hunter22"));
    }
}

#[test]
fn saving_again_after_a_conflict_replaces_the_stored_version() {
    let mut form = state(&[("id", ID), ("version", "2"), ("name", "Mine")], &[]);
    form.error = Some("Somebody else changed this contact".to_owned());
    form.current = Some(record("Theirs"));
    let page = contact_edit(Some(&layout(Role::Member)), &form);
    assert!(page.contains(r#"name="version" value="3""#));
    assert!(page.contains(r#"<td dir="auto">Mine</td><td dir="auto">Theirs</td>"#));
    assert!(page.contains(&format!("/t/acme/contacts/{ID}/edit\">Start over")));
}

#[test]
fn a_form_keeps_its_input_when_the_session_has_ended() {
    let mut form = state(&[("name", "Ada")], &[]);
    form.signed_out = true;
    let page = contact_new(None, &form);
    assert!(page.contains("Your session has ended."));
    assert!(page.contains(r#"href="/sign-in" target="_blank""#));
    assert!(page.contains(r#"value="Ada""#));
    assert!(!page.contains("Sign out"));
    assert!(
        !page.contains("data-enhance"),
        "without a tenant, the script has no page to go to"
    );
}

#[test]
fn an_invalid_id_makes_no_link() {
    let page = contact_delete(
        Some(&layout(Role::Member)),
        None,
        &state(&[("id", "../../evil")], &[]),
    );
    assert!(page.contains("Delete this contact? It stays in the trash for 30 days"));
    assert!(!page.contains("contacts/.."));
}

#[test]
fn only_a_server_error_shows_its_request_id() {
    assert!(problem(None, 500, "m", "req-1").contains("req-1"));
    assert!(!problem(None, 404, "m", "req-1").contains("req-1"));
}

#[test]
fn an_error_page_has_a_paragraph_for_each_line_of_the_message() {
    let page = problem(
        None,
        400,
        "action: Unknown action\nrecord: Unknown record",
        "",
    );
    for line in ["action: Unknown action", "record: Unknown record"] {
        assert!(page.contains(&format!("<p>{line}</p>")), "{page}");
    }
    let page = problem(None, 404, "Page not found", "");
    let count = page.matches("Page not found</").count();
    assert_eq!(
        count, 1,
        "a message that equals the heading is not repeated"
    );
}

#[test]
fn a_long_history_is_cut_off_with_a_notice_and_for_admins_a_link_to_the_audit() {
    let contact = contact("Ada");
    let notice = format!("The newest {} are shown.", HistoryEvent::SHOWN);
    let audit = format!("href=\"/t/acme/audit?record={ID}\"");
    let events = vec![event("update-contact"); HistoryEvent::SHOWN + 1];
    for (role, has_link) in [(Role::Member, false), (Role::Admin, true)] {
        let page = contact_detail(&layout(role), &contact, &events);
        assert_eq!(page.matches("Updated by").count(), HistoryEvent::SHOWN);
        assert!(page.contains(&notice), "{page}");
        assert_eq!(page.contains(&audit), has_link, "{page}");
        let whole = contact_detail(&layout(role), &contact, &events[1..]);
        assert_eq!(whole.matches("Updated by").count(), HistoryEvent::SHOWN);
        assert!(
            !whole.contains(&notice) && !whole.contains(&audit),
            "{whole}"
        );
    }
}

#[test]
fn a_chosen_role_stays_selected_whatever_the_role_of_the_user_who_chose_it() {
    let chosen = r#"<option value="owner" selected>"#;
    let form = state(&[("userId", OWNER), ("role", "owner")], &[]);
    let change = MemberPage {
        change: Some(&form),
        ..MemberPage::default()
    };
    let [viewer, admin] = [Role::Viewer, Role::Admin].map(layout);
    for layout in [None, Some(&viewer), Some(&admin)] {
        for page in [member_invite(layout, &form), member_edit(layout, &change)] {
            assert!(page.contains(chosen), "{page}");
        }
    }
    let fresh = member_invite(Some(&admin), &fresh_invitation(String::new()));
    assert!(!fresh.contains(r#"value="owner""#), "{fresh}");
}

#[test]
fn the_link_to_delete_carries_the_days_that_the_trash_keeps_a_contact() {
    let contact = contact("Ada");
    let days = format!(r#" data-delete="{TRASH_DAYS}""#);
    for page in [
        list(Role::Member, std::slice::from_ref(&contact)),
        contact_detail(&layout(Role::Member), &contact, &[]),
    ] {
        assert!(page.contains(&days), "{page}");
    }
}

#[test]
fn the_invitation_form_beside_the_list_starts_like_the_one_on_its_own_page() {
    let layout = layout(Role::Owner);
    let chosen = r#"<option value="member" selected>"#;
    let list = member_list(&layout, &[], true, None);
    let own_page = member_invite(Some(&layout), &fresh_invitation("key".to_owned()));
    assert!(list.contains(chosen) && own_page.contains(chosen));
    assert!(!list.contains("idempotency_key"));
}

/// Compressed as a server does it, at the default level.
#[test]
fn the_script_takes_at_most_8_kb() {
    let script = assets().iter().find(|asset| asset.path.ends_with(".js"));
    let mut gzip = GzEncoder::new(Vec::new(), Compression::default());
    gzip.write_all(script.unwrap().bytes).unwrap();
    let size = gzip.finish().unwrap().len();
    assert!((1..=8_000).contains(&size), "{size} bytes");
}
