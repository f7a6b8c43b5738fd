//! Lists the members of the organisation and the invited users, newest first.

use action::{ActionError, Actor, Context, Empty, Found, Query, Reads, View, ViewPage, Viewers};
use crm::{Member, Membership};
use schemars::JsonSchema;
use serde::Serialize;

/// The view.
#[derive(Debug)]
pub struct ListMembers;

/// The members. There is always only one page.
#[derive(Debug, Serialize, JsonSchema)]
pub struct MembersPage {
    members: Vec<ListedMember>,
    /// Always `null`.
    next: Option<String>,
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
    type Params = Empty;
    type Output = MembersPage;

    fn reads(context: &Context<Actor>, _: &Empty) -> Result<Reads, ActionError> {
        let query = Query::newest::<Member>(&context.caller.tenant, usize::MAX);
        Ok(Reads::none().query(query))
    }

    fn show(
        context: &Context<Actor>,
        _: &Empty,
        found: &Found,
    ) -> Result<MembersPage, ActionError> {
        let members: Vec<Membership> = found.range(&context.caller.tenant)?;
        let listed = |membership: Membership| ListedMember {
            has_expired: membership.expired_at(context.now).is_some(),
            member: membership.member,
        };
        Ok(MembersPage {
            members: members.into_iter().map(listed).collect(),
            next: None,
        })
    }

    fn page(page: &ViewPage<'_>, list: &MembersPage) -> String {
        let members: Vec<_> = list.members.iter().map(ListedMember::row).collect();
        page.layout
            .map(|layout| pages::member_list(layout, &members))
            .unwrap_or_default()
    }
}
