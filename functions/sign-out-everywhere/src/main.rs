//! Serves `sign-out-everywhere` on Lambda.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), action::Error> {
    action::serve(sign_out_everywhere::function, pages::problem).await
}
