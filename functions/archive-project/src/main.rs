//! Serves `archive-project` on Lambda.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), action::Error> {
    action::serve(archive_project::function, pages::problem).await
}
