//! Serves `sign-out` on Lambda.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), action::Error> {
    action::serve(sign_out::function, pages::problem).await
}
