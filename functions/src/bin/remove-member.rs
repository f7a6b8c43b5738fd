//! Serves `remove-member` on Lambda.

fn main() -> Result<(), wrapper::Error> {
    functions::serve_action::<functions::members::remove::RemoveMember>()
}
