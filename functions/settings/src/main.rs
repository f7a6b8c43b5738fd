//! Serves `settings` on Lambda.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), action::Error> {
    action::serve(settings::function, pages::problem).await
}
