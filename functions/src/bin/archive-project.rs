//! Serves `archive-project` on Lambda.

fn main() -> Result<(), wrapper::Error> {
    functions::serve_action::<functions::projects::archive::ArchiveProject>()
}
