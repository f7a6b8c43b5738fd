//! Lists contacts, newest first, and finds those that hold a text.

use action::{
    ActionError, Actor, Context, FieldErrors, Form, Found, Input, Invalid, Query, Reads, View,
    ViewPage, Viewers,
};
use crm::{Contact, PAGE_SIZE};
use serde::Serialize;
use std::convert::Infallible;

/// The view.
#[derive(Debug)]
pub struct ListContacts;

/// What to look for, and where to begin.
#[derive(Debug, Clone, Serialize)]
pub struct Search {
    q: String,
    after: Option<String>,
}

impl Input for Search {
    fn parse(form: &mut Form<'_>) -> Result<Self, Invalid> {
        let own = |text: &str| Ok::<_, Infallible>(text.to_owned());
        let q = form.field("q", own);
        let after = form.optional("after", own);
        Ok(Self {
            q: q?,
            after: after?,
        })
    }
}

impl Search {
    /// A cursor is good for this list alone: of this organisation, for this text.
    fn list(&self, actor: &Actor) -> String {
        format!("{}:contacts {}", actor.tenant, self.q)
    }
}

/// One page of the list.
#[derive(Debug, Serialize)]
pub struct Page {
    contacts: Vec<Contact>,
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
    type Output = Page;

    fn sample() -> &'static str {
        "q=vind"
    }

    fn reads(context: &Context<Actor>, search: &Search) -> Result<Reads, ActionError> {
        let list = search.list(&context.caller);
        let position = |cursor: &String| {
            let unknown = || FieldErrors::from([("after".to_owned(), "Unknown page".to_owned())]);
            context
                .position(&list, cursor)
                .ok_or_else(|| ActionError::Validation(unknown()))
        };
        let after = search.after.as_ref().map(position).transpose()?;
        // One more than a page shows tells whether there is a next one.
        let newest = Query::newest::<Contact>(&context.caller.tenant, PAGE_SIZE + 1).after(after);
        let query = if search.q.is_empty() {
            newest
        } else {
            newest.holding::<Contact>(crm::fold(&search.q))
        };
        Ok(Reads::none().query(query))
    }

    fn show(context: &Context<Actor>, search: &Search, found: &Found) -> Result<Page, ActionError> {
        let mut contacts: Vec<Contact> = found.range(&context.caller.tenant)?;
        let more = contacts.len() > PAGE_SIZE;
        contacts.truncate(PAGE_SIZE);
        let next = contacts
            .last()
            .filter(|_| more)
            .map(|last| context.cursor(&search.list(&context.caller), last.id.as_str()));
        Ok(Page {
            contacts,
            next,
            search: search.clone(),
        })
    }

    fn page(page: &ViewPage<'_>, output: &Page) -> String {
        let list = pages::ContactList {
            contacts: &output.contacts,
            next: output.next.as_deref(),
            q: &output.search.q,
            first_page: output.search.after.is_none(),
        };
        page.layout
            .map(|layout| pages::contact_list(layout, &list))
            .unwrap_or_default()
    }
}
