//! Serves `list-members` on Lambda.

fn main() -> Result<(), wrapper::Error> {
    functions::serve_view::<functions::members::list::ListMembers>()
}
