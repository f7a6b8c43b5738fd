//! Every action and view of the product, and the registry of the Lambda functions that serve them.
//!
//! Each file is one action or view, or the form pages of one resource. A new one touches three
//! files: its own; its binary in `src/bin`, which contains the code of that function only; and this
//! one, with its module and its line in [`REGISTRY`].

pub mod audit;
pub mod background;
pub mod registry;

/// Accounts and sessions: signing up, in and out, passwords, settings.
pub mod accounts {
    pub mod change_email;
    pub mod change_password;
    pub mod confirm_email;
    pub mod confirm_page;
    pub mod delete_account;
    pub mod end_session;
    pub mod pages;
    pub mod password_pages;
    pub mod request_password_reset;
    pub mod reset_password;
    pub mod send_confirmation;
    pub mod settings;
    pub mod settings_pages;
    pub mod sign_in;
    pub mod sign_out;
    pub mod sign_out_everywhere;
    pub mod sign_up;
    pub mod switch_organization;
    pub mod update_profile;
}

/// Contacts: their actions, list, pages and trash.
pub mod contacts {
    pub mod create;
    pub mod delete;
    pub mod get;
    pub mod list;
    pub mod pages;
    pub mod restore;
    pub mod trash;
    pub mod update;
}

/// Members of an organisation: their actions, list and pages.
pub mod members {
    pub mod accept;
    pub mod change_role;
    pub mod invite;
    pub mod list;
    pub mod pages;
    pub mod remove;
}

/// Organisations: making and renaming them.
pub mod organizations {
    pub mod create;
    pub mod pages;
    pub mod rename;
}

/// Projects: their actions, list and pages.
pub mod projects {
    pub mod archive;
    pub mod create;
    pub mod list;
    pub mod pages;
    pub mod rename;
    pub mod restore;
}

use action::{Form, View};
use registry::{Description, Entry, Group, action, background, group, view, views};
use std::sync::Arc;
use wrapper::{App, Error, Function, Runner, Site};

/// The error page and the path of the sign-in page, for the wrapper.
pub const SITE: Site = Site {
    error_page: ::pages::problem,
    switch_page: ::pages::switch,
    sign_in: ::pages::paths::SIGN_IN,
};

/// Every function. The samples are sent in this order, so each one comes after those that create
/// what it needs.
pub static REGISTRY: &[Entry] = &[
    action::<accounts::sign_up::SignUp>(),
    action::<accounts::sign_out_everywhere::SignOutEverywhere>(),
    action::<accounts::sign_in::SignIn>(),
    action::<accounts::send_confirmation::SendConfirmation>(),
    action::<accounts::confirm_email::ConfirmEmail>(),
    action::<contacts::create::CreateContact>(),
    view::<contacts::list::ListContacts>(),
    view::<contacts::get::GetContact>(),
    action::<contacts::update::UpdateContact>(),
    action::<projects::create::CreateProject>(),
    view::<projects::list::ListProjects>(),
    action::<projects::rename::RenameProject>(),
    action::<projects::archive::ArchiveProject>(),
    action::<projects::restore::RestoreProject>(),
    group::<AuditViews>(),
    action::<contacts::delete::DeleteContact>(),
    action::<contacts::restore::RestoreContact>(),
    view::<accounts::settings::ShowSettings>(),
    action::<accounts::update_profile::UpdateProfile>(),
    action::<accounts::change_email::ChangeEmail>(),
    action::<accounts::end_session::EndSession>(),
    action::<accounts::switch_organization::SwitchOrganization>(),
    action::<accounts::change_password::ChangePassword>(),
    action::<members::invite::InviteMember>(),
    view::<members::list::ListMembers>(),
    action::<members::change_role::ChangeRole>(),
    group::<Pages>(),
    action::<members::accept::AcceptInvite>(),
    action::<members::remove::RemoveMember>(),
    action::<organizations::rename::RenameOrganization>(),
    action::<organizations::create::CreateOrganization>(),
    action::<accounts::sign_out::SignOut>(),
    action::<accounts::request_password_reset::RequestPasswordReset>(),
    action::<accounts::reset_password::ResetPassword>(),
    action::<accounts::delete_account::DeleteAccount>(),
    background(background::REVALIDATE, || Description::Stream("#outbox")),
    background(background::DELIVER_MAIL, || Description::Stream("#mail")),
    background(background::INDEX_SEARCH, || Description::Schedule),
];

views! {
    /// The page of the audit, and the audit as a CSV file.
    AuditViews = "audit" [audit::Audit, audit::Export]
}

views! {
    /// The pages that are not cached, because their forms contain a fresh idempotency key; and the
    /// assets.
    Pages = "pages" [
        accounts::pages::Home,
        accounts::pages::SignInPage,
        accounts::pages::SignUpPage,
        accounts::password_pages::ForgotPage,
        accounts::password_pages::ResetPage,
        accounts::confirm_page::ConfirmPage,
        accounts::settings_pages::EmailPage,
        accounts::settings_pages::OrganizationPage,
        accounts::settings_pages::DeletePage,
        organizations::pages::NewOrganizationPage,
        contacts::pages::NewPage,
        contacts::pages::EditPage,
        contacts::pages::DeletePage,
        contacts::trash::Trash,
        projects::pages::NewPage,
        projects::pages::EditPage,
        members::pages::InvitePage,
        members::pages::LeavePage,
        members::pages::EditPage,
        members::pages::AcceptPage,
    ] with ::pages::assets
}

/// The function with this name.
#[must_use]
pub fn named(name: &str) -> Option<Function> {
    let mut functions = REGISTRY.iter().map(|entry| entry.function);
    functions.find(|function| function.name == name)
}

/// Serves a function on Lambda until the process ends.
///
/// # Errors
/// If a variable of the environment is missing, or Lambda's runtime API cannot be reached.
pub fn serve(function: Function) -> Result<(), Error> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?
        .block_on(wrapper::serve(function, SITE))
}

/// Serves the function of an action.
///
/// # Errors
/// The same as [`serve`].
pub fn serve_action<A: Form>() -> Result<(), Error> {
    serve(Function::action::<A>())
}

/// Serves the function of a view.
///
/// # Errors
/// The same as [`serve`].
pub fn serve_view<V: View>() -> Result<(), Error> {
    serve(registry::function_of::<V>())
}

/// Serves the function of several views.
///
/// # Errors
/// The same as [`serve`].
pub fn serve_group<G: Group>() -> Result<(), Error> {
    serve(G::FUNCTION)
}

/// A runner for every function; all share `app`.
#[must_use]
pub fn runners(app: &Arc<App>) -> Vec<Runner> {
    let functions = REGISTRY.iter().map(|entry| entry.function);
    functions
        .map(|function| Runner::new(Arc::clone(app), function))
        .collect()
}
