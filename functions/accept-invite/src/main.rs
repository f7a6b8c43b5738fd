//! Serves `accept-invite` on Lambda.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), action::Error> {
    action::serve(accept_invite::function, pages::problem).await
}
