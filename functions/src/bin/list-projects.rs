//! Serves `list-projects` on Lambda.

fn main() -> Result<(), wrapper::Error> {
    functions::serve(functions::projects::LIST)
}
