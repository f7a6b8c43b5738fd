//! Serves `list-members` on Lambda.

fn main() -> Result<(), wrapper::Error> {
    functions::serve(functions::members::LIST)
}
