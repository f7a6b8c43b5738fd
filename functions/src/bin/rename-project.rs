//! Serves `rename-project` on Lambda.

fn main() -> Result<(), wrapper::Error> {
    functions::serve_action::<functions::projects::rename::RenameProject>()
}
