//! Serves `pages` on Lambda.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), action::Error> {
    action::serve(site::function, pages::problem).await
}
