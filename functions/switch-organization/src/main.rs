//! Serves `switch-organization` on Lambda.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), action::Error> {
    action::serve(switch_organization::function, pages::problem).await
}
