//! Every action and view of the product, and the registry of the Lambda functions that serve them.
//!
//! A file is one action or view, or the form pages of one resource. A function has one line in
//! [`FUNCTIONS`] and one binary in `src/bin`, which is built with the code of that function alone.

pub mod accounts;
pub mod audit;
pub mod background;
pub mod contacts;
pub mod members;
pub mod projects;

use action::Action;
use std::sync::Arc;
use wrapper::{App, Error, Function, Runner, Site, view};

/// The product's own pages, as far as the wrapper needs them.
pub const SITE: Site = Site {
    error_page: pages::problem,
    sign_in: pages::paths::SIGN_IN,
};

/// Every function. Samples are sent in this order, so each comes after what it needs.
pub static FUNCTIONS: &[Function] = &[
    Function::action::<accounts::sign_up::SignUp>(),
    Function::action::<accounts::sign_in::SignIn>(),
    Function::action::<contacts::create::CreateContact>(),
    contacts::LIST,
    contacts::GET,
    Function::action::<contacts::update::UpdateContact>(),
    Function::action::<projects::create::CreateProject>(),
    projects::LIST,
    Function::action::<projects::rename::RenameProject>(),
    Function::action::<projects::archive::ArchiveProject>(),
    Function::action::<projects::restore::RestoreProject>(),
    audit::AUDIT,
    Function::action::<contacts::delete::DeleteContact>(),
    Function::action::<contacts::restore::RestoreContact>(),
    accounts::SETTINGS,
    Function::action::<accounts::update_profile::UpdateProfile>(),
    Function::action::<accounts::end_session::EndSession>(),
    Function::action::<accounts::switch_organization::SwitchOrganization>(),
    Function::action::<accounts::change_password::ChangePassword>(),
    Function::action::<members::invite::InviteMember>(),
    members::LIST,
    Function::action::<members::change_role::ChangeRole>(),
    PAGES,
    Function::action::<members::accept::AcceptInvite>(),
    Function::action::<members::remove::RemoveMember>(),
    Function::action::<accounts::sign_out::SignOut>(),
    Function::action::<accounts::request_password_reset::RequestPasswordReset>(),
    Function::action::<accounts::reset_password::ResetPassword>(),
    Function::action::<accounts::sign_out_everywhere::SignOutEverywhere>(),
    background::REVALIDATE,
    background::DELIVER_MAIL,
    background::INDEX_SEARCH,
];

/// The pages that are not cached, because their forms hold a fresh idempotency key; and the assets.
pub const PAGES: Function = Function::views_and_assets(
    "pages",
    &[
        view::<accounts::pages::Home>(),
        view::<accounts::pages::SignInPage>(),
        view::<accounts::pages::SignUpPage>(),
        view::<accounts::password_pages::ForgotPage>(),
        view::<accounts::password_pages::ResetPage>(),
        view::<contacts::pages::NewPage>(),
        view::<contacts::pages::EditPage>(),
        view::<contacts::pages::DeletePage>(),
        view::<contacts::trash::Trash>(),
        view::<projects::pages::NewPage>(),
        view::<projects::pages::EditPage>(),
        view::<members::pages::InvitePage>(),
        view::<members::pages::LeavePage>(),
        view::<members::pages::EditPage>(),
        view::<members::pages::AcceptPage>(),
    ],
    ::pages::assets,
);

/// The function of that name.
#[must_use]
pub fn named(name: &str) -> Option<Function> {
    let found = FUNCTIONS.iter().find(|function| function.name == name);
    found.copied()
}

/// Serves a function on Lambda until the process ends.
///
/// # Errors
/// If the environment lacks something, or Lambda's runtime API goes away.
pub fn serve(function: Function) -> Result<(), Error> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?
        .block_on(wrapper::serve(function, SITE))
}

/// Serves the function of an action.
///
/// # Errors
/// As [`serve`].
pub fn serve_action<A: Action>() -> Result<(), Error> {
    serve(Function::action::<A>())
}

/// Every function, each served with `app`.
#[must_use]
pub fn runners(app: &Arc<App>) -> Vec<Runner> {
    let runners = FUNCTIONS.iter();
    runners
        .map(|function| Runner::new(Arc::clone(app), *function))
        .collect()
}
