//! Serves `end-session` on Lambda.

fn main() -> Result<(), wrapper::Error> {
    functions::serve_action::<functions::accounts::end_session::EndSession>()
}
