//! The pages of members: the list, which shared caches may store, and the pages for inviting,
//! changing and removing a member, which may not be cached.

use crate::avatar::{initials, tone};
use crate::dates::day;
use crate::fields::{INVITE_FIELDS, ROLE_FIELDS};
use crate::form::{Form, FormSpec};
use crate::layout::{PageFrame, Section, render};
use crate::paths;
use action::{FormState, Layout, Role};
use askama::Template;
use crm::{Member, Membership};
use jiff::Timestamp;

static INVITE: FormSpec = FormSpec {
    action: "invite-member",
    submit: "Invite",
    pending: "Inviting…",
    failed: "Failed to invite. Please try again.",
    success: "go",
    fields: INVITE_FIELDS,
};

static CHANGE_ROLE: FormSpec = FormSpec {
    action: "change-role",
    submit: "Change role",
    pending: "Changing…",
    failed: "Failed to change the role. Please try again.",
    success: "go",
    fields: ROLE_FIELDS,
};

static REMOVE: FormSpec = FormSpec {
    action: "remove-member",
    submit: "Remove",
    pending: "Removing…",
    failed: "Failed to remove. Please try again.",
    success: "go",
    fields: &[],
};

static WITHDRAW: FormSpec = FormSpec {
    submit: "Withdraw invitation",
    pending: "Withdrawing…",
    failed: "Failed to withdraw the invitation. Please try again.",
    ..REMOVE
};

static LEAVE: FormSpec = FormSpec {
    submit: "Leave",
    pending: "Leaving…",
    failed: "Failed to leave. Please try again.",
    ..REMOVE
};

#[derive(Template)]
#[template(path = "members.html")]
struct ListPage<'a> {
    frame: PageFrame<'a>,
    members: String,
    can_invite: bool,
    rows: Vec<MemberRow<'a>>,
    is_first: bool,
    next: Option<&'a str>,
    form: Form<'a>,
}

/// A member in the list.
struct MemberRow<'a> {
    member: &'a Member,
    name: &'a str,
    initials: String,
    tone: u32,
    role: &'static str,
    status: &'static str,
    since: String,
    /// Whether the signed-in user may change them.
    can_change: bool,
}

#[derive(Template)]
#[template(path = "member_invite.html")]
struct InvitePage<'a> {
    frame: PageFrame<'a>,
    members: String,
    form: Form<'a>,
}

#[derive(Template)]
#[template(path = "member.html")]
struct EditPage<'a> {
    frame: PageFrame<'a>,
    members: String,
    heading: &'a str,
    member: Option<&'a Member>,
    role: &'static str,
    status: &'static str,
    link: Option<(&'a str, Timestamp)>,
    is_emailed: bool,
    /// When the invitation expired, if it has.
    expired: Option<Timestamp>,
    change: Option<Form<'a>>,
    remove: Option<Removal<'a>>,
}

impl EditPage<'_> {
    fn day(&self, time: &Timestamp) -> String {
        day(*time)
    }
}

/// The form to remove a member, and the question above it.
struct Removal<'a> {
    summary: &'static str,
    question: String,
    form: Form<'a>,
    /// Whether it is shown open, as after a refusal.
    open: bool,
}

/// A member in the list.
#[derive(Debug, Clone, Copy)]
pub struct ListedMember<'a> {
    /// The member.
    pub member: &'a Member,
    /// Whether they have an invitation that has expired.
    pub has_expired: bool,
}

/// The data for the page of one member.
#[derive(Debug, Default)]
pub struct MemberPage<'a> {
    /// The member. `None` if they could not be read.
    pub member: Option<&'a Member>,
    /// Whether the member is the signed-in user.
    pub is_self: bool,
    /// The complete link of their invitation, and when it expires.
    pub link: Option<(&'a str, Timestamp)>,
    /// Whether they have been sent an email with a link.
    pub is_emailed: bool,
    /// When their invitation expired, if it has.
    pub expired: Option<Timestamp>,
    /// The form to change their role, if the signed-in user may.
    pub change: Option<&'a FormState>,
    /// The form to remove them, if the signed-in user may.
    pub remove: Option<&'a FormState>,
}

