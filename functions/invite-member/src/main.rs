//! Serves `invite-member` on Lambda.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), action::Error> {
    action::serve(invite_member::function, pages::problem).await
}
