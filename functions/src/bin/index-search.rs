//! Serves `index-search` on Lambda.

fn main() -> Result<(), wrapper::Error> {
    functions::serve(functions::background::INDEX_SEARCH)
}
