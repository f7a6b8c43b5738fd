//! Serves `reset-password` on Lambda.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), action::Error> {
    action::serve(reset_password::function, pages::problem).await
}
