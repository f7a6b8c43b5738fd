//! Shows admins the audit of their organisation, with a link to download it.

use crate::audit::export;
use crate::audit::filter::{self, Filter};
use crate::audit::log::{AuditEntry, AuditLine, RefusalCount};
use action::{
    ActionError, Actor, Admins, Context, FormState, Found, Reads, View, ViewPage, cut_page,
};
use crm::UserNames;
use schemars::JsonSchema;
use serde::Serialize;

/// How many records a page shows.
const PAGE_SIZE: usize = 50;

/// The view.
#[derive(Debug)]
pub struct Audit;

/// One page of the audit.
#[derive(Debug, Serialize, JsonSchema)]
pub struct AuditPage {
    records: Vec<AuditEntry>,
    /// How often actions were refused, the latest first.
    refused: Vec<RefusalCount>,
    /// The cursor of the next page; `null` on the last one.
    next: Option<String>,
    /// The records of this page that cannot be read.
    unreadable: Vec<UnreadableRecord>,
    #[serde(skip)]
    filter: Filter,
    #[serde(skip)]
    names: UserNames,
}

/// A record that cannot be read.
#[derive(Debug, Serialize, JsonSchema)]
struct UnreadableRecord {
    /// Its id, if that can be read.
    id: Option<String>,
    /// How many records of the page are before it.
    #[serde(skip)]
    place: usize,
}

impl AuditPage {
    /// The page's records in their order, as the page shows them.
    fn lines(&self) -> Vec<pages::AuditLine<'_>> {
        let rows = self.records.iter().map(AuditEntry::row);
        let mut lines: Vec<_> = rows.map(pages::AuditLine::Record).collect();
        for record in self.unreadable.iter().rev() {
            let line = pages::AuditLine::Unreadable(record.id.as_deref());
            lines.insert(record.place.min(lines.len()), line);
        }
        lines
    }
}

impl View for Audit {
    const PATH: &'static str = "/t/{tenant}/audit";
    const FUNCTION: &'static str = "audit";
    type Permission = Admins;
    type Params = Filter;
    type Output = AuditPage;

    fn sample() -> &'static str {
        "action=create-contact"
    }

    fn reads(context: &Context<Actor>, filter: &Filter) -> Result<Reads, ActionError> {
        let tenant = &context.caller.tenant;
        // One more than a page shows, to know whether there is a next page.
        let records = filter.records(context, PAGE_SIZE + 1)?;
        Ok(Reads::none()
            .query(records)
            .query(RefusalCount::query(tenant))
            .query(UserNames::members_query(tenant))
            .query(UserNames::former_members_query(tenant)))
    }

    fn show(
        context: &Context<Actor>,
        filter: &Filter,
        found: &Found,
    ) -> Result<AuditPage, ActionError> {
        let names = UserNames::from_found(found, &context.caller.tenant);
        let mut lines = AuditLine::from_found(context, found, &names);
        let has_next = cut_page(&mut lines, PAGE_SIZE).is_some();
        let last = lines.iter().rev().find_map(AuditLine::id);
        let last = last.filter(|_| has_next);
        let last = last.or(Filter::unread(context, found));
        let next = filter.next(context, last);
        let (mut records, mut unreadable) = (Vec::new(), Vec::new());
        for line in lines {
            match line {
                AuditLine::Entry(entry) => records.push(*entry),
                AuditLine::Unreadable(id) => unreadable.push(UnreadableRecord {
                    id,
                    place: records.len(),
                }),
            }
        }
        Ok(AuditPage {
            next,
            refused: RefusalCount::from_found(context, found, filter, &names),
            records,
            unreadable,
            filter: filter.clone(),
            names,
        })
    }

    fn wrong_page_reads(context: &Context<Actor>) -> Reads {
        filter::form_reads(context)
    }

    fn wrong_page(
        context: &Context<Actor>,
        page: &ViewPage<'_>,
        sent: &FormState,
        found: &Found,
    ) -> Option<String> {
        filter::form_again(context, page, sent, found)
    }

    fn page(page: &ViewPage<'_>, output: &AuditPage) -> String {
        let log = pages::AuditLog {
            records: output.lines(),
            refused: output.refused.iter().map(RefusalCount::row).collect(),
            people: output.names.sorted(),
            filter: output.filter.for_page(),
            errors: None,
            next: output.next.as_deref(),
            most_in_file: export::MAX_RECORDS,
        };
        page.layout
            .map(|layout| pages::audit(layout, &log))
            .unwrap_or_default()
    }
}
