//! Serves `request-password-reset` on Lambda.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), action::Error> {
    action::serve(request_password_reset::function, pages::problem).await
}
