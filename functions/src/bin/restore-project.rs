//! Serves `restore-project` on Lambda.

fn main() -> Result<(), wrapper::Error> {
    functions::serve_action::<functions::projects::restore::RestoreProject>()
}
