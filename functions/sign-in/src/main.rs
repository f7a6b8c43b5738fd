//! Serves `sign-in` on Lambda.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), action::Error> {
    action::serve(sign_in::function, pages::problem).await
}
