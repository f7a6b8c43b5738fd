//! Serves `revalidate` on Lambda.

fn main() -> Result<(), wrapper::Error> {
    functions::serve(functions::background::REVALIDATE)
}
