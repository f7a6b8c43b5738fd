//! Serves `list-contacts` on Lambda.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), action::Error> {
    action::serve(list_contacts::function, pages::problem).await
}
