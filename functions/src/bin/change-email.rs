//! Serves `update-profile` on Lambda.

fn main() -> Result<(), wrapper::Error> {
    functions::serve_action::<functions::accounts::change_email::ChangeEmail>()
}
