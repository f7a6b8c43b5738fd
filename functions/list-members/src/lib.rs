//! Lists everybody who belongs to the organisation or is invited to it, the newest first.

use action::{App, Function, View, ViewPage};
use commit::{ActionError, Actor, Context, Found, Query, Reads, Viewers};
use crm::Member;
use serde::Serialize;
use std::sync::Arc;

/// The view.
#[derive(Debug)]
pub struct ListMembers;

/// The list. It has no second page.
#[derive(Debug, Serialize)]
pub struct List {
    members: Vec<Member>,
    next: Option<String>,
}

impl View for ListMembers {
    const PATH: &'static str = "/t/{tenant}/members";
    type Permission = Viewers;
    type Params = ();
    type Output = List;

    fn reads(context: &Context<Actor>, (): &()) -> Result<Reads, ActionError> {
        let everybody = Query::newest::<Member>(&context.caller.tenant, usize::MAX);
        Ok(Reads::none().query(everybody))
    }

    fn show(context: &Context<Actor>, (): &(), found: &Found) -> Result<List, ActionError> {
        Ok(List {
            members: found.range(&context.caller.tenant)?,
            next: None,
        })
    }

    fn page(page: &ViewPage<'_>, list: &List) -> String {
        page.chrome
            .map(|chrome| pages::member_list(chrome, &list.members))
            .unwrap_or_default()
    }
}

/// The function that serves it.
pub fn function(app: Arc<App>) -> Function {
    Function::views("list-members", app).view::<ListMembers>()
}
