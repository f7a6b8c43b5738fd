//! Serves `pages` on Lambda.

fn main() -> Result<(), wrapper::Error> {
    functions::serve(functions::PAGES)
}
