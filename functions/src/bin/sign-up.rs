//! Serves `sign-up` on Lambda.

fn main() -> Result<(), wrapper::Error> {
    functions::serve_action::<functions::accounts::sign_up::SignUp>()
}
