//! Serves `update-contact` on Lambda.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), action::Error> {
    action::serve(update_contact::function, pages::problem).await
}
