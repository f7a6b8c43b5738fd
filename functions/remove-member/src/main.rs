//! Serves `remove-member` on Lambda.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), action::Error> {
    action::serve(remove_member::function, pages::problem).await
}
