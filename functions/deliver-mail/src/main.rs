//! Serves `deliver-mail` on Lambda.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), action::Error> {
    // Nobody looks at its answers.
    action::serve(deliver_mail::function, |_, _, message, _| {
        message.to_owned()
    })
    .await
}
