//! Serves `list-projects` on Lambda.

fn main() -> Result<(), wrapper::Error> {
    functions::serve_view::<functions::projects::list::ListProjects>()
}
