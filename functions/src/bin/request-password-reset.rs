//! Serves `request-password-reset` on Lambda.

fn main() -> Result<(), wrapper::Error> {
    functions::serve_action::<functions::accounts::request_password_reset::RequestPasswordReset>()
}
