//! Lists contacts, newest first, or searches them for words.

use action::{
    ActionError, Actor, Context, Found, Query, Reads, Text, View, ViewPage, Viewers, cut_page,
    optional,
};
use crm::{Contact, PAGE_SIZE};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use validator::Validate;

/// The view.
#[derive(Debug)]
pub struct ListContacts;

/// The text to search for, and the page.
#[derive(Debug, Clone, Default, Deserialize, Serialize, Validate, JsonSchema)]
#[serde(default)]
pub struct Search {
    /// Words in the name, the email, the company or the phone number, in any case; a text in double
    /// quotes is one word. Empty for all contacts.
    q: Text,
    /// The cursor from `next` of the page before.
    #[serde(deserialize_with = "optional")]
    after: Option<Text>,
}

impl Search {
    /// The name of this list. A cursor works only for the list that it was made for: the same
    /// organisation and the same text.
    fn list_name(&self, actor: &Actor) -> String {
        format!("{}:contacts {}", actor.tenant, self.q)
    }
}

/// One page of the contacts.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ContactsPage {
    contacts: Vec<Contact>,
    /// The cursor of the next page; `null` on the last one.
    next: Option<String>,
    #[serde(skip)]
    search: Search,
}

impl View for ListContacts {
    const PATH: &'static str = "/t/{tenant}/contacts";
    const FUNCTION: &'static str = "list-contacts";
    const SEARCHES: bool = true;
    type Permission = Viewers;
    type Params = Search;
    type Output = ContactsPage;

    fn sample() -> &'static str {
        "q=vind"
    }

    fn reads(context: &Context<Actor>, search: &Search) -> Result<Reads, ActionError> {
        let list_name = search.list_name(&context.caller);
        let after = context.after(&list_name, search.after.as_ref())?;
        // One more than a page shows, to know whether there is a next page.
        let newest = Query::newest::<Contact>(&context.caller.tenant, PAGE_SIZE + 1).after(after);
        let words = crm::words(search.q.as_str());
        let query = if words.is_empty() {
            newest
        } else {
            newest.holding::<Contact>(words)
        };
        Ok(Reads::none().query(query))
    }

    fn show(
        context: &Context<Actor>,
        search: &Search,
        found: &Found,
    ) -> Result<ContactsPage, ActionError> {
        let mut contacts: Vec<Contact> = found.range(&context.caller.tenant)?;
        let next = cut_page(&mut contacts, PAGE_SIZE)
            .map(|last| context.cursor(&search.list_name(&context.caller), last.id.as_str()));
        Ok(ContactsPage {
            contacts,
            next,
            search: search.clone(),
        })
    }

    fn page(page: &ViewPage<'_>, output: &ContactsPage) -> String {
        let list = pages::ContactList {
            contacts: &output.contacts,
            next: output.next.as_deref(),
            q: output.search.q.as_str(),
            first_page: output.search.after.is_none(),
        };
        page.layout
            .map(|layout| pages::contact_list(layout, &list))
            .unwrap_or_default()
    }
}
