//! Serves `change-role` on Lambda.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), action::Error> {
    action::serve(change_role::function, pages::problem).await
}
