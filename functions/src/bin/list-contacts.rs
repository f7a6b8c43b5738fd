//! Serves `list-contacts` on Lambda.

fn main() -> Result<(), wrapper::Error> {
    functions::serve(functions::contacts::LIST)
}
