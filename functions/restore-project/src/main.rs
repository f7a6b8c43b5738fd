//! Serves `restore-project` on Lambda.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), action::Error> {
    action::serve(restore_project::function, pages::problem).await
}
