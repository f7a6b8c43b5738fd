//! Serves `get-contact` on Lambda.

fn main() -> Result<(), wrapper::Error> {
    functions::serve(functions::contacts::GET)
}
