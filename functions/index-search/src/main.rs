//! Serves `index-search` on Lambda.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), action::Error> {
    // Nobody looks at its answers.
    action::serve(index_search::function, |_, _, message, _| {
        message.to_owned()
    })
    .await
}
