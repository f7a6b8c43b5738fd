//! Serves `create-project` on Lambda.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), action::Error> {
    action::serve(create_project::function, pages::problem).await
}
