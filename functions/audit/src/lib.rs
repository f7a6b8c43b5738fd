//! Shows admins what was done in their organisation and what was refused, and gives it as a file.

mod export;
mod filter;
mod log;

use action::{App, Function, View, ViewPage};
use commit::{ActionError, Actor, Admins, Context, Found, Reads};
use crm::People;
use filter::Filter;
use log::{Refused, Shown};
use serde::Serialize;
use std::sync::Arc;

/// How many records a page shows.
const PAGE_SIZE: usize = 50;

/// The view.
#[derive(Debug)]
pub struct Audit;

/// One page of the audit.
#[derive(Debug, Serialize)]
pub struct Page {
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
    type Permission = Admins;
    type Params = Filter;
    type Output = Page;

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

    fn show(context: &Context<Actor>, filter: &Filter, found: &Found) -> Result<Page, ActionError> {
        let people = People::found(found, &context.caller.tenant);
        let mut records = Shown::found(context, found, &people)?;
        let more = records.len() > PAGE_SIZE;
        records.truncate(PAGE_SIZE);
        Ok(Page {
            next: more.then(|| filter.next(context, records.last())).flatten(),
            refused: Refused::found(context, found, filter, &people)?,
            records,
            filter: filter.clone(),
            people,
        })
    }

    fn page(page: &ViewPage<'_>, output: &Page) -> String {
        let log = pages::AuditLog {
            records: output.records.iter().map(Shown::row).collect(),
            refused: output.refused.iter().map(Refused::row).collect(),
            people: output.people.by_name(),
            filter: output.filter.shown(),
            next: output.next.as_deref(),
            most_in_file: export::MOST_RECORDS,
        };
        page.chrome
            .map(|chrome| pages::audit(chrome, &log))
            .unwrap_or_default()
    }
}

/// The function that serves it.
pub fn function(app: Arc<App>) -> Function {
    Function::views("audit", app)
        .view::<Audit>()
        .view::<export::Export>()
}
