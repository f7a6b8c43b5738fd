//! Serves `end-session` on Lambda.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), action::Error> {
    action::serve(end_session::function, pages::problem).await
}
