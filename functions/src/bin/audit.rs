//! Serves `audit` on Lambda.

fn main() -> Result<(), wrapper::Error> {
    functions::serve(functions::audit::AUDIT)
}
