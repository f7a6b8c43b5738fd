//! Serves `change-password` on Lambda.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), action::Error> {
    action::serve(change_password::function, pages::problem).await
}
