//! Serves `delete-contact` on Lambda.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), action::Error> {
    action::serve(delete_contact::function, pages::problem).await
}
