//! Serves `update-profile` on Lambda.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), action::Error> {
    action::serve(update_profile::function, pages::problem).await
}
