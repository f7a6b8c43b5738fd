//! Serves `audit` on Lambda.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), action::Error> {
    action::serve(audit::function, pages::problem).await
}
