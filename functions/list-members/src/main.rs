//! Serves `list-members` on Lambda.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), action::Error> {
    action::serve(list_members::function, pages::problem).await
}
