//! Shows admins what was done in their organisation and what was refused, and gives it as a file.

use crate::audit::export;
use crate::audit::filter::Filter;
use crate::audit::log::{Refused, Shown};
use action::{ActionError, Actor, Admins, Context, Found, Reads, View, ViewPage};
use crm::People;
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
    records: Vec<Shown>,
    refused: Vec<Refused>,
    next: Option<String>,
    #[serde(skip)]
    filter: Filter,
    #[serde(skip)]
    people: People,
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
        // One more than a page shows tells whether there is a next one.
        let records = filter.records(context, PAGE_SIZE + 1)?;
        Ok(Reads::none()
            .query(records)
            .query(Refused::query(tenant))
            .query(People::query(tenant))
            .query(People::former(tenant)))
    }

    fn show(
        context: &Context<Actor>,
        filter: &Filter,
        found: &Found,
    ) -> Result<AuditPage, ActionError> {
        let people = People::found(found, &context.caller.tenant);
        let mut records = Shown::found(context, found, &people)?;
        let more = records.len() > PAGE_SIZE;
        records.truncate(PAGE_SIZE);
        Ok(AuditPage {
            next: more
                .then(|| filter.next(context, records.last().map(Shown::id)))
                .flatten(),
            refused: Refused::found(context, found, filter, &people)?,
            records,
            filter: filter.clone(),
            people,
        })
    }

    fn page(page: &ViewPage<'_>, output: &AuditPage) -> String {
        let log = pages::AuditLog {
            records: output.records.iter().map(Shown::row).collect(),
            refused: output.refused.iter().map(Refused::row).collect(),
            people: output.people.by_name(),
            filter: output.filter.shown(),
            next: output.next.as_deref(),
            most_in_file: export::MOST_RECORDS,
        };
        page.layout
            .map(|layout| pages::audit(layout, &log))
            .unwrap_or_default()
    }
}
