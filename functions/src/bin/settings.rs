//! Serves `settings` on Lambda.

fn main() -> Result<(), wrapper::Error> {
    functions::serve(functions::accounts::SETTINGS)
}
