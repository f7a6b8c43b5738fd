//! Serves `list-projects` on Lambda.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), action::Error> {
    action::serve(list_projects::function, pages::problem).await
}
