//! Shows admins the audit of their organisation, with a link to download it.

use crate::audit::export;
use crate::audit::filter::Filter;
use crate::audit::log::{AuditEntry, RefusalCount};
use action::{ActionError, Actor, Admins, Context, Found, Reads, View, ViewPage, cut_page};
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
    #[serde(skip)]
    filter: Filter,
    #[serde(skip)]
    names: UserNames,
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
        let mut records = AuditEntry::from_found(context, found, &names)?;
        let last = cut_page(&mut records, PAGE_SIZE).map(AuditEntry::id);
        let last = last.or(Filter::unread(context, found));
        Ok(AuditPage {
            next: filter.next(context, last),
            refused: RefusalCount::from_found(context, found, filter, &names)?,
            records,
            filter: filter.clone(),
            names,
        })
    }

    fn page(page: &ViewPage<'_>, output: &AuditPage) -> String {
        let log = pages::AuditLog {
            records: output.records.iter().map(AuditEntry::row).collect(),
            refused: output.refused.iter().map(RefusalCount::row).collect(),
            people: output.names.sorted(),
            filter: output.filter.for_page(),
            next: output.next.as_deref(),
            most_in_file: export::MAX_RECORDS,
        };
        page.layout
            .map(|layout| pages::audit(layout, &log))
            .unwrap_or_default()
    }
}
