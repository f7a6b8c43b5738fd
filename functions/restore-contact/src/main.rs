//! Serves `restore-contact` on Lambda.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), action::Error> {
    action::serve(restore_contact::function, pages::problem).await
}
