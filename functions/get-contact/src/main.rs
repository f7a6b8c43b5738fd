//! Serves `get-contact` on Lambda.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), action::Error> {
    action::serve(get_contact::function, pages::problem).await
}