impl<'a> MemberPage<'a> {
    /// The data of a stored membership at the time `now`, without forms.
    #[must_use]
    pub fn of(membership: Option<&'a Membership>, now: Timestamp) -> Self {
        Self {
            member: membership.map(|membership| &membership.member),
            expired: membership.and_then(|membership| membership.expired_at(now)),
            ..Self::default()
        }
    }
}

/// The list of members. Cacheable: it contains nothing about one user, and no idempotency key.
#[must_use]
pub fn member_list(
    layout: &Layout,
    members: &[ListedMember<'_>],
    is_first: bool,
    next: Option<&str>,
) -> String {
    let fresh = fresh_invitation(String::new());
    let row = |listed| MemberRow::new(listed, layout.role);
    render(&ListPage {
        frame: PageFrame {
            section: Some(Section::Members),
            ..PageFrame::new(format!("Members – {}", layout.organization), Some(layout))
        },
        members: paths::members(Some(layout), ""),
        can_invite: layout.role >= Role::Admin,
        rows: members.iter().map(row).collect(),
        is_first,
        next,
        form: invite_form(Some(layout), &fresh),
    })
}

/// The empty form for an invitation. The role is "member" until the user chooses another.
#[must_use]
pub fn fresh_invitation(key: String) -> FormState {
    FormState {
        values: [("role".to_owned(), Role::Member.as_str().to_owned())].into(),
        key,
        ..FormState::default()
    }
}

/// The page for inviting a member. Not cacheable.
#[must_use]
pub fn member_invite(layout: Option<&Layout>, state: &FormState) -> String {
    let form = invite_form(layout, state);
    render(&InvitePage {
        frame: PageFrame::new(form.title("Invite"), layout),
        members: paths::members(layout, ""),
        form,
    })
}

/// The highest role to offer: the user's own role, as far as it is known. A role that they have
/// already chosen is always offered, because a browser would silently select another one. The
/// action decides whether they may grant it.
fn highest_offered_role(layout: Option<&Layout>, state: &FormState) -> Role {
    let own = layout.map_or(Role::Admin, |layout| layout.role);
    let chosen = Role::parse(state.value("role"));
    chosen.map_or(own, |chosen| chosen.max(own))
}

fn invite_form<'a>(layout: Option<&Layout>, state: &'a FormState) -> Form<'a> {
    let next = layout.map(|_| paths::member(layout, "__id__", "#member-invited"));
    Form::new(&INVITE, state)
        .roles_up_to(highest_offered_role(layout, state))
        .next_and_cancel(next, None)
}

/// The page for changing a member's role, removing them, or withdrawing their invitation. Also the
/// page after either form was refused. Not cacheable.
#[must_use]
pub fn member_edit(layout: Option<&Layout>, shown: &MemberPage<'_>) -> String {
    let change = shown
        .change
        .map(|state| change_role_form(layout, shown, state));
    let remove = shown.remove.map(|state| removal(layout, shown, state));
    let failed = [
        change.as_ref(),
        remove.as_ref().map(|removal| &removal.form),
    ];
    let failed = failed
        .into_iter()
        .flatten()
        .find(|form| form.problem.is_some());
    let heading = shown.member.map_or("Member", Member::display_name);
    render(&EditPage {
        frame: PageFrame::new(
            failed.map_or_else(|| heading.to_owned(), |form| form.title(heading)),
            layout,
        ),
        members: paths::members(layout, ""),
        heading,
        member: shown.member,
        role: shown.member.map_or("", |member| role_name(member.role)),
        status: shown
            .member
            .map_or("", |member| status(member, shown.expired.is_some())),
        link: shown.link,
        is_emailed: shown.is_emailed,
        expired: shown.expired,
        change,
        remove,
    })
}

