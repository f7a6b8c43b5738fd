//! Serves `sign-up` on Lambda.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), action::Error> {
    action::serve(sign_up::function, pages::problem).await
}
