//! Serves `invite-member` on Lambda.

fn main() -> Result<(), wrapper::Error> {
    functions::serve_action::<functions::members::invite::InviteMember>()
}
