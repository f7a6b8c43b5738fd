//! Serves `rename-project` on Lambda.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), action::Error> {
    action::serve(rename_project::function, pages::problem).await
}
