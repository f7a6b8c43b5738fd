//! Serves `change-role` on Lambda.

fn main() -> Result<(), wrapper::Error> {
    functions::serve_action::<functions::members::change_role::ChangeRole>()
}
