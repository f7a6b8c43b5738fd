//! Serves what is not cached by tag: the pages whose forms hold a fresh idempotency key, and the
//! assets.

mod account;
mod contact;
mod members;
mod password;
mod project;
mod trash;

use action::{App, Asset, Function};
use std::sync::Arc;

/// The function that serves them.
pub fn function(app: Arc<App>) -> Function {
    let assets = pages::assets().iter().map(|asset| Asset {
        path: asset.path,
        content_type: asset.content_type,
        bytes: asset.bytes,
    });
    Function::views("pages", app)
        .view::<account::Home>()
        .view::<account::SignInPage>()
        .view::<account::SignUpPage>()
        .view::<password::ForgotPage>()
        .view::<password::ResetPage>()
        .view::<contact::NewPage>()
        .view::<contact::EditPage>()
        .view::<contact::DeletePage>()
        .view::<trash::Trash>()
        .view::<project::NewPage>()
        .view::<project::EditPage>()
        .view::<members::InvitePage>()
        .view::<members::LeavePage>()
        .view::<members::EditPage>()
        .view::<members::AcceptPage>()
        .assets(assets)
}