fn change_role_form<'a>(
    layout: Option<&Layout>,
    shown: &MemberPage<'_>,
    state: &'a FormState,
) -> Form<'a> {
    Form::new(&CHANGE_ROLE, state)
        .hidden("userId", user_id(shown, state))
        .roles_up_to(highest_offered_role(layout, state))
        .next_and_cancel(list_path(layout, "#role-changed"), list_path(layout, ""))
}

fn removal<'a>(
    layout: Option<&Layout>,
    shown: &MemberPage<'_>,
    state: &'a FormState,
) -> Removal<'a> {
    let (spec, next) = match shown.member {
        Some(_) if shown.is_self => (&LEAVE, Some(paths::LEFT.to_owned())),
        Some(member) if !member.is_active() => {
            (&WITHDRAW, list_path(layout, "#invitation-withdrawn"))
        }
        _ => (&REMOVE, list_path(layout, "#member-removed")),
    };
    let mut form = Form::new(spec, state)
        .hidden("userId", user_id(shown, state))
        .next_and_cancel(next, list_path(layout, ""));
    if shown.is_self {
        form = form.hidden("leave", "yes");
    }
    Removal {
        summary: spec.submit,
        question: question(layout, shown),
        open: shown.change.is_none() || form.problem.is_some(),
        form,
    }
}

/// The id of the member, or the one that the form was sent with if the member could not be read.
fn user_id(shown: &MemberPage<'_>, state: &FormState) -> String {
    match shown.member {
        Some(member) => member.id.to_string(),
        None => state.value("userId").to_owned(),
    }
}

/// The path of the list followed by `rest`, if the tenant is known.
fn list_path(layout: Option<&Layout>, rest: &str) -> Option<String> {
    layout.map(|_| paths::members(layout, rest))
}

/// The page for leaving the organization. Not cacheable.
#[must_use]
pub fn member_leave(layout: Option<&Layout>, own: &Member, state: &FormState) -> String {
    let shown = MemberPage {
        member: Some(own),
        is_self: true,
        remove: Some(state),
        ..MemberPage::default()
    };
    member_edit(layout, &shown)
}

fn question(layout: Option<&Layout>, shown: &MemberPage<'_>) -> String {
    let organization = layout.map_or("this organization", |layout| &layout.organization);
    match shown.member {
        None => "Remove this member?".to_owned(),
        Some(_) if shown.is_self => format!(
            "Leave {organization}? You lose access at once, and need an invitation to come back."
        ),
        Some(member) if shown.expired.is_some() => {
            format!("Withdraw the invitation of {}?", member.email)
        }
        Some(member) if !member.is_active() => format!(
            "Withdraw the invitation of {}? Its link stops working at once.",
            member.email
        ),
        Some(member) => format!(
            "Remove {} from {organization}? They lose access at once. The contacts they added stay.",
            member.display_name()
        ),
    }
}

impl<'a> MemberRow<'a> {
    fn new(listed: &ListedMember<'a>, viewer: Role) -> Self {
        let member = listed.member;
        let name = member.display_name();
        let since = if member.is_active() {
            "Joined"
        } else {
            "Invited"
        };
        Self {
            member,
            name,
            initials: initials(name),
            tone: tone(member.id.as_str()),
            role: role_name(member.role),
            status: status(member, listed.has_expired),
            since: format!("{since} {}", day(member.created_at)),
            can_change: member.can_be_changed_by(viewer),
        }
    }
}

/// The text after the role of a member who has not joined yet.
fn status(member: &Member, has_expired: bool) -> &'static str {
    match (member.is_active(), has_expired) {
        (true, _) => "",
        (false, false) => ", invited",
        (false, true) => ", invitation expired",
    }
}

/// A role's name on the page.
pub(crate) fn role_name(role: Role) -> &'static str {
    match role {
        Role::Viewer => "Viewer",
        Role::Member => "Member",
        Role::Admin => "Admin",
        Role::Owner => "Owner",
    }
}
