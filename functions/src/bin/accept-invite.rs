//! Serves `accept-invite` on Lambda.

fn main() -> Result<(), wrapper::Error> {
    functions::serve_action::<functions::members::accept::AcceptInvite>()
}
