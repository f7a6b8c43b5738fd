//! `docs/permissions.md`: which role may do what.

use action::Role;
use functions::REGISTRY;
use std::fmt::Write;
use wrapper::Route;

const ROLES: [Role; 4] = [Role::Viewer, Role::Member, Role::Admin, Role::Owner];

const INTRODUCTION: &str = "\
# Who may do what

Generated from the registry of the functions by `cargo xtask generate`; tests/tests/organization/permission_table.rs \
checks it for every role over HTTP. Each role may do everything that the roles before it may: viewer, \
member, admin, owner. A user of another organisation can neither see nor change anything of this one.
";

/// The whole document.
pub(crate) fn table() -> String {
    let mut routes: Vec<Route> = REGISTRY
        .iter()
        .flat_map(|entry| entry.function.routes())
        .collect();
    routes.sort_by_key(|route| route.path);
    let mut text = INTRODUCTION.to_owned();
    for (method, title) in [("POST", "Actions"), ("GET", "Views")] {
        let _infallible = write!(
            text,
            "\n## {title}\n\n| what | signed out | viewer | member | admin | owner | condition |\n|---|---|---|---|---|---|---|\n"
        );
        for route in routes.iter().filter(|route| route.method == method) {
            text.push_str(&row(route));
        }
    }
    text
}

fn row(route: &Route) -> String {
    let mark = |allowed| if allowed { "yes" } else { "–" };
    let signed_out = mark(route.least.is_none());
    let roles = ROLES.map(|role| mark(route.least.is_none_or(|least| role >= least)));
    let (path, roles, rule) = (route.path, roles.join(" | "), route.rule);
    format!("| `{path}` | {signed_out} | {roles} | {rule} |\n")
}
