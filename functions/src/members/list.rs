//! Lists the members of the organisation and the invited users, newest first.

use action::{
    ActionError, Actor, Context, Found, Query, Reads, Text, View, ViewPage, Viewers, cut_page,
    optional,
};
use crm::{Member, Membership};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use validator::Validate;

/// The view.
#[derive(Debug)]
pub struct ListMembers;

/// How many members a page of the list has.
const PAGE: usize = 200;

/// Which page of the members.
#[derive(Debug, Clone, Default, Deserialize, Serialize, Validate, JsonSchema)]
#[serde(default)]
pub struct MembersParams {
    /// The `next` cursor of the page before.
    #[serde(deserialize_with = "optional")]
    after: Option<Text>,
}

/// One page of the members.
#[derive(Debug, Serialize, JsonSchema)]
pub struct MembersPage {
    members: Vec<ListedMember>,
    /// The cursor of the next page; `null` on the last page.
    next: Option<String>,
    #[serde(skip)]
    is_first: bool,
}

fn list_name(caller: &Actor) -> String {
    format!("{}:members", caller.tenant)
}

/// A member of the list.
#[derive(Debug, Serialize, JsonSchema)]
struct ListedMember {
    #[serde(flatten)]
    member: Member,
    #[serde(skip)]
    has_expired: bool,
}

impl ListedMember {
    fn row(&self) -> pages::ListedMember<'_> {
        pages::ListedMember {
            member: &self.member,
            has_expired: self.has_expired,
        }
    }
}

impl View for ListMembers {
    const PATH: &'static str = "/t/{tenant}/members";
    const FUNCTION: &'static str = "list-members";
    type Permission = Viewers;
    type Params = MembersParams;
    type Output = MembersPage;

    fn reads(context: &Context<Actor>, params: &MembersParams) -> Result<Reads, ActionError> {
        let after = context.after(&list_name(&context.caller), params.after.as_ref())?;
        // One more than a page shows, to know whether there is a next page.
        let query = Query::newest::<Member>(&context.caller.tenant, PAGE + 1).after(after);
        Ok(Reads::none().query(query))
    }

    fn show(
        context: &Context<Actor>,
        params: &MembersParams,
        found: &Found,
    ) -> Result<MembersPage, ActionError> {
        let mut members: Vec<Membership> = found.range(&context.caller.tenant)?;
        let next = cut_page(&mut members, PAGE)
            .map(|last| context.cursor(&list_name(&context.caller), last.member.id.as_str()));
        let listed = |membership: Membership| ListedMember {
            has_expired: membership.expired_at(context.now).is_some(),
            member: membership.member,
        };
        Ok(MembersPage {
            members: members.into_iter().map(listed).collect(),
            next,
            is_first: params.after.is_none(),
        })
    }

    fn page(page: &ViewPage<'_>, list: &MembersPage) -> String {
        let members: Vec<_> = list.members.iter().map(ListedMember::row).collect();
        page.layout
            .map(|layout| pages::member_list(layout, &members, list.is_first, list.next.as_deref()))
            .unwrap_or_default()
    }
}
