//! Serves `reset-password` on Lambda.

fn main() -> Result<(), wrapper::Error> {
    functions::serve_action::<functions::accounts::reset_password::ResetPassword>()
}
