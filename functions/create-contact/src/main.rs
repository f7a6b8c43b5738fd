//! Serves `create-contact` on Lambda.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), action::Error> {
    action::serve(create_contact::function, pages::problem).await
}
